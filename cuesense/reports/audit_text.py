"""The sentences and numbers of an audit as text, for its page, its charts and its terminal tables."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.reports.audit_view import AuditView, Choice
from cuesense.reports.text import DASH, bracketed, counted, listed, percent, points, printable, readable_name
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm, RivalResult, Strength
from cuesense.types import CueVerdict

# The headline is one sentence: three classes with their losses and bounds fill two lines of a page. The table below it
# has all of them.
_NAMED_IN_HEADLINE = 3

# Eight strengths or classes fit a line of 80 columns with typical names.
LISTED = 8

# Half of the last digit shown: a fraction below it prints as 0.0 points.
_ROUNDS_TO_ZERO = 0.0005


def strength_text(strength: Strength | None) -> str:
    """Return a strength, a number or a word, as text; a dash for None."""
    if strength is None:
        return DASH
    return f"{strength:g}".replace("-", "−") if isinstance(strength, float) else printable(strength)


def strengths_text(strengths: Sequence[Strength]) -> str:
    """Return strengths, mild to strong: all of them, or how many and both ends."""
    texts = [strength_text(strength) for strength in strengths]
    return ", ".join(texts) if len(texts) <= LISTED else f"{len(texts)} from {texts[0]} to {texts[-1]}"


def direction_text(audit: Audit) -> str:
    """Return which end of the strengths is the mildest and why; nothing where a file does not say."""
    known = audit.direction
    if known is None:
        return ""
    rule = {"rising": ", larger is stronger,", "falling": ", smaller is stronger,", "given": ","}[known.order]
    ends = f"{strength_text(audit.strengths[0])} is the mildest and {strength_text(audit.strengths[-1])} the strongest"
    return f"Order of the strengths: {ends}{rule} because {printable(known.because)}."


def loss_bounds(low: float | None, high: float | None) -> str:
    """Return the bounds of a loss in points, for instance ``"[4.1, 16.0]"``; nothing where one is unknown.

    A lower bound above 0 never prints as 0.0: a class is called harmed because of it.
    """
    if low is not None and high is not None and 0 < low < _ROUNDS_TO_ZERO:
        return f"[<0.1, {points(high)}]"
    return bracketed(low, high, points)


def loss_text(loss: float | None, low: float | None, high: float | None) -> str:
    """Return a loss in points with its bounds, for instance ``"10.2 [4.1, 16.0]"``; without those that are unknown."""
    return f"{points(loss)} {loss_bounds(low, high)}".rstrip()


def loss_in_points(loss: float | None, low: float | None, high: float | None) -> str:
    """Return a loss with its unit and bounds, for instance ``"10.2 points [4.1, 16.0]"``."""
    return f"{points(loss)} points {loss_bounds(low, high)}".rstrip()


def headline(view: AuditView) -> str:
    """Return one sentence: which strength has the best mean accuracy, and which classes lose accuracy there."""
    audit = view.audit
    best = f"{printable(readable_name(audit.regularizer))} {strength_text(audit.chosen_by_mean)}"
    return f"{best} has the best mean accuracy, {percent(audit.mean_accuracy[view.best])}; {_who_loses(view)}."


def _who_loses(view: AuditView) -> str:
    classes = counted(classes_with_known_harm(view.audit), "class")
    if not view.harm_is_known:
        reason = " from one run of each strength" if max(view.audit.runs) < 2 else ""
        return f"which classes it harms cannot be known{reason}"
    if not view.harmed:
        return f"none of {classes} is shown to be harmed by it"
    verb = "is" if len(view.harmed) == 1 else "are"
    return f"{len(view.harmed):,} of {classes} {verb} harmed by it: {_named_losses(view.harmed)}"


def classes_with_known_harm(audit: Audit) -> int:
    """Return of how many classes it is known whether they are harmed."""
    return sum(entry.harmed is not None for entry in audit.classes)


def _named_losses(entries: Sequence[ClassAudit]) -> str:
    losses = [(entry.name, loss_in_points(entry.loss, entry.low, entry.high)) for entry in entries]
    return listed([f"{printable(name)} loses {loss}" for name, loss in losses], _NAMED_IN_HEADLINE)


def other_choices(view: AuditView) -> str:
    """Return the strengths that other choices than the mean accuracy lead to, and what they cost in mean accuracy."""
    return f"Other choices: {'; '.join(f'{choice.short}: {_choice(view, choice)}' for choice in view.choices[1:])}."


def _choice(view: AuditView, choice: Choice) -> str:
    if choice.index is None:
        return "none" if view.harm_is_known else "not known"
    if choice.index == view.best:
        return "the same"
    return f"{strength_text(view.audit.strengths[choice.index])} ({points(choice.cost)} points lower mean accuracy)"


def median_detectable_loss(audit: Audit) -> float | None:
    """Return the loss from which on half of the classes are called harmed, a fraction; None where none is known."""
    known = sorted(entry.detectable for entry in audit.classes if entry.detectable is not None)
    return known[len(known) // 2] if known else None


def safe_strength(audit: Audit) -> str:
    """Return the safe strength with the best mean accuracy; ``none`` where all are unsafe, else ``undetermined``."""
    if audit.chosen_safe is not None:
        return strength_text(audit.chosen_safe)
    return "none" if set(audit.safety) == {"unsafe"} else "undetermined"


def safety_advice(view: AuditView) -> str:
    """Return which strength is safe for every class; else why none is, and how many runs would show one."""
    audit, limit = view.audit, f"{points(view.audit.tolerance)} points"
    if view.safe is not None:
        cost = f"it costs {points(audit.price.safe)} points of mean accuracy"
        trade = "it also has the best mean accuracy" if view.safe == view.best else cost
        return f"Safe: {safe_strength(audit)}, where no class loses more than {limit}; {trade}."
    if safe_strength(audit) == "none":
        return f"No strength is safe: at each, some class is shown to lose more than {limit}."
    known = zip(audit.strengths, audit.safety, strict=True)
    open_ones = listed([strength_text(strength) for strength, safety in known if safety == "undetermined"], LISTED)
    return f"No strength is shown to cost every class at most {limit}; undetermined: {open_ones}. {_runs_needed(audit)}"


def _runs_needed(audit: Audit) -> str:
    if audit.seeds_needed is not None:
        return f"About {audit.seeds_needed:,} runs of each strength would show one to be safe if the means stay."
    if max(audit.runs) < 2:
        return "How many more runs are needed can be estimated from two runs or more of each strength."
    return "More seeds alone would not show one to be safe if the means stay."


def rival_text(entry: RivalResult) -> str:
    """Return a rival, the share of images that it gains and its kind, for instance ``"cup 6.0 % (fine-grained)"``."""
    kind = "" if entry.kind is None else f" ({entry.kind})"
    return f"{printable(entry.rival)} {percent(entry.share)}{kind}"


def cue_comparison(cues: Sequence[CueHarm]) -> str:
    """Return which cue's classes lose most, and whether their interval lies above the others'."""
    ranked = sorted((part for part in cues if part.cue is not CueVerdict.UNDETERMINED), key=lambda part: -part.loss)
    if not ranked:
        return "The profile does not determine the cue of any of these classes."
    first, others = ranked[0], ranked[1:]
    if not others:
        return f"Every class whose cue is known relies on the same cue: {first.cue.value}."
    loss = loss_in_points(first.loss, first.low, first.high)
    overlapping = [part.cue.value for part in others if not _lies_above(first, part)]
    apart = f"overlaps that of {', '.join(overlapping)}" if overlapping else "lies above all others"
    return f"Classes that rely on {first.cue.value} lose most, {loss} on average; their interval {apart}."


def _lies_above(first: CueHarm, other: CueHarm) -> bool:
    return first.low is not None and other.high is not None and first.low > other.high
