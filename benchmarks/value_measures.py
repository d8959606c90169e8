"""The numbers of ``docs/value.md`` from the counts of ``value.csv``: mean, worst class, who loses, and their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student
from value_policies import (
    BEST_UNIFORM,
    FORECAST,
    NONE,
    OF_SIZE,
    POLICIES,
    RELAXED,
    TURNED_DOWN,
    UNTRAINED,
    UNWEIGHTED,
    USUAL_DEFAULT,
    WEIGHTED,
)
from value_table import Outcome, Table
from value_worlds import ANALYZED

from cuesense.arrays import Floats

MAIN = (NONE, USUAL_DEFAULT, BEST_UNIFORM)
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

    Alternatives are no augmentation, the usual default and, where no augmentation is advised after a forecast, the
    policy with the best forecast; worst class and mean count together.
    """
    turned_down = (TURNED_DOWN,) if ours != UNTRAINED else ()
    alternatives = (found[name].recall for name in (NONE, USUAL_DEFAULT, *turned_down))
    return all(difference(both, found[ours].recall, other).not_worse for other in alternatives)


def report(table: Table) -> str:
    """Return all tables as Markdown."""
    parts = [_worlds(table)]
    for ours in (FORECAST, UNWEIGHTED, UNTRAINED):
        if complete(table, (ours, *MAIN)):
            parts += [_summary(table, ours), _agreement(table, ours)]
    return "\n\n".join([*parts, _sizes(table), _differences(table, FORECAST), _wins(table), _policies(table)])


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
    against = [name for name in (*MAIN, WEIGHTED, RELAXED) if complete(table, (ours, name))]
    rows = [_row("worlds", *(f"against {name}" for name in against)), _row(*["---"] * (len(against) + 1))]
    rows += [_row(kind, *(_gain(table, ours, other, kind) for other in against)) for kind in (*KINDS, "all")]
    return f"{ours}: gain in worst class / mean, points, with standard errors over worlds\n\n" + "\n".join(rows)


def _gain(table: Table, ours: str, other: str, kind: str) -> str:
    worlds = [name for name in complete(table, (ours, other)) if kind in ("all", kind_of(name))]
    return f"{_gains(table, worlds, ours, other)} ({len(worlds)} worlds)" if worlds else ""


def _gains(table: Table, worlds: Sequence[str], ours: str, other: str) -> str:
    """Return what one policy gains over another in some worlds, in worst class and mean."""
    pairs = [(table[name][ours].recall, table[name][other].recall) for name in worlds]
    parts = []
    for measure in (worst, mean):
        gains = 100 * np.array([measure(own) - measure(others) for own, others in pairs])
        error = f" ± {gains.std(ddof=1) / np.sqrt(len(gains)):.1f}" if len(gains) > 1 else ""
        parts.append(f"{gains.mean():+.1f}{error}")
    return " / ".join(parts)


def harm(recall: Floats, plain: Floats) -> float:
    """Return what classes lose against the trainings without augmentation, mean over all; gains count as 0."""
    return float(np.maximum(plain.mean(axis=0) - recall.mean(axis=0), 0).mean())


def _sizes(table: Table) -> str:
    """Return what following the advice without training gives, by the number of analyzed images."""
    names = {images: OF_SIZE.get(images, UNTRAINED) for images in sorted({*OF_SIZE, ANALYZED})}
    worlds = complete(table, (*names.values(), USUAL_DEFAULT))
    head = ("images a class", "augments in", "classes harmed", "loss of a class, mean", "largest loss of a class")
    against = [f"worst class / mean, against {other}" for other in (NONE, USUAL_DEFAULT)]
    rows = [_row(*head, *against), _row(*["---"] * (len(head) + len(against)))]
    rows += [_row(str(images), *_of_size(table, worlds, name)) for images, name in names.items()]
    rows.append(_row(USUAL_DEFAULT, *_of_size(table, worlds, USUAL_DEFAULT)))
    return f"Advice without training, by analyzed images, {len(worlds)} worlds\n\n" + "\n".join(rows)


def _of_size(table: Table, worlds: Sequence[str], name: str) -> list[str]:
    pairs = [(table[world][name].recall, table[world][NONE].recall) for world in worlds]
    augmented = sum(table[world][name].values != "nothing" for world in worlds)
    largest = max((float((plain.mean(axis=0) - own.mean(axis=0)).max()) for own, plain in pairs), default=0.0)
    classes = sum(own.shape[1] for own, _ in pairs)
    return [
        f"{augmented} worlds",
        f"{sum(harmed(own, plain) for own, plain in pairs)} of {classes}",
        f"{100 * np.mean([harm(own, plain) for own, plain in pairs]):.2f}",
        f"{100 * largest:.1f}",
        *(_gains(table, worlds, name, other) for other in (NONE, USUAL_DEFAULT)),
    ]


def _differences(table: Table, ours: str) -> str:
    """Return what one policy gains in each world, with standard errors over seeds."""
    measures = {"worst class": worst, "worst class of each seed": worst_of_each_seed, "mean": mean}
    columns = [(other, name) for other in (USUAL_DEFAULT, BEST_UNIFORM) for name in measures]
    rows = [_row("world", *(f"{name}, against {other}" for other, name in columns))]
    rows.append(_row(*["---"] * (len(columns) + 1)))
    for world in complete(table, (ours, USUAL_DEFAULT, BEST_UNIFORM)):
        found = table[world]
        gains = [difference(measures[name], found[ours].recall, found[other].recall) for other, name in columns]
        rows.append(_row(f"`{world}`", *(f"{100 * gain.value:+.1f} ± {100 * gain.error:.1f}" for gain in gains)))
    return f"{ours}: gain by world, points, with standard errors over seeds (paired)\n\n" + "\n".join(rows)


def _agreement(table: Table, ours: str) -> str:
    turned_down = (TURNED_DOWN,) if ours != UNTRAINED else ()
    worlds = complete(table, (ours, NONE, USUAL_DEFAULT, *turned_down))
    right = [name for name in worlds if agrees(table[name], ours)]
    others = ", ".join(name for name in worlds if name not in right) or "none"
    return f"{ours}: training agrees in {len(right)} of {len(worlds)} worlds (not in: {others})"


def _wins(table: Table) -> str:
    """Return in how many worlds each policy is best by worst class and mean together; equal policies share."""
    names = (*MAIN, FORECAST)
    worlds = complete(table, names)
    wins = dict.fromkeys(names, 0.0)
    for world in worlds:
        scores = {name: round(both(table[world][name].recall), 9) for name in names}
        best = [name for name, score in scores.items() if score == max(scores.values())]
        for name in best:
            wins[name] += 1 / len(best)
    said = ", ".join(f"{name} {count:.1f}" for name, count in wins.items())
    return f"Best of four by worst class and mean together, of {len(worlds)} worlds (equal ones share): {said}"


def _policies(table: Table) -> str:
    """Return what each policy is."""
    shown = [name for name in POLICIES if name not in (NONE, USUAL_DEFAULT, UNWEIGHTED)]
    rows = [_row("world", *shown), _row(*["---"] * (len(shown) + 1))]
    rows += [
        _row(f"`{world}`", *(found[name].values if name in found else "" for name in shown))
        for world, found in table.items()
    ]
    return "Policies\n\n" + "\n".join(rows)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
