"""The table of classes with what each keeps, sorted by lean, from 60 to 140 columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from cuesense.reports.graded_text import (
    BELOW_AVERAGE,
    NEAR_AVERAGE,
    in_percent,
    known_columns,
    largest_lean,
    lean_text,
    lean_words,
    short_title,
)
from cuesense.reports.profile_text import SHORT_NAMES, augmentation_columns
from cuesense.reports.terminal.cells import BUDGET_WIDTH, STYLES, budget_cell
from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.text import percent, printable, readable_name
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import CueVerdict

# Columns of text, each with its gap of one: a short name (15), clean accuracy (8), the words (14).
_FIXED_WIDTH = 37
_SHORTEST_NAME = 14
_LEAN_WIDTH, _IMAGES_WIDTH = 6, 7
# What is kept: "91", "91±13" or "91 [78,97]", each with its gap.
_PLAIN_WIDTH, _SHORT_WIDTH, _FULL_WIDTH = 4, 6, 11
_WORDS_WIDTH = 13
# With fewer columns of budgets than these, whole intervals take too much room from them.
_FULL_BUDGETS = 2


@dataclass(frozen=True)
class Layout:
    """What fits into a width.

    Attributes:
        kept: Columns of what is kept.
        bounds: How their intervals are written (graded_text.in_percent).
        lean: Whether leans have a column.
        images: Whether numbers of images have one.
        augmentations: The augmentations whose budgets have one.
        name: Columns of the longest name.
    """

    kept: list[str]
    bounds: str
    lean: bool
    images: bool
    augmentations: list[str]
    name: int


def layout(profile: Profile, width: int) -> Layout:
    """Choose the columns: shares first, then leans and intervals, then images, then budgets, then whole intervals.

    Args:
        profile: The profile, with shares that are kept.
        width: Columns of the terminal, at most 140 are used.
    """
    kept = known_columns(profile)

    def room(each: int, *more: int) -> int:
        return width - _FIXED_WIDTH - each * len(kept) - sum(more)

    lean = room(_SHORT_WIDTH, _LEAN_WIDTH) >= -1
    bounds, each = ("short", _SHORT_WIDTH) if lean else ("", _PLAIN_WIDTH)
    taken = [_LEAN_WIDTH] if lean else []
    images = lean and room(each, *taken, _IMAGES_WIDTH) >= 0
    taken += [_IMAGES_WIDTH] if images else []
    if room(_FULL_WIDTH, *taken) >= _FULL_BUDGETS * BUDGET_WIDTH:
        bounds, each = "full", _FULL_WIDTH
    augmentations = augmentation_columns(profile, max(room(each, *taken) // BUDGET_WIDTH, 0))
    spare = room(each, *taken) - BUDGET_WIDTH * len(augmentations)
    return Layout(kept, bounds, lean, images, augmentations, _SHORTEST_NAME + max(spare, 0))


def graded_table(profile: Profile, entries: Sequence[ClassModel], found: Layout) -> Table:
    """Return the table, one row a class and a last one for the average of all classes.

    Args:
        profile: The profile.
        entries: The classes that are shown, in their order.
        found: The columns.
    """
    table = borderless_table(gap=1)
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=found.name)
    for title in ("Images", "Clean") if found.images else ("Clean",):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Relies on", no_wrap=True, overflow="ellipsis", max_width=_WORDS_WIDTH)
    if found.lean:
        table.add_column("Lean", no_wrap=True)
    for name in found.kept:
        table.add_column(
            short_title(profile, name), justify="left" if found.bounds == "full" else "right", no_wrap=True
        )
    for name in found.augmentations:
        title = SHORT_NAMES.get(name, readable_name(name))
        table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=BUDGET_WIDTH - 1)
    for entry in entries:
        table.add_row(*_row(entry, found))
    if len(profile.classes) > 1:
        table.add_row(*_average(profile, found), style="dim")
    return table


def graded_caption(profile: Profile, found: Layout) -> str:
    """Return what the columns of the table mean."""
    columns, parts = profile.summary.graded.columns, []
    without = "percent of its recognized images that a class keeps without {}"
    for alone, said in ((False, without), (True, "on {} alone")):
        names = [name for name in found.kept if columns[name].alone is alone]
        cues = ", ".join(columns[name].cue.value for name in names)
        if names:
            parts.append(f"{', '.join(short_title(profile, name) for name in names)}: {said.format(cues)}")
    level = profile.labeling.confidence if profile.labeling else profile.policy.confidence
    interval = f" ({'±' if found.bounds == 'short' else '[ ]'}: {100 * level:g} % interval)" if found.bounds else ""
    lean = (
        f" Lean, by which rows are sorted: how many points more a class relies on a cue than the average class; "
        f"{NEAR_AVERAGE} where that may be none, {BELOW_AVERAGE} where it relies on every cue less."
        if found.lean
        else " Rows are sorted by lean: how much more a class relies on a cue than the average class."
    )
    return f"{'; '.join(parts)}{interval}.{lean if len(profile.classes) > 1 else ''}"


def _row(entry: ClassModel, found: Layout) -> list[Text | str]:
    images = [f"{entry.images:,}"] if found.images else []
    lean = [_lean(entry)] if found.lean else []
    kept = [in_percent(entry.kept.get(name), bounds=found.bounds) for name in found.kept]
    budgets = [budget_cell(entry.budgets.get(name)) for name in found.augmentations]
    return [Text(printable(entry.name)), *images, percent(entry.clean_accuracy), _words(entry), *lean, *kept, *budgets]


def _average(profile: Profile, found: Layout) -> list[Text | str]:
    """Return the row of the average class, which has no verdict, lean or budgets of its own."""
    columns = profile.summary.graded.columns
    blank = [""] * (2 if found.images else 1)
    kept = [in_percent(columns[name].mean, bounds=found.bounds) for name in found.kept]
    return ["average", *blank, "", *([""] if found.lean else []), *kept, *[""] * len(found.augmentations)]


def _words(entry: ClassModel) -> Text:
    """Return the verdict where it is certain, else what the images tell."""
    if not entry.images:
        return Text("no images", "dim")
    if entry.cue is not CueVerdict.UNDETERMINED:
        return Text(entry.cue.value, STYLES[entry.cue])
    if "confused_with" in entry.flags:
        return Text(f"like {printable(entry.flags['confused_with'])}", "dim")
    words, lean = lean_words(entry), largest_lean(entry)
    certain = lean is not None and words not in (NEAR_AVERAGE, BELOW_AVERAGE)
    return Text(words or entry.cue.value, STYLES[lean[0]].replace("bold ", "") if lean and certain else "dim")


def _lean(entry: ClassModel) -> Text:
    return Text(lean_text(entry), "dim" if lean_words(entry) in (NEAR_AVERAGE, BELOW_AVERAGE) else "")
