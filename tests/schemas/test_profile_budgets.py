"""Budgets as a profile keeps them."""

from __future__ import annotations

import pytest

from cuesense import registry
from cuesense.schemas.profile import BudgetModel, GlobalBudget, PolicyModel, TrainedBudget, budget_model
from cuesense.types import Budget, BudgetStatus, Interval


@pytest.mark.parametrize(
    ("status", "severity", "drop", "limited_by"),
    [
        (BudgetStatus.LIMITED, 2, Interval(0.02, -0.01, 0.05), "leak into lime"),
        (BudgetStatus.NONE, 0, Interval(0.2, 0.1, 0.3), "own accuracy"),
        (BudgetStatus.UNDETERMINED, 0, Interval(), "too few images"),
        (BudgetStatus.UNLIMITED, 4, Interval(0.0, -0.1, 0.04), None),
    ],
)
def test_a_budget_is_kept_with_its_augmentation_s_unit(
    status: BudgetStatus, severity: int, drop: Interval, limited_by: str | None
) -> None:
    augmentation = registry.get("perturbations", "hue")
    found = budget_model(Budget(augmentation, status, severity, drop, limited_by))
    assert (found.parameter, found.unit) == (augmentation.parameter, augmentation.unit)
    assert (found.status, found.severity, found.limited_by) == (status, severity, limited_by)
    assert found.value == {0: None, 2: 0.1, 4: 0.5}[severity]
    assert (found.drop, found.low, found.high) == (drop.value, drop.low, drop.high)


def test_severity_is_a_field_that_came_later_so_it_is_optional_and_last() -> None:
    for model in (BudgetModel, GlobalBudget):
        assert list(model.model_fields)[-1] == "severity"
        assert not model.model_fields["severity"].is_required()
    assert list(TrainedBudget.model_fields) == [*BudgetModel.model_fields, "alternatives"]


def test_the_global_policy_is_given_under_either_name() -> None:
    hue = GlobalBudget(value=0.1, status=BudgetStatus.LIMITED, limited_by_class="lemon", severity=1)
    by_name = PolicyModel(tolerance=0.05, confidence=0.95, global_={"hue": hue}, per_class={})
    by_alias = PolicyModel.model_validate(
        {"tolerance": 0.05, "confidence": 0.95, "global": {"hue": hue}, "per_class": {}}
    )
    assert by_name == by_alias
    assert "global" in by_name.model_dump(by_alias=True)
