"""Each step's cost of each class is counted, scaled to how often it is applied, and forecast where it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.analysis.pipeline_sentences import MeasuredStep
from cuesense.policies.expected_losses import kept_without
from cuesense.policies.policy import PROBABILITY
from cuesense.schemas.profile import PipelineModel, Profile
from cuesense.stats.curves import count
from cuesense.stats.drop_risk import expected_drops
from cuesense.stats.training_prior import forecast_from_drops
from tests.helpers.pipeline_predictions import CLASSES, IMAGES, pipeline, predictions, some_profile, step

Lost = Mapping[str, Sequence[int]]


def costs(*steps: MeasuredStep, lost: Lost, profile: Profile | None = None, taker: int = 0) -> PipelineModel:
    known, measured = profile or some_profile(), pipeline(*steps)
    return pipeline_costs(measured, predictions(measured, lost, known, taker), known)


def test_counts_are_those_of_the_images() -> None:
    found = costs(step("a"), step("b"), lost={"a": (0, 5, 10, 20), "pipeline": (4, 4, 4, 40)})
    first, second = found.steps
    assert (first.lost, first.gained) == ([0, 10, 20, 40], [0] * CLASSES)
    assert second.lost == [0] * CLASSES
    assert (found.repeats, found.shares) == (2, [0.25, 0.5, 0.75, 1.0])
    # The means are those of the raw counts; those of the classes lean on each other.
    assert first.alone.mean.value == pytest.approx(35 / IMAGES / CLASSES)
    assert [cost.mean.value for cost in found.whole] == pytest.approx(
        [(3 * round(4 * share) + round(40 * share)) / IMAGES / CLASSES for share in found.shares]
    )


def test_the_cost_of_a_class_is_its_expected_drop() -> None:
    lost = (0, 5, 10, 20)
    profile, measured = some_profile(), pipeline(step("a"))
    seen = predictions(measured, {"a": lost}, profile)
    right = np.array([[seen.right(row)] for row in seen.rows["a", 1]])
    curve = count(measured.steps[0].alone, seen.right(0), right, seen.per_condition[0].labels, CLASSES)
    found = pipeline_costs(measured, seen, profile).steps[0].alone
    assert found.drop == pytest.approx(expected_drops(curve).drop[0].tolist(), abs=1e-6)
    low, high = expected_drops(curve).bounds(profile.policy.confidence)
    assert found.low == pytest.approx(low[0].tolist(), abs=1e-6)
    assert found.high == pytest.approx(high[0].tolist(), abs=1e-6)


def test_a_step_costs_in_proportion_to_how_often_it_is_applied() -> None:
    lost = {"a": (0, 5, 10, 20)}
    always, rarely = (costs(step("a", probability=p), lost=lost).steps[0] for p in (1.0, 0.25))
    for name in ("drop", "low", "high"):
        assert getattr(rarely.alone, name) == pytest.approx(
            [value / 4 for value in getattr(always.alone, name)], abs=1e-6
        )
    assert rarely.alone.mean.value == pytest.approx(always.alone.mean.value / 4)
    assert [taken and taken.share for taken in rarely.taken] == [
        taken and pytest.approx(taken.share / 4) for taken in always.taken
    ]
    # What was measured and how far it may go do not depend on it.
    assert (rarely.lost, rarely.safe_probability) == (always.lost, always.safe_probability)


def test_leaving_a_step_out_is_paired_by_image() -> None:
    found = costs(step("a"), step("b"), lost={"pipeline": (0, 5, 10, 20), "without a": (0, 5, 0, 5)})
    first, second = (entry.left_out for entry in found.steps)
    assert first is not None
    assert second is not None
    assert first.drop == pytest.approx([0, 0, 0.2, 0.3])
    assert first.mean.value == pytest.approx(0.125)
    assert second.drop == pytest.approx([0, 0.1, 0.2, 0.4])
    changes = np.zeros(IMAGES)
    changes[:10] = 1
    error = np.sqrt(((changes**2).sum() + 0.5) / IMAGES - changes.mean() ** 2) / np.sqrt(IMAGES)
    assert first.high[2] == pytest.approx(0.2 + 1.959964 * error, abs=1e-5)
    assert costs(step("a", without=None), lost={}).steps[0].left_out is None


def test_who_takes_the_images_is_named() -> None:
    found = costs(step("a"), lost={"a": (0, 5, 0, 20)}, taker=2).steps[0]
    names = [entry.name for entry in some_profile().classes]
    assert [taken and (taken.rival, round(taken.share, 6)) for taken in found.taken] == [
        None,
        (names[2], 0.1),
        None,
        (names[2], 0.4),
    ]
    assert found.worst_class == names[3]


def test_classes_beyond_the_tolerance_and_certainly_beyond() -> None:
    names = [entry.name for entry in some_profile().classes]
    found = costs(step("a"), lost={"a": (0, 1, 5, 30)}).steps[0]
    assert found.beyond == names[2:]
    assert found.certain == names[3:]
    nothing = costs(step("a"), lost={}).steps[0]
    assert (nothing.beyond, nothing.certain, nothing.worst_class) == ([], [], None)


def test_the_safe_probability_keeps_every_class_within_the_risk() -> None:
    assert costs(step("a"), lost={}).steps[0].safe_probability == 1
    profile, measured = some_profile(), pipeline(step("a"))
    for images in (5, 10, 40):
        seen = predictions(measured, {"a": (0, 0, 0, images)}, profile)
        right = np.array([[seen.right(row)] for row in seen.rows["a", 1]])
        drops = expected_drops(
            count(measured.steps[0].alone, seen.right(0), right, seen.per_condition[0].labels, CLASSES)
        )
        safe = pipeline_costs(measured, seen, profile).steps[0].safe_probability
        tolerance, risk = profile.policy.tolerance, profile.policy.risk
        assert (drops.risk(tolerance / safe)[0] <= risk).all()
        assert (drops.risk(tolerance / (safe + 0.05))[0] > risk).any()


def test_training_is_forecast_for_known_kinds() -> None:
    lost, profile = (0, 5, 10, 20), some_profile()
    known = step("a", augmentation="random_erasing", value=0.33, probability=0.4)
    found = costs(known, lost={"a": lost}, profile=profile).steps[0].training
    assert found is not None
    always = costs(step("a"), lost={"a": lost}, profile=profile).steps[0].alone.drop
    accuracy = np.array([entry.clean_accuracy for entry in profile.classes])
    forecast = forecast_from_drops(
        "random_erasing", np.array([always], dtype=float), [0.33], accuracy, kept_without(profile)
    )
    assert found.basis == "no training"
    assert found.loss == pytest.approx((0.4 / PROBABILITY * forecast.loss[0]).tolist(), abs=1e-5)
    assert found.mean == pytest.approx(float(np.mean(0.4 / PROBABILITY * forecast.loss[0])), abs=1e-5)


def test_the_value_of_a_flip_is_how_often_it_is_done() -> None:
    lost, profile = (0, 5, 10, 20), some_profile()
    flip = step("a", augmentation="horizontal_flip", value=0.5, probability=0.5)
    found = costs(flip, lost={"a": lost}, profile=profile).steps[0]
    assert found.training is not None
    accuracy = np.array([entry.clean_accuracy for entry in profile.classes])
    drop = np.array([found.alone.drop], dtype=float)
    forecast = forecast_from_drops("horizontal_flip", drop, [0.5], accuracy, kept_without(profile))
    assert found.training.loss == pytest.approx((forecast.loss[0] / PROBABILITY).tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "lost", "verdict"),
    [
        ({}, (0, 0, 0, 20), "unknown"),
        ({"augmentation": "brightness", "value": 0.4}, (0, 0, 0, 20), "unknown"),
        ({"augmentation": "random_erasing", "value": 0.33}, (20, 20, 20, 20), "does not pay"),
        ({"augmentation": "random_erasing", "value": 0.33}, (0, 0, 0, 0), "pays"),
    ],
)
def test_the_verdict_follows_the_forecast(changes: dict[str, object], lost: Sequence[int], verdict: str) -> None:
    profile = some_profile()
    classes = [entry.model_copy(update={"clean_accuracy": 0.8}) for entry in profile.classes]
    profile = profile.model_copy(update={"classes": classes})
    found = costs(step("a", **changes), lost={"a": lost}, profile=profile).steps[0]
    assert found.verdict == verdict
    assert (found.training is None) == (verdict == "unknown")


def test_the_profile_reads_and_writes_it() -> None:
    found = costs(step("a"), step("b"), lost={"a": (0, 5, 10, 20)})
    profile = some_profile().model_copy(update={"pipeline": found})
    assert Profile.model_validate_json(profile.to_json()) == profile
    assert list(profile.problems()) == []
    frame = found.to_frame([entry.name for entry in profile.classes])
    assert list(frame["step"].unique()) == ["(whole)", "a", "b"]
    assert len(frame) == 3 * CLASSES
    assert frame[frame["step"] == "a"]["drop"].tolist() == pytest.approx(found.steps[0].alone.drop)
