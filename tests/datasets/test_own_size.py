"""The size that all images of a dataset share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from cuesense.datasets.own_size import LARGEST_OWN, own_size
from cuesense.errors import UnreadableImageError
from cuesense.types import Sample


@dataclass(frozen=True)
class Sized:
    """Black images of given heights and widths; None is a file that cannot be read."""

    sizes: tuple[tuple[int, int] | None, ...]
    arrays: bool = False
    spec: str = "sized"
    class_names: tuple[str, ...] = ("a",)
    fingerprint: str = "sized"

    @property
    def sample_ids(self) -> list[str]:
        return [f"{number:04d}" for number in range(len(self))]

    @property
    def labels(self) -> list[int]:
        return [0] * len(self)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> Sample:
        size = self.sizes[index]
        if size is None:
            raise UnreadableImageError("no image")
        image = np.zeros((*size, 3), np.uint8)
        return Sample(self.sample_ids[index], image if self.arrays else Image.fromarray(image), 0)


@pytest.mark.parametrize("arrays", [False, True])
def test_it_is_height_and_width(arrays: bool) -> None:
    assert own_size(Sized(((20, 30),) * 3, arrays)) == (20, 30)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((), None),
        ((None, None), None),
        ((None, (8, 8)), (8, 8)),
        (((8, 8), (8, 9)), None),
        (((8, LARGEST_OWN),), (8, LARGEST_OWN)),
        (((8, LARGEST_OWN + 1),), None),
    ],
)
def test_only_readable_images_of_one_size_up_to_the_largest_count(
    sizes: tuple[tuple[int, int] | None, ...], expected: tuple[int, int] | None
) -> None:
    assert own_size(Sized(sizes)) == expected


def test_the_last_image_is_looked_at_among_many() -> None:
    assert own_size(Sized(((8, 8),) * 300)) == (8, 8)
    assert own_size(Sized((*((8, 8),) * 299, (8, 9)))) is None
