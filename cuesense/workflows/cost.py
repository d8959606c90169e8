"""What is left to compute of an analysis, and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cuesense.inference.pace import Pace, measure_pace
from cuesense.inference.units import Identities, Run, Unit, units
from cuesense.predictions.shards import OutcomeStore
from cuesense.reports.terminal.cost import cost_sentence
from cuesense.types import Notify


@dataclass(frozen=True)
class Stage:
    """Images under the conditions of a configuration, or of a user's transform, and the predictions that are there.

    Attributes:
        run: The network, the images and the conditions.
        store: The predictions that are there.
    """

    run: Run
    store: OutcomeStore

    @cached_property
    def missing(self) -> list[Unit]:
        """What no part of the run has computed yet."""
        # In an empty store nothing is looked for, and no image is read to know it.
        store = self.store if self.store.names else OutcomeStore()
        return units(self.run, store, Identities(self.run, store))

    @property
    def work(self) -> list[Unit]:
        """What this part of the run still computes."""
        return [unit for unit in self.missing if unit.part == self.run.options.part.number]

    @property
    def forwards(self) -> int:
        """How many images the network is still shown, each as often as there are conditions."""
        return sum(unit.forwards for unit in self.work)


def pace_of(stages: Sequence[Stage], *others: Stage) -> Pace | None:
    """Return how fast the parts of an analysis are, from a few seconds of each.

    Args:
        stages: The stages of the analysis.
        others: Stages whose conditions are wanted as well.

    Returns:
        The pace; None where none of a few images can be read, or where workers have GPUs and this process has none.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: The images' sizes differ where none was given.
    """
    conditions = [condition for stage in (*stages, *others) for condition in stage.run.conditions]
    return measure_pace(stages[0].run, conditions, sum(stage.forwards for stage in stages))


def seconds_of(stages: Sequence[Stage], pace: Pace | None) -> float | None:
    """Return how long stages still take; None where the pace is not known."""
    return None if pace is None else sum(pace.seconds(stage.run, stage.work) for stage in stages)


def say_cost(stages: Sequence[Stage], notify: Notify, *, adaptive: bool) -> None:
    """Say in one sentence what is still to compute and how long it takes; nothing where all is done.

    Args:
        stages: The stages of the analysis.
        notify: Called with the sentence.
        adaptive: Whether the run may end earlier.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: The images' sizes differ where none was given.
    """
    forwards = sum(stage.forwards for stage in stages)
    pace = pace_of(stages) if forwards else None
    seconds = seconds_of(stages, pace)
    if pace is not None and seconds is not None:
        ray = stages[0].run.options.ray
        workers = None if ray is None else ray.count
        notify(cost_sentence(forwards, seconds, pace.memory, workers, at_most=adaptive))
