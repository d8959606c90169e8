"""Read a dataset into the images of a training, with the classes numbered as in a profile."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from cuesense.datasets.classes import match_classes
from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.names import NameIndex, composed
from cuesense.errors import DatasetError, UnreadableImageError, expected
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.training.fit import Images
from cuesense.types import ClassNames, Dataset, Preprocessing

# Examples that a message names.
_SHOWN = 3
# Share of the test images that may also be trained on. Some photographs repeat in public datasets, but a test on what
# was trained measures nothing. Chosen by hand.
_MOST_SHARED = 0.1


def read_images(
    dataset: Dataset,
    class_names: tuple[str, ...],
    preprocessing: Preprocessing,
    *,
    what: str,
    every_class: bool = False,
    workers: int = 2,
) -> Images:
    """Decode all images of a dataset.

    Args:
        dataset: The images.
        class_names: The C classes that it must have, all and no other, in the order in which they are numbered.
        preprocessing: Size and normalization.
        what: What the dataset is for, such as ``"--train"``.
        every_class: Whether each class must have a readable image.
        workers: Threads that decode.

    Returns:
        The readable images.

    Raises:
        DatasetError: The classes differ, sizes differ where no size was given, no image is readable, or none of a class
            where each must have one.
    """
    output_of_class = np.array(match_names(dataset, class_names, what))
    labels = output_of_class[np.array(dataset.labels, dtype=np.int64)]

    def decode(index: int) -> np.ndarray | None:
        try:
            return resize_and_crop(dataset[index].image, preprocessing)
        except UnreadableImageError:
            return None

    # Threads and not processes: Pillow decodes and resizes without the interpreter's lock.
    with ThreadPoolExecutor(workers) as pool:
        decoded = list(pool.map(decode, range(len(dataset))))
    readable = [index for index, image in enumerate(decoded) if image is not None]
    empty = sorted(set(range(len(class_names))) - set(labels[readable].tolist()))
    if len(empty) == len(class_names) or (every_class and empty):
        do = "Add images of it"
        raise DatasetError(expected(what, "images of every class", f"none of '{class_names[empty[0]]}'", do))
    pixels = [image for image in decoded if image is not None]
    _refuse_sizes(pixels, what)
    rows = torch.from_numpy(labels[readable])
    return Images(torch.from_numpy(np.stack(pixels)), rows, preprocessing.mean, preprocessing.std)


def match_names(dataset: Dataset, class_names: tuple[str, ...], what: str) -> tuple[int, ...]:
    """Return the index among C names of each of a dataset's classes.

    Args:
        dataset: The images.
        class_names: The C names.
        what: What the dataset is for, such as ``"--train"``.

    Returns:
        C indices, all different.

    Raises:
        DatasetError: The dataset has other classes, more or fewer.
    """
    # A profile of ImageNet names its classes in words, and a training set may name its folders by synsets.
    known = dict(zip(imagenet_names(), imagenet_synsets(), strict=True))
    synsets = tuple(known[name] for name in class_names) if all(name in known for name in class_names) else ()
    try:
        found = match_classes(dataset.class_names, ClassNames(class_names, synsets))
    except DatasetError:
        found = ()
    if len(found) == len(class_names):
        return found
    index = NameIndex(class_names)
    foreign = [name for name in dataset.class_names if not index.places(name)]
    lacking = [name for name in class_names if not NameIndex(dataset.class_names).places(name)]
    shown = ", ".join(f"'{composed(name)}'" for name in (foreign or lacking or dataset.class_names)[:_SHOWN])
    where = "without" if lacking and not foreign else "among them"
    got = f"{len(dataset.class_names)} classes, {where} {shown}"
    to_be = f"a dataset of the same {len(class_names)} classes, such as '{class_names[0]}'"
    raise DatasetError(expected(what, to_be, got, "Name the training images of the analyzed classes"))


def _refuse_sizes(pixels: list[np.ndarray], what: str) -> None:
    shapes = sorted({image.shape[1:] for image in pixels})
    if len(shapes) > 1:
        raise DatasetError(expected(f"all images of {what}", "of one size", f"sizes {shapes[:2]}", "Give --image-size"))


def at_size(preprocessing: Preprocessing, side: int) -> Preprocessing:
    """Return the preprocessing for another input side in pixels, resized in proportion."""
    before, resize = preprocessing.image_size, preprocessing.resize
    scaled = side if before is None else None if resize is None else round(resize * side / min(before))
    return replace(preprocessing, image_size=(side, side), resize=scaled)


def pixel_digests(pixels: Tensor) -> list[bytes]:
    """Return a digest of each image's pixels, (N, 3, H, W), uint8."""
    return [hashlib.blake2b(image.numpy().tobytes(), digest_size=8).digest() for image in pixels]


def refuse_shared(train: Sequence[bytes], test: Sequence[bytes], what: str) -> None:
    """Raise DatasetError where more than a tenth of the test images, named by what, are among the training ones."""
    known = set(train)
    shared = sum(digest in known for digest in test)
    if shared > _MOST_SHARED * len(test):
        got = f"{shared} of {len(test)} images that are among those of --train"
        raise DatasetError(expected(what, "images that are not trained on", got, "Name other images for one of them"))
