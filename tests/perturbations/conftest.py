"""Real photographs, cut to small squares and oblongs, for every test of a perturbation."""

import pytest
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor


def _pieces(height: int, width: int, count: int) -> Tensor:
    photographs = [torch.tensor(image).permute(2, 0, 1) for image in load_sample_images().images]
    pieces = []
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        top, left = 17 * index % (427 - height), 29 * index % (640 - width)
        pieces.append(photograph[:, top : top + height, left : left + width])
    return torch.stack(pieces).float().div_(255)


@pytest.fixture(scope="session")
def photos() -> Tensor:
    """Eight crops of 96 x 96 pixels, (8, 3, 96, 96) in [0, 1]."""
    return _pieces(96, 96, 8)


@pytest.fixture(scope="session")
def oblongs() -> Tensor:
    """Six crops of 61 x 90 pixels: no grid divides them."""
    return _pieces(61, 90, 6)


@pytest.fixture(scope="session")
def large() -> Tensor:
    """Two photographs of 224 x 224 pixels."""
    return _pieces(224, 224, 2)
