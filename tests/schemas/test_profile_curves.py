"""Counts in a profile become the curves that budgets are computed from."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.schemas.profile import CurveModel, UnpairedCounts
from cuesense.schemas.profile_curves import curves_frame
from cuesense.stats.curves import drops
from cuesense.stats.intervals import newcombe
from tests.helpers import profiles
from tests.helpers.contract_documents import OLD
from tests.helpers.partly_seen import SEEN, jitter_curve, partly_seen


def curve(**more: object) -> CurveModel:
    return CurveModel.model_validate(OLD["profile"]["curves"][0] | more)


def test_a_curve_has_the_raw_counts_as_arrays() -> None:
    model = curve(
        n=[4, 6],
        clean_correct=[3, 5],
        lost=[[0, 1], [2, 3]],
        gained=[[1, 0], [0, 1]],
        repeats=3,
        corrected={"clean_correct": [4, 6], "lost": [[9, 9], [9, 9]], "gained": [[9, 9], [9, 9]]},
    )
    found = model.to_curve()
    for name in ("n", "clean_correct", "lost", "gained"):
        np.testing.assert_array_equal(getattr(found, name), getattr(model, name))
    assert found.lost.shape == (2, 2)
    assert found.repeats == 3
    assert found.unpaired is None


def test_its_ladder_is_what_was_measured_not_what_is_registered() -> None:
    registered = registry.get("perturbations", "hue")
    found = curve(values=[0.01, 0.02]).to_curve().perturbation
    assert found.ladder == (0.01, 0.02) != registered.ladder
    assert (found.name, found.role, found.apply) == ("hue", registered.role, registered.apply)


def test_counts_of_other_images_come_along() -> None:
    found = curve(unpaired=UnpairedCounts(n=[[4], [8]], correct=[[3], [2]])).to_curve().unpaired
    assert found is not None
    assert found.n.tolist() == [[4], [8]]
    assert found.correct.tolist() == [[3], [2]]


def test_a_perturbation_that_is_not_installed_is_named() -> None:
    with pytest.raises(SettingsError, match=r"Unknown perturbation 'hues'\. Did you mean 'hue'"):
        curve(perturbation="hues").to_curve()


def test_the_table_divides_by_images_and_repeats_and_keeps_the_order() -> None:
    """Two curves of other ladders, two classes, one of them without images."""
    first = curve(n=[4, 0], clean_correct=[3, 0], lost=[[1, 0], [2, 0]], gained=[[0, 0], [1, 0]], repeats=2)
    second = curve(
        perturbation="blur", values=[3.0], n=[5, 0], clean_correct=[5, 0], lost=[[4, 0]], gained=[[0, 0]], cue="texture"
    )
    frame = curves_frame([first, second], ["lemon", "lime"])
    assert frame["perturbation"].tolist() == ["hue"] * 4 + ["blur"] * 2
    assert frame["severity"].tolist() == [1, 1, 2, 2, 1, 1]
    assert frame["value"].tolist() == [0.1, 0.1, 0.2, 0.2, 3.0, 3.0]
    assert frame["class"].tolist() == ["lemon", "lime"] * 3
    assert frame["accuracy_drop"].tolist()[::2] == [1 / 8, 1 / 8, 4 / 5]
    assert frame["accuracy_drop"].isna().tolist() == [False, True] * 3
    assert frame["cue"].tolist()[4:] == ["texture"] * 2
    assert frame["cue"].isna().tolist() == [True] * 4 + [False] * 2
    assert frame.index.tolist() == list(range(6))


def test_the_table_agrees_with_the_drops_of_the_curves() -> None:
    known = profiles.profile(5, empty=1, seed=4)
    frame = known.curves_frame()
    for model in known.curves:
        n, lost, gained = (np.array(part) for part in (model.n, model.lost, model.gained))
        with np.errstate(invalid="ignore"):
            expected = (lost - gained) / (n * model.repeats)
        found = frame.loc[frame["perturbation"] == model.perturbation, "accuracy_drop"].to_numpy(dtype=float)
        np.testing.assert_allclose(found.reshape(lost.shape), expected)


def test_drops_of_a_read_curve_are_those_of_the_written_counts() -> None:
    known = profiles.profile(4, seed=2)
    model = next(model for model in known.curves if model.perturbation == "random_rotation")
    again = CurveModel.model_validate_json(model.model_dump_json())
    for one, other in zip(drops(model.to_curve(), 0.95), drops(again.to_curve(), 0.95), strict=True):
        np.testing.assert_array_equal(one, other)
    value = drops(again.to_curve(), 0.95)[0]
    assert value[1, 2] == pytest.approx((model.lost[1][2] - model.gained[1][2]) / model.n[2] / model.repeats)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", [4.5]),
        ("lost", [0, 2]),
        ("gained", [[0], [None]]),
        ("role", "test"),
        ("cue", "smell"),
        ("suppresses", ["smell"]),
        ("values", ["mild", "strong"]),
        ("unpaired", {"n": [[4]]}),
        ("corrected", None),
        ("repeats", None),
    ],
)
def test_counts_of_another_form_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        curve(**{field: value})


def test_a_severity_of_a_part_of_the_images_is_counted_over_the_part() -> None:
    model = jitter_curve(partly_seen())
    assert model.images.tolist() == SEEN == [model.images_at(severity) for severity in range(1, 5)]
    # Of the second class 8 of 2 x 80, 8 of 2 x 40, 8 of 2 x 20 and 6 - 2 of 2 x 10.
    assert model.drop.T.tolist() == [[0.025, 0.05, 0.2, 0.4], [0.05, 0.1, 0.2, 0.2]]
    assert model.recognized.T.tolist() == [[58, 56, 22, 7], [36, 16, 6, 3]]
    (frame,) = [curves_frame([model], ["lemon", "lime"])]
    assert frame["seen"].tolist() == [80, 80, 80, 40, 40, 20, 20, 10]
    assert frame["n"].tolist() == [80] * 8
    np.testing.assert_allclose(frame["accuracy_drop"], model.drop.ravel())
    value, low, high = drops(model.to_curve(), 0.95)
    np.testing.assert_allclose(value, model.drop)
    ten = newcombe(5, 3, 1, 10, 0.95)
    assert (low[3, 1], high[3, 1]) == pytest.approx(ten)


def test_a_part_that_lost_more_than_all_images_recognize_leaves_none() -> None:
    lost_all = curve(n=[80], clean_correct=[40], lost=[[8], [8]], gained=[[0], [0]], seen=[[80], [10]])
    assert lost_all.recognized.tolist() == [[32], [0]]
    gained_all = curve(n=[80], clean_correct=[40], lost=[[0], [0]], gained=[[8], [8]], seen=[[80], [10]])
    assert gained_all.recognized.tolist() == [[48], [10]]
    # Newcombe's interval needs at least the lost images to be right.
    assert not np.isnan(drops(lost_all.to_curve(), 0.95)[1]).any()
