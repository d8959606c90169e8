"""The comparison with kornia counts operations, times batches on the device that is named, and keeps to its rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from benchmarks import kornia_first
from benchmarks.kornia_forms import FORMS
from cuesense.perturbations.catalog import BRIGHTNESS

ROW = {
    "perturbation": "hue",
    "kornia": "adjust_hue",
    "device": "cpu",
    "side": 64,
    "largest": 1e-6,
    "ratio": 1.25,
    "ours operations": 4,
    "kornia operations": 5,
}


def rows(**changes: Any) -> pd.DataFrame:
    return pd.DataFrame([ROW, ROW | changes])


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "kornia's"),
        ({"ratio": 1.26}, "slower"),
        ({"kornia operations": 6}, "more operations"),
        ({"largest": 1.1e-6}, "other pixels"),
    ],
)
def test_kornia_s_code_is_taken_where_pixels_and_costs_are_within_the_rule(
    changes: dict[str, Any], verdict: str
) -> None:
    line = kornia_first.table(rows(**changes))
    assert verdict in line
    assert "hue" in line


def test_what_kornia_defines_otherwise_or_not_for_all_sizes_is_never_taken() -> None:
    square = {"perturbation": "median_blur", "kornia": FORMS["median_blur"][1].calls}
    assert "another definition" in kornia_first.table(pd.DataFrame([ROW | square]))
    jigsaw = {"perturbation": "patch_shuffle", "kornia": FORMS["patch_shuffle"][0].calls}
    assert "not for all sizes" in kornia_first.table(pd.DataFrame([ROW | jigsaw]))


def test_what_kornia_lacks_has_a_line_without_figures() -> None:
    missing = {"perturbation": "tile_jitter", "kornia": "none: nothing", "device": "cpu", "ratio": float("nan")}
    assert kornia_first.table(pd.DataFrame([ROW, missing])).splitlines()[1].split() == [
        *("tile_jitter", "cpu", "none:", "nothing")
    ]


def test_operations_are_counted_without_views() -> None:
    doubled = replace(BRIGHTNESS, apply=lambda images, *_: images.transpose(2, 3)[:, :1] * 2)
    assert kornia_first._operations(doubled, 0.4) == 1


def test_batches_are_timed_on_the_device_that_is_named() -> None:
    ours, theirs = kornia_first._in_batches(BRIGHTNESS, BRIGHTNESS, 8, 0.4, "cpu")
    assert min(ours, theirs) > 0
