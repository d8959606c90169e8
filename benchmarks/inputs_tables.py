"""Kinds of tables: lists of images and labels in every shape."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.inputs_world import CLASSES, Kind, Place, Right, either, refused, told, works

Row = tuple[Any, Any]


def rows(place: Place, root: str = "images", by: Callable[[int], Any] = CLASSES.__getitem__) -> list[Row]:
    """Write the images flat and return (path, label) rows."""
    return [(f"{root}/{name}" if root else name, by(label)) for name, label in place.flat(root or ".")]


def text(found: Sequence[Sequence[Any]], header: str | None = "path,label", separator: str = ",") -> str:
    """Return rows as a table."""
    lines = [separator.join(map(str, row)) for row in found]
    return "\n".join(([header] if header is not None else []) + lines) + "\n"


def table(
    name: str = "images.csv",
    header: str | None = "path,label",
    separator: str = ",",
    root: str = "images",
    by: Callable[[int], Any] = CLASSES.__getitem__,
    change: Callable[[list[Row]], Sequence[Sequence[Any]]] = lambda found: found,
    encoding: str = "utf-8",
    end: str = "\n",
) -> Callable[[Place], Any]:
    """A table of the usual images as a text file."""

    def made(place: Place) -> Any:
        content = text(change(rows(place, root, by)), header, separator).replace("\n", end)
        place.write(name, content, encoding)
        return place.on(name)

    return made


def frame(
    name: str,
    change: Callable[[Any], Any] = lambda found: found,
    columns: tuple[str, str] = ("path", "label"),
    by: Callable[[int], Any] = CLASSES.__getitem__,
) -> Callable[[Place], Any]:
    """A table of the usual images as Parquet, JSON or another of pandas' formats."""

    def made(place: Place) -> Any:
        import pandas as pd

        found = change(pd.DataFrame(rows(place, by=by), columns=list(columns)))
        if name.endswith((".parquet", ".pq")):
            found.to_parquet(name)
        elif name.endswith(".jsonl"):
            found.to_json(name, orient="records", lines=True)
        elif name.endswith(".json"):
            found.to_json(name, orient="records")
        elif name.endswith(".feather"):
            found.to_feather(name)
        else:
            found.to_pickle(name)
        return place.on(name)

    return made


def _absolute(place: Place) -> Any:
    found = [(place.folder / path, label) for path, label in rows(place)]
    place.write("lists/images.csv", text(found))
    return place.on("lists/images.csv")


def _elsewhere(place: Place) -> Any:
    """Paths relative to the working directory, the table in another folder."""
    place.write("lists/images.csv", text(rows(place)))
    return place.on("lists/images.csv")


def _beside(name: str, header: str, folder: str, more: str = "") -> Callable[[Place], Any]:
    """A folder of images with a label file in or beside it; the folder is the dataset."""

    def made(place: Place) -> Any:
        found = rows(place, root="")
        for path, _ in found:
            place.write(f"{folder}/{path}", (place.folder / path).read_bytes())
            (place.folder / path).unlink()
        if name.endswith(".jsonl"):
            first, second = header.split(",")
            content = "\n".join(json.dumps({first: f"{more}{path}", second: label}) for path, label in found)
        else:
            content = text([(f"{more}{path}", label) for path, label in found], header)
        place.write(name, content)
        return place.on(folder.partition("/")[0])

    return made


def _ids(found: list[Row]) -> list[Row]:
    return [(path.removesuffix(".png"), label) for path, label in found]


def _numeric(found: list[Row]) -> list[Row]:
    return [(path.rpartition("_")[2].removesuffix(".png"), label) for path, label in found]


def _onehot(found: list[Row]) -> list[list[Any]]:
    return [[path, *(int(name == label) for name in CLASSES)] for path, label in found]


def _multilabel(found: list[Row]) -> list[Row]:
    return [
        (path, f"{label}|{CLASSES[(CLASSES.index(label) + 1) % 12]}" if index % 2 else label)
        for index, (path, label) in enumerate(found)
    ]


def _multihot(found: list[Row]) -> list[list[Any]]:
    return [[path, *(int(name == label or name == "mango") for name in CLASSES)] for path, label in found]


def _coco(kind: str = "instances") -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        found = place.flat("images")
        content: dict[str, Any] = {
            "images": [
                {"id": index, "file_name": name, "width": 32, "height": 32} for index, (name, _) in enumerate(found)
            ],
            "annotations": [
                {"id": i, "image_id": i, "category_id": label, "bbox": [0, 0, 32, 32]}
                for i, (_, label) in enumerate(found)
            ],
            "categories": [{"id": index, "name": name} for index, name in enumerate(CLASSES)],
        }
        place.write(f"{kind}.json", json.dumps(content))
        return place.on(f"{kind}.json")

    return made


def _voc(place: Place) -> Any:
    for name, label in place.flat("VOC/JPEGImages"):
        place.write(
            f"VOC/Annotations/{name}.xml", f"<annotation><object><name>{CLASSES[label]}</name></object></annotation>"
        )
    place.write("VOC/ImageSets/Main/val.txt", "img_0000\n")
    return place.on("VOC")


def _yolo(place: Place) -> Any:
    for name, label in place.flat("yolo/images/val"):
        place.write(f"yolo/labels/val/{name}.txt".replace(".png", ""), f"{label} 0.5 0.5 1 1\n")
    place.write("yolo/data.yaml", "train: images/train\nval: images/val\n")
    return place.on("yolo")


def _splits(place: Place) -> Any:
    found = rows(place)
    place.write("images.csv", text([(*row, "val") for row in found], "path,label,split"))
    return place.on("images.csv")


def _split_column(place: Place) -> Any:
    """Half of the rows are training images with wrong labels: --split val keeps the others."""
    found = rows(place)
    kept = np.arange(len(found)) % 2 == 0
    order = np.random.default_rng(3).permutation(len(place.world.labels))
    place.truth = place.world.accuracy(images=place.world.images[order][kept], labels=place.world.labels[order][kept])
    parts = [
        (path, label if keep else CLASSES[(CLASSES.index(label) + 1) % 12], "val" if keep else "train")
        for (path, label), keep in zip(found, kept, strict=True)
    ]
    place.write("images.csv", text(parts, "path,label,split"))
    return place.on("images.csv", "--split", "val")


def _flagged(place: Place) -> Any:
    """As above, by a column of yes and no; without an option, the images of validation are taken."""
    arguments = _split_column(place)[:-2]
    path = place.folder / "images.csv"
    content = path.read_text(encoding="utf-8").replace("split", "is_valid")
    path.write_text(content.replace(",val\n", ",True\n").replace(",train\n", ",False\n"), encoding="utf-8")
    return arguments


def _packed(place: Place) -> Any:
    place.write("images.csv.gz", gzip.compress(text(rows(place)).encode()))
    return place.on("images.csv.gz")


def _names_and_numbers(place: Place) -> Any:
    place.write("names.txt", "\n".join(CLASSES))
    return [*table(by=int)(place), "--class-names", "names.txt"]


def _without_first(place: Place) -> Any:
    found = rows(place)
    (place.folder / found[0][0]).unlink()
    order = np.random.default_rng(3).permutation(len(place.world.labels))[1:]
    place.truth = place.world.accuracy(images=place.world.images[order], labels=place.world.labels[order])
    place.write("images.csv", text(found))
    return place.on("images.csv")


def _by_label(found: list[Row]) -> dict[str, list[str]]:
    return {name: [path for path, label in found if label == name] for name in CLASSES}


_KINDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("path,label", works(), table(), ""),
    ("label,path", works(), table(header="label,path", change=lambda f: [(b, a) for a, b in f]), ""),
    *((f"{header}", works(), table(header=header), "") for header in (
        "filename,label", "image,label", "image_path,label", "file_name,label", "filepath,label", "file,class", "image,class",
        "img,target", "Image,Label", "FileName,ClassName", "image_path,class_name", "path,category", "fname,labels", "name,label",
        "image_id,label", "filename,species")),
    ("id,breed without suffix", works(), table("labels.csv", "id,breed", change=_ids), "Kaggle's dog breeds"),
    ("image_id without suffix", works(), table(header="image_id,label", change=_ids), ""),
    ("numbers instead of names of files", either("suffix|missing|img_|not found|no file|no image"), table(header="id,label", change=_numeric), "no such files: the sentence says so"),
    ("more columns beside", works(), table(header="path,label,width,source", change=lambda f: [(*r, 32, "web") for r in f]), ""),
    ("pandas' index column", works(), table(header=",path,label", change=lambda f: [(i, *r) for i, r in enumerate(f)]), ""),
    ("label and class_name, number and name", works(), table(header="path,label,class_name", change=lambda f: [(p, CLASSES.index(n), n) for p, n in f]), ""),
    ("no header", works(), table(header=None), ""),
    ("path index lines", works(), table("val.txt", None, " ", by=int), "Caffe's list"),
    ("path name lines", works(), table("val.txt", None, " "), ""),
    ("path tab index lines", works(), table("val.txt", None, "\t", by=int), ""),
    ("CSV named .txt", works(), table("images.txt"), ""),
    ("semicolons", works(), table(separator=";", header="path;label"), "German Excel"),
    ("TSV", works(), table("images.tsv", "path\tlabel", "\t"), ""),
    ("TSV named .csv", works(), table("images.csv", "path\tlabel", "\t"), ""),
    ("bars", works(), table(separator="|", header="path|label"), ""),
    ("BOM", works(), table(header="\ufeffpath,label"), "Excel's UTF-8"),
    ("CRLF", works(), table(end="\r\n"), ""),
    ("UTF-16", either("utf-16|utf-8|encoding"), table(encoding="utf-16"), ""),
    ("blanks after commas", works(), table(header="path, label", separator=", "), ""),
    ("quoted cells", works(), table(change=lambda f: [(f'"{a}"', f'"{b}"') for a, b in f]), ""),
    ("blank lines", works(), table(end="\n\n"), ""),
    ("comment lines", either("#|comment|column"), table(header="# my list\npath,label"), ""),
    ("labels 0 to 11", works(), table(by=int), ""),
    ("labels 0 to 11 with --class-names", works(), _names_and_numbers, ""),
    ("labels 1 to 12", works("1|from 1"), table(by=lambda i: i + 1), "sorted as numbers"),
    ("labels 0.0 to 11.0", works(), table(by=float), "pandas after a missing value"),
    ("labels with blanks around", works(), table(change=lambda f: [(a, f" {b} ") for a, b in f]), ""),
    ("labels in several spellings", either("case or blanks", "apple"), table(change=lambda f: [(a, b.upper() if i % 2 else b) for i, (a, b) in enumerate(f)]), "Apple and apple are one, or the sentence names them"),
    ("labels True and False", refused("2|true", "12|outputs"), table(by=lambda i: i % 2 == 0), ""),
    ("a missing label", refused("row 1|empty|missing", "label"), table(change=lambda f: [(f[0][0], ""), *f[1:]]), ""),
    ("a label -1", refused("-1", "label"), table(by=lambda i: i - 1), ""),
    ("absolute paths", works(), _absolute, ""),
    ("paths relative to the working directory", either("relative|missing|no such|not found|read"), _elsewhere, "relative to the table, and else to the working directory"),
    ("paths with ./", works(), table(change=lambda f: [("./" + a, b) for a, b in f]), ""),
    ("Windows backslashes", works(), table(change=lambda f: [(a.replace("/", "\\"), b) for a, b in f]), ""),
    ("Windows drive", either("C:|missing|no such|not found|read"), table(change=lambda f: [("C:\\data\\" + a.replace("/", "\\"), b) for a, b in f]), ""),
    ("file:// URLs", either("file://|missing|not found"), table(change=lambda f: [("file://" + a, b) for a, b in f]), ""),
    ("paths of another machine", works("found by"), table(change=lambda f: [("/home/me/data/" + a, b) for a, b in f]), ""),
    ("numbers of files with leading zeros", works("found by"), table(header="id,label", change=lambda f: [(int(a), b) for a, b in _numeric(f)]), "as pandas writes them"),
    ("names with another suffix", works("found by"), table(change=lambda f: [(a.replace(".png", ".jpg"), b) for a, b in f]), "images were converted"),
    ("http URLs", refused("http|url", "download"), table(change=lambda f: [("https://x.org/" + a, b) for a, b in f]), ""),
    ("names of files alone, images beside", works(), table(root=""), ""),
    ("names of files alone, images in images/", works(), table(change=lambda f: [(a.removeprefix("images/"), b) for a, b in f]), "the folder that holds them all is found"),
    ("a file missing", told("gone|read|missing|skipped"), _without_first, "one of 72"),
    ("all files missing", refused("missing|no such|not found|none of", "path|relative|file"), table(change=lambda f: [(a.replace("img", "gone"), b) for a, b in f]), ""),
    ("a path twice, same label", either("more than once|twice|repeated"), table(change=lambda f: [*f, f[0]]), ""),
    ("a path twice, other label", refused("more than once|twice|labels"), table(change=lambda f: [*f, (f[0][0], CLASSES[(CLASSES.index(f[0][1]) + 1) % 12])]), ""),
    ("a header alone", refused("no rows|empty"), table(change=lambda f: []), ""),
    ("an empty table", refused("empty|no columns|no rows|no header"), lambda p: (p.write("a.csv", ""), p.on("a.csv"))[1], ""),
    ("unknown columns", refused("path", "label", "foo"), table(header="foo,bar", change=lambda f: [(i, 2 * i) for i, _ in enumerate(f)]), ""),
    ("one column", refused("label", "path"), table(header="path", change=lambda f: [(a,) for a, _ in f]), ""),
    ("one-hot", either("one-hot|one column|label"), table(header="path," + ",".join(CLASSES), change=_onehot), "ISIC's table"),
    ("multi-hot", refused("several|multi", "label"), table(header="path," + ",".join(CLASSES), change=_multihot), ""),
    ("multi-label with bars", refused("multi|several labels", r"\|"), table(change=_multilabel), "counted as 24 classes"),
    ("multi-label with blanks", refused("multi|several|label"), table(change=lambda f: [(a, b.replace("|", " ")) for a, b in _multilabel(f)]), ""),
    ("boxes beside labels", either("box|detection|more than once"), table(header="path,label,xmin,ymin,xmax,ymax", change=lambda f: [(*r, 0, 0, 32, 32) for r in f]), ""),
    ("ragged rows", refused("row|line|field|column"), table(change=lambda f: [*f[:5], (f[5][0], f[5][1], "x", "y"), *f[6:]]), ""),
    ("a split column", works(), _splits, ""),
    ("a split column and --split", works("val"), _split_column, ""),
    ("a column is_valid", works("valid"), _flagged, "fastai's table"),
    ("gzipped CSV", works(), _packed, "pandas' to_csv of images.csv.gz"),
    ("Parquet", works(), frame("images.parquet"), ""),
    (".pq", works(), frame("images.pq"), ""),
    ("Parquet filename,class", works(), frame("images.parquet", columns=("filename", "class")), ""),
    ("Parquet with categories", works(), frame("images.parquet", lambda f: f.astype({"label": "category"})), ""),
    ("Parquet int labels", works(), frame("images.parquet", by=int), ""),
    ("JSON Lines", works(), frame("images.jsonl"), ""),
    ("JSON Lines file_name,label", works(), frame("metadata.jsonl", columns=("file_name", "label")), ""),
    ("JSON list of objects", works(), frame("images.json"), ""),
    ("JSON path to label", works(), lambda p: (p.write("labels.json", json.dumps(dict(rows(p)))), p.on("labels.json"))[1], ""),
    ("JSON label to paths", works(), lambda p: (p.write("labels.json", json.dumps(_by_label(rows(p)))), p.on("labels.json"))[1], ""),
    ("Feather", works(), frame("images.feather"), ""),
    ("pickled frame", refused("pickle|pkl", "csv|parquet"), frame("images.pkl"), ""),
    ("Excel", refused("xlsx|excel", "csv|parquet"), lambda p: (p.write("images.xlsx", b"PK\3\4" + b"\0" * 99), p.on("images.xlsx"))[1], ""),
    ("COCO", refused("coco", "table|class folders|crop"), _coco(), ""),
    ("VOC", refused("voc|annotations", "table|class folders"), _voc, ""),
    ("YOLO detection", refused("yolo|detection|label", "table|class folders"), _yolo, ""),
    ("flat with labels.csv in it", works(), _beside("images/labels.csv", "filename,label", "images"), ""),
    ("flat with metadata.csv in it", works(), _beside("images/metadata.csv", "file_name,label", "images"), "Hugging Face's imagefolder"),
    ("flat with metadata.jsonl in it", works(), _beside("images/metadata.jsonl", "file_name,label", "images"), ""),
    ("flat images/ with labels.csv beside", works(), _beside("data/labels.csv", "filename,label", "data/images"), ""),
    ("flat images/ with train.csv beside", works(), _beside("data/train.csv", "image,label", "data/images"), "Kaggle"),
    ("flat with labels.csv of paths", works(), _beside("data/labels.csv", "path,label", "data/images", "images/"), ""),
)  # fmt: skip


KINDS = [Kind("readers", f"table: {name}", right, make, why) for name, right, make, why in _KINDS]
