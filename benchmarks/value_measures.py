"""The numbers of ``docs/value.md`` from the counts of ``value.csv``: mean, worst class, who pays, and their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student
from value_policies import FORECAST, NONE, POLICIES, UNTRAINED, USUAL_DEFAULT
from value_table import Outcome, Table

from cuesense.arrays import Floats

# A class is harmed where its mean recall is this much below that of the trainings without augmentation.
HARMED = 0.05
# "Within the noise": not shown to be worse at this one-sided level.
LEVEL = 0.95
Measure = Callable[[Floats], float]
KINDS = {
    "photographs": ("photos",),
    "planted": ("planted", "parts", "fields"),
    "mirror": ("mirror",),
    "twins": ("twins",),
}


def mean(recall: Floats) -> float:
    """Return the mean recall over seeds and classes, of (S, C)."""
    return float(recall.mean())


def worst(recall: Floats) -> float:
    """Return the mean over seeds of the class for which it is lowest."""
    return float(recall.mean(axis=0).min())


def worst_of_each_seed(recall: Floats) -> float:
    """Return the lowest recall of a class in each seed, whichever class it is, as a mean over seeds."""
    return float(recall.min(axis=1).mean())


def both(recall: Floats) -> float:
    """Return worst class and mean together, as a recommendation weighs them."""
    return worst(recall) + mean(recall)


def harmed(recall: Floats, plain: Floats) -> int:
    """Return how many classes lose more than 5 points against the trainings without augmentation."""
    return int((plain.mean(axis=0) - recall.mean(axis=0) > HARMED).sum())


@dataclass(frozen=True)
class Difference:
    """How much better one policy is than another, with its standard error over seeds (jackknife, paired by seed)."""

    value: float
    error: float
    seeds: int

    @property
    def not_worse(self) -> bool:
        """Whether the policy is not shown to be worse (Student's t, one-sided, 95 %)."""
        return self.value >= -float(student.ppf(LEVEL, self.seeds - 1)) * self.error


def difference(measure: Measure, ours: Floats, other: Floats) -> Difference:
    """Return how much larger a measure is for one policy than for another, both (S, C) with the same seeds."""
    seeds = len(ours)
    without = [np.arange(seeds) != seed for seed in range(seeds)]
    left_out = np.array([measure(ours[rows]) - measure(other[rows]) for rows in without])
    error = np.sqrt((seeds - 1) / seeds * ((left_out - left_out.mean()) ** 2).sum())
    return Difference(measure(ours) - measure(other), float(error), seeds)


def kind_of(world: str) -> str:
    """Return the kind of a world."""
    return next(kind for kind, prefixes in KINDS.items() if world.partition(":")[0] in prefixes)


def complete(table: Table, policies: Sequence[str]) -> list[str]:
    """Return the worlds in which all of these policies were trained."""
    return [world for world, found in table.items() if set(policies) <= set(found)]


def agrees(found: dict[str, Outcome], ours: str) -> bool:
    """Return whether training confirms an advice: no alternative that it turned down is shown to be better.

    Alternatives are no augmentation and the usual default; worst class and mean count together.
    """
    alternatives = (found[name].recall for name in (NONE, USUAL_DEFAULT))
    return all(difference(both, found[ours].recall, other).not_worse for other in alternatives)


def report(table: Table) -> str:
    """Return all tables as Markdown."""
    parts = [_worlds(table)]
    for ours in (UNTRAINED, FORECAST):
        parts += [_summary(table, ours), _agreement(table, ours)]
    return "\n\n".join([*parts, _wins(table), _policies(table)])


def _worlds(table: Table) -> str:
    """Return worst class / mean / harmed classes by world and policy."""
    shown = [name for name in POLICIES if any(name in found for found in table.values())]
    rows = [_row("world", *shown), _row(*["---"] * (len(shown) + 1))]
    for world, found in table.items():
        plain = found[NONE].recall
        cells = [_cell(found[name].recall, plain) if name in found else "" for name in shown]
        rows.append(_row(f"`{world}`", *cells))
    return "Worst class / mean, % (harmed classes)\n\n" + "\n".join(rows)


def _cell(recall: Floats, plain: Floats) -> str:
    count = harmed(recall, plain)
    return f"{100 * worst(recall):.1f} / {100 * mean(recall):.1f}" + (f" ({count})" if count else "")


def _summary(table: Table, ours: str) -> str:
    """Return what one policy gains over the others, by kind of world."""
    against = [name for name in POLICIES if name != ours]
    head = _row("worlds", *(f"against {name}" for name in against))
    rows = [head, _row(*["---"] * (len(against) + 1))]
    for kind in (*KINDS, "all"):
        cells = [_gain(table, ours, other, kind) for other in against]
        rows.append(_row(kind, *cells))
    return f"{ours}: gain in worst class / mean, points (worlds)\n\n" + "\n".join(rows)


def _gain(table: Table, ours: str, other: str, kind: str) -> str:
    worlds = [name for name in complete(table, (ours, other)) if kind in ("all", kind_of(name))]
    if not worlds:
        return ""
    gains = [
        np.mean([difference(by, table[name][ours].recall, table[name][other].recall).value for name in worlds])
        for by in (worst, mean)
    ]
    return f"{100 * gains[0]:+.1f} / {100 * gains[1]:+.1f} ({len(worlds)})"


def _agreement(table: Table, ours: str) -> str:
    worlds = complete(table, (ours, NONE, USUAL_DEFAULT))
    right = [name for name in worlds if agrees(table[name], ours)]
    others = ", ".join(name for name in worlds if name not in right) or "none"
    return f"{ours}: training agrees in {len(right)} of {len(worlds)} worlds (not in: {others})"


def _wins(table: Table) -> str:
    """Return in how many worlds each policy is best by worst class and mean together; equal policies share."""
    worlds = complete(table, POLICIES)
    wins = dict.fromkeys(POLICIES, 0.0)
    for world in worlds:
        scores = {name: round(both(found.recall), 9) for name, found in table[world].items() if name in wins}
        best = [name for name, score in scores.items() if score == max(scores.values())]
        for name in best:
            wins[name] += 1 / len(best)
    said = ", ".join(f"{name} {count:.1f}" for name, count in wins.items())
    return f"Best by worst class and mean together, of {len(worlds)} worlds with every policy: {said}"


def _policies(table: Table) -> str:
    """Return what each policy is."""
    shown = [name for name in POLICIES if name not in (NONE, USUAL_DEFAULT)]
    rows = [_row("world", *shown), _row(*["---"] * (len(shown) + 1))]
    rows += [
        _row(f"`{world}`", *(found[name].values if name in found else "" for name in shown))
        for world, found in table.items()
    ]
    return "Policies\n\n" + "\n".join(rows)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
