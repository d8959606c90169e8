"""ImageNet's validation set, in every layout in which it is handed on, and sets with its classes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from cuesense.datasets.files import FileDataset, from_files
from cuesense.datasets.folder import scan
from cuesense.datasets.imagenet_labels import labeled_files, read_labels
from cuesense.datasets.imagenet_places import Place, Places, look
from cuesense.datasets.splits import quoted, refuse_download, split_kind
from cuesense.errors import DatasetError, SplitError, expected
from cuesense.imagenet_names import imagenet_synsets

# A folder with fewer class folders is something else.
_FEWEST = 2
# Of several places those that the network was not trained on come first.
_ORDER = ("val", None, "test", "train")


def load(
    argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> FileDataset:
    """Return the ILSVRC-2012 validation images, or those of another set with ImageNet's classes; nothing is downloaded.

    Args:
        argument: Empty: the folder says what there is.
        data_root: The folder that holds the images, in itself or below folders of the usual names (``imagenet/val``,
            ``ILSVRC/Data/CLS-LOC/val``): as synset folders (all 1,000 or some), as ImageNet-V2's folders 0 to 999, or
            flat with a file of labels (see ``imagenet_labels.read_labels``); else the environment variable
            CUESENSE_DATA names it.
        split: ``"val"`` or ``"train"``; None takes the validation images, else others that are there, and says so.
        download: Refused: ImageNet's terms ask everyone to fetch it themselves.

    Returns:
        The dataset; its classes are those of the 1,000 synsets that are there, in sorted order.

    Raises:
        SplitError: There are no images of this part.
        DatasetError: No root was named, or it does not hold ImageNet, or not its labels.
    """
    if argument:
        raise DatasetError(expected("imagenet", "named alone", f"'imagenet:{argument}'", "Write imagenet"))
    refuse_download("imagenet", download=download)
    named = data_root or os.environ.get("CUESENSE_DATA")
    if not named:
        do = "Give --data-root or set CUESENSE_DATA to the folder that holds imagenet/val"
        raise DatasetError(expected("ImageNet's folder", "named", "neither --data-root nor CUESENSE_DATA", do))
    root = Path(named)
    try:
        places = look(root)
    except OSError as error:
        got, do = f"'{(error.strerror or 'an error').lower()}'", "Check --data-root"
        raise DatasetError(expected(f"ImageNet's folder '{root}'", "a readable folder", got, do)) from error
    place = _best(root, places, split)
    dataset = _from_folders(place) if len(place.synsets) >= _FEWEST else _from_files(root, place, places)
    said = (*_used(place, split), *_part(dataset, place))
    return replace(dataset, spec="imagenet", split=place.kind, remarks=(*said, *dataset.remarks))


def _best(root: Path, places: Places, split: str | None) -> Place:
    """Return the folder to read: of the wanted part, the one with the most classes."""
    kind = None if split is None else split_kind(split) or split
    usable = [place for place in places.images if place.files or len(place.synsets) >= _FEWEST]
    wanted = [place for place in usable if kind in (None, place.kind) or (kind == "val" and place.kind is None)]
    if wanted:
        return min(wanted, key=lambda place: (_ORDER.index(place.kind), -_classes(place)))
    if usable:
        there = quoted(sorted({place.kind or "val" for place in usable}))
        raise SplitError(expected("--split of imagenet", f"one of {there}", f"'{split}'", "Name one of them"))
    raise DatasetError(_nothing(root, places))


def _classes(place: Place) -> int:
    return len(place.synsets) or len(imagenet_synsets())


def _from_folders(place: Place) -> FileDataset:
    """Return the images of class folders, under the synsets' names."""
    dataset = scan(place.path, spec="imagenet")
    of_folder = {folder: synset for synset, folder in place.synsets.items()}
    synset_of = [of_folder.get(name) for name in dataset.class_names]
    names = sorted(place.synsets)
    position = {synset: index for index, synset in enumerate(names)}
    rows = [
        (name, position[synset], path)
        for name, label, path in zip(dataset.sample_ids, dataset.labels, dataset.paths, strict=True)
        if (synset := synset_of[label]) is not None
    ]
    others = [name for name in dataset.class_names if name not in of_folder]
    said = (f"Folders that are no class of ImageNet were left out: {quoted(others)}.",) if others else ()
    return replace(from_files("imagenet", names, rows), remarks=(*dataset.remarks, *said))


def _from_files(root: Path, place: Place, places: Places) -> FileDataset:
    """Return flat images under the labels of the first file that knows them."""
    problem: DatasetError | None = None
    # Nearer files first: labels of another set may lie elsewhere.
    for path in sorted(places.labels, key=lambda path: (len(path.parts), path)):
        try:
            found = read_labels(path, places.meta)
            return labeled_files("imagenet", place.path, place.files, found)
        except DatasetError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    got = f"{len(place.files):,} images without class folders and no file of labels"
    packed = next((path for path in places.archives if "devkit" in path.name.casefold()), None)
    do = (
        "Put LOC_val_solution.csv beside them, or the devkit's ILSVRC2012_validation_ground_truth.txt and meta.mat"
        if packed is None
        else f"Unpack the labels: `tar -xzf {packed} -C {packed.parent}`"
    )
    raise DatasetError(expected(f"ImageNet's folder '{root}'", "images with their labels", got, do))


def _used(place: Place, split: str | None) -> tuple[str, ...]:
    if split is not None or place.kind != "train":
        return ()
    return (
        f"Only training images are there ('{place.path}'). If the model was trained on them, accuracies and cues say "
        f"less about new images.",
    )


def _part(dataset: FileDataset, place: Place) -> tuple[str, ...]:
    classes, all_of_them = len(dataset.class_names), len(imagenet_synsets())
    if classes == all_of_them:
        return ()
    return (f"'{place.path}' holds {classes} of ImageNet's {all_of_them:,} classes: all numbers are of these alone.",)


def _nothing(root: Path, places: Places) -> str:
    """Return the sentence about a folder without readable images of ImageNet."""
    what, to_be = f"ImageNet's folder '{root}'", "a folder with ImageNet's images, such as imagenet/val"
    packed = next((path for path in places.archives if "devkit" not in path.name.casefold()), None)
    if packed is not None:
        low = packed.name.casefold()
        images = packed.parent / ("val" if "val" in low else "imagenet")
        unpack = f"unzip -q {packed} -d {images}" if low.endswith(".zip") else f"tar -xf {packed} -C {images}"
        return expected(what, to_be, f"'{packed.name}', still packed", f"Unpack it: `mkdir -p {images} && {unpack}`")
    if places.parquet:
        folder = places.parquet[0]
        return expected(what, to_be, f"Parquet files in '{folder}'", f"Read them with --dataset hf:{folder}")
    if places.objectnet:
        do = "Sort the images of its classes that are ImageNet's into synset folders"
        return expected(what, to_be, "ObjectNet, whose 313 classes are not ImageNet's", do)
    most = max((len(place.synsets) for place in places.images), default=0)
    got = f"at most {most} of its 1,000 synset folders in it, in val, imagenet/val or ILSVRC/Data/CLS-LOC/val"
    return expected(what, to_be, got, "Check --data-root, or name a folder of class folders by its path as --dataset")
