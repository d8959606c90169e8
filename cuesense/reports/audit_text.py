"""How an audit is said in words: one place, so that the page and the terminal agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cuesense.reports import text
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm, RivalResult, Strength
from cuesense.types import CueVerdict

_NAMED = 3
_LISTED = 8
_LEAST = 0.0005


@dataclass(frozen=True)
class Choice:
    """One way to choose a strength.

    Attributes:
        title: What it looks for.
        short: The same in one word or two.
        place: The strength's place, None where no strength will do.
        price: Mean accuracy given up against the best average, a fraction.
    """

    title: str
    short: str
    place: int | None
    price: float | None


def strength(value: Strength | None) -> str:
    """Return a strength as text, a dash for None."""
    if value is None:
        return text.DASH
    return f"{value:g}".replace("-", "−") if isinstance(value, float) else text.plain(value)


def points(share: float | None) -> str:
    """Return a fraction in percentage points without their unit, a dash for None."""
    return text.DASH if share is None else f"{100 * share:z.1f}".replace("-", "−")


def _low(share: float) -> str:
    """Return a lower bound in points; one that is above 0 does not become 0."""
    return "<0.1" if 0 < share < _LEAST else points(share)


def bounds(low: float | None, high: float | None) -> str:
    """Return bounds in points, for instance ``"[4.1, 16.0]"``; nothing where they are unknown."""
    return "" if low is None or high is None else f"[{_low(low)}, {points(high)}]"


def bounded(value: float | None, low: float | None, high: float | None) -> str:
    """Return points with their bounds, for instance ``"10.2 [4.1, 16.0]"``; without them where they are unknown."""
    return f"{points(value)} {bounds(low, high)}".strip()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, for instance ``"1 run"`` or ``"1,000 classes"``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def listed(items: Sequence[str], most: int = _LISTED) -> str:
    """Return items with commas; where there are more than so many, the first of them and how many more."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def span(strengths: Sequence[Strength]) -> str:
    """Return strengths, mild to strong: all of them, or how many and both ends."""
    said = [strength(value) for value in strengths]
    return ", ".join(said) if len(said) <= _LISTED else f"{len(said)} from {said[0]} to {said[-1]}"


def chosen(audit: Audit) -> int:
    """Return the place of the strength with the best average."""
    return audit.strengths.index(audit.chosen_by_mean)


def choices(audit: Audit) -> list[Choice]:
    """Return the ways to choose a strength, the usual one first."""
    price = audit.price
    known: list[tuple[str, str, Strength | None, float | None]] = [
        ("Best average", "average", audit.chosen_by_mean, 0.0),
        ("Best worst class", "worst class", audit.chosen_by_worst_class, price.by_worst_class),
        ("Best average without a class shown to be harmed", "unharmed", audit.chosen_unharmed, price.unharmed),
        ("Best average of the safe strengths", "safe", audit.chosen_safe, price.safe),
    ]
    return [
        Choice(title, short, None if value is None else audit.strengths.index(value), cost)
        for title, short, value, cost in known
    ]


def prices(audit: Audit) -> str:
    """Say where the other choices of strength lie, and what they give up against the best average."""
    return f"Other choices: {', '.join(f'{choice.short} {_priced(audit, choice)}' for choice in choices(audit)[1:])}."


def _priced(audit: Audit, choice: Choice) -> str:
    if choice.place is None:
        return "none"
    if choice.place == chosen(audit):
        return "the same"
    return f"{strength(audit.strengths[choice.place])} ({points(choice.price)} points of the average given up)"


def harmed(audit: Audit) -> list[ClassAudit]:
    """Return the classes that are shown to be harmed by the best average, the largest loss first."""
    return sorted((entry for entry in audit.classes if entry.harmed), key=lambda entry: -(entry.loss or 0.0))


def gaining(audit: Audit) -> list[ClassAudit]:
    """Return the classes that are shown to gain against the mildest strength, the largest gain first."""
    return sorted((entry for entry in audit.classes if entry.gains), key=lambda entry: -(entry.gain or 0.0))


def harmed_at(audit: Audit, place: int) -> int | None:
    """Return how many classes are shown to be harmed at a strength, None where that is not known of any."""
    if audit.harmed is None:
        return None
    return sum(audit.strengths[place] in entry.harmed_at for entry in audit.classes)


def headline(audit: Audit) -> str:
    """Say in one sentence which strength has the best average and who pays for it."""
    best = f"{text.plain(audit.regularizer)} {strength(audit.chosen_by_mean)} has the best average"
    return f"{best}, {text.percent(audit.mean_accuracy[chosen(audit)])}; {_who_pays(audit)}."


def _who_pays(audit: Audit) -> str:
    known = known_classes(audit)
    if audit.harmed is None:
        reason = " from one run of each strength" if max(audit.runs) < 2 else ""
        return f"which classes are harmed by it cannot be known{reason}"
    if not audit.harmed:
        return f"none of {counted(known, 'class')} is shown to be harmed by it"
    verb = "is" if audit.harmed == 1 else "are"
    return f"{audit.harmed:,} of {counted(known, 'class')} {verb} harmed by it: {_some(harmed(audit))}"


def known_classes(audit: Audit) -> int:
    """Return of how many classes it is known whether they are harmed."""
    return sum(entry.harmed is not None for entry in audit.classes)


def _some(entries: Sequence[ClassAudit]) -> str:
    losses = ((entry, bounded_points(entry.loss, entry.low, entry.high)) for entry in entries)
    return listed([f"{text.plain(entry.name)} loses {loss}" for entry, loss in losses], _NAMED)


def bounded_points(value: float | None, low: float | None, high: float | None) -> str:
    """Return points with their unit and bounds, for instance ``"10.2 points [4.1, 16.0]"``."""
    return f"{points(value)} points {bounds(low, high)}".strip()


def detectable(audit: Audit) -> float | None:
    """Return the loss that would have been named in half of the classes, None where none is known."""
    known = sorted(entry.detectable for entry in audit.classes if entry.detectable is not None)
    return known[len(known) // 2] if known else None


def safe_strength(audit: Audit) -> str:
    """Return the safe strength with the best average; ``none`` where all are unsafe, else ``undetermined``."""
    if audit.chosen_safe is not None:
        return strength(audit.chosen_safe)
    return "none" if set(audit.safety) == {"unsafe"} else "undetermined"


def advice(audit: Audit) -> str:
    """Say which strength is safe for every class, or why none is and what would tell."""
    limit = f"{points(audit.tolerance)} points"
    if audit.chosen_safe is not None:
        price = f"it gives up {points(audit.price.safe)} points of the best average"
        cost = "it has the best average" if audit.chosen_safe == audit.chosen_by_mean else price
        return f"Safe: {strength(audit.chosen_safe)}, where no class loses more than {limit}; {cost}."
    if safe_strength(audit) == "none":
        return f"No strength is safe: at each, some class is shown to lose more than {limit}."
    known = zip(audit.strengths, audit.safety, strict=True)
    left = listed([strength(value) for value, said in known if said == "undetermined"])
    return f"No strength is shown to keep every class within {limit}; undetermined: {left}. {more_seeds(audit)}"


def more_seeds(audit: Audit) -> str:
    """Say how many runs would show a strength to be safe, where none is."""
    if audit.seeds_needed is not None:
        return f"About {audit.seeds_needed:,} runs of each strength would show one to be safe if the means stay."
    if max(audit.runs) < 2:
        return "Two runs or more of each strength would say how many more are needed."
    return "More seeds alone would not show one to be safe if the means stay."


def rival(entry: RivalResult) -> str:
    """Return a rival with what it takes and what it is, for instance ``"cup 6.0 % (fine-grained)"``."""
    kind = "" if entry.kind is None else f" ({entry.kind})"
    return f"{text.plain(entry.rival)} {text.percent(entry.share)}{kind}"


def cue_answer(cues: Sequence[CueHarm]) -> str:
    """Say which cue's classes lose most, and whether that is more than chance; cues must not be empty."""
    ranked = sorted((part for part in cues if part.cue is not CueVerdict.UNDETERMINED), key=lambda part: -part.loss)
    if not ranked:
        return "The profile knows the cue of none of these classes."
    first, others = ranked[0], ranked[1:]
    if not others:
        return f"Every class whose cue is known relies on the same: {first.cue.value}."
    said = f"The {first.cue.value} classes lose most, {bounded_points(first.loss, first.low, first.high)} on average"
    near = [part.cue.value for part in others if not _above(first, part)]
    if not near:
        return f"{said}; their interval lies above those of all others."
    return f"{said}, but their interval is not apart from that of {', '.join(near)}."


def _above(first: CueHarm, other: CueHarm) -> bool:
    return first.low is not None and other.high is not None and first.low > other.high
