"""Accuracies are multiples of 1/n, up to the digits that they are written with; else n is doubted."""

import numpy as np
import pytest

from cuesense.sweeps.image_counts import count_remarks, rounding_of
from cuesense.sweeps.summary_rows import Cells

RUNS = [f"run {run}" for run in range(12)]


def cells(tested: list[int], claimed: list[int], digits: int | None = None, seed: int = 0) -> Cells:
    """Accuracies counted on some images, with another n beside them, written with so many digits."""
    random = np.random.default_rng(seed)
    accuracy = random.binomial(tested, random.uniform(0.5, 0.9, len(tested)), (12, len(tested))) / np.array(tested)
    if digits is not None:
        accuracy = np.round(accuracy, digits)
    rounding = np.array([[rounding_of([repr(float(value)) for value in run])] for run in accuracy])
    return Cells(accuracy, np.tile(np.array(claimed, dtype=float), (12, 1)), rounding)


def remarks(found: Cells) -> tuple[str, ...]:
    return count_remarks([f"c{index}" for index in range(found.accuracy.shape[1])], RUNS, found)


@pytest.mark.parametrize("digits", [None, 1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    "images", [[200] * 5, [50] * 100, [10, 10], [1000, 37, 450], [8, 4], [1, 2, 3], [10_000] * 3, [300_000, 7]]
)
def test_true_numbers_of_images_raise_no_alarm(images: list[int], digits: int | None) -> None:
    for seed in range(3):
        assert remarks(cells(images, images, digits, seed)) == ()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_numbers_of_less_precision_raise_no_alarm(kind: type) -> None:
    found = cells([200] * 5, [200] * 5)
    stored = found.accuracy.astype(kind).astype(float)
    rounding = np.array([[rounding_of([repr(float(value)) for value in run])] for run in stored])
    assert remarks(Cells(stored, found.images, rounding)) == ()


@pytest.mark.parametrize("digits", [None, 3, 4])
def test_the_n_of_the_whole_test_set_is_doubted(digits: int | None) -> None:
    (said,) = remarks(cells([200] * 5, [1000] * 5, digits))
    assert "n is the same for every class" in said
    assert "all of 'c0' are multiples of 1/200, and its n is 1,000" in said


def test_the_n_of_an_unbalanced_test_set_is_doubted_too() -> None:
    (said,) = remarks(cells([60, 110, 330], [500] * 3))
    assert "are no multiple of 1/n" in said
    assert "it may be that of the whole test set" in said
    (said,) = remarks(cells([40, 460], [500] * 2, 3))
    assert "'c0'" in said


def test_an_n_that_is_a_multiple_is_too_large() -> None:
    (said,) = remarks(cells([100, 50, 30], [300, 150, 90]))
    assert said.startswith("n is too large")
    assert "multiples of 1/100, and its n is 300" in said


def test_an_n_that_differs_between_runs_is_named() -> None:
    found = cells([200, 100], [200, 100], 2)
    found.images[3, 1] = 90
    said = remarks(found)[0]
    assert said.startswith("n differs between runs for 'c1': 'c1' has 100 in run 'run 0' and 90 in run 'run 3'.")


@pytest.mark.parametrize(("value", "off"), [(0.8334, True), (0.8333, False), (0.833, True), (0.8332, True)])
def test_an_accuracy_must_be_within_half_a_unit_of_its_last_digit(value: float, off: bool) -> None:
    """5/6 with four digits is 0.8333; its neighbors, and 0.833 beside four digits, are no k/6."""
    accuracy = np.array([[0.1667, 0.5], [value, 0.1667]])
    rounding = np.array([[rounding_of([f"{cell:.4f}" for cell in run])] for run in accuracy])
    assert bool(count_remarks(["a", "b"], RUNS[:2], Cells(accuracy, np.full((2, 2), 6.0), rounding))) == off


@pytest.mark.parametrize(
    ("texts", "half"), [(["0.5", "0.25"], 0.005), (["0.9"], 0.05), (["1"], 0.5), (["3.0001e-01"], 5e-6)]
)
def test_rounding_is_half_a_unit_of_the_last_digit(texts: list[str], half: float) -> None:
    assert rounding_of(texts) == pytest.approx(half)
