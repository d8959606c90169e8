"""Rows that are no classes are found by name and numbers; real classes of such names stay."""

import numpy as np
import pytest

from cuesense.sweeps.summary_rows import Cells, Summaries, find_summaries

NAMES = ["cat", "dog", "owl", "fox"]
IMAGES = np.tile([100.0, 200.0, 50.0, 25.0], (6, 1))
ROUNDING = np.full((6, 1), 0.0005)


def accuracies(seed: int = 0) -> np.ndarray:
    return np.round(np.random.default_rng(seed).uniform(0.5, 0.95, (6, 4)) * IMAGES) / IMAGES


def found(name: str, accuracy: np.ndarray, images: np.ndarray) -> Summaries:
    """Find summaries among four classes and one more column."""
    columns = np.column_stack([np.round(accuracies(), 3), np.round(accuracy, 3)]), np.column_stack([IMAGES, images])
    return find_summaries([*NAMES, name], Cells(*columns, ROUNDING))


MACRO = accuracies().mean(axis=1)
WEIGHTED = (accuracies() * IMAGES).sum(axis=1) / IMAGES.sum(axis=1)
TOTAL = IMAGES.sum(axis=1)
OWN = np.random.default_rng(9).uniform(0.5, 0.95, 6)


@pytest.mark.parametrize("name", ["macro avg", "Macro_Avg", "weighted avg", "accuracy", "all", "Mean", "TOTAL"])
@pytest.mark.parametrize(
    ("accuracy", "images"),
    [(MACRO, TOTAL), (WEIGHTED, TOTAL), (MACRO, np.full(6, np.nan)), (MACRO, np.full(6, 4.0)), (OWN, TOTAL)],
)
def test_a_name_and_numbers_that_agree_are_certain(name: str, accuracy: np.ndarray, images: np.ndarray) -> None:
    assert found(name, accuracy, images) == Summaries(certain=(4,))


@pytest.mark.parametrize("name", ["mean", "all", "average", "total"])
def test_a_class_of_such_a_name_with_numbers_of_its_own_stays_and_is_doubtful(name: str) -> None:
    assert found(name, OWN, np.full(6, 80.0)) == Summaries(doubtful=(4,))


def test_a_name_that_no_class_has_is_named_whatever_its_numbers() -> None:
    assert found("macro avg", OWN, np.full(6, 80.0)) == Summaries(named=(4,))


@pytest.mark.parametrize("accuracy", [MACRO, WEIGHTED])
def test_numbers_alone_are_hidden_summaries(accuracy: np.ndarray) -> None:
    assert found("moyenne", accuracy, TOTAL) == Summaries(hidden=(4,))
    assert found("moyenne", accuracy, np.full(6, 80.0)) == Summaries(hidden=(4,))
    assert found("background", OWN, TOTAL) == Summaries(sums=(4,))


def test_several_summaries_do_not_hide_each_other() -> None:
    columns = np.column_stack([np.round(accuracies(), 3), np.round(MACRO, 3), np.round(WEIGHTED, 3)])
    images = np.column_stack([IMAGES, TOTAL, TOTAL])
    assert find_summaries([*NAMES, "macro avg", "weighted avg"], Cells(columns, images, ROUNDING)).certain == (4, 5)
    assert find_summaries([*NAMES, "m", "w"], Cells(columns, images, ROUNDING)).hidden == (4, 5)


@pytest.mark.parametrize("classes", [2, 3, 4, 21, 200])
def test_sound_tables_raise_no_alarm(classes: int) -> None:
    for seed in range(10):
        random = np.random.default_rng(seed)
        images = np.tile(random.integers(5, 500, classes) if seed % 2 else np.full(classes, 50), (4, 1)).astype(float)
        accuracy = np.round(random.binomial(images.astype(int), 0.8) / images, 2 if seed % 3 else 4)
        rounding = np.full((4, 1), 0.005 if seed % 3 else 0.00005)
        names = [f"class {index}" for index in range(classes)]
        assert find_summaries(names, Cells(accuracy, images, rounding)) == Summaries()
    perfect = Cells(np.ones((4, classes)), np.full((4, classes), 50.0), np.full((4, 1), 0.005))
    assert find_summaries(["mean", *names[1:]], perfect).hidden == ()
