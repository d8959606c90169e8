"""A Profile as a table for the terminal, from 80 to 140 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from cuesense.reports import text
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import BudgetStatus, Cue, CueVerdict

_WIDEST = 140
_NARROW = 72
_FIXED = 48
_NAME = 14
_BUDGET = 9
_STYLES = {
    CueVerdict.SHAPE: "bold blue",
    CueVerdict.TEXTURE: "bold green",
    CueVerdict.COLOR: "bold dark_orange",
    CueVerdict.MIXED: "bold magenta",
    CueVerdict.REDUNDANT: "bold yellow",
    CueVerdict.INSENSITIVE: "bold",
    CueVerdict.UNDETERMINED: "dim",
}
_BUDGETS = {
    BudgetStatus.UNLIMITED: Text("any", "green"),
    BudgetStatus.NONE: Text("none", "red"),
    BudgetStatus.UNDETERMINED: Text("?", "dim"),
}


@dataclass(frozen=True)
class _Page:
    """A profile that chooses its columns when it learns how wide the terminal is."""

    profile: Profile
    limit: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the summary, the table with its caption, and the warnings."""
        width = min(options.max_width, _WIDEST)
        columns = text.main_augmentations(self.profile, max((width - _FIXED - _NAME) // _BUDGET, 0))
        yield from _summary(self.profile)
        yield _table(_chosen(self.profile, self.limit), columns, width)
        yield Text(_caption(self.profile, self.limit, bool(columns)), "dim")
        yield from _groups(self.profile)
        for warning in self.profile.summary.warnings:
            yield Text.assemble(("Warning: ", "bold yellow"), text.plain(warning))


def render(profile: Profile, *, limit: int = 30) -> RenderableType:
    """Return the report for rich's Console.print.

    Args:
        profile: The profile.
        limit: How many classes the table shows; where there are more, those with the lowest clean accuracy.

    Returns:
        A renderable that fits its columns to the width of the console, up to 140.
    """
    return _Page(profile, limit)


def _summary(profile: Profile) -> Iterator[Text]:
    model, dataset, summary = profile.provenance.model, profile.provenance.dataset, profile.summary
    where = f" on {text.plain(dataset.spec)}: {dataset.images:,} images, {dataset.classes:,} classes"
    yield Text.assemble((text.plain(model.spec), "bold"), where)
    yield Text(
        f"Clean accuracy {text.percent(summary.clean_accuracy)}, "
        f"worst class {text.percent(summary.worst_class_accuracy)}"
    )
    counts = [(label, summary.labels.get(label, 0)) for label in CueVerdict]
    parts = [Text.assemble((label.value, _STYLES[label]), f" {count:,}") for label, count in counts if count]
    yield Text("Relies on: ") + Text(", ").join(parts)


def _groups(profile: Profile) -> Iterator[Text]:
    """Say what groups of classes rely on, where the user named any."""
    for group in profile.groups[1:]:
        yield Text.assemble((text.plain(group.name), "bold"), f" ({group.classes} classes): {text.shares(group)}")


def _chosen(profile: Profile, limit: int) -> list[ClassModel]:
    if len(profile.classes) <= limit:
        return profile.classes
    return sorted(profile.classes, key=lambda entry: 2 if entry.clean_accuracy is None else entry.clean_accuracy)[
        :limit
    ]


def _caption(profile: Profile, limit: int, budgets: bool) -> str:
    total = len(profile.classes)
    parts = []
    if total > limit:
        parts.append(f"{limit:,} of {total:,} classes, lowest clean accuracy first; classes.csv has all {total:,}.")
    if budgets:
        parts.append("Budgets are the strongest safe dose: any = the whole ladder, ? = undetermined.")
    return " ".join(parts)


def _table(entries: list[ClassModel], augmentations: list[str], width: int) -> Table:
    """Return one row a class; the column of images is left out where the terminal is narrow."""
    counted = width >= _NARROW
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    room = width - _FIXED - _BUDGET * len(augmentations)
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=max(room, _NAME))
    for title in ("Images", "Clean") if counted else ("Clean",):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Relies on", no_wrap=True, overflow="ellipsis")
    for name in augmentations:
        title = text.SHORT_NAMES.get(name, text.words(name))
        table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=_BUDGET - 2)
    for entry in entries:
        images = [f"{entry.images:,}"] if counted else []
        budgets = [_budget(entry, name) for name in augmentations]
        table.add_row(Text(text.plain(entry.name)), *images, text.percent(entry.clean_accuracy), _cue(entry), *budgets)
    return table


def _cue(entry: ClassModel) -> Text:
    """Return the label with its evidence: with bounds where it is one cue, else the three values."""
    if not entry.images:
        return Text("no images", "dim")
    label = Text(entry.cue.value, _STYLES[entry.cue])
    if "confused_with" in entry.flags:
        return label + Text(f" like {text.plain(entry.flags['confused_with'])}", "dim")
    if entry.cue in (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR):
        return label + Text(f" {_bounded(entry.reliance.get(Cue(entry.cue.value)))}")
    return label + Text(_values(entry.reliance), "dim")


def _values(reliance: Mapping[Cue, Estimate]) -> str:
    known = [(cue, part.value) for cue, part in reliance.items() if part.value is not None]
    return "".join(f" {text.GLYPHS[CueVerdict(cue.value)]}{_short(value)}" for cue, value in known)


def _bounded(part: Estimate | None) -> str:
    if part is None or part.value is None:
        return text.DASH
    if part.low is None or part.high is None:
        return _short(part.value)
    return f"{_short(part.value)} [{_short(part.low)},{_short(part.high)}]"


def _short(number: float) -> str:
    said = f"{number:z.2f}"
    return said.replace("0.", ".", 1) if abs(number) < 1 else said


def _budget(entry: ClassModel, name: str) -> Text:
    budget = entry.budgets.get(name)
    if budget is None:
        return Text(text.DASH, "dim")
    return _BUDGETS.get(budget.status) or Text(text.budget(budget))
