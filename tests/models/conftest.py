"""Networks small enough to save and load in every test."""

import socket
import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn


def tiny_network(classes: int = 5) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, classes),
    )


@pytest.fixture
def tiny() -> nn.Module:
    torch.manual_seed(0)
    network = tiny_network().eval()
    network[1].running_mean.uniform_(-1, 1)
    return network


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def same(tiny: nn.Module, images: torch.Tensor) -> Callable[[Callable[[torch.Tensor], torch.Tensor]], bool]:
    """Whether a network answers as the tiny one does."""

    def compare(network: Callable[[torch.Tensor], torch.Tensor]) -> bool:
        with torch.inference_mode():
            return torch.allclose(network(images), tiny(images), atol=1e-6)

    return compare


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections, so that nothing can be downloaded wherever the tests run."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def factory_module(tmp_path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the working directory that builds the tiny network: for ``python:tiny_factory:build``."""
    source = (
        "from torch import nn\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5),\n"
        "                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))\n"
        "def broken():\n    raise ValueError('no such width.')\n"
        "def quits():\n    raise SystemExit(7)\n"
        "def wrong():\n    return 'a string'\n"
        "number = 3\n"
    )
    (tmp_path / "tiny_factory.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "python:tiny_factory:build"
    sys.modules.pop("tiny_factory", None)
