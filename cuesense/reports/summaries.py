"""Results in one to a few lines, as a notebook and a debugger show them: the ``repr`` of the public objects."""

from __future__ import annotations

from cuesense.policies.advice import Advice
from cuesense.policies.policy import Policy
from cuesense.reports.audit_text import headline as audit_headline
from cuesense.reports.audit_text import strengths_text
from cuesense.reports.audit_view import view
from cuesense.reports.profile_text import SHORT_NAMES, budget_text
from cuesense.reports.terminal.policy import describe
from cuesense.reports.text import counted, listed, percent, points, points_with_unit, printable, quoted, readable_name
from cuesense.schemas.audit import Audit
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.schemas.verification import ArmResult, Verification

# Budgets that a line of 120 columns holds, and letters of a name from outside, such as a path. Chosen by hand.
_BUDGETS, _LETTERS = 5, 60


def profile_summary(profile: Profile) -> str:
    """Return the model, the images and the accuracy, the verdicts, and the first finding."""
    summary, images = profile.summary, sum(entry.images for entry in profile.classes)
    data = f"{counted(images, 'image')} of {counted(len(profile.classes), 'class')} of {_named(profile)}"
    worst = f", worst class {percent(summary.worst_class_accuracy)}"
    cues = ", ".join(f"{count:,} {cue.value}" for cue, count in summary.labels.items() if count)
    return (
        f"<Profile of {_short(profile.provenance.model.spec)} on {data}>\n"
        f"  {percent(summary.clean_accuracy)} recognized{worst}; cues: {cues or 'none'}"
    )


def class_summary(entry: ClassModel) -> str:
    """Return a class's images, accuracy, cue, lean and budgets in one line."""
    lean = f", leans to {entry.leans_to}" if entry.leans_to else ""
    budgets = [f"{SHORT_NAMES.get(name, readable_name(name))} {budget_text(part)}" for name, part in entry.budgets.items()]
    known = f"; budgets: {listed(budgets, _BUDGETS)}" if budgets else ""
    accuracy = f"{counted(entry.images, 'image')}, {percent(entry.clean_accuracy)} recognized"
    return f"<Class {quoted(entry.name)}: {accuracy}, cue {entry.cue.value}{lean}{known}>"


def policy_summary(policy: Policy) -> str:
    """Return a policy's augmentations, and for whom they are, in one line."""
    whom = counted(len(policy.class_names), "class") + (", all alike" if policy.scope == "global" else ", by class")
    if policy.scope == "grouped":
        whom = f"{counted(len(policy.values), 'group')} of {counted(len(policy.class_names), 'class')}"
    views = f" for {percent(policy.probability)} of the views" if policy.names else ""
    weights = ", with class weights" if policy.class_weights else ""
    return f"<Policy for {whom}: {describe(policy)}{views}{weights}>"


def advice_summary(advice: Advice) -> str:
    """Return what is recommended, and one line for each forecast."""
    lines = [f"<Advice: {describe(advice.policy)}>"]
    lines += [
        f"  {name}: {percent(found.mean)} on average, worst class {percent(found.worst)} ({printable(found.worst_class)})"
        for name, found in advice.outlooks.items()
    ]
    return "\n".join([*lines, *([f"  {advice.trainings}"] if advice.trainings else [])])


def audit_summary(audit: Audit) -> str:
    """Return what was swept, and the sentence at the top of the audit's page."""
    runs, strengths = counted(sum(audit.runs), "run"), strengths_text(audit.strengths)
    return f"<Audit of {_short(audit.regularizer)}: {runs} at {strengths}>\n  {audit_headline(view(audit))}"


def comparison_summary(comparison: Comparison) -> str:
    """Return both models with their accuracies, and how many classes differ."""
    first, second = comparison.a, comparison.b
    classes = counted(len(comparison.classes), "class")
    return (
        f"<Comparison of {_short(first.model)} (A) and {_short(second.model)} (B) on {classes}>\n"
        f"  accuracy {percent(first.clean_accuracy)} and {percent(second.clean_accuracy)}, B minus A "
        f"{points_with_unit(comparison.accuracy.value)}; worst class {points_with_unit(comparison.worst_class_change)}; "
        f"{counted(comparison.labels_changed, 'class')} with another cue"
    )


def verification_summary(verification: Verification) -> str:
    """Return how many trainings there were, and one line for every policy that was not another one again."""
    seeds, images = counted(len(verification.seeds), "seed"), counted(verification.images, "test image")
    lines = [f"<Verification of {counted(len(verification.arms), 'policy')} with {seeds} on {images}>"]
    return "\n".join([*lines, *(_arm(arm) for arm in verification.arms if arm.same_as is None)])


def _arm(arm: ArmResult) -> str:
    change = f" ({points(arm.mean_change.value)})" if arm.policy is not None else ""
    over = counted(len(arm.over_tolerance), "class")
    return f"  {arm.name}: {percent(arm.mean)} on average{change}, worst {percent(arm.worst)}, {over} over the tolerance"


def _named(profile: Profile) -> str:
    return _short(profile.provenance.dataset.spec)


def _short(text: str) -> str:
    """Return a name from outside, printable and with its end, which tells paths apart."""
    safe = printable(text)
    return safe if len(safe) <= _LETTERS else f"…{safe[1 - _LETTERS :]}"
