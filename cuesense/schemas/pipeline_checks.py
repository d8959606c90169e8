"""What no pipeline part of a profile can say: see ``impossible``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cuesense.schemas.impossible import counts, lengths, outside, repeated, shares, strangers

if TYPE_CHECKING:
    from cuesense.schemas.profile_pipeline import CostModel, PipelineModel, StepModel


def pipeline_problems(found: PipelineModel, names: Sequence[str]) -> Iterator[str]:
    """Yield a clause for everything in the costs of a training transform that cannot be.

    Args:
        found: The costs.
        names: Names of the profile's classes.
    """
    if not found.steps or not found.whole:
        yield "no step in 'pipeline.steps' or 'pipeline.whole'"
        return
    yield from outside("pipeline.repeats", [found.repeats], 1, float("inf"), rounding=0)
    yield from shares("pipeline.shares", *found.shares)
    yield from lengths("pipeline.whole", found.whole, len(found.shares), "values in 'pipeline.shares'")
    for number, cost in enumerate(found.whole):
        yield from _cost(f"pipeline.whole.{number}", cost, len(names))
    yield from repeated("pipeline.steps.name", [step.name for step in found.steps])
    for number, step in enumerate(found.steps):
        yield from _step(f"pipeline.steps.{number}", step, names)


def _step(field: str, step: StepModel, names: Sequence[str]) -> Iterator[str]:
    for name, row in (("lost", step.lost), ("gained", step.gained), ("taken", step.taken)):
        yield from lengths(f"{field}.{name}", row, len(names), "classes")
    yield from counts(f"{field}.lost", step.lost)
    yield from counts(f"{field}.gained", step.gained)
    yield from shares(f"{field}.probability", step.probability, step.safe_probability)
    for name, cost in (("alone", step.alone), ("left_out", step.left_out)):
        if cost is not None:
            yield from _cost(f"{field}.{name}", cost, len(names))
    yield from shares(f"{field}.taken", *(taken.share for taken in step.taken if taken is not None))
    # Images may go to outputs of the network that are no classes of the images.
    yield from strangers(f"{field}.beyond", step.beyond, set(names), "class")
    yield from strangers(f"{field}.worst_class", [step.worst_class] if step.worst_class else [], set(names), "class")
    if step.training is not None:
        yield from lengths(f"{field}.training.loss", step.training.loss, len(names), "classes")
        yield from outside(f"{field}.training.loss", step.training.loss, -1, 1)
        yield from strangers(f"{field}.training.at_risk", step.training.at_risk, set(names), "class")


def _cost(field: str, cost: CostModel, classes: int) -> Iterator[str]:
    yield from outside(f"{field}.mean", [cost.mean.value, cost.mean.low, cost.mean.high], -1, 1)
    for name, row in (("drop", cost.drop), ("low", cost.low), ("high", cost.high)):
        yield from lengths(f"{field}.{name}", row, classes, "classes")
        yield from outside(f"{field}.{name}", row, -1, 1)
