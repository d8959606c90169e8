"""Annotations of several objects an image (COCO, Pascal VOC, YOLO), which are no classes of images: refused by name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from cuesense.datasets.left_out import is_image_name
from cuesense.errors import DatasetError, expected

_DO = (
    "cuesense needs one class an image: cut the boxes out into one folder per class, or write a table with the columns "
    "path and label of images with one object"
)
_YOLO_LINE = re.compile(r"\d+( +\d*\.\d+(e-?\d+)?| +[01]){4,}\s*")
_LOOKED = 20


def refuse_detection(path: Path) -> None:
    """Raise DatasetError where a path is a file or a folder of annotations of objects.

    Args:
        path: A file or folder that is there.
    """
    kind = _of_folder(path) if path.is_dir() else _of_file(path)
    if kind:
        raise DatasetError(expected(f"'{path}'", "images with one class each (classification)", kind, _DO))


def _of_folder(path: Path) -> str | None:
    names = {name.casefold(): name for name in _names(path)}
    if {"annotations", "jpegimages"} <= names.keys() or _is_voc(path / names.get("annotations", "annotations")):
        return "Pascal VOC annotations (boxes of several objects)"
    if any(map(_is_coco, _json_files(path))) or any(map(_is_coco, _json_files(path / "annotations"))):
        return "COCO annotations (boxes or masks of several objects)"
    labels = [path / name for key, name in names.items() if key == "labels"]
    labels += [path / name / "labels" for name in names.values() if (path / name / "labels").is_dir()]
    if any(map(_is_yolo, labels)) or _is_yolo(path):
        return "YOLO annotations (a text file of boxes beside each image)"
    return None


def _of_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return "Pascal VOC annotations (boxes of several objects)" if _is_voc_file(path) else None
    if suffix == ".json" and _is_coco(path):
        return "COCO annotations (boxes or masks of several objects)"
    if suffix in (".yaml", ".yml") and re.search(r"(?m)^\s*(nc|names)\s*:", _start(path)):
        do = "Name the folder of images: one folder per class (Ultralytics' classification layout)"
        raise DatasetError(expected(f"'{path}'", "a dataset", "the settings of a YOLO dataset", do))
    if suffix == ".txt" and _is_boxes(path):
        return "YOLO annotations (lines of boxes)"
    return None


def _names(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 (paths of a million files would take long)
    except OSError:
        return []


def _json_files(path: Path) -> list[Path]:
    names = [name for name in _names(path) if name.lower().endswith(".json")]
    return [path / name for name in names if name.lower().startswith(("instances", "_annotations", "person_keyp"))]


def _is_coco(path: Path) -> bool:
    """Return whether a JSON file holds COCO's tables of images, annotations and categories."""
    start = _start(path, 2**16)
    known = {key for key in ("images", "annotations", "categories", "bbox", "segmentation") if f'"{key}"' in start}
    if len(known) > 1 and "images" in known | {"bbox"}:
        return True
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < 2**26 else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and {"images", "annotations", "categories"} <= value.keys()


def _is_voc(path: Path) -> bool:
    files = [name for name in _names(path) if name.endswith(".xml")][:_LOOKED]
    return bool(files) and all(_is_voc_file(path / name) for name in files)


def _is_voc_file(path: Path) -> bool:
    start = _start(path)
    return "<annotation" in start and ("<object>" in start or "<filename>" in start)


def _is_yolo(path: Path) -> bool:
    """Return whether a folder holds text files of boxes, in it or in its parts."""
    names = _names(path) if path.is_dir() else []
    files = [path / name for name in names if name.endswith(".txt") and name != "classes.txt"][:_LOOKED]
    if files:
        # Beside images, a text file for each of them.
        beside = {Path(name).stem for name in names if is_image_name(name)}
        alike = path.name.casefold() in ("labels", "train", "val", "test") or {file.stem for file in files} <= beside
        return (
            alike and all(_is_boxes(file) or not file.stat().st_size for file in files) and any(map(_is_boxes, files))
        )
    return path.name == "labels" and any(_is_yolo(path / name) for name in names if (path / name).is_dir())


def _is_boxes(path: Path) -> bool:
    lines = [line for line in _start(path).splitlines()[:_LOOKED] if line.strip()]
    return bool(lines) and all(map(_YOLO_LINE.fullmatch, lines))


def _start(path: Path, count: int = 4096) -> str:
    try:
        with path.open("rb") as file:
            return file.read(count).decode("utf-8", "replace")
    except OSError:
        return ""
