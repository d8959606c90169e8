"""The terminal's view of a verification: one row a policy, then how the forecast did and what leaks."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports import text
from cuesense.schemas.base import Estimate
from cuesense.schemas.verification import ArmResult, Verification

_SHOWN = 5
_NOTABLE = 0.05


def render(found: Verification) -> Group:
    """Return what a terminal shows.

    Args:
        found: The verification.

    Returns:
        A table and lines for rich.
    """
    seeds = len(found.seeds)
    limit = f"{100 * found.tolerance:g}"
    title = Text(
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}, {found.images:,} test images. Changes against no augmentation "
        f"in points, {100 * found.confidence:g} %; over: classes that lose more than {limit}; forecast: mean / worst"
    )
    lines = [Text(f"warning: {warning}", "yellow") for warning in found.warnings]
    return Group(title, Text(), _table(found), Text(), *_harm(found), _agreement(found), *_leaks(found), *lines)


def _table(found: Verification) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for heading in ("Policy", "Mean", "change", "Worst", "change", "Over", "Forecast"):
        table.add_column(heading, justify="left" if heading == "Policy" else "right", no_wrap=True)
    for arm in found.arms:
        table.add_row(*_row(arm))
    return table


def _row(arm: ArmResult) -> tuple[str, ...]:
    name = text.words(arm.name)
    if arm.same_as is not None:
        return (name, f"as {text.words(arm.same_as)}")
    forecast = text.DASH
    if arm.forecast_mean is not None and arm.forecast_worst is not None:
        forecast = f"{text.percent(arm.forecast_mean)} / {text.percent(arm.forecast_worst)}"
    over = str(len(arm.over_tolerance)) if arm.policy is not None else text.DASH
    return (
        name,
        text.percent(arm.mean),
        _change(arm.mean_change) if arm.policy else text.DASH,
        text.percent(arm.worst),
        f"{100 * arm.worst_change:+.1f}" if arm.policy else text.DASH,
        over,
        forecast,
    )


def _change(change: Estimate) -> str:
    if change.value is None:
        return text.DASH
    said = f"{100 * change.value:+.1f}"
    if change.low is None or change.high is None:
        return said
    return f"{said} ±{50 * (change.high - change.low):.1f}"


def _harm(found: Verification) -> list[Text]:
    limit = f"{100 * found.tolerance:g} points"
    return [
        Text(
            f"{text.words(arm.name)} ({arm.doses}): more than {limit} lost by {_some(arm.over_tolerance)} "
            f"({len(arm.surely_over)} of them for certain)"
        )
        for arm in found.arms
        if arm.same_as is None and arm.over_tolerance
    ]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(text.plain, names[:_SHOWN])) + more


def _agreement(found: Verification) -> Text:
    told = found.agreement
    if told.spearman is None or told.slope is None:
        return Text("The forecast cannot be compared: no two losses differ, or there is none.", "dim")
    auroc = text.DASH if told.auroc is None else f"{told.auroc:.2f}"
    return Text(
        f"Forecast against outcome over {told.pairs} pairs of class and policy: rank correlation {told.spearman:.2f}, "
        f"slope {told.slope:.2f}, mean error {100 * (told.error or 0.0):.1f} points, AUROC {auroc}"
    )


def _leaks(found: Verification) -> list[Text]:
    lines = []
    for arm in found.arms:
        leaking = [
            leak for leak in arm.leaks if (leak.excess.low or 0.0) > 0 and (leak.excess.value or 0.0) >= _NOTABLE
        ]
        if arm.leaks and arm.same_as is None:
            shown = ", ".join(f"{text.plain(leak.name)} {text.points(leak.excess.value)}" for leak in leaking[:_SHOWN])
            said = shown or "none is shown"
            lines.append(Text(f"Classes recognized by their augmentation, {text.words(arm.name)}: {said}"))
    return lines
