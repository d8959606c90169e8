"""How far each augmentation may go: the budgets in a profile, of each class and of all classes together."""

from __future__ import annotations

from pydantic import Field

from cuesense.schemas.base import JsonModel
from cuesense.types import RISK, Budget, BudgetStatus

_SEVERITY = (
    "the value's position on the augmentation's ladder, from 1 (mildest); 0 where there is none; null where it "
    "is not known (files written before this field was added)"
)


_CERTIFIED = "the strongest value that is shown to be safe at policy.confidence, in the unit; null where there is none"
_PER_SEVERITY = "at every severity, mild to strong; empty in files written before this field was added"


class BudgetModel(JsonModel):
    """The strongest value of one augmentation up to which one class hardly risks to lose too much.

    ``risk`` is the chance that the class loses more than policy.tolerance, and the value is the strongest one up to
    which it is at most policy.risk. Expected drops, intervals and risks come from all classes together; ``certified``
    is what a test of this class's images alone shows.
    """

    parameter: str = Field(description="what the value is, for instance scale")
    unit: str = Field(description="unit of the value")
    value: float | None = Field(
        description="the strongest value up to which the risk stays within policy.risk, in the unit; null where there "
        "is none"
    )
    status: BudgetStatus = Field(description="what stopped the search, if anything")
    drop: float | None = Field(
        description="expected accuracy drop at the value, or at the mildest where there is none: a fraction of the "
        "class's images, negative for a gain; null where the class has no images"
    )
    low: float | None = Field(
        description="lower bound of the drop: the interval from low to high holds it with a chance of policy.confidence"
    )
    high: float | None = Field(description="upper bound of the drop")
    limited_by: str | None = Field(
        description="why the next severity is not within the risk: 'own accuracy', 'leak into X' (class X takes the "
        "lost images), 'leak from X', 'too few images' (more of them may show that it is safe) or 'class is not "
        "recognized clean'; null where nothing limits"
    )
    severity: int | None = Field(default=None, description=_SEVERITY)
    risk: float | None = Field(
        default=None, description="chance that the drop exceeds policy.tolerance, at the value or at the mildest"
    )
    certified: float | None = Field(default=None, description=_CERTIFIED)
    certified_severity: int | None = Field(
        default=None, description="its severity; 0 where there is none; null in files written before this field"
    )
    expected: list[float | None] = Field(default=[], description=f"expected drop {_PER_SEVERITY}")
    expected_low: list[float | None] = Field(default=[], description=f"lower bound of the drop {_PER_SEVERITY}")
    expected_high: list[float | None] = Field(default=[], description=f"upper bound of the drop {_PER_SEVERITY}")
    risks: list[float | None] = Field(default=[], description=f"the risk {_PER_SEVERITY}")


class GlobalBudget(JsonModel):
    """The strongest value of one augmentation that every class's risk allows."""

    value: float | None = Field(description="the value, in the unit of its curve; null where there is none for all")
    status: BudgetStatus = Field(description="status of the limiting class")
    limited_by_class: str | None = Field(description="class with the mildest budget; null where nothing limits")
    severity: int | None = Field(default=None, description=_SEVERITY)
    certified: float | None = Field(default=None, description=f"for every class: {_CERTIFIED}")
    certified_severity: int | None = Field(
        default=None, description="its severity; 0 where there is none; null in files written before this field"
    )


class PolicyModel(JsonModel):
    """The budgets as a training run would use them: each augmentation samples between its value and no change."""

    tolerance: float = Field(description="accuracy drop that a class may suffer, a fraction in (0, 1)")
    confidence: float = Field(description="level of all intervals and bounds of the profile, in (0.5, 1)")
    global_: dict[str, GlobalBudget] = Field(alias="global", description="for all classes, by augmentation")
    per_class: dict[str, dict[str, float | None]] = Field(
        description="by class and augmentation: the value of the class's budget; null where there is none"
    )
    risk: float = Field(
        default=RISK, description="the largest chance of a drop above the tolerance that a budget may have, in (0, 0.5]"
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
        risk=budget.risk,
        certified=budget.certified_value,
        certified_severity=budget.certified,
        expected=[part.value for part in budget.expected],
        expected_low=[part.low for part in budget.expected],
        expected_high=[part.high for part in budget.expected],
        risks=list(budget.risks),
    )
