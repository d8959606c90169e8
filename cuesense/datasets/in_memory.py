"""Datasets that a program already holds, in the manner of torch: indexing gives (image, label)."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from operator import index as as_index
from traceback import walk_tb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cuesense.datasets.files import fingerprint
from cuesense.errors import CuesenseError, DatasetError, UnreadableImageError, expected, first_line
from cuesense.types import Dataset, Sample

# Images whose pixels the fingerprint covers: decoding all would double the time of an analysis. Chosen by hand.
_SEEN = 64


# Images that are read twice: a flip of half of them goes unnoticed in one dataset of 256. Chosen by hand.
_READ_TWICE = 8


@dataclass(frozen=True)
class MemoryDataset:
    """A wrapped dataset; it is a types.Dataset, where the fields are described.

    The fingerprint covers ids, labels, and the pixels of 64 images from the first to the last; a run that goes on
    looks at the others itself (``inference.units.Identities``).

    Attributes:
        source: What was wrapped.
        remarks: What the user should know of how it was read, in sentences.
        split: Which part of a larger dataset it is; None where it is no part, or nobody said.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    source: Any
    remarks: tuple[str, ...] = ()
    split: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest that differs where the data differ."""
        seen = set(np.linspace(0, len(self) - 1, _SEEN).round().astype(int).tolist())
        contents = (_pixel_digest(self.source, index) if index in seen else "" for index in range(len(self)))
        return fingerprint(self.sample_ids, self.labels, contents)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample.

        Args:
            index: Which sample.

        Returns:
            The sample; its image is PIL, or an array of shape (H, W, 3) and dtype uint8.

        Raises:
            DatasetError: The item is no pair, or its image is no image.
            UnreadableImageError: The wrapped dataset could not read the image's file.
        """
        label = self.labels[index]
        return Sample(self.sample_ids[index], _image(self.source, index), label)


def wrap(
    dataset: Any, *, class_names: Sequence[str] | None = None, default_names: Sequence[str] | None = None
) -> Dataset:
    """Return a torch-style dataset as a cuesense Dataset.

    Labels come from ``targets``, ``labels`` or ``samples`` where the dataset has one of them and does not transform
    them, else every item is read once. Ids are the indices with leading zeros.

    Args:
        dataset: Has a length and gives (image, label). An image is PIL, or an array or tensor of shape (3, H, W),
            (H, W, 3), (1, H, W), (H, W, 1) or (H, W), of dtype uint8 or float in [0, 1]. A label is an integer from 0.
            A cuesense Dataset is returned as it is. Of a torch DataLoader the dataset is taken, all of it and in its
            order, and a remark says so.
        class_names: Names of the classes; None takes the dataset's ``classes``.
        default_names: Names of the classes of a dataset without names: label i is the i-th; None takes "0", "1", ...

    Returns:
        The dataset.

    Raises:
        DatasetError: There is no length, no item, no pair, or a label is no class.
    """
    if _is_loader(dataset):
        return _of_loader(dataset, class_names, default_names)
    if isinstance(dataset, Dataset):
        return dataset
    labels = _labels(dataset, _length(dataset))
    own = getattr(dataset, "classes", None) if class_names is None else class_names
    names = _class_names(default_names if own is None else own, 1 + max(labels))
    ids = tuple(f"{index:09d}" for index in range(len(labels)))
    return MemoryDataset(
        spec=type(dataset).__name__,
        class_names=names,
        sample_ids=ids,
        labels=labels,
        source=dataset,
    )


def refuse_random(dataset: Dataset) -> None:
    """Raise DatasetError where a wrapped dataset gives other pixels when an image is read again, as random crops do.

    Args:
        dataset: Any dataset; only wrapped ones are read.
    """
    if not isinstance(dataset, MemoryDataset):
        return
    for index in dict.fromkeys(np.linspace(0, len(dataset) - 1, _READ_TWICE).round().astype(int).tolist()):
        if _pixel_digest(dataset.source, index) != _pixel_digest(dataset.source, index):
            got, do = (
                f"others in item {index}",
                "Pass the dataset with the transforms of validation",
            )
            raise DatasetError(expected("an image", "of the same pixels whenever it is read", got, do))


def _is_loader(dataset: Any) -> bool:
    # Whoever passes a DataLoader has imported torch; nothing here needs to.
    found = sys.modules.get("torch.utils.data")
    return found is not None and isinstance(dataset, found.DataLoader)


def _of_loader(loader: Any, class_names: Sequence[str] | None, default_names: Sequence[str] | None) -> Dataset:
    """Return the dataset behind a DataLoader; its batches have lost what identifies an image."""
    dataset = wrap(loader.dataset, class_names=class_names, default_names=default_names)
    # A sampler of as many draws or more may repeat some images and leave out others: nobody knows which.
    chosen = len(loader.sampler) if hasattr(loader.sampler, "__len__") else len(dataset)
    subset = f", also those that its sampler leaves out (it draws {chosen:,} of {len(dataset):,})"
    said = (
        f"Of the DataLoader its dataset was taken: every image once, in the dataset's order"
        f"{subset if chosen < len(dataset) else ''}. Its sampler, shuffling, batches and collate function were not "
        "used."
    )
    if "remarks" not in getattr(dataset, "__dataclass_fields__", {}):
        return dataset
    known: Any = dataset
    return replace(known, remarks=(said, *known.remarks))  # type: ignore[no-any-return]


def _length(dataset: Any) -> int:
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        do = "Pass the dataset behind it, which gives one (image, label) for an index, or a list of such pairs"
        raise DatasetError(expected("the dataset", "one with a length and items", f"{type(dataset).__name__}", do))
    if not len(dataset):
        raise DatasetError(expected("the dataset", "one with images", "none", "Pass a dataset that has items"))
    return len(dataset)


def _labels(dataset: Any, length: int) -> tuple[int, ...]:
    # A target_transform makes the stored labels others than those that indexing gives.
    stored = None if getattr(dataset, "target_transform", None) else _stored_labels(dataset)
    if stored is None or len(stored) != length:
        stored = [_pair(dataset, index)[1] for index in range(length)]
    return tuple(_label(value, index) for index, value in enumerate(stored))


def _stored_labels(dataset: Any) -> Sequence[Any] | None:
    for name in ("targets", "labels"):
        values = getattr(dataset, name, None)
        if values is not None:
            return np.asarray(values).tolist() if hasattr(values, "dtype") else list(values)
    samples = getattr(dataset, "samples", None)
    return None if samples is None else [label for _, label in samples]


def _label(value: Any, index: int) -> int:
    try:
        label = as_index(value)
    except TypeError:
        label = -1
    if label < 0:
        shape = getattr(value, "shape", None) or ((len(value),) if isinstance(value, list | tuple) else ())
        single = "Give one image and its class index an item, no batches and no one-hot vectors"
        do, shown = (single, f"values of shape {tuple(shape)}") if shape else ("Give class indices", repr(value))
        raise DatasetError(expected("each label", "an integer from 0", f"{shown} in item {index}", do))
    return label


def _class_names(found: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(map(str, range(count) if found is None else found))
    if len(names) < count:
        do = "Pass class_names with one name for each label"
        raise DatasetError(expected("the labels", f"below the {len(names)} class names", f"the label {count - 1}", do))
    return names


def _pair(dataset: Any, index: int) -> tuple[Any, Any]:
    with _read_errors(index):
        item = dataset[index]
    if not isinstance(item, tuple | list) or len(item) != 2:
        do = "Wrap the dataset so that it gives both"
        raise DatasetError(expected("each item", "a pair (image, label)", f"{type(item).__name__} in item {index}", do))
    return item[0], item[1]


def _pixel_digest(dataset: Any, index: int) -> str:
    try:
        pixels = np.asarray(_image(dataset, index))
    except UnreadableImageError as error:
        return error.reason
    return hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()


def _image(dataset: Any, index: int) -> Image.Image | NDArray[np.uint8]:
    image, _ = _pair(dataset, index)
    if isinstance(image, Image.Image):
        with _read_errors(index):
            image.load()
        return image
    pixels = _channels_last(_array(image), index)
    return np.ascontiguousarray(np.broadcast_to(_bytes(pixels, index), (*pixels.shape[:2], 3)))


@contextmanager
def _read_errors(index: int) -> Iterator[None]:
    """Turn what a user's dataset raises into one sentence: about the image where it cannot be decoded, else about both.

    Pillow's readers raise almost anything for damaged files, and so does the code of a dataset that is wrong: what
    comes out of Pillow is about the image.
    """
    try:
        yield
    except CuesenseError:
        raise
    except Exception as error:
        if isinstance(error, OSError | MemoryError) or _comes_from_pillow(error):
            raise UnreadableImageError(first_line(error), f"item {index}") from error
        found = f"{type(error).__name__} ({first_line(error)})"
        raise DatasetError(
            expected(f"item {index} of the dataset", "readable", found, "Correct the dataset")
        ) from error


def _comes_from_pillow(error: Exception) -> bool:
    frames = walk_tb(error.__traceback__)
    return any(str(frame.f_globals.get("__name__", "")).startswith("PIL.") for frame, _ in frames)


def _array(image: Any) -> NDArray[Any]:
    if hasattr(image, "detach"):
        image = image.detach().cpu()
        # NumPy has no bfloat16.
        image = image.float() if image.is_floating_point() else image
    return np.asarray(image)


def _channels_last(values: NDArray[Any], index: int) -> NDArray[Any]:
    """Return an array of shape (H, W, 1) or (H, W, 3)."""
    if values.ndim == 2 and values.size:
        return values[..., None]
    if values.ndim == 3 and values.size:
        if values.shape[0] in (1, 3):
            return values.transpose(1, 2, 0)
        if values.shape[2] in (1, 3):
            return values
    do = "Give images with one or three channels"
    found = f"an array of shape {values.shape} in item {index}"
    raise DatasetError(expected("each image", "of shape (3, H, W) or (H, W, 3)", found, do))


def _bytes(values: NDArray[Any], index: int) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating):
        found = f"{values.dtype} in item {index}"
        raise DatasetError(expected("each image", "uint8 or float in [0, 1]", found, "Convert the images to uint8"))
    low, high = float(values.min()), float(values.max())
    # Written so that NaN fails too.
    if not (low >= 0 and high <= 1):
        found = f"values from {low:g} to {high:g} in item {index}"
        do = "Remove Normalize from the dataset's transform and pass mean and std to analyze"
        raise DatasetError(expected("each float image", "within [0, 1]", found, do))
    return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
