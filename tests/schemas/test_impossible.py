"""Each check lets through what can be, to the limit and with rounding, and names the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cuesense.schemas.base import Estimate
from cuesense.schemas.impossible import (
    MOST_IMAGES,
    counts,
    disordered,
    lengths,
    open_fraction,
    outside,
    repeated,
    shares,
    strangers,
)


@pytest.mark.parametrize(
    "found",
    [
        lengths("n", [1, 2], 2, "classes"),
        lengths("n", None, 2, "classes"),
        outside("x", [0.0, 1.0, 1 + 1e-7, None], 0, 1),
        shares("x", 0.0, 1.0, None, -1e-9),
        counts("n", [0, MOST_IMAGES]),
        counts("n", [0, 3], [0, 3]),
        disordered("e", Estimate(value=5, low=0.5, high=0.5)),
        disordered("e", Estimate(value=None, low=None, high=0.5)),
        disordered("e", Estimate(value=None, low=0.5 + 1e-9, high=0.5)),
        open_fraction("t", 1e-9),
        open_fraction("c", 0.50001, low=0.5),
        strangers("names", ["a", "a"], {"a", "b"}, "class"),
        repeated("names", ["a", "b"]),
    ],
)
def test_what_can_be_has_no_problem(found: Iterator[str]) -> None:
    assert list(found) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (lengths("n", [1], 2, "classes"), "1 values in 'n', where there are 2 classes"),
        (outside("x", [0.5, 1.1], 0, 1), "1.1 in 'x', which goes from 0 to 1"),
        (outside("x", [-1], 0, 1, rounding=0), "-1 in 'x', which goes from 0 to 1"),
        (shares("x", 1 + 1e-5), "1.00001 in 'x', which goes from 0 to 1"),
        (counts("n", [1, -1]), "-1 in 'n', which goes from 0 to 1000000000"),
        (counts("n", [MOST_IMAGES + 1]), "1000000001 in 'n', which goes from 0 to 1000000000"),
        (counts("n", [1, 4], [1, 3]), "4 in 'n', which goes from 0 to 3"),
        (disordered("e", Estimate(value=None, low=0.6, high=0.5)), "a lower bound above the upper one in 'e'"),
        (open_fraction("t", 0), "0 in 't', which lies between 0 and 1"),
        (open_fraction("t", 1), "1 in 't', which lies between 0 and 1"),
        (open_fraction("c", 0.5, low=0.5), "0.5 in 'c', which lies between 0.5 and 1"),
        (strangers("names", ["a", "c"], {"a"}, "class"), "the unknown class 'c' in 'names'"),
        (repeated("names", ["a", "b", "a"]), "'a' twice in 'names'"),
    ],
)
def test_what_cannot_be_is_named(found: Iterator[str], said: str) -> None:
    assert list(found) == [said]
