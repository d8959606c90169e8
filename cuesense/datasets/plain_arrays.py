"""The files of MNIST and its kin and of STL-10, read where torchvision's classes want files that nobody needs.

torchvision asks for the training images beside those that are read, unpacked and in folders of set names. Labels,
pixels and names of classes are the same as there.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cuesense.errors import DatasetError, expected, first_line

# As MNIST is published: "t10k-images-idx3-ubyte", also packed, and with a dot as some copies have it.
_FILE = re.compile(r"(t10k|test|train)-(images|labels)[-.]idx[13]-ubyte(\.gz)?", re.IGNORECASE)
_SIDE = 96
# MNIST's training images have 47 MB. Chosen by hand.
_LARGEST = 2**30


@dataclass(frozen=True)
class Arrays:
    """Images in an array, in the manner of torchvision's datasets.

    Attributes:
        data: uint8 (N, H, W) or (N, 3, H, W).
        targets: The class of each image, N of them.
        classes: Names of the classes.
    """

    data: NDArray[np.uint8]
    targets: Sequence[int]
    classes: Sequence[str]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Return an image and its class."""
        pixels = self.data[index]
        pixels = pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels
        return Image.fromarray(np.ascontiguousarray(pixels)), self.targets[index]


def digits_in(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the files of images and of labels of each part (test, train) that lie in a folder in MNIST's format.

    Args:
        folder: The folder of the files, or the one of the folder ``raw``.
    """
    for place in (folder, folder / "raw"):
        found: dict[tuple[str, str], Path] = {}
        # What is unpacked comes after what is packed, and is taken.
        for path in sorted(place.glob("*-ubyte*"), key=lambda path: (path.suffix != ".gz", path.name)):
            match = _FILE.fullmatch(path.name)
            if match and path.is_file():
                part = "train" if match[1].casefold() == "train" else "test"
                found[part, match[2].casefold()] = path
        parts = [part for part in ("test", "train") if (part, "images") in found and (part, "labels") in found]
        if parts:
            return {part: (found[part, "images"], found[part, "labels"]) for part in parts}
    return {}


def read_digits(images: Path, labels: Path, classes: Sequence[str] = ()) -> Arrays:
    """Return images and labels of two files in MNIST's format.

    Args:
        images: The file of images.
        labels: The file of labels.
        classes: Names of the classes; without them, or with labels beyond them, classes are numbers.

    Raises:
        DatasetError: A file is damaged, or they hold different numbers.
    """
    pixels, numbers = _idx(images, 3), _idx(labels, 1)
    count = 1 + int(numbers.max(initial=0))
    known = classes if count <= len(classes) else [str(number) for number in range(count)]
    return _arrays(pixels, numbers, known, images)


def stl10_in(folder: Path, part: str) -> Arrays | None:
    """Return a labeled part of STL-10 from the folder of its binary files; None where it is not there.

    Raises:
        DatasetError: A file is damaged.
    """
    images, labels = folder / f"{part}_X.bin", folder / f"{part}_y.bin"
    if not images.is_file() or not labels.is_file():
        return None
    size = images.stat().st_size
    if not size or size % (3 * _SIDE**2):
        raise _damaged(images, f"{size:,} bytes, no multiple of {3 * _SIDE**2:,}")
    # The files hold columns before rows.
    pixels = np.memmap(images, np.uint8, "r").reshape(-1, 3, _SIDE, _SIDE).transpose(0, 1, 3, 2)
    numbers = np.fromfile(labels, np.uint8).astype(np.int64) - 1
    names = folder / "class_names.txt"
    classes = names.read_text(encoding="utf-8").split() if names.is_file() else []
    return _arrays(pixels, numbers, classes or [str(number) for number in range(10)], images)


def _arrays(pixels: NDArray[Any], labels: NDArray[Any], classes: Sequence[str], path: Path) -> Arrays:
    if len(pixels) != len(labels) or not len(labels):
        raise _damaged(path, f"{len(pixels)} images for {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise _damaged(path, f"a label {int(labels.max())} for {len(classes)} classes")
    return Arrays(pixels, [int(label) for label in labels], tuple(classes))


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array in a file: 0, 0, 8 for bytes, the number of dimensions, each of them as 4 bytes, the values."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            zero, kind, found = struct.unpack(">HBB", file.read(4))
            if (zero, kind, found) != (0, 8, dimensions):
                raise ValueError("another kind of array")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            size = math.prod(shape)
            if size > _LARGEST:
                raise ValueError(f"an array of {size:,} bytes")
            content = file.read(size + 1)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise _damaged(path, f"'{first_line(error)}'") from error
    if len(content) != size:
        raise _damaged(path, f"{len(content):,} bytes where {size:,} were announced")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _damaged(path: Path, got: str) -> DatasetError:
    return DatasetError(expected(f"'{path}'", "a whole file of images or labels", got, "Download it again"))
