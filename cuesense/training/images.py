"""Read a dataset into the images of a training, with the classes numbered as in a profile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cuesense.datasets.classes import match_classes
from cuesense.datasets.images import Prepared, pixel_digest, prepare
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.value_range import range_remarks
from cuesense.errors import DatasetError, UnreadableImageError, expected, listed
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.predictions.copies import copy_remarks, counted_once
from cuesense.training.fit import Images
from cuesense.types import ClassNames, Dataset, Preprocessing

# Examples that a message names.
_SHOWN = 3
# Share of the test images that may also be trained on. Some photographs repeat in public datasets, but a test on what
# was trained measures nothing. Chosen by hand.
_MOST_SHARED = 0.1


@dataclass(frozen=True)
class ReadImages:
    """The readable images of a dataset.

    Attributes:
        images: N images, in the order of the dataset; of a test, of copies under one label only the first.
        ids: The id of each, (N,).
        digests: Hash of each one's pixels, (N,).
        remarks: What the user should know of how they were read and counted, in sentences.
    """

    images: Images
    ids: tuple[str, ...]
    digests: np.ndarray
    remarks: tuple[str, ...]


def read_images(
    dataset: Dataset,
    class_names: tuple[str, ...],
    preprocessing: Preprocessing,
    *,
    what: str,
    for_training: bool = False,
    workers: int = 2,
) -> ReadImages:
    """Decode all images of a dataset.

    Images that are trained on may be copies of others, as where rare classes are repeated; those of a test count once.

    Args:
        dataset: The images.
        class_names: The C classes that it must have, all and no other, in the order in which they are numbered.
        preprocessing: Size and normalization.
        what: What the dataset is for, such as ``"--train"``.
        for_training: Whether they are trained on: copies are kept, and each class must have a readable image.
        workers: Threads that decode.

    Returns:
        The readable images.

    Raises:
        DatasetError: The classes differ, sizes differ where no size was given, no image is readable, or none of a class
            where each must have one.
    """
    output_of_class = np.array(match_names(dataset, class_names, what))
    labels = output_of_class[np.array(dataset.labels, dtype=np.int64)]

    def decode(index: int) -> Prepared | str:
        try:
            return prepare(dataset[index].image, preprocessing)
        except UnreadableImageError as error:
            return error.reason

    # Threads and not processes: Pillow decodes and resizes without the interpreter's lock.
    with ThreadPoolExecutor(workers) as pool:
        decoded = list(pool.map(decode, range(len(dataset))))
    readable = [(index, image) for index, image in enumerate(decoded) if isinstance(image, Prepared)]
    skipped = [f"'{dataset.sample_ids[index]}' ({why})" for index, why in enumerate(decoded) if isinstance(why, str)]
    known = labels[[index for index, _ in readable]]
    empty = sorted(set(range(len(class_names))) - set(known.tolist()))
    if len(empty) == len(class_names) or (for_training and empty):
        do = "Add images of it"
        raise DatasetError(expected(what, "images of every class", f"none of '{class_names[empty[0]]}'", do))
    _refuse_sizes([image.pixels for _, image in readable], what)
    digests = np.array([image.digest for _, image in readable], dtype=np.uint64)
    ids = [dataset.sample_ids[index] for index, _ in readable]
    counted = range(len(ids)) if for_training else np.flatnonzero(counted_once(digests, known)).tolist()
    pixels = np.stack([readable[row][1].pixels for row in counted])
    remarks = (
        *remarks_of(dataset),
        *([f"{len(skipped)} of {len(dataset)} images cannot be read: {listed(skipped, _SHOWN)}."] if skipped else []),
        *(() if for_training else copy_remarks(digests, known, ids, class_names)),
        *range_remarks(*np.array([image.values for _, image in readable], dtype=np.float64).T),
    )
    return ReadImages(
        images=Images(
            torch.from_numpy(pixels), torch.from_numpy(known[counted]), preprocessing.mean, preprocessing.std
        ),
        ids=tuple(ids[row] for row in counted),
        digests=digests[counted],
        remarks=tuple(f"{what}: {remark}" for remark in remarks),
    )


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
    foreign = [name for name in dataset.class_names if name not in class_names] or list(dataset.class_names)
    shown = ", ".join(f"'{name}'" for name in foreign[:_SHOWN])
    got = f"{len(dataset.class_names)} classes, among them {shown}"
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


def pixel_digests(pixels: Tensor) -> np.ndarray:
    """Return a hash of each image's pixels, (N, 3, H, W), uint8, as the engine takes it: (N,), uint64."""
    return np.array([pixel_digest(image.numpy()) for image in pixels], dtype=np.uint64)


def refuse_shared(shared: np.ndarray, what: str) -> None:
    """Raise DatasetError where more than a tenth of the test images, named by what, are among the training ones.

    Args:
        shared: Which test images are, (N,), bool.
        what: What the test images are, such as ``"--test"``.
    """
    if shared.sum() > _MOST_SHARED * len(shared):
        got = f"{shared.sum()} of {len(shared)} images that are among those of --train"
        raise DatasetError(expected(what, "images that are not trained on", got, "Name other images for one of them"))
