"""A graded answer that cannot be is refused with its field."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.schemas.graded_checks import graded_problems
from cuesense.schemas.profile import ClassModel, GradedSummary
from tests.helpers import profiles

SUMMARY: dict[str, Any] = {
    "columns": {
        "without_color": {
            "cue": "color",
            "alone": False,
            "mean": {"value": 0.5, "low": 0.4, "high": 0.6},
            "spread": 0.1,
            "reliability": 0.9,
        }
    },
    "lean": {"color": {"mean": {"value": 0.5, "low": 0.4, "high": 0.6}, "spread": 0.1, "rank_reliability": -0.5}},
    "pairs": {"pairs": 3, "told_apart": 3, "level": 0.95},
    "sharpen": [{"cue": "color", "first": "tench", "second": "goldfish", "more_images": 30, "sentence": ""}],
}
CLASS: dict[str, Any] = {
    "kept": {"without_color": {"value": 0.5, "low": 0.4, "high": 0.6, "observed": 0.5, "images": 50}},
    "lean": {
        "color": {
            "value": -0.5,
            "low": -0.6,
            "high": -0.4,
            "reliance": {"value": 0.1, "low": 0.0, "high": 0.2},
            "rank": 3,
            "above": 0,
            "below": 2,
            "of": 2,
            "top_fifth": 0.0,
        }
    },
}


def changed(known: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return a nested document with another value."""
    if not path:
        return value
    if isinstance(known, list):
        return [changed(part, path[1:], value) if place == path[0] else part for place, part in enumerate(known)]
    return {**known, path[0]: changed(known.get(path[0]), path[1:], value)}


def problems(summary: dict[str, Any] = SUMMARY, entry: dict[str, Any] = CLASS) -> list[str]:
    first, *others = profiles.profile(3, seed=1).classes
    content = first.model_dump(mode="json", by_alias=True) | entry
    return list(graded_problems(GradedSummary.model_validate(summary), [ClassModel.model_validate(content), *others]))


def test_a_genuine_answer_has_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("kept", "without_color", "value"), 1.5, "1.5 in 'classes.0.kept.without_color'"),
        (("kept", "without_color", "observed"), -0.1, "-0.1 in 'classes.0.kept.without_color'"),
        (("kept", "without_color", "low"), 0.9, "a lower bound above the upper one in 'classes.0.kept.without_color'"),
        (("kept", "without_color", "images"), -1, "-1 in 'classes.0.kept.without_color.images'"),
        (("kept", "fog"), {"value": None, "low": None, "high": None}, "the unknown column 'fog' in 'classes.0.kept'"),
        (("lean", "color", "value"), -1.2, "-1.2 in 'classes.0.lean.color', which goes from -1 to 1"),
        (("lean", "color", "low"), 0.0, "a lower bound above the upper one in 'classes.0.lean.color'"),
        (("lean", "color", "reliance", "high"), 1.1, "1.1 in 'classes.0.lean.color.reliance'"),
        (("lean", "color", "reliance", "low"), 0.5, "above the upper one in 'classes.0.lean.color.reliance'"),
        (("lean", "color", "rank"), 4, "4 in 'classes.0.lean.color.rank', which goes from 1 to 3"),
        (("lean", "color", "rank"), 0, "0 in 'classes.0.lean.color.rank'"),
        (("lean", "color", "of"), 3, "3 in 'classes.0.lean.color.of', which goes from 0 to 2"),
        (("lean", "color", "above"), 1, "2 in 'classes.0.lean.color.below', which goes from 0 to 1"),
        (("lean", "color", "top_fifth"), 2, "2 in 'classes.0.lean.color.top_fifth'"),
    ],
)
def test_what_a_class_cannot_say_is_named(path: tuple[str | int, ...], value: object, said: str) -> None:
    assert any(said in clause for clause in problems(entry=changed(CLASS, path, value)))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("columns", "without_color", "mean", "value"), 2, "2 in 'summary.graded.columns.without_color.mean'"),
        (("columns", "without_color", "mean", "low"), 0.9, "upper one in 'summary.graded.columns.without_color.mean'"),
        (("columns", "without_color", "spread"), -1, "-1 in 'summary.graded.columns.without_color'"),
        (("columns", "without_color", "reliability"), 1.5, "1.5 in 'summary.graded.columns.without_color'"),
        (("lean", "color", "mean", "high"), 0.1, "upper one in 'summary.graded.lean.color.mean'"),
        (("lean", "color", "mean", "value"), -1, "-1 in 'summary.graded.lean.color.mean'"),
        (("lean", "color", "spread"), 3, "3 in 'summary.graded.lean.color'"),
        (("lean", "color", "rank_reliability"), -1.5, "-1.5 in 'summary.graded.lean.color.rank_reliability'"),
        (("pairs", "told_apart"), 4, "4 in 'summary.graded.pairs.told_apart', which goes from 0 to 3"),
        (("guessing",), 2, "2 in 'summary.graded.guessing'"),
        (("pairs", "level"), 95, "95 in 'summary.graded.pairs.level'"),
        (("sharpen", 0, "second"), "yeti", "the unknown class 'yeti' in 'summary.graded.sharpen.0'"),
        (("sharpen", 0, "more_images"), -1, "-1 in 'summary.graded.sharpen.0.more_images'"),
    ],
)
def test_what_a_summary_cannot_say_is_named(path: tuple[str | int, ...], value: object, said: str) -> None:
    assert any(said in clause for clause in problems(summary=changed(SUMMARY, path, value)))
