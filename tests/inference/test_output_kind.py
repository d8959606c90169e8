"""Probabilities are told from logits, and become the logits that they were made from."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor, nn

from cuesense.inference.output_kind import add_up, as_logits, ends_in_sigmoid, resembles_sigmoid, within_unit
from cuesense.types import OutputKind

LOGITS = arrays(np.float32, (5, 7), elements=st.floats(-20, 20, width=32))


@given(logits=LOGITS)
def test_probabilities_become_their_logits_up_to_a_constant(logits: np.ndarray) -> None:
    known = torch.from_numpy(logits)
    found = as_logits(known.softmax(dim=1), OutputKind.PROBABILITIES)
    torch.testing.assert_close(found.log_softmax(dim=1), known.log_softmax(dim=1), atol=1e-5, rtol=1e-5)


@given(logits=arrays(np.float64, (5, 7), elements=st.floats(-30, 30)))
def test_sigmoids_become_their_logits(logits: np.ndarray) -> None:
    known = torch.from_numpy(logits)
    torch.testing.assert_close(as_logits(known.sigmoid(), OutputKind.SIGMOIDS).double(), known, atol=1e-2, rtol=1e-3)


@given(logits=LOGITS)
def test_logits_stay_as_they_are(logits: np.ndarray) -> None:
    torch.testing.assert_close(as_logits(torch.from_numpy(logits), OutputKind.LOGITS), torch.from_numpy(logits))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.long])
def test_zero_and_one_stay_finite(dtype: torch.dtype) -> None:
    sure = torch.eye(3).to(dtype)
    for kind in (OutputKind.PROBABILITIES, OutputKind.SIGMOIDS):
        found = as_logits(sure, kind)
        assert found.dtype == torch.float32
        assert bool(found.isfinite().all())
        assert found.argmax(dim=1).tolist() == [0, 1, 2]
        assert float(found.softmax(dim=1).diagonal().min()) > 0.999


def test_the_logarithm_is_taken_before_numbers_are_rounded_to_float32() -> None:
    found = as_logits(torch.tensor([[1.0, 1e-100]], dtype=torch.float64), OutputKind.PROBABILITIES)
    np.testing.assert_allclose(found[0, 1], np.log(1e-100), rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("count", [2, 10, 1000])
@pytest.mark.parametrize("times", [1, 100])
def test_rows_of_probabilities_add_up_in_every_precision(dtype: torch.dtype, count: int, times: int) -> None:
    logits = torch.randn(8, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for scale in (0.0, 0.1, 1.0, 10.0):
        assert add_up((scale * logits).softmax(dim=1).to(dtype) * times) == times
        assert add_up((scale * logits).log_softmax(dim=1).to(dtype)) is None


@pytest.mark.parametrize(
    "outputs",
    [
        [[0.2, 0.7], [0.5, 0.5]],  # not 1
        [[1.2, -0.2], [0.5, 0.5]],  # not probabilities
        [[1.0], [1.0]],  # a single output
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.5, 0.5], [1.0, 1.0]],  # one row of two
    ],
)
def test_other_rows_do_not(outputs: list[list[float]]) -> None:
    assert add_up(torch.tensor(outputs)) is None


@pytest.mark.parametrize(("off", "total"), [(0.004, 1.0), (-0.004, 1.0), (0.006, None), (-0.006, None)])
def test_rows_may_be_off_by_half_a_percent(off: float, total: float | None) -> None:
    assert add_up(torch.tensor([[0.5, 0.5], [0.5, 0.5 + off]])) == total


@pytest.mark.parametrize(
    ("outputs", "inside"),
    [([[0.0, 1.0]], True), ([[0.2, 1.01]], False), ([[-0.01, 0.2]], False), ([[0.5]], False), ([[0.3, 0.9]], True)],
)
def test_outputs_of_a_sigmoid_lie_between_0_and_1(outputs: list[list[float]], inside: bool) -> None:
    assert within_unit(torch.tensor(outputs)) == inside


@pytest.mark.parametrize(
    ("outputs", "alike"),
    [
        ([0.09, 0.91, *[0.3] * 8], True),
        ([0.09, 0.89, *[0.3] * 8], False),  # cosines, or a network that is not trained
        ([0.11, 0.91, *[0.3] * 8], False),
        ([0.0, 0.91, *[0.3] * 9], True),
        ([0.0, 0.0, 0.91, *[0.3] * 9], False),  # a rectifier
    ],
)
def test_outputs_like_those_of_sigmoids_are_sure_of_something_and_never_0(outputs: list[float], alike: bool) -> None:
    assert resembles_sigmoid(torch.tensor([outputs])) == alike


class Ends(nn.Module):
    """Ends in a sigmoid, or has one elsewhere."""

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self.last = last

    def forward(self, images: Tensor) -> Tensor:
        gate = torch.sigmoid(images.mean(dim=(2, 3)))
        return gate if self.last else gate * 0.5


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("how", ["module", "TorchScript", "torch.export"])
def test_a_sigmoid_at_the_end_is_seen_in_every_kind_of_network(how: str, last: bool) -> None:
    images, network = torch.rand(4, 3, 8, 8), Ends(last=last)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = {
            "module": lambda: network,
            "TorchScript": lambda: torch.jit.trace(network, images),
            "torch.export": lambda: torch.export.export(network, (images,)).module(),
        }[how]()
    for _ in range(3):
        with torch.inference_mode():
            assert ends_in_sigmoid(run, images) == last


def test_a_copy_in_another_precision_is_a_sigmoids_output_too() -> None:
    images = torch.rand(4, 3, 8, 8, dtype=torch.float64)
    assert ends_in_sigmoid(lambda batch: Ends(last=True)(batch).float(), images)
