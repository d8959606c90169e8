"""One class of a profile in the terminal, from 40 to 140 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from cuesense.reports.charts.curve_accuracies import class_accuracies
from cuesense.reports.cue_text import relies_on, relies_on_remark
from cuesense.reports.graded_text import in_percent, kept_title, known_columns, largest_lean
from cuesense.reports.profile_text import (
    axis_title,
    budget_key,
    budget_meaning,
    budget_risk,
    flag_texts,
    seen_text,
    tick_labels,
)
from cuesense.reports.spec_text import on_dataset
from cuesense.reports.terminal.cells import STYLES, budget_cell
from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.text import DASH, counted, fixed, listed, percent, printable, readable_name
from cuesense.schemas.profile import (
    ClassModel,
    CurveModel,
    ForecastModel,
    LossModel,
    Profile,
    TrainedModel,
    VerifiedModel,
)
from cuesense.types import Cue, CueVerdict, Role

# Wider rows are hard to follow by eye.
_WIDEST = 140
# Below the first, only the ends of a curve are written out; from the second on, its values are.
_NARROW, _WIDE = 64, 112
# Columns of a perturbation's name: in a narrow, a usual and a wide terminal.
_NAMES = (16, 26, 38)
# Eighths of a cell (Unicode 2581 to 2588). A terminal that cannot print them gets other marks (cli.terminal).
BLOCKS = "▁▂▃▄▅▆▇█"
# Perturbations under which a line names a rival, but for augmentations, of which it names all. Chosen by hand.
_LISTED = 4


@dataclass(frozen=True)
class _ClassReport:
    """A class that chooses its columns when it learns how wide the terminal is."""

    profile: Profile
    at: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield who the class is, why it has its cue, what it keeps, its curves, its rivals, and what training does."""
        width = min(options.max_width, _WIDEST)
        entry = self.profile.classes[self.at]
        for part in (*_who(self.profile, entry), *_kept(self.profile, entry), *_curves(self.profile, self.at, width)):
            yield Constrain(part, width)
        for part in (
            *_rivals(self.profile, entry),
            *_pipeline(self.profile, self.at),
            *_training(self.profile, self.at, width),
        ):
            yield Constrain(part, width)


def render(profile: Profile, at: int) -> RenderableType:
    """Return everything that is known of a class, for rich's Console.print.

    Args:
        profile: The profile.
        at: Position of the class.
    """
    return _ClassReport(profile, at)


def curve_blocks(accuracies: Sequence[float | None]) -> str:
    """Return a small curve: one block for each accuracy in [0, 1], a blank where it is not known."""
    last = len(BLOCKS) - 1
    return "".join(" " if value is None else BLOCKS[min(max(round(value * last), 0), last)] for value in accuracies)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold")


def _who(profile: Profile, entry: ClassModel) -> Iterator[Text]:
    model, dataset = profile.provenance.model, profile.provenance.dataset
    named = (printable(entry.name), "bold")
    yield Text.assemble(named, f" (index {entry.index}), {printable(model.spec)}{on_dataset(model, dataset)}")
    if not entry.images:
        yield Text("No images: nothing is known of this class.")
        return
    right = round((entry.clean_accuracy or 0.0) * entry.images)
    yield Text(f"{right:,} of {counted(entry.images, 'clean image')} recognized, {percent(entry.clean_accuracy)}")
    remark = relies_on_remark(entry)
    yield Text.assemble("Relies on: ", (relies_on(entry), STYLES[entry.cue]), f" ({remark})" if remark else "")
    yield Text(printable(entry.why))
    for text in flag_texts(entry.flags):
        yield Text.assemble(("Note: ", "bold yellow"), printable(text))


def _kept(profile: Profile, entry: ClassModel) -> Iterator[RenderableType]:
    """Yield what the class keeps without each cue and on it alone, and its lean; nothing in older files."""
    if not entry.images or not known_columns(profile):
        return
    yield _heading(kept_title(entry))
    table = borderless_table()
    table.add_column("Cue", no_wrap=True)
    for title in ("without it", "on it alone", "lean"):
        table.add_column(title, no_wrap=True)
    for cue in Cue:
        lean = entry.lean.get(cue)
        table.add_row(
            Text(cue.value, STYLES[CueVerdict(cue.value)]),
            in_percent(entry.kept.get(f"without_{cue.value}"), bounds="full"),
            in_percent(entry.kept.get(f"{cue.value}_alone"), bounds="full"),
            DASH if lean is None or lean.value is None else _signed(lean.value),
        )
    yield table
    found = largest_lean(entry)
    if found is not None:
        sentence = entry.lean[Cue(found[0].value)].sentence
        said = f"It {sentence}. " if sentence else ""
        yield Text(f"{said}Lean: how many points more it relies on a cue than the average class.", "dim")
    if entry.shape_scale.sentence:
        sentence = entry.shape_scale.sentence
        yield Text(f"Of shuffled tiles, it {sentence}.", "dim")


def _curves(profile: Profile, at: int, width: int) -> Iterator[RenderableType]:
    """Yield a table of curves for each role that was measured: what training uses comes first."""
    entry = profile.classes[at]
    if not entry.images:
        return
    titles = (
        (Role.AUGMENTATION, "Augmentations"),
        (Role.SUPPRESSION, "Suppressions"),
        (Role.CONTROL, "Controls, which remove no cue"),
    )
    for role, title in titles:
        curves = [curve for curve in profile.curves if curve.role is role]
        if curves:
            yield _heading(f"{title}: accuracy in %, clean to strongest")
            yield _curve_table(curves, entry, at, width)
            if role is Role.AUGMENTATION and entry.budgets:
                mildest = " Where the budget is none, the risk is that of the mildest value."
                yield Text(f"Budget: {budget_meaning(profile.policy)}; {budget_key()}.{mildest}", "dim")
    if seen := seen_text(profile, at):
        yield Text(f"\n{seen}", "dim")


def _curve_table(curves: Sequence[CurveModel], entry: ClassModel, at: int, width: int) -> Table:
    role = curves[0].role
    narrow, wide = width < _NARROW, width >= _WIDE
    table = borderless_table(gap=1 if narrow else 2)
    name_width = _NAMES[0] if narrow else _NAMES[2] if wide else _NAMES[1]
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=name_width)
    longest = 1 + max(len(curve.values) for curve in curves)
    table.add_column("", no_wrap=True, min_width=longest)
    table.add_column("accuracy", no_wrap=True, overflow="ellipsis", min_width=0 if narrow else 3 * longest)
    if wide:
        table.add_column("values", no_wrap=True, overflow="ellipsis")
    if role is Role.AUGMENTATION:
        table.add_column("budget", no_wrap=True)
        if not narrow:
            table.add_column("risk, certified", no_wrap=True, overflow="ellipsis")
    elif role is Role.SUPPRESSION and not narrow:
        table.add_column("removes", no_wrap=True, overflow="ellipsis")
    for curve in curves:
        table.add_row(*_curve_row(curve, entry, at, narrow=narrow, wide=wide))
    return table


def _curve_row(curve: CurveModel, entry: ClassModel, at: int, *, narrow: bool, wide: bool) -> list[Text | str]:
    accuracies = class_accuracies(curve, at)
    shown = [accuracies[0], accuracies[-1]] if narrow else accuracies
    numbers = (" to " if narrow else " ").join(_whole(value) for value in shown)
    row: list[Text | str] = [Text(printable(readable_name(curve.perturbation))), curve_blocks(accuracies), numbers]
    if wide:
        row.append(f"{axis_title(curve.parameter, curve.unit)}: {' '.join(tick_labels(curve))}")
    if curve.role is Role.AUGMENTATION:
        budget = entry.budgets.get(curve.perturbation)
        row.append(budget_cell(budget))
        if not narrow:
            row.append("" if budget is None else budget_risk(budget).removeprefix("risk ").replace("certified ", ""))
    elif curve.role is Role.SUPPRESSION and not narrow:
        row.append(", ".join(cue.value for cue in curve.suppresses))
    return row


def _rivals(profile: Profile, entry: ClassModel) -> Iterator[Text]:
    """Yield who takes the class's images, a line for each rival: what takes them in training comes first, uncut."""
    augmentations = {curve.perturbation for curve in profile.curves if curve.role is Role.AUGMENTATION}
    by_rival: dict[str, list[str]] = {}
    uncut: Counter[str] = Counter()
    for rival in sorted(entry.rivals, key=lambda rival: rival.perturbation not in augmentations):
        said = f"{percent(rival.share)} under {readable_name(rival.perturbation)}"
        by_rival.setdefault(rival.rival, []).append(said)
        uncut[rival.rival] += rival.perturbation in augmentations
    if by_rival:
        yield _heading("Rivals: which class takes its images, at the strongest value")
    for name, shares in by_rival.items():
        yield Text(f"{printable(name)}: {printable(listed(shares, max(_LISTED, uncut[name])))}")


def _pipeline(profile: Profile, at: int) -> Iterator[RenderableType]:
    """Yield what each step of the training transform costs the class, where a transform was measured."""
    found = profile.pipeline
    if found is None or not profile.classes[at].images:
        return
    yield _heading(f"Training transform {printable(found.spec)}: accuracy lost, points")
    table = borderless_table()
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAMES[1])
    table.add_column("drop", no_wrap=True)
    for step in found.steps:
        drop, low, high = (getattr(step.alone, key)[at] for key in ("drop", "low", "high"))
        table.add_row(Text(printable(step.name)), _range(drop, low, high))
    yield table


def _training(profile: Profile, at: int, width: int) -> Iterator[RenderableType]:
    """Yield what training would cost the class, and what trainings of a policy showed, where the profile has them."""
    if profile.forecast is not None:
        yield from _forecast(profile.forecast, profile.classes[at], at, width)
    if profile.verified is not None:
        yield from _verified(profile.verified, at)


def _forecast(forecast: ForecastModel, entry: ClassModel, at: int, width: int) -> Iterator[RenderableType]:
    yield _heading("Training (forecast): recall lost, points, mildest to strongest")
    narrow = width < _NARROW
    table = borderless_table(gap=1 if narrow else 2)
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAMES[0 if narrow else 1])
    for title in ("loss", "strongest", "budget", "")[: 2 if narrow else 4]:
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    budgets = forecast.budgets.get(entry.name, {})
    for name, loss in forecast.augmentations.items():
        row = _forecast_row(name, loss, at)
        budget = budgets.get(name)
        more = [budget_cell(budget), loss.flags[-1][at]] if not narrow else []
        table.add_row(*row, *more)
    yield table


def _forecast_row(name: str, loss: LossModel, at: int) -> list[Text | str]:
    values = [fixed(100 * row[at], 0) for row in loss.loss]
    strongest = _range(loss.loss[-1][at], loss.low[-1][at], loss.high[-1][at])
    return [Text(printable(readable_name(name))), " ".join(values), strongest]


def _verified(verified: VerifiedModel, at: int) -> Iterator[Text]:
    """Yield a line a policy: how the recall of the class changed, where that is known, and how all classes fared."""
    yield _heading(f"Verified by {counted(verified.seeds, 'training')} of each policy: its recall, then all classes")
    for name, found in verified.policies.items():
        harmed = f"{counted(found.over_tolerance, 'class')} lost more than the tolerance"
        all_classes = f"{percent(found.mean)} on average, worst class {percent(found.worst)}, {harmed}"
        yield Text(f"{printable(readable_name(name))}: {_gain(found, at)}{all_classes}")


def _gain(found: TrainedModel, at: int) -> str:
    """Return how the recall of a class changed, with a separator; empty without augmentation and in older files."""
    if found.policy is None or at >= len(found.gain):
        return ""
    gain, margin = found.gain[at], found.gain_margin[at] if at < len(found.gain_margin) else None
    if gain is None:
        return ""
    return f"{_signed(gain)}{'' if margin is None else f' ±{fixed(100 * margin, 0)}'} points; "


def _whole(share: float | None) -> str:
    return DASH if share is None else fixed(100 * share, 0)


def _signed(share: float) -> str:
    text = fixed(100 * share, 0)
    return text if text.startswith("\N{MINUS SIGN}") else f"+{text}"


def _range(value: float | None, low: float | None, high: float | None) -> str:
    """Return points with their interval, such as ``"12 [3, 20]"``."""
    if value is None:
        return DASH
    point = fixed(100 * value, 0)
    return point if low is None or high is None else f"{point} [{fixed(100 * low, 0)}, {fixed(100 * high, 0)}]"
