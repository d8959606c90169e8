"""A verification for the terminal: one row a policy, the classes that lost accuracy, and how the forecast did."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports.terminal.parts import borderless_table, warning_lines
from cuesense.reports.text import DASH, counted, listed, percent, points, points_with_unit, printable, readable_name
from cuesense.reports.verification_text import agreement_sentence, headline, nothing_learned, rival_sentences, weaker
from cuesense.schemas.base import Estimate
from cuesense.schemas.verification import ArmResult, Leak, Verification

# Five names keep the line of a policy within two lines of 100 columns; verify.json has all.
_LISTED = 5

# A class is named as recognized by its augmentation from an excess of 5 points on: the default tolerance of a budget,
# as a class may be expected to lose at most that much anyhow (chosen by hand, not tuned).
_NOTABLE_EXCESS = 0.05


def render(found: Verification) -> Group:
    """Return what a terminal shows.

    Args:
        found: The verification.

    Returns:
        A table and lines for rich.
    """
    said = nothing_learned(found)
    # What networks that guess gain and lose is no result to be listed.
    results = (
        [] if said else [*_losing_classes(found), *map(Text, rival_sentences(found)), _agreement(found), *_leaks(found)]
    )
    return Group(
        *warning_lines([said] if said else []),
        *(Text(f"{sentence}\n") for sentence in headline(found)[:1]),
        Text(_scope(found)),
        *([Text(weaker(found))] if weaker(found) and not said else []),
        Text(),
        _table(found),
        Text(),
        *results,
        *warning_lines(warning for warning in found.warnings if warning != said),
    )


def _scope(found: Verification) -> str:
    scale = f"{counted(len(found.seeds), 'seed')}, {found.images:,} test images"
    change = f"Change: points against no augmentation, with {100 * found.confidence:g}\N{NO-BREAK SPACE}% intervals"
    limit = f"{100 * found.tolerance:g}"
    return f"{scale}. {change}. Over: classes that lose more than {limit} points. Forecast: mean / worst class."


def _table(found: Verification) -> Table:
    table = borderless_table(gap=1)
    for heading in ("Policy", "Mean", "change", "Worst", "change", "Over", "Forecast"):
        table.add_column(heading, justify="left" if heading == "Policy" else "right", no_wrap=True)
    for arm in found.arms:
        table.add_row(*_row(arm))
    return table


def _row(arm: ArmResult) -> tuple[str, ...]:
    name = readable_name(arm.name)
    if arm.same_as is not None:
        return (name, f"as {readable_name(arm.same_as)}")
    return (
        name,
        percent(arm.mean),
        _change(arm.mean_change) if arm.policy else DASH,
        percent(arm.worst),
        f"{100 * arm.worst_change:+.1f}" if arm.policy else DASH,
        str(len(arm.over_tolerance)) if arm.policy is not None else DASH,
        _forecast(arm),
    )


def _forecast(arm: ArmResult) -> str:
    if arm.forecast_mean is None or arm.forecast_worst is None:
        return DASH
    return f"{percent(arm.forecast_mean)} / {percent(arm.forecast_worst)}"


def _change(change: Estimate) -> str:
    if change.value is None:
        return DASH
    difference = f"{100 * change.value:+.1f}"
    if change.low is None or change.high is None:
        return difference
    half = (change.high - change.low) / 2
    return f"{difference} ±{points(half)}"


def _losing_classes(found: Verification) -> list[Text]:
    limit = f"{100 * found.tolerance:g} points"
    return [
        Text(
            f"{readable_name(arm.name)} ({arm.doses}): more than {limit} lost by "
            f"{listed(list(map(printable, arm.over_tolerance)), _LISTED)} ({len(arm.surely_over)} of them for certain)"
        )
        for arm in found.arms
        if arm.same_as is None and arm.over_tolerance
    ]


def _agreement(found: Verification) -> Text:
    sentence = agreement_sentence(found)
    if not sentence:
        return Text("The forecast cannot be compared: no two losses differ, or there is none.", "dim")
    return Text(sentence)


def _leaks(found: Verification) -> list[Text]:
    lines = []
    for arm in found.arms:
        if arm.leaks and arm.same_as is None:
            notable = [f"{printable(leak.name)} {points_with_unit(leak.excess.value)}" for leak in _notable(arm.leaks)]
            shown = ", ".join(notable[:_LISTED]) or "none is shown"
            lines.append(Text(f"Classes recognized by their augmentation, {readable_name(arm.name)}: {shown}"))
    return lines


def _notable(leaks: list[Leak]) -> list[Leak]:
    """Return those whose excess is certain (the interval lies above 0) and large."""
    return [leak for leak in leaks if (leak.excess.low or 0.0) > 0 and (leak.excess.value or 0.0) >= _NOTABLE_EXCESS]
