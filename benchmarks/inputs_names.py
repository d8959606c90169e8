"""Kinds of files with class names: every shape in which people keep them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.inputs_world import CLASSES, Kind, Place, Right, either, refused, works

_SYNSETS = tuple(f"n014400{index:02d}" for index in range(12))
_BACKWARD = tuple(reversed(CLASSES))
_LINES = "\n".join(CLASSES)
_INDEX = {name: index for index, name in enumerate(CLASSES)}
_FROM_INDEX = {str(index): name for index, name in enumerate(CLASSES)}


def _rows(*rows: Any, separator: str = ",", header: str = "") -> str:
    return (header + "\n" if header else "") + "\n".join(separator.join(map(str, row)) for row in rows) + "\n"


_COUNTED = [(index, name) for index, name in enumerate(CLASSES)]
# File name -> content; where the content is a tuple, bytes in the named encoding.
_GOOD: dict[str, tuple[str, str]] = {
    "one a line": ("names.txt", _LINES),
    "one a line, last line ended": ("names.txt", _LINES + "\n"),
    "one a line, blank lines at the end": ("names.txt", _LINES + "\n\n\n"),
    "one a line, CRLF": ("names.txt", _LINES.replace("\n", "\r\n")),
    "one a line, BOM": ("names.txt", "\ufeff" + _LINES),
    "one a line, blanks around": ("names.txt", "\n".join(f"  {name}\t" for name in CLASSES)),
    "one a line, no suffix": ("classes", _LINES),
    "one a line, .names": ("obj.names", _LINES),
    "one a line, with comments": ("names.txt", "# classes of my set\n" + _LINES),
    "one a line, upper case": ("names.txt", _LINES.upper()),
    "quoted lines": ("names.txt", "\n".join(f'"{name}"' for name in CLASSES)),
    "0 name": ("names.txt", _rows(*_COUNTED, separator=" ")),
    "0: name": ("names.txt", _rows(*_COUNTED, separator=": ")),
    "0,name": ("names.txt", _rows(*_COUNTED)),
    "0 tab name": ("names.txt", _rows(*_COUNTED, separator="\t")),
    "name 0": ("names.txt", _rows(*((name, index) for index, name in _COUNTED), separator=" ")),
    "name,0": ("names.txt", _rows(*((name, index) for index, name in _COUNTED))),
    "1 name, counted from 1": ("names.txt", _rows(*((index + 1, name) for index, name in _COUNTED), separator=" ")),
    "001.name": ("names.txt", _rows(*((f"{index + 1:03d}", name) for index, name in _COUNTED), separator=".")),
    "CUB classes.txt": ("classes.txt", _rows(*((index + 1, f"{index + 1:03d}.{name}") for index, name in _COUNTED), separator=" ")),
    "synset name": ("words.txt", _rows(*zip(_SYNSETS, CLASSES, strict=True), separator=" ")),
    "synset tab name": ("words.txt", _rows(*zip(_SYNSETS, CLASSES, strict=True), separator="\t")),
    "unordered 0 name": ("names.txt", _rows(*reversed(_COUNTED), separator=" ")),
    "comma list": ("names.txt", ",".join(CLASSES)),
    "comma list with blanks": ("names.txt", ", ".join(CLASSES) + "\n"),
    "Python list": ("names.txt", repr(list(CLASSES))),
    "Python dict": ("names.txt", repr(dict(enumerate(CLASSES)))),
    "semicolon list": ("names.txt", ";".join(CLASSES)),
    "JSON list": ("names.json", json.dumps(CLASSES)),
    "JSON from index": ("names.json", json.dumps(_FROM_INDEX)),
    "JSON class_to_idx": ("class_to_idx.json", json.dumps(_INDEX)),
    "JSON class_to_idx under its key": ("meta.json", json.dumps({"class_to_idx": _INDEX, "epochs": 3})),
    "JSON idx_to_class": ("meta.json", json.dumps({"idx_to_class": _FROM_INDEX})),
    "JSON idx2label": ("meta.json", json.dumps({"idx2label": _FROM_INDEX})),
    "JSON classes": ("meta.json", json.dumps({"classes": CLASSES})),
    "JSON names": ("meta.json", json.dumps({"names": _FROM_INDEX, "nc": 12})),
    "JSON class_names": ("meta.json", json.dumps({"class_names": CLASSES, "size": 32})),
    "JSON labels": ("meta.json", json.dumps({"labels": CLASSES})),
    "Hugging Face config": ("config.json", json.dumps({"model_type": "vit", "id2label": _FROM_INDEX, "label2id": _INDEX})),
    "Hugging Face label2id alone": ("config.json", json.dumps({"label2id": _INDEX})),
    "timm config": ("config.json", json.dumps({"architecture": "resnet18", "label_names": CLASSES})),
    "Keras index": ("index.json", json.dumps({str(i): [s, n] for i, (s, n) in enumerate(zip(_SYNSETS, CLASSES, strict=True))})),
    "COCO categories": ("categories.json", json.dumps({"categories": [{"id": i + 1, "name": n} for i, n in _COUNTED]})),
    "list of objects": ("classes.json", json.dumps([{"id": i, "name": n} for i, n in _COUNTED])),
    "JSON lists of one": ("names.json", json.dumps([[name] for name in CLASSES])),
    "JSON Lines": ("names.jsonl", "\n".join(json.dumps({"id": i, "name": n}) for i, n in _COUNTED)),
    "JSON named .txt": ("names.txt", json.dumps(CLASSES)),
    "JSON indented": ("names.json", json.dumps(_FROM_INDEX, indent=2)),
    "YAML list": ("names.yaml", "".join(f"- {name}\n" for name in CLASSES)),
    "YAML data of Ultralytics": ("data.yaml", "path: data\ntrain: train\nnc: 12\nnames:\n" + "".join(f"  {i}: {n}\n" for i, n in _COUNTED)),
    "YAML names in brackets": ("data.yaml", f"train: a\nnames: [{', '.join(CLASSES)}]\nnc: 12\n"),
    "YAML from index": ("names.yml", "".join(f"{i}: {n}\n" for i, n in _COUNTED)),
    "CSV index,name": ("names.csv", _rows(*_COUNTED, header="index,name")),
    "CSV name,index": ("names.csv", _rows(*((n, i) for i, n in _COUNTED), header="name,index")),
    "CSV id,label": ("names.csv", _rows(*_COUNTED, header="id,label")),
    "CSV class_id,class_name": ("names.csv", _rows(*_COUNTED, header="class_id,class_name")),
    "CSV names alone, heading name": ("names.csv", "name\n" + _LINES),
    "CSV names alone, heading class": ("names.csv", "class\n" + _LINES),
    "CSV names alone, no heading": ("names.csv", _LINES),
    "CSV without heading": ("names.csv", _rows(*_COUNTED)),
    "CSV with semicolons": ("names.csv", _rows(*_COUNTED, separator=";", header="index;name")),
    "CSV of pandas, unnamed index": ("names.csv", _rows(*_COUNTED, header=",name")),
    "TSV": ("names.tsv", _rows(*_COUNTED, separator="\t", header="index\tname")),
    "pbtxt of TensorFlow": ("label_map.pbtxt", "".join(f"item {{\n  id: {i + 1}\n  name: '{n}'\n}}\n" for i, n in _COUNTED)),
    "names in the order of training, not sorted": ("names.txt", "\n".join(_BACKWARD)),
}  # fmt: skip

_BAD: dict[str, tuple[str, str, Right]] = {
    "a name twice": ("names.txt", _LINES.replace("banana", "apple"), refused("apple", "2 times|twice")),
    "too few": ("names.txt", "\n".join(CLASSES[:11]), refused("11", "12|mango")),
    "too many": ("names.txt", _LINES + "\nnectarine", refused("13", "12")),
    "an empty file": ("names.txt", "", refused("no name|empty", "line|name")),
    "an empty line in the middle": ("names.txt", _LINES.replace("banana", ""), refused("empty", "output 1|line 2")),
    "names of another set": ("names.txt", "\n".join(f"dog{i}" for i in range(12)), refused("apple", "dog", "--class-names")),
    "numbers alone": ("names.txt", "\n".join(map(str, range(12))), refused("apple", "0", "--class-names")),
    "one misspelled": ("names.txt", _LINES.replace("elderberry", "elderbery"), refused("elderberry", "elderbery")),
    "indices with a gap": ("names.json", json.dumps({str(i if i < 11 else 12): n for i, n in enumerate(CLASSES)}), refused("11|gap|not 0, 1", "index|indices")),
    "broken JSON": ("names.json", '["apple", "banana"', refused("json|delimiter|line", "list|names")),
    "nested JSON": ("names.json", json.dumps({"fruit": {"apple": 1}, "other": {"x": 2}}), refused("object|fruit", "list|index")),
    "a model file": ("names.pt", "PK\x03\x04\0\0\0\0\0", refused("text|utf|names|null", "list|line")),
    "a missing file": ("", "", refused(r"none\.txt", "no such file|exist|path")),
    "a folder": ("folder/x.txt", "a", refused("folder|directory", "file|list|line")),
}  # fmt: skip


def _good(name: str, text: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        path = place.write(name, text)
        if text == "\n".join(_BACKWARD):
            return _backward(place, path)
        return [*place.on(place.usual), "--class-names", path]

    return made


def _backward(place: Place, path: Any) -> Any:
    import torch

    net = place.world.net
    with torch.no_grad():
        net.fc.weight.copy_(net.fc.weight.flip(0))
        net.fc.bias.copy_(net.fc.bias.flip(0))
    place.save(net.state_dict())
    return [*place.with_arch("model.pt"), "--class-names", path]


def _bad(name: str, text: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        if name:
            place.write(name, text)
        given = name.partition("/")[0] if name else "none.txt"
        return [*place.on(place.usual), "--class-names", given]

    return made


def _encoded(encoding: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        path = place.write("names.txt", _LINES, encoding)
        return [*place.on(place.usual), "--class-names", path]

    return made


def _trained_order(place: Place) -> Any:
    """Weights whose outputs stand in another order than the folders, and nobody says so."""
    import torch

    net = place.world.net
    with torch.no_grad():
        net.fc.weight.copy_(net.fc.weight.flip(0))
        net.fc.bias.copy_(net.fc.bias.flip(0))
    return place.save({"model": net.state_dict(), "class_to_idx": {name: i for i, name in enumerate(_BACKWARD)}})


_MORE: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("UTF-16", either("utf-16|utf-8|encoding"), _encoded("utf-16"), "PowerShell writes it"),
    ("class_to_idx in the checkpoint, another order", works(), _trained_order, "else the accuracy is chance"),
    ("--class-names imagenet for 12 fruits", refused("apple", "--class-names|outputs"), lambda p: [*p.on(p.usual), "--class-names", "imagenet"], ""),
)  # fmt: skip

KINDS = [
    *(Kind("layouts", f"names: {kind}", works(), _good(*file)) for kind, file in _GOOD.items()),
    *(Kind("layouts", f"names: {kind}", right, _bad(name, text)) for kind, (name, text, right) in _BAD.items()),
    *(Kind("layouts", f"names: {kind}", right, make, why) for kind, right, make, why in _MORE),
]
