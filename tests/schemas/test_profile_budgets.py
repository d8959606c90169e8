"""Budgets as a profile keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from cuesense import registry
from cuesense.schemas.profile import BudgetModel, GlobalBudget, PolicyModel, TrainedBudget, budget_model
from cuesense.types import Budget, BudgetStatus, Interval
from tests.helpers.contract_documents import OLD


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


def test_fields_that_came_later_are_optional_and_last() -> None:
    later = ["severity", "risk", "certified", "certified_severity"]
    later += ["expected", "expected_low", "expected_high", "risks"]
    assert list(BudgetModel.model_fields)[-8:] == later
    assert list(GlobalBudget.model_fields)[-3:] == ["severity", "certified", "certified_severity"]
    for model in (BudgetModel, GlobalBudget):
        assert not any(model.model_fields[name].is_required() for name in model.model_fields if name in later)
    assert list(TrainedBudget.model_fields) == [*BudgetModel.model_fields, "alternatives"]
    assert PolicyModel.model_validate(OLD["profile"]["policy"]).risk == 0.2


def test_a_budget_says_what_is_expected_at_every_severity() -> None:
    expected = (Interval(0.01, -0.02, 0.04), Interval(0.06, 0.02, 0.1), Interval(), Interval())
    hue = registry.get("perturbations", "hue")
    found = budget_model(
        Budget(hue, BudgetStatus.LIMITED, 2, expected[1], None, 0.2, 1, expected, (0.05, 0.2, None, None))
    )
    assert (found.risk, found.certified, found.certified_severity) == (0.2, hue.ladder[0], 1)
    assert (found.expected, found.risks) == ([0.01, 0.06, None, None], [0.05, 0.2, None, None])
    assert (found.expected_low[:2], found.expected_high[:2]) == ([-0.02, 0.02], [0.04, 0.1])


def test_the_global_policy_is_given_under_either_name() -> None:
    hue = GlobalBudget(value=0.1, status=BudgetStatus.LIMITED, limited_by_class="lemon", severity=1)
    by_name = PolicyModel(tolerance=0.05, confidence=0.95, global_={"hue": hue}, per_class={})
    by_alias = PolicyModel.model_validate(
        {"tolerance": 0.05, "confidence": 0.95, "global": {"hue": hue}, "per_class": {}}
    )
    assert by_name == by_alias
    assert "global" in by_name.model_dump(by_alias=True)


@pytest.mark.parametrize("status", list(BudgetStatus))
def test_a_status_is_read_by_its_name(status: BudgetStatus) -> None:
    known = OLD["profile"]["classes"][0]["budgets"]["hue"]
    assert BudgetModel.model_validate(known | {"status": status.value}).status is status
    with pytest.raises(ValidationError, match="Input should be 'unlimited', 'limited', 'none' or 'undetermined'"):
        BudgetModel.model_validate(known | {"status": status.value.upper()})


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
def test_a_budget_s_value_is_that_of_its_severity_on_the_ladder_that_was_measured(severity: int) -> None:
    measured = replace(registry.get("perturbations", "hue"), ladder=(0.01, 0.02, 0.03, 0.04))
    found = budget_model(Budget(measured, BudgetStatus.LIMITED, severity, Interval(0.0, 0.0, 0.0), "own accuracy"))
    assert (found.value, found.severity) == (severity / 100, severity)


def test_values_per_class_may_be_unknown_and_those_of_all_classes_come_with_their_class() -> None:
    content = {"tolerance": 0.05, "confidence": 0.95, "global": {}, "per_class": {"lemon": {"hue": None, "blur": 2.0}}}
    policy = PolicyModel.model_validate(content)
    assert policy.per_class == {"lemon": {"hue": None, "blur": 2.0}}
    assert policy.model_dump(by_alias=True) == content | {"risk": 0.2}
    with pytest.raises(ValidationError, match="limited_by_class"):
        PolicyModel.model_validate(content | {"global": {"hue": {"value": 0.1, "status": "limited"}}})
