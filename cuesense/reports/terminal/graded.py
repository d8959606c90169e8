"""The table of classes with what each keeps, sorted by lean, from 60 to 140 columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from cuesense.reports.cue_text import cue_percent, relies_on, relies_on_caption
from cuesense.reports.graded_text import in_percent, known_columns, lean_text, short_title
from cuesense.reports.profile_text import SHORT_NAMES, augmentation_columns
from cuesense.reports.terminal.cells import BUDGET_WIDTH, STYLES, budget_cell
from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.text import percent, printable, readable_name
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import CueVerdict

# Columns of text, each with its gap of one: a short name (15), clean accuracy (8), the cue (15).
_FIXED_WIDTH = 38
_SHORTEST_NAME = 14
_LEAN_WIDTH, _IMAGES_WIDTH = 6, 7
# What is kept: "91", "91±13" or "91 [78,97]", each with its gap.
_PLAIN_WIDTH, _SHORT_WIDTH, _FULL_WIDTH = 4, 6, 11
# "redundant 97 %"; a longer cue stands without its probability.
_CUE_WIDTH = 14
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
    table.add_column("Relies on", no_wrap=True, overflow="ellipsis", max_width=_CUE_WIDTH)
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


def graded_captions(profile: Profile, found: Layout) -> list[str]:
    """Return what the columns of the table mean, a sentence for each kind of column."""
    said = [relies_on_caption(profile.classes)]
    if len(profile.classes) > 1:
        column = "Lean, by which rows are sorted" if found.lean else "Rows are sorted by lean"
        said.append(f"{column}: how many points more the class relies on that cue than the average class.")
    return [*said, _kept_caption(profile, found)]


def _kept_caption(profile: Profile, found: Layout) -> str:
    columns, parts = profile.summary.graded.columns, []
    without = "percent of its recognized images that a class keeps without {}"
    for alone, said in ((False, without), (True, "on {} alone")):
        names = [name for name in found.kept if columns[name].alone is alone]
        cues = ", ".join(columns[name].cue.value for name in names)
        if names:
            parts.append(f"{', '.join(short_title(profile, name) for name in names)}: {said.format(cues)}")
    level = profile.labeling.confidence if profile.labeling else profile.policy.confidence
    bounds = "±" if found.bounds == "short" else "[ ]"
    interval = f" ({bounds}: {100 * level:g}\N{NO-BREAK SPACE}% interval)" if found.bounds else ""
    return f"{'; '.join(parts)}{interval}."


def _row(entry: ClassModel, found: Layout) -> list[Text | str]:
    images = [f"{entry.images:,}"] if found.images else []
    lean = [_lean(entry)] if found.lean else []
    kept = [in_percent(entry.kept.get(name), bounds=found.bounds) for name in found.kept]
    budgets = [budget_cell(entry.budgets.get(name)) for name in found.augmentations]
    return [Text(printable(entry.name)), *images, percent(entry.clean_accuracy), _cue(entry), *lean, *kept, *budgets]


def _average(profile: Profile, found: Layout) -> list[Text | str]:
    """Return the row of the average class, which has no verdict, lean or budgets of its own."""
    columns = profile.summary.graded.columns
    blank = [""] * (2 if found.images else 1)
    kept = [in_percent(columns[name].mean, bounds=found.bounds) for name in found.kept]
    return ["average", *blank, "", *([""] if found.lean else []), *kept, *[""] * len(found.augmentations)]


def _cue(entry: ClassModel) -> Text:
    """Return what the class relies on, with the probability of its cue where there is room."""
    said, chance = relies_on(entry), cue_percent(entry)
    if entry.images and entry.cue is not CueVerdict.UNDETERMINED:
        room = len(said) + 1 + len(chance) <= _CUE_WIDTH
        return Text.assemble((said, STYLES[entry.cue]), f" {chance}" if chance and room else "")
    lean = entry.leans_to if entry.images else None
    return Text(said, "dim" if lean is None else STYLES[CueVerdict(lean.value)].removeprefix("bold "))


def _lean(entry: ClassModel) -> Text:
    return Text(lean_text(entry), "dim" if entry.leans_to is None else "")
