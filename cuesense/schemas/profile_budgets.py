"""How far each augmentation may go: the budgets in a profile, of each class and of all classes together."""

from __future__ import annotations

from pydantic import Field

from cuesense.schemas.base import JsonModel
from cuesense.types import Budget, BudgetStatus

_SEVERITY = (
    "the value's position on the augmentation's ladder, from 1 (mildest); 0 where no severity is safe; null where it "
    "is not known (files written before this field was added)"
)


class BudgetModel(JsonModel):
    """The strongest value of one augmentation that is shown to be safe for one class."""

    parameter: str = Field(description="what the value is, for instance scale")
    unit: str = Field(description="unit of the value")
    value: float | None = Field(description="the strongest safe value, in the unit; null where none is safe")
    status: BudgetStatus = Field(description="what stopped the search, if anything")
    drop: float | None = Field(
        description="accuracy drop at the value, or at the mildest where there is none: a fraction of the class's "
        "images, negative for a gain; null where there are fewer than two images"
    )
    low: float | None = Field(description="one-sided lower bound of the drop at the policy's confidence")
    high: float | None = Field(description="one-sided upper bound of the drop at the policy's confidence")
    limited_by: str | None = Field(
        description="why the next severity is not safe: 'own accuracy', 'leak into X' (class X takes the lost images), "
        "'leak from X', 'too few images' or 'class is not recognized clean'; null where nothing limits"
    )
    severity: int | None = Field(default=None, description=_SEVERITY)


class GlobalBudget(JsonModel):
    """The strongest value of one augmentation that is safe for every class."""

    value: float | None = Field(description="the value, in the unit of its curve; null where none is safe for all")
    status: BudgetStatus = Field(description="status of the limiting class")
    limited_by_class: str | None = Field(description="class with the mildest budget; null where nothing limits")
    severity: int | None = Field(default=None, description=_SEVERITY)


class PolicyModel(JsonModel):
    """The budgets as a training run would use them: each augmentation samples between its value and no change."""

    tolerance: float = Field(description="accuracy drop that a class may suffer, a fraction in (0, 1)")
    confidence: float = Field(description="level of all intervals and bounds of the profile, in (0.5, 1)")
    global_: dict[str, GlobalBudget] = Field(alias="global", description="for all classes, by augmentation")
    per_class: dict[str, dict[str, float | None]] = Field(
        description="by class and augmentation: the strongest safe value; null where none is safe"
    )


def budget_model(budget: Budget) -> BudgetModel:
    """Return a budget as the profile keeps it."""
    return BudgetModel(
        parameter=budget.perturbation.parameter,
        unit=budget.perturbation.unit,
        value=budget.value,
        status=budget.status,
        drop=budget.drop.value,
        low=budget.drop.low,
        high=budget.drop.high,
        limited_by=budget.limited_by,
        severity=budget.severity,
    )
