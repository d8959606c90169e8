"""A profile as a table for the terminal, from 80 to 140 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from cuesense.reports.cue_text import cue_count, relies_on
from cuesense.reports.graded_text import graded_notes, is_graded, strongest_leans
from cuesense.reports.profile_text import SHORT_NAMES, augmentation_columns, budget_key, budget_meaning, group_shares
from cuesense.reports.spec_text import on_dataset
from cuesense.reports.terminal.cells import BUDGET_WIDTH, STYLES, budget_cell
from cuesense.reports.terminal.graded import graded_captions, graded_table, layout
from cuesense.reports.terminal.parts import assumption_lines, borderless_table, warning_lines
from cuesense.reports.terminal.pipeline import pipeline_lines
from cuesense.reports.text import CUE_LETTERS, DASH, counted, fixed, percent, printable, readable_name
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import Cue, CueVerdict

# Wider rows are hard to follow by eye from the class's name to the last budget.
_WIDEST = 140

# Below this many columns the numbers of images are left out, which leaves their room to names and cues.
_NARROW = 72

# Columns beside the name and the budgets, each with its gap: the gap after the name (2), images (8), clean accuracy
# (9), and the longest cue with its evidence, "undetermined S.02 T.68 C.30" (29).
_FIXED_WIDTH = 48

_SHORTEST_NAME = 14


@dataclass(frozen=True)
class _ProfileReport:
    """A profile that chooses its columns when it learns how wide the terminal is."""

    profile: Profile
    limit: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the summary, the classes, their groups, the training transform, warnings and what was assumed."""
        width = min(options.max_width, _WIDEST)
        yield from _summary(self.profile)
        yield from (_graded if is_graded(self.profile) else _verdicts)(self.profile, self.limit, width)
        for note in graded_notes(self.profile):
            yield Constrain(Text(printable(note)), width)
        yield from _groups(self.profile)
        yield from pipeline_lines(self.profile, width)
        yield from warning_lines(self.profile.summary.warnings)
        yield from assumption_lines(self.profile.provenance.assumptions)


def render(profile: Profile, *, limit: int = 30) -> RenderableType:
    """Return the report for rich's Console.print.

    Args:
        profile: The profile.
        limit: How many classes the table shows; where there are more, those with the lowest clean accuracy.

    Returns:
        A renderable that fits its columns to the width of the console, up to 140.
    """
    return _ProfileReport(profile, limit)


def _summary(profile: Profile) -> Iterator[Text]:
    model, dataset, summary = profile.provenance.model, profile.provenance.dataset, profile.summary
    images = f": {counted(dataset.images, 'image')}, {counted(dataset.classes, 'class')}"
    yield Text.assemble((printable(model.spec), "bold"), on_dataset(model, dataset), images)
    yield Text(f"Clean accuracy {percent(summary.clean_accuracy)}, worst class {percent(summary.worst_class_accuracy)}")
    known = [cue for cue in CueVerdict if summary.labels.get(cue, 0)]
    parts = [Text.assemble((cue.value, STYLES[cue]), f" {cue_count(profile, cue)}") for cue in known]
    yield Text("Relies on: ") + Text(", ").join(parts)


def _groups(profile: Profile) -> Iterator[Text]:
    """Yield what each group of classes relies on; the first group is all classes, which the summary has already."""
    for group in profile.groups[1:]:
        yield Text.assemble(
            (printable(group.name), "bold"), f" ({counted(group.classes, 'class')}): {group_shares(group)}"
        )


def _graded(profile: Profile, limit: int, width: int) -> Iterator[RenderableType]:
    """Yield the table with what every class keeps, sorted by lean, its caption and what its numbers are worth."""
    found = layout(profile, width)
    shown = strongest_leans(profile.classes, limit)
    chosen = {id(entry) for at, entry in enumerate(profile.classes) if at in shown}
    yield graded_table(profile, [entry for entry in profile.classes_by_lean if id(entry) in chosen], found)
    cut = _captions(profile, limit, "strongest leans", budgets=bool(found.augmentations))
    for caption in (*graded_captions(profile, found), *cut):
        yield Constrain(Text(caption, "dim"), width)


def _verdicts(profile: Profile, limit: int, width: int) -> Iterator[RenderableType]:
    """Yield the table of a profile without graded answers: verdicts with their evidence, and a caption."""
    room = (width - _FIXED_WIDTH - _SHORTEST_NAME) // BUDGET_WIDTH
    columns = augmentation_columns(profile, max(room, 0))
    yield _table(_shown_classes(profile, limit), columns, width)
    for caption in _captions(profile, limit, "lowest clean accuracy first", budgets=bool(columns)):
        yield Constrain(Text(caption, "dim"), width)


def _shown_classes(profile: Profile, limit: int) -> list[ClassModel]:
    if len(profile.classes) <= limit:
        return profile.classes
    return sorted(profile.classes, key=_accuracy_or_last)[:limit]


def _accuracy_or_last(entry: ClassModel) -> tuple[bool, float]:
    return entry.clean_accuracy is None, entry.clean_accuracy or 0.0


def _captions(profile: Profile, limit: int, which: str, *, budgets: bool) -> list[str]:
    total, found = len(profile.classes), []
    if total > limit:
        found.append(f"{limit:,} of {total:,} classes, {which}; classes.csv has all {total:,}.")
    if budgets:
        found.append(f"Budgets: {budget_meaning(profile.policy)}; {budget_key()}.")
    return found


def _table(entries: list[ClassModel], augmentations: list[str], width: int) -> Table:
    with_images = width >= _NARROW
    table = borderless_table()
    room = width - _FIXED_WIDTH - BUDGET_WIDTH * len(augmentations)
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=max(room, _SHORTEST_NAME))
    for title in ("Images", "Clean") if with_images else ("Clean",):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Relies on", no_wrap=True, overflow="ellipsis")
    for name in augmentations:
        title = SHORT_NAMES.get(name, readable_name(name))
        table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=BUDGET_WIDTH - 2)
    for entry in entries:
        images = [f"{entry.images:,}"] if with_images else []
        budgets = [budget_cell(entry.budgets.get(name)) for name in augmentations]
        table.add_row(Text(printable(entry.name)), *images, percent(entry.clean_accuracy), _cue(entry), *budgets)
    return table


def _cue(entry: ClassModel) -> Text:
    """Return the cue with its evidence: with bounds where it is one cue, else the three values."""
    if not entry.images:
        return Text(relies_on(entry), "dim")
    cue = Text(relies_on(entry), STYLES[entry.cue])
    if "confused_with" in entry.flags:
        return cue + Text(f" like {printable(entry.flags['confused_with'])}", "dim")
    if entry.cue in (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR):
        return cue + Text(f" {_evidence(entry.reliance.get(Cue(entry.cue.value)))}")
    return cue + Text(_all_evidence(entry.reliance), "dim")


def _all_evidence(reliance: Mapping[Cue, Estimate]) -> str:
    known = [(cue, part.value) for cue, part in reliance.items() if part.value is not None]
    return "".join(f" {CUE_LETTERS[CueVerdict(cue.value)]}{_short(value)}" for cue, value in known)


def _evidence(part: Estimate | None) -> str:
    if part is None or part.value is None:
        return DASH
    if part.low is None or part.high is None:
        return _short(part.value)
    return f"{_short(part.value)} [{_short(part.low)},{_short(part.high)}]"


def _short(number: float) -> str:
    """Return a number with two decimals and no zero before the point, as in a table of correlations."""
    rounded = fixed(number, 2)
    return rounded.replace("0.", ".", 1) if abs(number) < 1 else rounded
