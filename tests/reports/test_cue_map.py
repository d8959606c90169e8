"""Where classes stand between shape, texture and color."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.cue_map import CENTER, CERTAIN_WITHIN, CORNERS, HEIGHT, CueDot, cue_map, position
from cuesense.schemas.base import UNKNOWN
from cuesense.schemas.profile import KeptModel, Profile
from cuesense.types import Cue
from tests.helpers.graded_profiles import graded
from tests.helpers.profiles import profile

SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def with_kept(shares: list[float | None], half: float | None = 0.0) -> Profile:
    """Return a profile of one class that keeps these shares without shape, texture and color."""
    source = profile(1)
    kept = {f"without_{cue.value}": _kept(share, half) for cue, share in zip(Cue, shares, strict=True)}
    return source.model_copy(update={"classes": [source.classes[0].model_copy(update={"kept": kept})]})


def _kept(share: float | None, half: float | None) -> KeptModel:
    if share is None or half is None:
        return KeptModel(value=share, low=None, high=None)
    return KeptModel(value=share, low=max(share - half, 0), high=min(share + half, 1))


def dot(shares: list[float | None], half: float | None = 0.0) -> CueDot:
    """Return the dot of a class that keeps these shares."""
    return cue_map(with_kept(shares, half)).dots[0]


@pytest.mark.parametrize("cue", list(Cue))
def test_a_class_that_needs_one_cue_alone_stands_in_its_corner(cue: Cue) -> None:
    found = dot([0.2 if cue is other else 1.0 for other in Cue])
    assert (found.x, found.y) == pytest.approx(CORNERS[cue])
    assert found.placed
    assert found.certain


def test_the_corners_are_shape_on_top_texture_on_the_left_and_color_on_the_right() -> None:
    assert CORNERS == {Cue.SHAPE: (0.5, HEIGHT), Cue.TEXTURE: (0.0, 0.0), Cue.COLOR: (1.0, 0.0)}
    sides = [math.dist(CORNERS[a], CORNERS[b]) for a in Cue for b in Cue if a < b]
    assert sides == pytest.approx([1, 1, 1])


@given(SHARES)
def test_the_position_follows_the_formula_and_stays_in_the_triangle(kept: list[float]) -> None:
    found = dot(list(kept))
    losses = [max(1 - share, 0) for share in kept]
    if sum(losses) < 0.01:
        return
    shape, texture, color = (loss / sum(losses) for loss in losses)
    assert found.weights == pytest.approx((shape, texture, color))
    assert found.losses == pytest.approx(tuple(losses))
    assert found.x == pytest.approx(color + shape / 2)
    assert found.y == pytest.approx(shape * 3**0.5 / 2)
    assert -1e-9 <= found.y <= HEIGHT + 1e-9
    # The barycentric coordinates of a point are its distances from the sides, each over the height.
    assert found.y / HEIGHT == pytest.approx(shape)


@pytest.mark.parametrize(("kept", "placed"), [([1.0, 1.0, 0.9901], False), ([1.0, 1.0, 0.9899], True)])
def test_a_class_that_loses_less_than_a_point_stands_at_the_center(kept: list[float], placed: bool) -> None:
    found = dot(list(kept))
    assert found.placed is placed
    assert ((found.x, found.y) == CENTER) is not placed
    assert found.certain is placed


def test_a_class_of_which_a_loss_is_not_known_stands_at_the_center() -> None:
    found = dot([0.5, None, 0.5])
    assert (found.x, found.y) == CENTER
    assert (found.placed, found.certain) == (False, False)
    assert found.losses == (0.5, None, 0.5)
    assert found.weights == (1 / 3, 1 / 3, 1 / 3)


def test_a_class_whose_bounds_move_it_far_is_uncertain() -> None:
    assert dot([0.5, 0.5, 0.5], 0.2).certain
    assert not dot([0.5, 0.5, 0.5], 0.25).certain
    assert dot([0.5, 0.5, 0.5], 0.25).placed
    assert not dot([0.5, 0.5, 0.5], None).certain


def test_a_bound_at_which_the_class_loses_nothing_makes_it_uncertain() -> None:
    assert not dot([1.0, 1.0, 0.985], 0.02).certain


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_certain_is_within_a_tenth_of_a_side(factor: float) -> None:
    # A class between texture and color moves along the side that joins them.
    move = CERTAIN_WITHIN * factor
    color = 0.4
    texture_then = color / (0.5 + move) - color  # from x = 1/2 to x = 1/2 + move
    source = with_kept([1.0, 1 - color, 1 - color])
    kept = dict(source.classes[0].kept)
    kept["without_texture"] = KeptModel(value=1 - color, low=1 - color, high=1 - texture_then)
    entry = source.classes[0].model_copy(update={"kept": kept})
    found = cue_map(source.model_copy(update={"classes": [entry]})).dots[0]
    assert found.certain is (factor < 1)


def test_an_older_profile_gives_the_necessity_of_each_cue() -> None:
    source = profile(12)
    for entry, found in zip(source.classes, cue_map(source).dots, strict=True):
        assert not entry.kept
        needed = [entry.reliance[cue].value for cue in Cue]
        assert found.losses == pytest.approx(tuple(max(value, 0) for value in needed if value is not None))
        assert found.name == entry.name


def test_the_mean_is_that_of_the_classes_that_are_known() -> None:
    source = graded(12, empty=2)
    found = cue_map(source)
    known = [entry.losses for entry in found.dots if None not in entry.losses]
    assert len(found.dots) == 12
    losses = [sum(row[at] for row in known) / len(known) for at in range(3)]  # type: ignore[misc]
    assert found.mean.losses == pytest.approx(tuple(losses))
    assert (found.mean.x, found.mean.y) == pytest.approx(position([loss / sum(losses) for loss in losses]))
    assert found.mean.certain


def test_a_profile_without_images_has_all_at_the_center() -> None:
    source = profile(3)
    nothing = {cue: entry.model_copy(update=dict(UNKNOWN)) for cue, entry in source.classes[0].reliance.items()}
    classes = [entry.model_copy(update={"reliance": nothing, "kept": {}}) for entry in source.classes]
    found = cue_map(source.model_copy(update={"classes": classes}))
    assert {(entry.x, entry.y) for entry in (*found.dots, found.mean)} == {CENTER}
    assert not found.mean.placed
