"""WebDataset shards, and other tars of images: samples by key, or class folders; any of them is read by itself."""

from __future__ import annotations

import glob
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from cuesense.datasets.labels import read_labels
from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.datasets.names_beside import name_classes
from cuesense.datasets.records import RecordDataset, from_records, record_ids
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_download, refuse_split, split_kind
from cuesense.datasets.tars import Member, TarSource, index_tars
from cuesense.datasets.tree import read_tree
from cuesense.errors import DatasetError, expected, listed

# Members that hold a label, the likeliest first.
_LABELS = ("cls", "class", "label", "json", "txt", "cls.txt", "class.txt", "label.txt")
_KEYS = (
    "label", "class", "cls", "category", "target", "class_name", "label_name", "class_id", "label_id", "class_index",
)  # fmt: skip
_TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_CHOICE = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MOST_SHARDS = 100_000
# Bytes of a member with a label. Chosen by hand.
_LARGEST_LABEL = 2**20
_SHOWN = 4
# As many as damaged files: with more images without a label the accuracies would be of another dataset.
_MOST_WITHOUT = 0.05


def load(
    argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> RecordDataset:
    """Return the images of tar files.

    A sample is all members of one key (the name up to the first dot of the last part): an image, and a label in a
    member ``.cls``, ``.json`` (under label, class, cls or category) or ``.txt``. Tars without labels are read like
    folders: class folders, parts with class folders, or images and a table. Nothing is streamed: images are
    read from their places in the files, in any order; compressed tars are unpacked into memory.

    Args:
        argument: A tar, a folder of tars, or a pattern: braces (``val-{000000..000009}.tar``), ``*`` and ``?``;
            several are joined by ``::``.
        data_root: A folder that relative paths may start from.
        split: The part to read, where names of shards or folders tell parts (``train-000.tar``); None takes the
            validation part, else the test part, and says so.
        download: Refused: shards are read where they are.

    Returns:
        The dataset. Ids are the names of the images; one without a folder is put into its class's.

    Raises:
        SplitError: There is no such part.
        DatasetError: There is no such file, it is damaged or unpacks to too much, or its images have no classes.
    """
    if not argument:
        raise DatasetError(expected("wds", "followed by shards", "none", "Write wds:FOLDER or wds:PATTERN"))
    refuse_download(f"the shards '{argument}'", download=download)
    what = f"the shards '{argument}'"
    tars, said, part = _of_split(_shards(argument, data_root), split, what)
    split = None if part else split
    members = index_tars(tars)
    samples = _samples(members)
    if any(sample.labels for sample in samples):
        refuse_split(what, split)
        return replace(_labeled(f"wds:{argument}", tars, members, samples, said), split=part)
    source = TarSource(tuple(tars), tuple(members))
    tree = read_tree([member.name for member in members], what, split, source.read)
    remarks = (*said, *tree.remarks)
    return from_records(f"wds:{argument}", tree.class_names, tree.records, source, remarks, tree.split or part)


@dataclass
class _Sample:
    """What members of one key hold."""

    name: str
    tar: int
    image: int | None = None
    labels: dict[str, int] = field(default_factory=dict)


def _samples(members: Sequence[Member]) -> list[_Sample]:
    """Return the samples with an image, in the order of the files."""
    found: dict[tuple[int, str], _Sample] = {}
    for place, member in enumerate(members):
        path = PurePosixPath(member.name)
        stem, _, kind = path.name.partition(".")
        if is_litter(path.name) or not kind:
            continue
        key = (path.parent / stem).as_posix()
        sample = found.setdefault((member.tar, key), _Sample("", member.tar))
        # Of several images of a key the first one counts, which is "jpg" and not "seg.png".
        if is_image_name(f"a.{kind}") and "." not in kind and sample.image is None:
            sample.image, sample.name = place, path.as_posix()
        elif kind.lower() in _LABELS:
            sample.labels[kind.lower()] = place
    return [sample for sample in found.values() if sample.image is not None]


def _labeled(
    spec: str, tars: Sequence[Path], members: Sequence[Member], samples: Sequence[_Sample], said: list[str]
) -> RecordDataset:
    what = f"the shards '{spec.removeprefix('wds:')}'"
    source = TarSource(tuple(tars), tuple(members))
    kind = next(kind for kind in _LABELS if any(kind in sample.labels for sample in samples))
    without = [sample.name for sample in samples if kind not in sample.labels]
    if len(without) > _MOST_WITHOUT * len(samples):
        got = f"{len(without)} of {len(samples)} without .{kind} ({listed(without, _SHOWN)})"
        raise DatasetError(expected(f"each image of {what}", "with a label beside it", got, "Write the shards again"))
    if without:
        left = f"{len(without)} of {len(samples)} images without .{kind} were left out: {listed(without, _SHOWN)}."
        said, samples = [*said, left], [sample for sample in samples if kind in sample.labels]
    values = [_label(source, sample.labels[kind], kind) for sample in samples]
    _refuse_captions(values, kind, what)
    values, names, told = _told(values)
    labels, named = name_classes(read_labels(values, what, names), _folders(tars))
    classes = [labels.names[index] for index in labels.indices]
    ids = _ids(samples, classes, tars)
    places = [sample.image for sample in samples if sample.image is not None]
    records = zip(ids, labels.indices, places, strict=True)
    return from_records(spec, labels.names, records, source, (*said, *told, *([named] if named else [])))


def _ids(samples: Sequence[_Sample], classes: Sequence[str], tars: Sequence[Path]) -> list[str]:
    """Return ids that are the images' names; behind their shard's where shards repeat names."""
    names = [sample.name for sample in samples]
    if len(set(zip(names, classes, strict=True))) < len(names):
        names = [f"{tars[sample.tar].stem}/{sample.name}" for sample in samples]
    return record_ids(names, classes)


def _label(source: TarSource, place: int, kind: str) -> Any:
    name = source.members[place].name
    if source.members[place].size > _LARGEST_LABEL:
        got = f"{source.members[place].size:,} bytes"
        raise DatasetError(expected(f"the label '{name}'", "a number or a name", got, "Write the shards again"))
    try:
        text = source.read(place).decode("utf-8-sig").strip()
        value: Any = json.loads(text) if kind == "json" else text
    except (ValueError, OSError, EOFError, RecursionError) as error:
        got = f"'{error}'"
        raise DatasetError(expected(f"the label '{name}'", "text", got, "Write the shards again")) from error
    if not isinstance(value, dict):
        return value
    if not any(key in value for key in _KEYS):
        got = f"the keys {listed(sorted(map(str, value)), _SHOWN) or 'none'}"
        raise DatasetError(expected(f"'{name}'", "an object with a label", got, "Write the class under the key label"))
    return value


def _told(values: Sequence[Any]) -> tuple[list[Any], list[str] | None, list[str]]:
    """Return the label of each image, the names of the classes in the order of their numbers, and what to say of it.

    An object may tell a class as its number and as its name. Names are None where there is one of the two alone.
    """
    if not all(isinstance(value, dict) for value in values):
        return [_first(value) for value in values], None, []
    keys = [key for key in _KEYS if all(key in value for value in values)]
    number = next((key for key in keys if all(_is_number(value[key]) for value in values)), None)
    name = next((key for key in keys if all(isinstance(value[key], str) for value in values)), None)
    pairs = set() if number is None or name is None else {(value[number], value[name]) for value in values}
    # Of numbers with gaps, which may be indices of a network's outputs, the names alone would not tell the outputs.
    in_order = [one for one, _ in sorted(pairs)] == list(range(len({other for _, other in pairs})))
    if not pairs or not in_order:
        return [_first(value) for value in values], None, []
    said = f"Of the keys {number} and {name}, which tell the same classes, {name} was taken for their names."
    return [value[name] for value in values], [text for _, text in sorted(pairs)], [said]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _first(value: Any) -> Any:
    return next(value[key] for key in _KEYS if key in value) if isinstance(value, dict) else value


def _refuse_captions(values: Sequence[Any], kind: str, what: str) -> None:
    """Refuse texts of which nearly each is another: they describe images and are no classes."""
    distinct = {value for value in values if isinstance(value, str)}
    sentences = sum(len(text.split()) > 3 for text in distinct)
    if kind == "txt" and len(values) > _SHOWN and 2 * len(distinct) > len(values) and 2 * sentences > len(distinct):
        got = f"{len(distinct)} different texts (captions?), such as '{min(distinct, key=len)}'"
        do = "Write the class of each image into a member .cls"
        raise DatasetError(expected(f"the labels of {what}", "classes", got, do))


def _shards(argument: str, root: Path | None) -> list[Path]:
    """Return the tars that an argument names, sorted where it is a folder or has ``*``."""
    found: list[Path] = []
    for part in argument.split("::"):
        if "://" in part or part.startswith("pipe:"):
            do = "Download the shards, and name them by their paths"
            raise DatasetError(expected(f"'{part}'", "files on this machine", "an address or a program", do))
        names = list(itertools.islice(_braces(part), _MOST_SHARDS))
        for name in names:
            found += _files(name, root)
    return list(dict.fromkeys(found))


def _braces(pattern: str) -> list[str]:
    """Return what a pattern with braces stands for, as webdataset and the shell expand them."""
    if match := _RANGE.search(pattern):
        width = len(match[1]) if match[1].startswith("0") or len(match[1]) == len(match[2]) else 0
        last = min(int(match[2]), int(match[1]) + _MOST_SHARDS)
        parts = [f"{number:0{width}d}" for number in range(int(match[1]), last + 1)]
    elif match := _CHOICE.search(pattern):
        parts = match[1].split(",")
    else:
        return [pattern]
    return [name for part in parts for name in _braces(pattern[: match.start()] + part + pattern[match.end() :])]


def _files(name: str, root: Path | None) -> list[Path]:
    for path in (Path(name), *([root / name] if root else [])):
        if path.is_dir():
            tars = tars_in(path)
            if not tars:
                raise DatasetError(expected(f"'{path}'", "a folder of .tar files", "none in it", "Check the path"))
            return tars
        if path.is_file():
            return [path]
        matched = sorted(map(Path, glob.glob(str(path)))) if any(mark in name for mark in "*?[") else []  # noqa: PTH207
        if matched:
            return matched
    raise DatasetError(expected(f"the shard '{name}'", "a file", "nothing there", "Check the path and the numbers"))


def tars_in(folder: Path) -> list[Path]:
    """Return the tars in a folder, or in the folders in it that are called like parts of a dataset."""
    here, below = (
        sorted(path for path in folder.glob(pattern) if is_tar(path.name) and not is_litter(path.name))
        for pattern in ("*", "*/*")
    )
    return here or [path for path in below if split_kind(path.parent.name)]


def is_tar(name: str) -> bool:
    """Return whether a file is called like a tar, compressed or not."""
    return name.lower().endswith(_TARS)


def _of_split(tars: Sequence[Path], split: str | None, what: str) -> tuple[list[Path], list[str], str | None]:
    """Return the shards of one part where names tell parts, what to say of it, and the part's name."""
    parts: dict[str, list[Path]] = defaultdict(list)
    for path in tars:
        words = [word for word in re.split(r"[-_.]", path.stem) if split_kind(word)]
        parts[words[0] if words else path.parent.name].append(path)
    if not all(map(split_kind, parts)):
        return list(tars), [], None
    chosen, said = choose_split(sorted(parts), split, what)
    return parts[chosen], [said] if said else [], chosen


def _folders(tars: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(folder for path in tars for folder in (path.parent, path.parent.parent)))
