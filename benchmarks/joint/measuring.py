"""How good verdicts are on classes that the joint model was not fitted to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np

from benchmarks.joint.fitting import VERDICTS, Row, fitted, for_training, rows
from benchmarks.joint.kept import ALL, TEN, TWENTY, Draw, Network, evidence
from benchmarks.labels import f1
from cuesense.analysis import hypotheses, joint_model
from cuesense.analysis.cues import CERTAIN, CERTAIN_WITH_LESS, name_cues
from cuesense.analysis.joint_model import JointModel, verdict_probabilities
from cuesense.arrays import Floats
from cuesense.types import CueVerdict

FAMILIES = {
    "planted": "planted worlds",
    "parts": "worlds of parts",
    "fields": "worlds of fields",
    "single": "synthetic, one cue",
    "photoset": "photographs, one cue",
}
# Smaller images lose more of each cue under the same ablation; at 224 px pretrained networks answer.
SIDES = (("32 px", 0, 48), ("64 and 128 px", 48, 160), ("224 px", 160, 10_000))
DRAWS = {50: ALL, 20: TWENTY, 10: TEN}
# What does not name what a class relies on.
OPEN = (CueVerdict.UNDETERMINED, CueVerdict.FINE_DETAIL)


@dataclass(frozen=True)
class Answer:
    """The verdicts on one class, by three rules.

    Attributes:
        row: The class.
        boolean: Of the posterior over Boolean hypotheses, which the joint model has replaced.
        joint: Of the joint model's probabilities alone.
        given: As the package gives it, with all its guards.
    """

    row: Row
    boolean: CueVerdict
    joint: CueVerdict
    given: CueVerdict


Rule = Callable[[Answer], CueVerdict]
RULES: dict[str, Rule] = {
    "Boolean posterior": lambda answer: answer.boolean,
    "joint model": lambda answer: answer.joint,
    "as given": lambda answer: answer.given,
}


def answers(networks: Iterable[Network], draw: Draw, model: JointModel) -> list[Answer]:
    """Return the verdicts on all classes that are recognized and have a known cue."""
    found = []
    with mock.patch.object(joint_model, "joint_model", return_value=model):
        for network in networks:
            seen = evidence(network, draw)
            boolean = _named(hypotheses.posterior(seen), CERTAIN_WITH_LESS)
            joint = _named(verdict_probabilities(seen), CERTAIN)
            given = [answer.cue for answer in name_cues(seen, network.class_names)]
            found += [
                Answer(row, boolean[row.index], joint[row.index], given[row.index]) for row in rows([network], draw)
            ]
    return found


def _named(likely: Floats, certain: float) -> list[CueVerdict]:
    """Return the likeliest verdicts, (6, C) probabilities, where they are certain enough."""
    best, sure = likely.argmax(axis=0), likely.max(axis=0) >= certain
    return [hypotheses.VERDICTS[at] if ok else CueVerdict.UNDETERMINED for at, ok in zip(best, sure, strict=True)]


def odd_seeds(networks: Sequence[Network]) -> dict[int, list[Answer]]:
    """Return the verdicts on networks of odd seeds by a model fitted to those of even seeds; by images a class."""
    model = fitted(for_training([network for network in networks if not network.odd]))
    return {images: answers([n for n in networks if n.odd], draw, model) for images, draw in DRAWS.items()}


def families_left_out(networks: Sequence[Network]) -> dict[int, list[Answer]]:
    """Return the verdicts on each family by a model fitted to the others; by images a class."""
    found: dict[int, list[Answer]] = {images: [] for images in DRAWS}
    for family in FAMILIES:
        model = fitted(for_training([network for network in networks if network.family != family]))
        for images, draw in DRAWS.items():
            found[images] += answers([n for n in networks if n.family == family], draw, model)
    return found


def by_size(row: Row) -> str:
    """Return the kind of a class's images and their size."""
    if row.few:
        return f"worlds of {len(row.network.class_names)} classes"
    side = next(name for name, low, high in SIDES if low <= row.network.side < high)
    return f"{'one cue' if row.network.single else 'worlds'}, {side}"


def by_truth(row: Row) -> str:
    """Return the kind of a class's images and its cue."""
    large = "224 px" if row.network.side > SIDES[-1][1] else "32 to 128 px"
    return "" if row.few else f"{'one cue' if row.network.single else 'worlds'}, {large}, {row.truth}"


def by_family(row: Row) -> str:
    """Return the family."""
    return "" if row.few else FAMILIES[row.network.family]


def table(found: dict[int, list[Answer]], group: Callable[[Row], str]) -> str:
    """Return a table with one row for each group and number of images: shares of the classes, in percent.

    Args:
        found: The verdicts by images a class.
        group: The group of a class; none where it is empty.
    """
    head = [f"{name}: right + as learned / wrong / open" for name in RULES]
    lines = [f"| | images | classes | {' | '.join(head)} | macro-F1 |", f"|---|---|---|{'---|' * len(RULES)}---|"]
    names = sorted({group(answer.row) for part in found.values() for answer in part} - {""}, key=_order)
    for name in names:
        for images, part in found.items():
            chosen = [answer for answer in part if group(answer.row) == name]
            if chosen:
                cells = " | ".join(outcome(chosen, rule) for rule in RULES.values())
                lines.append(f"| {name} | {images} | {len(chosen)} | {cells} | {score(chosen):.2f} |")
    return "\n".join(lines)


def _order(name: str) -> tuple[object, ...]:
    """Sort worlds before single cues, by size, and verdicts in their usual order."""
    parts = name.split(", ")
    sides = ["32 px", "32 to 128 px", "64 and 128 px", "224 px"]
    known = [*FAMILIES.values()]
    return (
        known.index(name) if name in known else -1,
        parts[0] == "one cue",
        " of " in name,
        next((sides.index(part) for part in parts if part in sides), 0),
        next((VERDICTS.index(CueVerdict(part)) for part in parts if part in list(VERDICTS)), 0),
        name,
    )


def outcome(chosen: Sequence[Answer], rule: Rule) -> str:
    """Return which share of the verdicts is right, right by what the network learned, wrong, or open, in percent."""
    pairs = [(answer.row, rule(answer)) for answer in chosen]
    right = np.mean([verdict is row.truth for row, verdict in pairs])
    learned = np.mean([verdict is row.learned and verdict is not row.truth for row, verdict in pairs])
    unsaid = np.mean([verdict in OPEN for _, verdict in pairs])
    numbers = [100 * part for part in (right, learned, 1 - right - learned - unsaid, unsaid)]
    return "{:.0f} + {:.0f} / {:.1f} / {:.0f}".format(*(abs(number) for number in numbers))


def score(chosen: Sequence[Answer]) -> float:
    """Return macro-F1 of the verdicts as given."""
    return f1([answer.row.truth for answer in chosen], [answer.given for answer in chosen])
