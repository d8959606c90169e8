"""Counts and texts that the script of a profile's page draws from; their agreement is tested with the page."""

from __future__ import annotations

import json

import pytest

from cuesense.reports.html.profile_data import page_data, pixels_at
from cuesense.schemas.profile import Profile
from cuesense.types import BudgetStatus
from tests.helpers import profiles
from tests.helpers.partly_seen import ACCURACIES, SEEN, jitter_alone


@pytest.fixture(scope="module")
def profile() -> Profile:
    return profiles.profile(3, seed=3)


@pytest.mark.parametrize(("severity", "pixels"), [(0, None), (1, 1.008), (4, 8.064), (5, None)])
def test_pixels_belong_to_a_severity(profile: Profile, severity: int, pixels: float | None) -> None:
    curve = next(curve for curve in profile.curves if curve.perturbation == "gaussian_blur")
    assert pixels_at(curve, severity) == pixels
    assert pixels_at(curve.model_copy(update={"pixels": None}), severity) is None
    assert pixels_at(None, severity) is None


@pytest.mark.parametrize(
    ("status", "value", "rank"),
    [
        (BudgetStatus.NONE, None, -1),
        (BudgetStatus.UNDETERMINED, None, 0),
        (BudgetStatus.LIMITED, 10.0, 1),
        (BudgetStatus.LIMITED, 30.0, 2),
        (BudgetStatus.UNLIMITED, 180.0, 4),
        (BudgetStatus.LIMITED, 31.0, 0),
    ],
)
def test_budgets_are_ranked_by_severity(profile: Profile, status: BudgetStatus, value: float | None, rank: int) -> None:
    entry = profile.classes[0]
    budget = entry.budgets["random_rotation"].model_copy(update={"status": status, "value": value})
    other = entry.model_copy(update={"budgets": {"random_rotation": budget}})
    data = page_data(profile.model_copy(update={"classes": [other]}))
    assert data["augmentations"] == [{"name": "random_rotation", "title": "random rotation"}]
    found = data["classes"][0]["budgets"][0]
    assert found[:3] == [rank, status.value, None if value is None else f"{value:g}°"]


def test_budgets_without_a_curve_keep_their_value(profile: Profile) -> None:
    data = page_data(profile.model_copy(update={"curves": []}))
    assert data["curves"] == []
    assert {part[0] for part in data["classes"][0]["budgets"]} <= {-1, 0}


def test_the_data_are_json_without_missing_numbers(profile: Profile) -> None:
    assert json.loads(json.dumps(page_data(profile), allow_nan=False)) == page_data(profile)


def test_curves_of_a_part_of_the_images_say_so_and_have_the_means_of_the_part() -> None:
    (found,) = page_data(jitter_alone())["curves"]
    assert found["seen"] == SEEN
    assert found["mean"] == [0.625, 0.5875, 0.55, 0.425, 0.325]
    assert all("seen" not in curve for curve in page_data(profiles.profile(2))["curves"])


def test_means_are_of_the_classes_that_were_seen_at_every_severity() -> None:
    (curve,) = jitter_alone().curves
    unseen = curve.model_copy(update={"seen": [*SEEN[:3], [20, 0]], "lost": [*curve.lost[:3], [16, 0]]})
    (found,) = page_data(jitter_alone().model_copy(update={"curves": [unseen]}))["curves"]
    assert found["mean"] == ACCURACIES[0]
