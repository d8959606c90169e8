"""NumPy archives and files with arrays of images and labels, such as MedMNIST's."""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cuesense.datasets.labels import read_labels, refuse_multilabel
from cuesense.datasets.names_beside import name_classes
from cuesense.datasets.records import Content, RecordDataset, from_records, position_ids
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_download, refuse_split, split_kind
from cuesense.errors import CuesenseError, DatasetError, UnreadableImageError, expected, first_line, listed

# Names of arrays without the part that they belong to ("train_images", "X_test"), in lower case.
_IMAGES = ("images", "image", "imgs", "img", "x", "data", "pixels", "features", "arr_0")
_LABELS = ("labels", "label", "y", "targets", "target", "classes", "fine_labels", "arr_1")
_NAMES = ("class_names", "classnames", "label_names", "names", "classes")
# Images hardly compress, yet masks and digits do; an archive that unpacks to more was made to fill memory. By hand.
_MOST_UNPACKED, _ALWAYS_ALLOWED = 200, 2**28
# Bytes of one array in memory. Chosen by hand: MedMNIST's largest set has 18 GB, a usual one of 224 px 1 to 3 GB.
_LARGEST = 2**35
_SHOWN = 6
_RAISED = (OSError, ValueError, TypeError, LookupError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error,
           NotImplementedError, RuntimeError, SyntaxError)  # fmt: skip


@dataclass(frozen=True)
class ArraySource:
    """Images in an array.

    Attributes:
        images: (N, H, W), (N, H, W, C) or (N, C, H, W) with C of 1, 3 or 4; uint8, or float in [0, 1].
        scale: What values are multiplied by to count to 255.
    """

    images: NDArray[Any]
    scale: float = 1.0

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        values = self.images[place]
        if values.ndim == 3 and values.shape[2] not in (1, 3, 4):
            values = values.transpose(1, 2, 0)
        values = values[..., None] if values.ndim == 2 else values[..., :3]
        if values.dtype != np.uint8:
            if not np.isfinite(values).all():
                raise UnreadableImageError("its values are not finite")
            values = np.rint(values.astype(np.float64) * self.scale).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))


def load(
    argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> RecordDataset:
    """Return the images of a NumPy archive.

    Arrays are found by their names: ``train_images`` and ``train_labels`` (MedMNIST; also val and test), ``images`` and
    ``labels``, ``x`` and ``y``, ``X_train`` and ``y_train``, ``data`` and ``labels``. An array ``class_names``, or a
    file ``classes.txt`` beside the archive, names the classes. Nothing is unpickled.

    Args:
        argument: The ``.npz`` file; or a ``.npy`` file of images, with the labels in one of the same name beside it
            (``images.npy`` and ``labels.npy``, ``X_test.npy`` and ``y_test.npy``); or their folder.
        data_root: A folder that a relative path may start from.
        split: The part to read; None takes the validation part, else the test part, and says so.
        download: Refused: the file is read where it is.

    Returns:
        The dataset; its ids are positions, as for torch datasets: arrays have no names.

    Raises:
        SplitError: There is no such part.
        DatasetError: The file is damaged, or its arrays are no images with one class each.
    """
    if not argument:
        raise DatasetError(expected("npz", "followed by a path", "none", "Write npz:FILE"))
    refuse_download(f"'{argument}'", download=download)
    path = Path(argument)
    if data_root is not None and not path.exists():
        path = data_root / argument
    what, folder = f"'{path}'", path if path.is_dir() else path.parent
    with _reading(what):
        plain = path.is_dir() or path.suffix.lower() == ".npy"
        shapes = _npy_files(path, what) if plain else _members(path, what)
        images, labels, said = _pair(shapes, split, what)
        if path.is_file() and plain and path.stem not in (images, labels):
            got = f"an array beside {images} and {labels}, which are of each other"
            raise DatasetError(expected(what, "an array of images or of labels", got, f"Name {images}.npy"))
        _check_size(shapes[images], shapes[images].path, what)
        pixels = _array(shapes[images])
        names = next((_array(shapes[name]) for name in shapes if name.lower() in _NAMES and name != labels), None)
        found = _array(shapes[labels])
    return build(f"npz:{argument}", pixels, found, what, Extras(folder, names, said, _role(images)[0] or None))


@dataclass(frozen=True)
class Extras:
    """What is known beside arrays of images and labels.

    Attributes:
        folder: Where a file with names of classes may lie.
        names: The names of the classes as an array, None where there are none.
        said: What to say of the choice of these arrays.
        split: The part of a dataset that they are, None where they are no part.
    """

    folder: Path
    names: NDArray[Any] | Sequence[str] | None = None
    said: str | None = None
    split: str | None = None


def build(spec: str, images: NDArray[Any], labels: NDArray[Any], what: str, extras: Extras) -> RecordDataset:
    """Return a dataset of arrays.

    Args:
        spec: What the user named.
        images: As in ArraySource.
        labels: Class numbers or names (N,), (N, 1), or one-hot (N, K).
        what: What errors call the data.
        extras: What else is known.

    Raises:
        DatasetError: The arrays are no images with one class each.
    """
    source = _source(images, what)
    values = _values(labels, len(images), what)
    names = None if extras.names is None else [str(name) for name in extras.names]
    found, named = name_classes(read_labels(values, what, names), [extras.folder])
    records = zip(position_ids(len(values)), found.indices, range(len(values)), strict=True)
    return from_records(spec, found.names, records, source, filter(None, [extras.said, named]), extras.split)


def _source(images: NDArray[Any], what: str) -> ArraySource:
    channels = {images.shape[-1], images.shape[1]} if images.ndim == 4 else {1}
    if images.ndim not in (3, 4) or not images.size or not channels & {1, 3, 4}:
        got = f"an array of shape {images.shape}"
        do = "Save arrays of shape (N, H, W, 3) or (N, H, W)"
        raise DatasetError(expected(f"the images of {what}", "of shape (N, H, W), with channels or without", got, do))
    if images.dtype == np.uint8:
        return ArraySource(images)
    if not (np.issubdtype(images.dtype, np.integer) or np.issubdtype(images.dtype, np.floating)):
        do = "Save them as uint8"
        raise DatasetError(expected(f"the images of {what}", "uint8, or float in [0, 1]", f"{images.dtype}", do))
    low, high = float(images.min()), float(images.max())
    floats = np.issubdtype(images.dtype, np.floating)
    # Written so that NaN fails too.
    if not (low >= 0 and high <= 255) or (floats and high > 1 and (images[:8] % 1).any()):
        got = f"values from {low:g} to {high:g}"
        do = "Save pixels before they are normalized (uint8), and pass --mean and --std"
        raise DatasetError(expected(f"the images of {what}", "within [0, 1], or from 0 to 255", got, do))
    return ArraySource(images, 255.0 if floats and high <= 1 else 1.0)


def _values(labels: NDArray[Any], count: int, what: str) -> list[Any]:
    """Return one label an image."""
    if len(labels) != count or labels.ndim not in (1, 2):
        got = f"labels of shape {labels.shape} for {count} images"
        raise DatasetError(expected(what, "arrays with one label an image", got, "Save arrays of one length"))
    if labels.ndim == 2 and labels.shape[1] > 1:
        ones = (labels != 0).sum(1)
        wrong = np.flatnonzero((ones != 1) | (labels.max(1) != 1))
        if len(wrong):
            raise refuse_multilabel(what, f"{int(ones[wrong[0]])} of {labels.shape[1]} set in row {wrong[0] + 1}")
        return [int(value) for value in labels.argmax(1)]
    flat = labels.reshape(-1)
    if np.issubdtype(flat.dtype, np.floating) and (flat % 1 == 0).all():
        flat = flat.astype(np.int64)
    return [value.decode() if isinstance(value, bytes) else value for value in flat.tolist()]


@dataclass(frozen=True)
class _Stored:
    """An array in a file, of which the header was read."""

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    held: int

    @property
    def announced(self) -> int:
        """Bytes that the header announces."""
        return math.prod(self.shape) * self.dtype.itemsize


def _members(path: Path, what: str) -> dict[str, _Stored]:
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as file:
                    found[info.filename.removesuffix(".npy")] = _stored(file, path, info.filename, info.file_size, what)
    return found


def _npy_files(path: Path, what: str) -> dict[str, _Stored]:
    """Return the arrays in a folder; or the named one and those beside it, of which one may hold the labels."""
    found = {}
    for beside in sorted(path.glob("*.npy")) if path.is_dir() else [path, *sorted(path.parent.glob("*.npy"))]:
        with beside.open("rb") as file:
            found[beside.stem] = _stored(file, beside, None, beside.stat().st_size, what)
    if path.is_dir():
        return found
    named = kind_of_part(path.stem)
    return {name: array for name, array in found.items() if kind_of_part(name) == named}


def kind_of_part(name: str) -> str:
    """Return which part of a dataset an array is of, by its name; "" where it says none."""
    return next((kind for word in _words(name) if (kind := split_kind(word))), "")


def _words(name: str) -> list[str]:
    """Return the words of a name such as "test_images" or "testX"."""
    return re.split(r"_|(?<=[a-z])(?=[A-Z])", name)


def _stored(file: IO[bytes], path: Path, member: str | None, held: int, what: str) -> _Stored:
    version = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = reader(file)
    if dtype.hasobject:
        got = f"Python objects in the array '{member or path.name}', which are programs"
        raise DatasetError(expected(what, "arrays of numbers", got, "Save the images as uint8 and labels as integers"))
    return _Stored(path, member, shape, dtype, held)


def _check_size(array: _Stored, path: Path, what: str) -> None:
    size = path.stat().st_size
    if array.announced > min(array.held, _MOST_UNPACKED * size + _ALWAYS_ALLOWED, _LARGEST):
        got = f"an array of {array.announced:,} bytes in a file of {size:,}"
        raise DatasetError(expected(what, "an archive of images", got, "Check where it comes from, or split it"))


def _array(array: _Stored) -> NDArray[Any]:
    if array.announced > array.held:
        raise ValueError("an array that is longer than its file")
    if array.member is None:
        # Stays on disk: only the images that are used are read.
        mapped: NDArray[Any] = np.load(array.path, mmap_mode="r", allow_pickle=False)
        return mapped
    with zipfile.ZipFile(array.path) as archive, archive.open(array.member) as file:
        found: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return found


def _pair(arrays: Mapping[str, _Stored], split: str | None, what: str) -> tuple[str, str, str | None]:
    """Return the names of the arrays of images and of labels, and what to say of the choice."""
    names = list(arrays)
    pairs: dict[str, tuple[str, str]] = {}
    for name in names:
        part, role = _role(name)
        labels = next((other for other in names if _role(other) == (part, "labels") and other != name), None)
        if role == "images" and labels is not None and part not in pairs:
            pairs[part] = (name, labels)
    by_shape = None if pairs else _by_shape(arrays)
    if by_shape is not None:
        refuse_split(what, split)
        return (
            *by_shape,
            f"The arrays {by_shape[0]} and {by_shape[1]} were taken for images and labels by their shapes.",
        )
    if not pairs:
        got = f"the arrays {listed(names, _SHOWN) or 'none'}"
        do = "Name them images and labels, or test_images and test_labels, in one .npz or as .npy files side by side"
        raise DatasetError(expected(what, "arrays of images and of labels", got, do))
    parts = [part for part in pairs if part]
    if not parts:
        refuse_split(what, split)
        return (*pairs[""], None)
    chosen, said = choose_split(parts, split, what)
    return (*pairs[chosen], said)


def _by_shape(arrays: Mapping[str, _Stored]) -> tuple[str, str] | None:
    """Return the only array of images with channels and the only one with a whole number or a text for each of them."""
    images = [name for name, array in arrays.items() if len(array.shape) == 4 and array.shape[0] > 1]
    if len(images) != 1:
        return None
    count = arrays[images[0]].shape[0]
    labels = [
        name for name, array in arrays.items() if array.shape in ((count,), (count, 1)) and array.dtype.kind in "iuUS"
    ]
    return (images[0], labels[0]) if len(labels) == 1 else None


def _role(name: str) -> tuple[str, str]:
    """Return which part an array belongs to, as its name writes it, and what it holds."""
    words = _words(name)
    part = next((word for word in words if split_kind(word)), "")
    rest = "_".join(word for word in words if word != part).lower()
    if name.lower() in ("arr_0", "arr_1"):
        rest = name.lower()
    return part, "images" if rest in _IMAGES else "labels" if rest in _LABELS else ""


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except CuesenseError:
        raise
    except _RAISED as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)
        raise DatasetError(expected(what, "a NumPy archive", f"'{reason}'", "Save or copy it again")) from error
