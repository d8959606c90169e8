"""Counts in a profile become the curves that budgets are computed from."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.schemas.profile import CurveModel, UnpairedCounts
from tests.helpers.contract_documents import OLD


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
