"""A profile as markdown for a pull request: what it shows, the worst ten classes, and the rest in closed blocks."""

from __future__ import annotations

from cuesense.reports.cue_text import relies_on_caption, relies_on_with_percent
from cuesense.reports.headline import headline
from cuesense.reports.markdown.text import bullets, code, details, document, escaped, line, name, shortened, table
from cuesense.reports.profile_text import (
    SHORT_NAMES,
    augmentation_columns,
    budget_key,
    budget_meaning,
    budget_text,
    value_text,
)
from cuesense.reports.spec_text import short_dataset, short_spec
from cuesense.reports.text import DASH, bracketed, percent, points, readable_name
from cuesense.reports.usual_losses import UsualLoss, worst_first
from cuesense.schemas.profile import ClassModel, Profile

# Classes in the open table: as many as fit on a screen below the headline.
WORST = 10
# Columns of budgets that fit beside the name on the page of a pull request, about 900 px wide.
_BUDGETS = 5
# GitHub refuses a comment of more than 65,536 characters: the table of budgets is cut long before. Chosen by hand.
_MOST_ROWS = 200


def render(profile: Profile) -> str:
    """Return a profile as markdown.

    Args:
        profile: The profile.

    Returns:
        Markdown for GitHub: no names, however written, can make markup, mentions or links of their own.
    """
    said = headline(profile)
    ranked = worst_first(profile)
    return document(
        [
            [f"## cuesense: {escaped(title(profile))}"],
            bullets(said.findings),
            [f"**{escaped(said.advice)}**"] if said.advice else [],
            [line(said.measured)],
            *worst_table(ranked[:WORST], len(ranked)),
            details(_budgets_title(profile), _budgets(profile, [entry for entry, _ in ranked])),
            details("What would make it surer", bullets(said.surer)),
            details(f"Warnings: {len(profile.summary.warnings)}", bullets(profile.summary.warnings)),
            details(f"Assumptions: {len(profile.provenance.assumptions)}", bullets(profile.provenance.assumptions)),
            details("Where the numbers come from", provenance(profile)),
            [f"Next: {code(said.command)}"],
        ]
    )


def title(profile: Profile) -> str:
    """Return the name of the model's file and how it does, in a line."""
    summary = profile.summary
    accuracy, worst = percent(summary.clean_accuracy), percent(summary.worst_class_accuracy)
    return f"{short_spec(profile.provenance.model.spec)}, clean accuracy {accuracy}, worst class {worst}"


def worst_table(rows: list[tuple[ClassModel, UsualLoss | None]], total: int) -> list[list[str]]:
    """Return the table of the classes that the usual augmentation costs most, and the sentence that explains it."""
    if not rows:
        return []
    headings = ("Class", "Images", "Clean", "Relies on", "Drop, points", "Under", "Most taken by")
    cells = [_worst_row(entry, loss) for entry, loss in rows]
    some = f"The {len(rows)} of {total:,} classes that lose most" if total > len(rows) else "All classes"
    caption = (
        f"{some}. Drop: accuracy that is expected to be lost on test images under the usual crop, flip or jitter, "
        f"whichever costs most, with its interval. {relies_on_caption([entry for entry, _ in rows])}"
    )
    return [table(headings, cells, numbers=(1, 2, 4)), [caption]]


def _worst_row(entry: ClassModel, loss: UsualLoss | None) -> tuple[str, ...]:
    known = (name(entry.name), f"{entry.images:,}", percent(entry.clean_accuracy), relies_on_with_percent(entry))
    if loss is None:
        return (*known, DASH, DASH, DASH)
    drop = f"{points(loss.drop)} {bracketed(loss.low, loss.high, points)}".rstrip()
    under = f"{_augmentation(loss.augmentation)} {value_text(loss.value, loss.unit)}"
    return (*known, drop, escaped(under), DASH if loss.rival is None else name(loss.rival))


def _augmentation(perturbation: str) -> str:
    return SHORT_NAMES.get(perturbation, readable_name(perturbation))


def _budgets_title(profile: Profile) -> str:
    shown = min(len(profile.classes), _MOST_ROWS)
    of = "" if shown == len(profile.classes) else f" of {len(profile.classes):,}"
    return f"Budgets of {shown:,}{of} classes"


def _budgets(profile: Profile, entries: list[ClassModel]) -> list[str]:
    columns = augmentation_columns(profile, _BUDGETS)
    if not columns:
        return []
    headings = ("Class", *(escaped(_augmentation(column)) for column in columns))
    rows = [(name(entry.name), *(_budget(entry, column) for column in columns)) for entry in entries[:_MOST_ROWS]]
    meaning = f"A budget is {budget_meaning(profile.policy)}; {budget_key()}."
    return [*table(headings, rows), "", line(meaning)]


def _budget(entry: ClassModel, augmentation: str) -> str:
    budget = entry.budgets.get(augmentation)
    return DASH if budget is None else escaped(budget_text(budget))


def provenance(profile: Profile) -> list[str]:
    """Return the table that says where the numbers come from, without paths of the machine."""
    known = profile.provenance
    rows = {
        "Model": short_spec(known.model.spec),
        "Weights, SHA-256": known.model.sha256 or DASH,
        "Architecture": known.model.architecture,
        "Dataset": short_dataset(known.dataset),
        "Dataset fingerprint": known.dataset.fingerprint,
        "Images": f"{known.dataset.images:,} in {known.dataset.classes:,} classes",
        "Configuration": str(known.config.get("preset") or DASH),
        "Seed": str(known.seed),
        "cuesense": known.cuesense,
        "Created": known.created,
    }
    return table(("", ""), [(heading, code(shortened(value))) for heading, value in rows.items()])
