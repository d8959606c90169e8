"""What the usual augmentations cost a class is the largest of its expected drops at the usual values."""

from __future__ import annotations

import pytest

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS
from cuesense.reports.usual_losses import Safety, safety, usual_losses, worst_first
from cuesense.schemas.profile import Profile, RivalModel
from cuesense.types import BudgetStatus
from tests.helpers.profiles import profile
from tests.helpers.usual_drops import with_expected


def test_the_largest_drop_at_the_usual_values_is_found() -> None:
    known = with_expected(profile(12, empty=2))
    curves = {curve.perturbation: curve for curve in known.curves}
    losses = usual_losses(known)
    for entry, found in zip(known.classes[:10], losses[:10], strict=True):
        at = {name: curves[name].values.index(value) for name, value in DEFAULT_AUGMENTATIONS.items()}
        drops = {name: entry.budgets[name].expected[place] for name, place in at.items()}
        assert found is not None
        assert found.drop == max(drop for drop in drops.values() if drop is not None) == drops[found.augmentation]
        assert (found.value, found.unit) == (DEFAULT_AUGMENTATIONS[found.augmentation], curves[found.augmentation].unit)
        budget, place = entry.budgets[found.augmentation], at[found.augmentation]
        assert (found.low, found.high) == (budget.expected_low[place], budget.expected_high[place])
    assert losses[10:] == [None, None]
    ranked = worst_first(known)
    drops_in_order = [loss.drop for _, loss in ranked if loss is not None]
    assert drops_in_order == sorted(drops_in_order, reverse=True)
    assert [loss is None for _, loss in ranked] == [False] * 10 + [True] * 2


@pytest.mark.parametrize(
    ("name", "values", "value"),
    [
        ("random_resized_crop", [0.7, 0.08, 0.01], 0.08),
        ("random_resized_crop", [0.7, 0.2], 0.2),
        ("random_resized_crop", [0.04, 0.01], 0.04),
        ("color_jitter", [0.1, 0.3, 0.8], 0.3),
        ("color_jitter", [0.8], 0.8),
    ],
)
def test_a_ladder_without_the_usual_value_is_read_at_the_strongest_milder_one(
    name: str, values: list[float], value: float
) -> None:
    known = with_expected(profile(3))
    (curve,) = [curve for curve in known.curves if curve.perturbation == name]
    found = usual_losses(known.model_copy(update={"curves": [curve.model_copy(update={"values": values})]}))[0]
    assert found is not None
    assert (found.augmentation, found.value) == (name, value)


def test_older_profiles_have_the_drop_that_was_counted_without_bounds() -> None:
    known: Profile = profile(3, empty=1)
    (curve,) = [curve for curve in known.curves if curve.perturbation == "color_jitter"]
    first, _, last = usual_losses(known.model_copy(update={"curves": [curve]}))
    assert first is not None
    at = curve.values.index(0.4)
    counted = (curve.lost[at][0] - curve.gained[at][0]) / (curve.n[0] * curve.repeats)
    assert (first.drop, first.low, first.high) == (counted, None, None)
    assert last is None


def test_the_rival_is_the_class_that_takes_most_under_it() -> None:
    known = with_expected(profile(3))
    one = usual_losses(known)[0]
    assert one is not None
    shares = ((one.augmentation, "b", 0.3), (one.augmentation, "a", 0.1), ("grayscale", "c", 0.9))
    rivals = [RivalModel.model_validate({"class": to, "perturbation": at, "share": share}) for at, to, share in shares]
    changed = known.classes[0].model_copy(update={"rivals": rivals})
    found = usual_losses(known.model_copy(update={"classes": [changed, *known.classes[1:]]}))[0]
    assert found is not None
    assert found.rival == "b"


@pytest.mark.parametrize(
    ("status", "value", "word"),
    [
        (BudgetStatus.NONE, None, Safety.AT_RISK),
        (BudgetStatus.LIMITED, 0.1, Safety.LIMITED),
        (BudgetStatus.LIMITED, 0.4, Safety.SAFE),
        (BudgetStatus.UNLIMITED, 0.8, Safety.SAFE),
        (BudgetStatus.UNDETERMINED, None, Safety.OPEN),
    ],
)
def test_a_class_is_as_safe_as_its_budget_at_the_usual_strength(
    status: BudgetStatus, value: float | None, word: Safety
) -> None:
    known = profile(1)
    budget = known.classes[0].budgets["color_jitter"].model_copy(update={"status": status, "value": value})
    entry = known.classes[0].model_copy(update={"budgets": {"color_jitter": budget}})
    assert safety(known.model_copy(update={"classes": [entry]})) == [word]
    assert safety(known.model_copy(update={"classes": [entry.model_copy(update={"budgets": {}})]})) == [None]
