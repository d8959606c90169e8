"""Where classes stand between shape, texture and color."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.cue_map import CORNERS, HEIGHT, CueMap, cue_map
from cuesense.schemas.base import UNKNOWN
from cuesense.schemas.profile import CueModel, Profile
from cuesense.types import Cue
from tests.helpers.graded_profiles import graded
from tests.helpers.profiles import profile

SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def with_losses(*classes: list[float | None], half: float | None = 0.0) -> Profile:
    """Return a profile of an older version, whose classes lose these shares without shape, texture and color."""
    source = profile(len(classes))
    entries = [
        entry.model_copy(update={"reliance": {cue: _loss(value, half) for cue, value in zip(Cue, row, strict=True)}})
        for entry, row in zip(source.classes, classes, strict=True)
    ]
    return source.model_copy(update={"classes": entries})


def _loss(value: float | None, half: float | None) -> CueModel:
    if value is None or half is None:
        return CueModel(value=value, low=None, high=None)
    return CueModel(value=value, low=value - half, high=value + half)


@pytest.mark.parametrize(("cue", "corner"), list(CORNERS.items()))
def test_classes_that_rely_on_one_cue_alone_stand_in_their_corners(cue: Cue, corner: tuple[float, float]) -> None:
    found = cue_map(with_losses([0.8, 0.0, 0.0], [0.0, 0.8, 0.0], [0.0, 0.0, 0.8]))
    spot = found.spots[list(Cue).index(cue)]
    assert spot is not None
    assert found.point(spot) == pytest.approx(corner)
    assert spot.sure
    assert found.corner(cue) == f"{cue.value} 100\N{NO-BREAK SPACE}%"


def test_the_corners_are_shape_on_top_texture_on_the_left_and_color_on_the_right() -> None:
    assert CORNERS == {Cue.SHAPE: (0.5, HEIGHT), Cue.TEXTURE: (0.0, 0.0), Cue.COLOR: (1.0, 0.0)}
    sides = [math.dist(CORNERS[a], CORNERS[b]) for a in Cue for b in Cue if a < b]
    assert sides == pytest.approx([1, 1, 1])


@given(SHARES, SHARES)
def test_every_place_is_inside_and_without_the_zoom_it_is_the_weights(one: list[float], other: list[float]) -> None:
    found = cue_map(with_losses(list(one), list(other)))
    for losses, spot in zip((one, other), found.spots, strict=True):
        if spot is None:
            assert sum(losses) == 0
            continue
        x, y = found.point(spot)
        shape = y / HEIGHT
        color = x - shape / 2
        place = (shape, 1 - shape - color, color)
        assert min(place) >= -1e-6
        weights = [least + found.side * part for least, part in zip(found.corners, place, strict=True)]
        assert weights == pytest.approx([loss / sum(losses) for loss in losses], abs=1e-6)
        assert spot.weights == pytest.approx(weights, abs=1e-6)


def test_alike_classes_are_shown_in_a_part_of_the_triangle_which_the_corners_say() -> None:
    found = cue_map(with_losses([0.5, 0.3, 0.2], [0.45, 0.35, 0.2]))
    assert found.side < 1
    assert sum(found.corners) + found.side == pytest.approx(1)
    for least, cue in zip(found.corners, Cue, strict=True):
        assert found.corner(cue) == f"{cue.value} {100 * (least + found.side):.0f}\N{NO-BREAK SPACE}%"


def test_a_map_never_shows_less_than_three_tenths_of_a_side() -> None:
    assert cue_map(with_losses([0.4, 0.3, 0.3], [0.4, 0.3, 0.3])).side >= 0.3


@pytest.mark.parametrize("row", [[0.5, None, 0.5], [0.0, 0.0, 0.0]])
def test_a_class_of_which_nothing_is_known_has_no_place(row: list[float | None]) -> None:
    assert cue_map(with_losses(row)).spots == (None,)


@pytest.mark.parametrize(("half", "sure"), [(0.149, True), (0.151, False), (None, False)])
def test_a_place_is_sure_within_a_tenth_of_the_sum(half: float | None, sure: bool) -> None:
    (spot,) = cue_map(with_losses([0.5, 0.5, 0.5], half=half)).spots
    assert spot is not None
    assert spot.sure is sure


def test_a_graded_profile_is_placed_by_its_reliances() -> None:
    source = graded(12, empty=2)
    found = cue_map(source)
    assert found.graded
    for entry, spot in zip(source.classes, found.spots, strict=True):
        known = [entry.lean[cue].reliance.value for cue in Cue if cue in entry.lean]
        if spot is None:
            assert not known or None in known or not sum(filter(None, known))
        else:
            assert spot.reliance == pytest.approx(known)
    assert found.mean is not None
    means = [source.summary.graded.lean[cue].mean.value for cue in Cue]
    assert found.mean.reliance == pytest.approx(means)


def test_an_older_profile_is_placed_by_its_losses_and_its_mean_is_theirs() -> None:
    found = cue_map(with_losses([0.6, 0.2, 0.2], [0.2, 0.2, 0.6]))
    assert not found.graded
    assert found.mean is not None
    assert found.mean.reliance == pytest.approx((0.4, 0.2, 0.4))


def test_a_profile_without_images_has_an_empty_map() -> None:
    source = profile(3)
    nothing = {cue: CueModel(**UNKNOWN.model_dump()) for cue in Cue}
    classes = [entry.model_copy(update={"reliance": nothing}) for entry in source.classes]
    found = cue_map(source.model_copy(update={"classes": classes}))
    assert found == CueMap((None, None, None), None, (0.0, 0.0, 0.0), 1.0, graded=False)
