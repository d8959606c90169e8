"""Results in one to a few lines, as a notebook and a debugger show them: the ``repr`` of the public objects."""

from __future__ import annotations

from cuesense.reports.audit_text import headline as audit_headline
from cuesense.reports.audit_text import strengths_text
from cuesense.reports.audit_view import view
from cuesense.reports.comparison_text import changed_cues
from cuesense.reports.cue_text import cue_count, relies_on_with_percent
from cuesense.reports.headline import findings
from cuesense.reports.profile_text import SHORT_NAMES, budget_text
from cuesense.reports.spec_text import short_dataset, short_spec
from cuesense.reports.text import counted, listed, percent, points, points_with_unit, printable, quoted, readable_name
from cuesense.reports.verification_text import learned
from cuesense.schemas.audit import Audit
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.schemas.verification import ArmResult, Verification

# Budgets that a line of 120 columns holds, and letters of a name from outside, such as a path. Chosen by hand.
_BUDGETS, _LETTERS = 5, 60


def profile_summary(profile: Profile) -> str:
    """Return the model, the images and the accuracy, the verdicts, and the first finding."""
    counts = profile.summary.labels
    cues = ", ".join(f"{cue.value} {cue_count(profile, cue)}" for cue, count in counts.items() if count)
    found = "".join(f"\n  {finding}" for finding in findings(profile)[:1])
    return f"<Profile of {profile_line(profile)}; classes rely on: {cues or 'none'}{found}>"


def profile_line(profile: Profile) -> str:
    """Return the model, the images and the accuracy; names as on the page, without the folders of this machine."""
    summary, known, images = profile.summary, profile.provenance, sum(entry.images for entry in profile.classes)
    model, dataset = _short(short_spec(known.model.spec)), _short(short_dataset(known.dataset))
    return (
        f"{model} on {dataset}: {counted(images, 'image')} of "
        f"{counted(len(profile.classes), 'class')}, {percent(summary.clean_accuracy)} recognized, worst class "
        f"{percent(summary.worst_class_accuracy)}"
    )


def class_summary(entry: ClassModel) -> str:
    """Return a class's images, accuracy, cue, lean and budgets in one line."""
    named = [(SHORT_NAMES.get(name, readable_name(name)), part) for name, part in entry.budgets.items()]
    budgets = listed([f"{name} {budget_text(part)}" for name, part in named], _BUDGETS)
    known = f"; budgets: {budgets}" if named else ""
    accuracy = f"{counted(entry.images, 'image')}, {percent(entry.clean_accuracy)} recognized"
    return f"<Class {quoted(entry.name)}: {accuracy}, relies on: {relies_on_with_percent(entry)}{known}>"


def audit_summary(audit: Audit) -> str:
    """Return what was swept, and the sentence at the top of the audit's page."""
    runs, strengths = counted(sum(audit.runs), "run"), strengths_text(audit.strengths)
    return f"<Audit of {_short(audit.regularizer)}: {runs} at {strengths}>\n  {audit_headline(view(audit))}"


def comparison_summary(comparison: Comparison) -> str:
    """Return both models with their accuracies, and how many classes differ."""
    first, second = comparison.a, comparison.b
    classes = counted(len(comparison.classes), "class")
    changed = counted(changed_cues(comparison), "class")
    worst = points_with_unit(comparison.worst_class_change)
    return (
        f"<Comparison of {_short(first.model)} (A) and {_short(second.model)} (B) on {classes}>\n"
        f"  accuracy {percent(first.clean_accuracy)} and {percent(second.clean_accuracy)}, B minus A "
        f"{points_with_unit(comparison.accuracy.value)}, worst class {worst}, {changed} with another cue"
    )


def verification_summary(verification: Verification) -> str:
    """Return how many trainings there were, and one line for every policy that was not another one again."""
    seeds, images = counted(len(verification.seeds), "seed"), counted(verification.images, "test image")
    lines = [f"<Verification of {_policies(len(verification.arms))} with {seeds} on {images}>"]
    if not learned(verification):
        lines.append("  no better than guessing without augmentation: nothing can be said about any policy")
    return "\n".join([*lines, *(_arm(arm) for arm in verification.arms if arm.same_as is None)])


def _arm(arm: ArmResult) -> str:
    change = f" ({points(arm.mean_change.value)})" if arm.policy is not None else ""
    over = f"{counted(len(arm.over_tolerance), 'class')} over the tolerance"
    return (
        f"  {readable_name(arm.name)}: {percent(arm.mean)} on average{change}, worst class {percent(arm.worst)}, {over}"
    )


def _policies(number: int) -> str:
    return "1 policy" if number == 1 else f"{number:,} policies"


def _short(text: str) -> str:
    """Return a name from outside, printable and with its end, which tells paths apart."""
    safe = printable(text)
    return safe if len(safe) <= _LETTERS else f"…{safe[1 - _LETTERS :]}"
