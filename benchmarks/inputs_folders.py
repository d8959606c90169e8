"""Kinds of folders of images: parts, nesting, numbers, leftovers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs_files import checkpoint
from benchmarks.inputs_world import CLASSES, Kind, Place, Right, either, refused, told, works, write_folders


def parts(*names: str, inner: str = "") -> Callable[[Place], Any]:
    """Write parts of a dataset with the same images; all but the last but one shifted, so that the wrong part shows.

    The part that is right holds the true images; every other part has wrong labels.
    """

    def made(place: Place) -> Any:
        good = next(
            (n for n in names if n.lower().startswith("val")),
            next((n for n in names if "test" in n.lower()), names[-1]),
        )
        for name in names:
            labels = place.world.labels if name == good else (place.world.labels + 1) % 12
            write_folders(place.folder / "data" / inner / name, place.world.images, labels)
        return place.on("data")

    return made


def split(name: str, *names: str) -> Callable[[Place], Any]:
    """As ``parts``, with --split."""

    def made(place: Place) -> Any:
        for other in names:
            labels = place.world.labels if other == name else (place.world.labels + 1) % 12
            write_folders(place.folder / "data" / other, place.world.images, labels)
        return place.on("data", "--split", name)

    return made


def named(names: Sequence[str], *more: str) -> Callable[[Place], Any]:
    """Class folders of other names, whose order of outputs is that of the usual classes."""
    return lambda place: place.on(place.folders(names=names), *more)


def changed(change: Callable[[Path, Place], Any], *more: str) -> Callable[[Place], Any]:
    """The usual folder, changed."""

    def made(place: Place) -> Any:
        path = place.folders()
        answer = change(path, place)
        return answer if isinstance(answer, list) else place.on(path, *more)

    return made


def _write(*files: str, content: bytes = b"x") -> Callable[[Path, Place], Any]:
    def change(path: Path, _place: Place) -> None:
        for name in files:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)

    return change


def _empty(*names: str) -> Callable[[Path, Place], Any]:
    def change(path: Path, _place: Place) -> None:
        for name in names:
            (path / name).mkdir(parents=True)

    return change


def _nested(path: Path, place: Place) -> Any:
    (place.folder / "outer" / "inner").mkdir(parents=True)
    shutil.move(path, place.folder / "outer" / "inner" / "data")
    return place.on("outer")


def _once(path: Path, place: Place) -> Any:
    (place.folder / "outer").mkdir()
    shutil.move(path, place.folder / "outer" / "images")
    return place.on("outer")


def _deep(path: Path, _place: Place) -> None:
    for name in CLASSES:
        (path / name).rename(path / "x")
        (path / name).mkdir()
        (path / "x").rename(path / name / "originals")


def _supers(path: Path, place: Place) -> Any:
    """Group classes: the folders in the folders are the classes."""
    for index, name in enumerate(CLASSES):
        group = place.folder / "grouped" / ("pome", "stone", "berry")[index % 3]
        group.mkdir(parents=True, exist_ok=True)
        shutil.move(path / name, group / name)
    return place.on("grouped")


def _linked(path: Path, place: Place) -> Any:
    (place.folder / "links").mkdir()
    for name in CLASSES:
        (place.folder / "links" / name).symlink_to(path / name)
    return place.on("links")


def _hidden(path: Path, _place: Place) -> None:
    for folder in path.iterdir():
        (folder / "._000.png").write_bytes(b"\0\5\x16\7mac")
        (folder / ".DS_Store").write_bytes(b"\0")


def _twelve_and_one(place: Place) -> Any:
    path = place.folders()
    write_folders(path, place.world.images[:6], np.zeros(6, int), names=("zucchini",))
    return place.on(path)


def _subset(*names: str) -> Callable[[Place], Any]:
    """Fewer classes than outputs, with the names of the outputs."""

    def made(place: Place) -> Any:
        path = place.folders()
        for name in set(CLASSES) - set(names):
            shutil.rmtree(path / name)
        kept = np.isin(place.world.labels, [CLASSES.index(name) for name in names])
        place.truth = place.world.accuracy(images=place.world.images[kept], labels=place.world.labels[kept])
        place.write("names.txt", "\n".join(CLASSES))
        return place.on(path, "--class-names", "names.txt")

    return made


def _flat(place: Place) -> Any:
    place.flat("images")
    return place.on("images")


def _flat_named(place: Place) -> Any:
    (place.folder / "images").mkdir()
    from PIL import Image

    for number, (image, label) in enumerate(zip(place.world.images, place.world.labels, strict=True)):
        Image.fromarray(image).save(place.folder / "images" / f"{CLASSES[label]}_{number:03d}.png")
    return place.on("images")


def _missing(word: str) -> Callable[[Place], Any]:
    return lambda place: place.on(word)


def _checkpoint_as_data(place: Place) -> Any:
    place.write("w.pt", checkpoint(place))
    return place.on("w.pt")


def _string_order(place: Place, first: int = 0) -> Any:
    """Folders with numbers and a network whose outputs are in the order of their names as texts: 0, 1, 10, 11, 2."""
    names = [str(number + first) for number in range(12)]
    write_folders(place.folder / "data", place.world.images, place.world.labels, names=sorted(names))
    return place.on("data")


def _binary(place: Place) -> Any:
    from benchmarks.inputs_scripts import Wrapped
    from benchmarks.inputs_scripts import _binary as binary

    arguments = binary(Wrapped)(place)
    shutil.move(place.folder / "data", place.folder / "root" / "val")
    shutil.copytree(place.folder / "root" / "val", place.folder / "root" / "train")
    shutil.move(place.folder / "root" / "train" / "cat", place.folder / "root" / "train" / "x")
    shutil.move(place.folder / "root" / "train" / "dog", place.folder / "root" / "train" / "cat")
    shutil.move(place.folder / "root" / "train" / "x", place.folder / "root" / "train" / "dog")
    return ["root" if part == "data" else part for part in arguments]


def _emptied(place: Place) -> Any:
    path = place.folders()
    for image in (path / "kiwi").iterdir():
        image.unlink()
    kept = place.world.labels != CLASSES.index("kiwi")
    place.truth = place.world.accuracy(images=place.world.images[kept], labels=place.world.labels[kept])
    return place.on(path)


# Outputs may be in the order of the numbers or of the texts: the accuracy tells, or a warning names the order.
_ORDER = Right(True, refusal=("order", "--class-names"), warned=("order",))
_KINDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("class folders", works(), lambda p: p.on(p.usual), ""),
    ("class folders, path ends with /", works(), lambda p: p.on(f"{p.usual}/"), ""),
    ("folder:PATH", works(), lambda p: p.on(f"folder:{p.usual}"), ""),
    ("train and val", works("val"), parts("train", "val"), "the part taken is said"),
    ("train, val and test", works("val"), parts("train", "val", "test"), ""),
    ("train and test", works("test"), parts("train", "test"), ""),
    ("train and valid", works("valid"), parts("train", "valid"), ""),
    ("training and validation", works("validation"), parts("training", "validation"), ""),
    ("Train and Val", works("Val"), parts("Train", "Val"), ""),
    ("train2017 and val2017", works("val2017"), parts("train2017", "val2017"), ""),
    ("val alone", works("val"), parts("val"), ""),
    ("test alone", works("test"), parts("test"), ""),
    ("images/train and images/val", works("val"), parts("train", "val", inner="images"), "nested once"),
    ("train and val beside README and labels.csv", works("val"), lambda p: (parts("train", "val")(p), p.write("data/README.md", "x"), p.write("data/labels.txt", "x"), p.on("data"))[-1], ""),
    ("train and val beside an empty __MACOSX", works("val"), lambda p: (parts("train", "val")(p), (p.folder / "data/__MACOSX").mkdir(), p.on("data"))[-1], ""),
    ("--split test", works(), split("test", "train", "val", "test"), "the user's own choice needs no word"),
    ("--split train", works(), split("train", "train", "val"), "the user's own choice needs no word"),
    ("--split val of a part named valid", works("valid"), lambda p: [*parts("train", "valid")(p), "--split", "val"], "the same part"),
    ("--split that is not there", refused("dev", "train", "val"), lambda p: [*parts("train", "val")(p), "--split", "dev"], ""),
    ("--split on plain class folders", refused("--split", "leave|no part|class folders"), lambda p: p.on(p.usual, "--split", "val"), ""),
    ("binary train and val", works("val"), _binary, "classes became train and val in silence"),
    ("nested once", works(), changed(_once), "one folder that holds the class folders"),
    ("nested twice", either("images|data", "name"), changed(_nested), ""),
    ("images below class/originals", works(), changed(_deep), ""),
    ("groups of classes", either("apple|folders of its own|inside", "name|flatten|classes"), changed(_supers), "which of the levels is the class is not known: 3 classes for 12 outputs"),
    ("0 to 11", _ORDER, named([str(i) for i in range(12)]), "numbers are outputs: string order gave 16.7 %"),
    ("0 to 11, trained in string order", _ORDER, _string_order, "as torchvision's ImageFolder numbers them"),
    ("1 to 12, trained in string order", _ORDER, lambda p: _string_order(p, 1), "as torchvision's ImageFolder numbers them"),
    ("00 to 11", works(), named([f"{i:02d}" for i in range(12)]), ""),
    ("1 to 12", _ORDER, named([str(i + 1) for i in range(12)]), "string order would be 1, 10, 11, 12, 2"),
    ("class0 to class11", _ORDER, named([f"class{i}" for i in range(12)]), "the model was trained in number order; string order is ImageFolder's"),
    ("001.Name", works(), named([f"{i + 1:03d}.{n.title()}" for i, n in enumerate(CLASSES)]), ""),
    ("001.Name with --class-names", works(), lambda p: [*named([f"{i + 1:03d}.{n.title()}" for i, n in enumerate(CLASSES)])(p), "--class-names", p.write("names.txt", "\n".join(CLASSES))], ""),
    ("1-name", _ORDER, named([f"{i + 1}-{n}" for i, n in enumerate(CLASSES)]), "numbers in front give the order"),
    ("0_name", _ORDER, named([f"{i}_{n}" for i, n in enumerate(CLASSES)]), ""),
    ("synsets", works(), named([f"n014400{i:02d}" for i in range(12)]), ""),
    ("synset-name", works(), named([f"n014400{i:02d}-{n}" for i, n in enumerate(CLASSES)]), ""),
    ("capitals, names in lower case", works(), lambda p: [*named([n.upper() for n in CLASSES])(p), "--class-names", p.write("names.txt", "\n".join(CLASSES))], ""),
    ("names with blanks and umlauts", works(), named([f"{n} größe 果物" for n in CLASSES]), ""),
    ("names with commas and quotes", works(), named([f"{n}, the 'best'" for n in CLASSES]), ""),
    ("a class named train", works(), named([*CLASSES[:11], "train"]), "its images lie in itself"),
    ("an empty class folder", refused("empty|no image", "zucchini", "13"), changed(_empty("zucchini")), "13 classes for 12 outputs: the empty one is named"),
    ("two empty class folders", refused("aaa", "zzz"), changed(_empty("aaa", "zzz")), ""),
    ("a missing class, no names", refused("11", "12", "--class-names"), lambda p: (shutil.rmtree(p.folders() / "kiwi"), p.on("data"))[1], ""),
    ("a missing class, with names", works(), _subset(*[n for n in CLASSES if n != "kiwi"]), ""),
    ("three classes of twelve, with names", works(), _subset("banana", "fig", "mango"), ""),
    ("an empty class of twelve", works("kiwi"), _emptied, "the class that holds none is named"),
    ("__MACOSX", works(), changed(_empty("__MACOSX")), ""),
    (".ipynb_checkpoints", works(), changed(_write(".ipynb_checkpoints/a-checkpoint.png")), ""),
    ("__pycache__, @eaDir and lost+found", works(), changed(_empty("__pycache__", "@eaDir", "lost+found")), ""),
    ("Thumbs.db and desktop.ini", works(), changed(_write("Thumbs.db", "apple/Thumbs.db", "apple/desktop.ini")), ""),
    ("macOS twins", works(), changed(_hidden), ""),
    ("annotations beside images", told("left out|\\.xml"), changed(_write("apple/000.xml", "fig/001.txt")), "suffixes left out are counted"),
    ("images beside the class folders", told("beside|stray"), changed(lambda path, p: shutil.copy(path / "apple" / "000.png", path / "stray.png")), "they belong to no class"),
    ("a folder of annotations beside", refused("annotations", "no image|empty|13"), changed(_write("annotations/a.xml")), "a thirteenth class without an image"),
    ("linked folders", works(), changed(_linked), ""),
    ("a link to nowhere", told("link|not (be )?read|unreadable"), changed(lambda path, p: (path / "apple" / "zz.png").symlink_to("nowhere")), ""),
    ("a link that leads back up", told("link"), changed(lambda path, p: (path / "apple" / "loop").symlink_to(path)), ""),
    ("a link from a class of val to the dataset", told("link"), lambda p: (parts("train", "val")(p), (p.folder / "data/val/apple/loop").symlink_to(p.folder / "data"), p.on("data"))[-1], "its class would swallow all images"),
    ("a link from a class to another", told("link"), changed(lambda path, p: (path / "apple" / "loop").symlink_to(path / "fig")), ""),
    ("1 to 12, with the outputs' names", works("counted from 1|numbers 1 to 12"), lambda p: [*named([str(i + 1) for i in range(12)])(p), "--class-names", p.write("names.txt", "\n".join(CLASSES))], "names and numbers from 1 fit one another"),
    ("thirteen classes for twelve outputs", refused("13", "12", "--class-names|zucchini"), _twelve_and_one, ""),
    ("flat, no labels", refused("class folders", "label file|table|CSV"), _flat, "nothing says which class"),
    ("flat, class in the file name", either("class folders", "table|CSV|label"), _flat_named, ""),
    ("an empty folder", refused("no class folder|empty", "folder per class|table"), lambda p: ((p.folder / "data").mkdir(), p.on("data"))[1], ""),
    ("class folders without images", refused("without a single image|no image"), lambda p: ([(p.folder / "data" / n).mkdir(parents=True) for n in CLASSES], p.on("data"))[1], ""),
    ("a missing folder", refused("nothing", "path|exist"), _missing("data/val"), ""),
    ("a missing folder, misspelled", refused("imagenett", "imagenet"), _missing("imagenett"), ""),
    ("a URL as dataset", refused("http|url", "download"), _missing("https://example.com/data.zip"), ""),
    ("a checkpoint as dataset", refused(r"w\.pt", "image|folder|table"), _checkpoint_as_data, ""),
    ("model and dataset swapped", refused("folder|dataset|class folders", "MODEL|file"), lambda p: [p.usual, "--dataset", p.script, *p.sizes], ""),
    ("a single class", refused("1|one", "12", "--class-names|classes|outputs"), lambda p: (write_folders(p.folder / "data", p.world.images[:6], p.world.labels[:6]), p.on("data"))[1], ""),
    ("the class folder itself", refused("class folders", "folder above|parent|table|folder per class"), lambda p: p.on(p.usual / "apple"), ""),
)  # fmt: skip


KINDS = [Kind("layouts", name, right, make, why) for name, right, make, why in _KINDS]
