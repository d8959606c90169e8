"""Who loses by an augmentation: said where the profile's data support it, and on both sides of every limit."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.policies.losses_by_lean import losses_by_lean
from cuesense.schemas.profile import Profile
from cuesense.types import Cue
from tests.helpers import graded_profiles

LEANS = [0.4, 0.3, 0.05, -0.1, -0.25, -0.4]
IMAGES = 100


def made(cue: Cue, name: str, drops: list[list[int]], leans: list[float] | None = None, **changes: Any) -> Profile:
    """Return a profile of six classes whose only curve loses these images, with leans known within 0.1."""
    source = graded_profiles.graded(6, images=IMAGES)
    values = LEANS if leans is None else leans
    classes = [
        entry.model_copy(update={"lean": entry.lean | {cue: _lean(entry.lean[cue], value)}})
        for entry, value in zip(source.classes, values, strict=True)
    ]
    curve = next(curve for curve in source.curves if curve.perturbation == name)
    nothing = [[0] * 6 for _ in drops]
    counts = curve.corrected.model_copy(update={"lost": drops, "gained": nothing})
    given = {"n": [IMAGES] * 6, "corrected": counts, "repeats": 1} | changes
    return source.model_copy(update={"classes": classes, "curves": [curve.model_copy(update=given)]})


def _lean(entry: Any, value: float) -> Any:
    return entry.model_copy(update={"value": value, "low": value - 0.1, "high": value + 0.1})


RISING = [40, 30, 20, 10, 5, 0]


def test_classes_that_lean_on_shape_pay_for_rotations_that_cost_in_their_order() -> None:
    profile = made(Cue.SHAPE, "random_rotation", [[0] * 6] * 3 + [RISING])
    (found,) = losses_by_lean(profile)
    names = [entry.name for entry in profile.classes]
    assert found.classes == (names[0], names[1])
    start = "Classes that rely on shape more than the average class lose by random rotation here"
    assert found.sentence == f"{start}: {names[0]}, {names[1]}."


def test_no_order_no_sentence() -> None:
    assert not losses_by_lean(made(Cue.SHAPE, "random_rotation", [RISING, RISING, RISING, [30, 30, 40, 30, 40, 35]]))
    assert not losses_by_lean(made(Cue.SHAPE, "random_rotation", [RISING, RISING, RISING, [30] * 6]))
    assert not losses_by_lean(made(Cue.SHAPE, "random_rotation", [RISING, RISING, RISING, RISING[::-1]]))


@pytest.mark.parametrize(("least", "said"), [(14, False), (15, True)])
def test_who_pays_loses_at_least_fifteen_percent_at_test_time(least: int, *, said: bool) -> None:
    drops = [least, least, 8, 5, 2, 0]
    assert bool(losses_by_lean(made(Cue.SHAPE, "random_rotation", [drops] * 4))) == said


def test_jitter_is_judged_at_two_tenths_and_by_color() -> None:
    strong = [[0] * 6, [0] * 6, RISING, RISING]
    assert not losses_by_lean(made(Cue.COLOR, "color_jitter", strong))
    mild = [[0] * 6, RISING, RISING, RISING]
    (found,) = losses_by_lean(made(Cue.COLOR, "color_jitter", mild))
    assert (found.cue, found.augmentation) == (Cue.COLOR, "color_jitter")


@pytest.mark.parametrize(("least", "said"), [(19, False), (20, True)])
def test_who_pays_for_jitter_loses_at_least_twenty_percent_of_it_mild(least: int, *, said: bool) -> None:
    drops = [[0] * 6, [least, least, 0, 0, 0, 0], RISING, RISING]
    assert bool(losses_by_lean(made(Cue.COLOR, "color_jitter", drops))) == said


def test_drops_are_shares_of_all_repeats() -> None:
    mild = [[0] * 6, [30, 30, 0, 0, 0, 0], RISING, RISING]
    assert losses_by_lean(made(Cue.COLOR, "color_jitter", mild))
    assert not losses_by_lean(made(Cue.COLOR, "color_jitter", mild, repeats=2))


def test_the_strongest_value_that_was_trained_with_counts() -> None:
    crops = [[0] * 6] * 3 + [RISING]
    assert losses_by_lean(made(Cue.SHAPE, "random_resized_crop", crops))
    assert not losses_by_lean(made(Cue.SHAPE, "random_resized_crop", crops, values=[0.7, 0.4, 0.2, 0.05]))
    assert not losses_by_lean(made(Cue.SHAPE, "random_resized_crop", crops, values=[0.07, 0.06, 0.05, 0.04]))


def test_nobody_leans_nobody_pays() -> None:
    assert not losses_by_lean(
        made(Cue.SHAPE, "random_rotation", [RISING] * 4, leans=[0.09, 0.05, 0.0, -0.02, -0.05, -0.07])
    )


def test_a_profile_without_leans_or_curves_says_nothing() -> None:
    source = graded_profiles.graded(6, images=0)
    assert not losses_by_lean(source)
    assert not losses_by_lean(source.model_copy(update={"curves": []}))


@pytest.mark.parametrize(("least", "said"), [(7, False), (8, True)])
def test_a_part_of_the_images_loses_fifteen_percent_of_the_part(least: int, *, said: bool) -> None:
    """Of 50 images 8 are 16 % and 7 are 14 %."""
    drops = [least, least, 4, 2, 1, 0]
    seen = [[IMAGES] * 6] * 3 + [[50] * 6]
    assert bool(losses_by_lean(made(Cue.SHAPE, "random_rotation", [drops] * 4, seen=seen))) == said
