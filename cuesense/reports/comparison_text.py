"""What a comparison says and which of its classes come first, for its page and its terminal table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cuesense.reports.profile_text import SHORT_NAMES, budget_of, value_text
from cuesense.reports.spec_text import short_spec
from cuesense.reports.text import bracketed, counted, listed, points, printable, quoted, readable_name
from cuesense.schemas.comparison import AccuracyChange, BudgetChange, ClassComparison, Comparison, Difference
from cuesense.types import CueVerdict

# The usual false discovery rate for a list that is looked through (Benjamini and Hochberg, 1995): of the starred
# changes at most one in twenty is expected to be chance.
SIGNIFICANT = 0.05
# The usual level of one test, for the accuracy over all images.
_LEVEL = 0.05
# Names in a sentence before the rest is counted.
_NAMED = 4


def is_significant(change: AccuracyChange) -> bool:
    """Return whether a difference is certain at the false discovery rate."""
    return change.q is not None and change.q <= SIGNIFICANT


def is_marked(entry: ClassComparison) -> bool:
    """Return whether any of a class's accuracies differs for certain, clean or under an augmentation."""
    return any(map(is_significant, (entry.accuracy, *entry.under.values())))


def cue_changed(entry: ClassComparison) -> bool:
    """Return whether a class relies on another cue in B than in A; not where either of the two is undetermined."""
    return entry.label.changed and CueVerdict.UNDETERMINED not in (entry.label.a, entry.label.b)


def changed_cues(found: Comparison) -> int:
    """Return how many classes rely on another cue in B than in A."""
    return sum(map(cue_changed, found.classes))


def undetermined_cues(found: Comparison) -> str:
    """Return for how many classes the cue is not known in A or in B, in words; empty where all are known."""
    sides = {"A": found.a.labels, "B": found.b.labels}
    counts = {side: labels.get(CueVerdict.UNDETERMINED, 0) for side, labels in sides.items()}
    known = " and ".join(f"in {side} for {count:,}" for side, count in counts.items() if count)
    return f"not known {known}" if known else ""


def ranked(found: Comparison) -> list[ClassComparison]:
    """Return the classes that differ for certain, then the others; in both the largest differences come first."""
    return sorted(found.classes, key=lambda entry: (not is_marked(entry), -_largest_change(entry)))


def largest_under(entry: ClassComparison) -> tuple[str, AccuracyChange] | None:
    """Return the augmentation under which the accuracies differ most, and by how much; significant ones go first."""
    known = [(name, change) for name, change in entry.under.items() if change.value is not None]
    return max(known, key=lambda pair: (is_significant(pair[1]), abs(pair[1].value or 0.0)), default=None)


def short_augmentation(name: str) -> str:
    """Return an augmentation's name for a narrow column."""
    return SHORT_NAMES.get(name, printable(readable_name(name)))


def difference(change: Difference) -> str:
    """Return a difference in points with its interval."""
    return f"{points(change.value)} {bracketed(change.low, change.high, points)}".rstrip()


def side_name(found: Comparison, side: str) -> str:
    """Return the name of the file of model ``"a"`` or ``"b"``."""
    return printable(short_spec((found.a if side == "a" else found.b).model))


def headline(found: Comparison) -> list[str]:
    """Return what differs between the two models and how sure that is, in sentences.

    The first says how the accuracy changed, which classes lost and which gained for certain, and what to do next.
    """
    lost, gained = _sure(found, -1), _sure(found, 1)
    sentences = [f"{_accuracy(found)} {_classes(found, lost, gained)} {_next(lost, gained)}"]
    return [*sentences, *_cues(found), *_budgets(found)]


def _cues(found: Comparison) -> Iterator[str]:
    labels = {entry.name: entry.label for entry in found.classes if cue_changed(entry)}
    changed = [f"{quoted(name)} from {label.a.value} to {label.b.value}" for name, label in labels.items()]
    unknown = undetermined_cues(found)
    if found.labels_changed:
        names = f": {listed(changed, _NAMED)}" if changed else ""
        total = counted(len(found.classes), "class")
        yield f"The cue of {len(changed):,} of {total} changed{names}{f'; it is {unknown}' if unknown else ''}."


def _accuracy(found: Comparison) -> str:
    change = found.accuracy
    if change.value is None:
        return "Their accuracies cannot be compared: one of the two has no images."
    interval = bracketed(change.low, change.high, points)
    if not change.value:
        return f"B recognizes as many of the clean images as A {interval}."
    more = "more" if change.value > 0 else "fewer"
    sure = "which is certain" if change.p is not None and change.p <= _LEVEL else "which may be chance"
    return (
        f"B recognizes {points(abs(change.value))} points {more} of the clean images than A {interval}, "
        f"{sure}{'' if change.p is None else f' (p = {change.p:.2g})'}."
    )


def _sure(found: Comparison, sign: int) -> list[str]:
    """Return the classes that changed most in one direction for certain, largest first, and under what they did."""
    known = []
    for entry in found.classes:
        under = {f" under {short_augmentation(name)}": change for name, change in entry.under.items()}
        sure = [(where, c.value) for where, c in {"": entry.accuracy, **under}.items() if is_significant(c) and c.value]
        where, value = max(sure, key=lambda pair: abs(pair[1]), default=("", 0.0))
        if sign * value > 0:
            known.append((value, f"{quoted(entry.name)} {points(abs(value))} points{where}"))
    return [text for _, text in sorted(known, key=lambda pair: -abs(pair[0]))]


def _classes(found: Comparison, lost: Sequence[str], gained: Sequence[str]) -> str:
    total = counted(len(found.classes), "class")
    rate = f"at a false discovery rate of {100 * SIGNIFICANT:g} %"
    if not lost and not gained:
        return f"None of {total} is shown to differ, clean or under an augmentation, {rate}."
    parts = [
        f"{len(part) or 'none'} {word}{f' ({listed(part, _NAMED)})' if part else ''}"
        for part, word in ((lost, "lost"), (gained, "gained"))
    ]
    return f"Of {total} {parts[0]} and {parts[1]}, {rate}."


def _next(lost: Sequence[str], gained: Sequence[str]) -> str:
    """Return what to do after the comparison."""
    if lost:
        return "Next: see what B gives up in the table of classes; `cuesense check B --baseline A` makes a gate of it."
    if gained:
        return "Next: take B, as no class is shown to lose."
    return "Next: to tell smaller differences, analyze more images of each class."


def _budgets(found: Comparison) -> Iterator[str]:
    counts = Counter(change.change for entry in found.classes for change in entry.budgets.values())
    if counts["stronger"] or counts["weaker"]:
        total = sum(counts.values())
        yield (
            f"Of {total:,} budgets {counts['stronger']:,} allow more in B than in A and {counts['weaker']:,} less; "
            "budgets have no test of their own."
        )


def budget_counts(found: Comparison) -> list[tuple[str, Counter[str]]]:
    """Return for each augmentation how many classes have a stronger, weaker, equal or unknown budget in B."""
    names = dict.fromkeys(name for entry in found.classes for name in entry.budgets)
    changes = {name: [entry.budgets[name].change for entry in found.classes if name in entry.budgets] for name in names}
    return [(name, Counter(changes[name])) for name in names]


def budget_changes(found: Comparison, entry: ClassComparison) -> list[tuple[str, str, str]]:
    """Return the budgets of a class that differ: the augmentation, both budgets, and stronger or weaker."""
    return [
        (short_augmentation(name), _both(change, found.doses[name].unit if name in found.doses else ""), change.change)
        for name, change in entry.budgets.items()
        if change.change in ("stronger", "weaker")
    ]


def _both(change: BudgetChange, unit: str) -> str:
    return f"{budget_of(change.a, change.status_a, unit)} → {budget_of(change.b, change.status_b, unit)}"


def severity_text(found: Comparison, name: str) -> str:
    """Return the value of an augmentation at which accuracies are compared, with its unit where it is short."""
    known = found.doses[name]
    return value_text(known.value, known.unit)


def _largest_change(entry: ClassComparison) -> float:
    return max(abs(change.value or 0.0) for change in (entry.accuracy, *entry.under.values()))
