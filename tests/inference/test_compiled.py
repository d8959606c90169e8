"""Compiled networks: who is compiled, and that a compiler that fails costs nothing but time."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.inference.compiled import CompiledNetwork, pays
from cuesense.inference.options import RunOptions
from tests.helpers.engine_runs import read, run
from tests.helpers.small_networks import Colors, Meanest, classifier

IMAGES = torch.zeros(2, 3, 4, 4)


class Broken(nn.Module):
    """Fails on every batch."""

    def forward(self, images: Tensor) -> Tensor:
        raise ValueError(f"no {len(images)} images")


def replace_compiler(monkeypatch: pytest.MonkeyPatch, compiler: Callable[[nn.Module], object]) -> None:
    monkeypatch.setattr(torch, "compile", lambda network, **_: compiler(network))


def raising(error: Exception) -> Callable[[object], object]:
    def fail(_: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize(
    ("device", "images", "said", "compiled"),
    [
        ("cuda", 2_000_000, None, True),
        ("cuda", 1_000_000, None, False),
        ("cpu", 2_000_000, None, False),
        ("cpu", 1, True, True),
        ("cuda", 2_000_000, False, False),
    ],
)
def test_a_network_is_compiled_where_it_pays_or_is_asked_for(
    device: str, images: int, said: bool | None, compiled: bool
) -> None:
    assert pays(Meanest(), RunOptions(device, compile=said), images) is compiled


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_programs_are_not_compiled_by_themselves() -> None:
    options = RunOptions("cuda")
    assert not pays(torch.jit.script(nn.Identity()), options, 2_000_000)
    assert not pays(torch.flatten, options, 2_000_000)


def test_the_engine_calls_what_the_compiler_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []

    def compiled(network: nn.Module) -> object:
        def call(images: Tensor) -> object:
            shapes.append(tuple(images.shape))
            return network(images)

        return call

    replace_compiler(monkeypatch, compiled)
    run(Colors(10), compile=True)
    assert set(shapes) == {(8, 3, 16, 16)}
    shapes.clear()
    run(Colors(10))
    assert shapes == []


def _fails_at_once(_: nn.Module) -> object:
    raise RuntimeError("no compiler here.\nA long trace.")


def _fails_at_the_first_batch(_: nn.Module) -> object:
    return raising(RuntimeError("no compiler here.\nA long trace."))


@pytest.mark.parametrize("compiler", [_fails_at_once, _fails_at_the_first_batch])
def test_a_compiler_that_fails_is_said_once_and_changes_nothing(
    compiler: Callable[[nn.Module], object], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replace_compiler(monkeypatch, compiler)
    with caplog.at_level(logging.WARNING, logger="cuesense"):
        found = read(run(Colors(20), compile=True))
    assert caplog.messages == ["the network could not be compiled and runs as it is: no compiler here"]
    for one, other in zip(found, read(run(Colors(20))), strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_an_error_of_the_network_is_its_own(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    replace_compiler(monkeypatch, lambda _: raising(RuntimeError("a long story of the compiler")))
    with pytest.raises(ModelError, match=r"The model failed on a batch .*: no 8 images\."):
        run(Colors(10), classifier(Broken()), compile=True)
    assert caplog.messages == []


def test_memory_that_is_too_small_is_no_fault_of_the_compiler(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replace_compiler(monkeypatch, lambda _: raising(torch.OutOfMemoryError("too large")))
    with pytest.raises(torch.OutOfMemoryError):
        CompiledNetwork(nn.Flatten())(IMAGES)
    assert caplog.messages == []


def test_the_compiler_warns_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def warning(network: nn.Module) -> object:
        def call(images: Tensor) -> object:
            warnings.warn("TensorFloat32 is available", stacklevel=1)
            return network(images)

        return call

    replace_compiler(monkeypatch, warning)
    assert CompiledNetwork(nn.Flatten())(IMAGES).shape == (2, 48)


# The first time, torch imports its compiler for seconds.
@pytest.mark.slow
def test_a_network_that_torch_compiles_gives_the_same_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    # The usual backend needs a compiler of C++, and minutes.
    real, network, images = torch.compile, Meanest().eval(), torch.rand(2, 3, 4, 4)
    replace_compiler(monkeypatch, lambda given: real(given, backend="eager", dynamic=False))
    compiled = CompiledNetwork(network)
    with torch.inference_mode():
        torch.testing.assert_close(compiled(images), network(images))
