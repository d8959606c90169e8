"""The charts of an audit as inline SVG. Colors come from the page's style sheet through class names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from cuesense.reports import audit_text as words
from cuesense.reports import text
from cuesense.reports.charts.axes import STEP, Numbers, Plot, apart, known, limits, numbers, shown_ticks
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 480, 58, 208, 40, 50
_LETTER, _GAP, _MOST_NAMED, _MOST_GAINING, _FEW, _LONGEST = 7.2, 15.0, 14, 6, 12, 22
_DENSE = 40
_PANEL_WIDTH, _PANEL_HEIGHT, _PANEL_LETTER = 264, 148, 5.4


def curves(audit: Audit) -> Markup:
    """Draw the accuracy of every class against the strength, those that are harmed in front.

    Args:
        audit: The audit.

    Returns:
        A 960 x 480 graphic.
    """
    everything = [*(value for entry in audit.classes for value in entry.accuracy), *audit.mean_low, *audit.mean_high]
    low, high = limits(everything)
    plot = Plot(_LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM, low, high, len(audit.strengths))
    harmed, gaining = words.harmed(audit), words.gaining(audit)
    named, labels = _labels(audit, plot, harmed, gaining)
    gains = [entry for entry in gaining if not entry.harmed]
    rest = [entry for entry in audit.classes if not entry.harmed and not entry.gains]
    parts = [
        *_frame(audit, plot),
        _lines(plot, rest, "rest", named),
        Markup('<path class="average-band" d="%s"/>') % plot.band(audit.mean_low, audit.mean_high),
        _lines(plot, gains, "gains", named),
        *_marks(audit, plot),
        Markup('<path class="halo" d="%s"/>') % plot.line(audit.mean_accuracy),
        Markup('<path class="mean" d="%s"/>') % plot.line(audit.mean_accuracy),
        _lines(plot, harmed[::-1], "harmed", named),
        *(_dot(audit, plot, entry) for entry in harmed if entry.index in named),
        *labels,
    ]
    size = f"0 0 {_WIDTH} {_HEIGHT}"
    title = f"Accuracy of {words.counted(len(audit.classes), 'class')} against {text.plain(audit.regularizer)}"
    return Markup(
        '<svg class="curves" viewBox="%s" role="img" aria-labelledby="curves-name curves-said">'
        '<title id="curves-name">%s</title><desc id="curves-said">%s</desc>%s</svg>'
    ) % (size, title, f"{words.headline(audit)} {_averages(audit)}", Markup("").join(parts))


def _averages(audit: Audit) -> str:
    pairs = zip(audit.strengths, audit.mean_accuracy, strict=True)
    return "Average: " + ", ".join(f"{words.strength(value)} {text.percent(mean)}" for value, mean in pairs) + "."


def _lines(plot: Plot, entries: Sequence[ClassAudit], kind: str, named: set[int]) -> Markup:
    """Draw one line a class; where there are many, those without a label step back."""
    dense = " dense" if len(entries) > _DENSE else ""
    lines = [
        Markup('<path class="%s" d="%s"><title>%s</title></path>')
        % ("named" if entry.index in named else "", plot.line(entry.accuracy), entry.name)
        for entry in entries
        if known(entry.accuracy)
    ]
    return Markup('<g class="%s">%s</g>') % (kind + dense, Markup("").join(lines).replace(' class=""', ""))


def _dot(audit: Audit, plot: Plot, entry: ClassAudit) -> Markup:
    """Draw where a class is at the best average."""
    at = words.chosen(audit)
    share = entry.accuracy[at]
    if share is None:
        return Markup("")
    return Markup('<circle class="at" cx="%s" cy="%s" r="3"/>') % (plot.x(at), plot.y(share))


def _frame(audit: Audit, plot: Plot) -> list[Markup]:
    """Draw the grid and both axes."""
    rows = [
        Markup('<path class="grid" d="M%s %sH%s"/><text x="%s" y="%s" text-anchor="end">%s</text>')
        % (_LEFT, plot.y(share), plot.right, _LEFT - 10, plot.y(share) + 4, said)
        for share, said in _ticks(plot)
    ]
    name = Markup('<text x="%s" y="%s" text-anchor="middle">%s, mild → strong</text>') % (
        (plot.left + plot.right) / 2,
        _HEIGHT - 6,
        _short(text.plain(audit.regularizer), 60),
    )
    return [*rows, *_strengths(audit, plot), name]


def _strengths(audit: Audit, plot: Plot) -> list[Markup]:
    labels = [_short(words.strength(value), 14) for value in audit.strengths]
    step = (plot.right - plot.left) / max(plot.count - 1, 1)
    marked = [choice.place for choice in words.choices(audit) if choice.place is not None]
    first = list(dict.fromkeys(marked))
    return [
        Markup('<text class="strength" x="%s" y="%s" text-anchor="middle">%s</text>')
        % (plot.x(place), plot.bottom + 20, labels[place])
        for place in shown_ticks(labels, step, _LETTER, first)
    ]


def _ticks(plot: Plot) -> list[tuple[float, str]]:
    """Return accuracies and what stands beside them; the highest carries the unit."""
    extent = plot.high - plot.low
    step = 0.05 if extent <= 0.25 else 0.1 if extent <= 0.7 else 0.2
    first, last = math.ceil(round(plot.low / step, 6)), math.floor(round(plot.high / step, 6))
    units = {last: "\N{NO-BREAK SPACE}%"}
    return [(round(step * at, 6), f"{100 * step * at:.0f}{units.get(at, '')}") for at in range(first, last + 1)]


def _marks(audit: Audit, plot: Plot) -> list[Markup]:
    """Draw a line at the strength with the best average, and at the safe one."""
    best, safe = words.chosen(audit), audit.chosen_safe
    if safe is None:
        return [_mark(plot, best, "chosen", "best average", 14)]
    if safe == audit.chosen_by_mean:
        return [_mark(plot, best, "chosen", "best average, safe", 14)]
    at = audit.strengths.index(safe)
    return [_mark(plot, best, "chosen", "best average", 14), _mark(plot, at, "safe", "safe", 28)]


def _mark(plot: Plot, place: int, kind: str, said: str, y: int) -> Markup:
    return Markup('<g class="mark %s"><path d="M%s %sV%s"/><text x="%s" y="%s" text-anchor="middle">%s</text></g>') % (
        kind,
        plot.x(place),
        y + 5,
        plot.bottom,
        plot.x(place),
        y,
        said,
    )


def _labels(
    audit: Audit, plot: Plot, harmed: Sequence[ClassAudit], gaining: Sequence[ClassAudit]
) -> tuple[set[int], list[Markup]]:
    """Return which classes have a label, and all labels, beside the strong ends of the lines."""
    found = [(entry, "harmed", f"▼ −{words.points(entry.loss)}") for entry in harmed[:_MOST_NAMED]]
    few = len(audit.classes) <= _FEW
    gains = [entry for entry in gaining if not entry.harmed][: _FEW if few else _MOST_GAINING]
    found += [(entry, "gains", f"▲ +{words.points(entry.gain)}") for entry in gains]
    if few:
        found += [(entry, "rest", "") for entry in audit.classes if not entry.harmed and not entry.gains]
    ends = [(entry, kind, said, _end(entry.accuracy)) for entry, kind, said in found]
    shown = [(entry.index, entry.name, kind, said, end) for entry, kind, said, end in ends if end is not None]
    shown.append((-1, "average", "overall", "", audit.mean_accuracy[-1]))
    wanted = [plot.y(end) for *_, end in shown]
    places = apart(wanted, _GAP, _TOP, plot.bottom)
    drawn = [
        _label(plot, name, kind, said, line, place)
        for (_, name, kind, said, _), line, place in zip(shown, wanted, places, strict=True)
    ]
    return {index for index, *_ in shown}, drawn


def _label(plot: Plot, name: str, kind: str, said: str, line: float, place: float) -> Markup:
    right = plot.right
    return Markup(
        '<g class="label %s"><path d="M%s %sL%s %s"/><text x="%s" y="%s">'
        '<tspan class="name">%s</tspan> <tspan>%s</tspan></text></g>'
    ) % (kind, right + 3, line, right + 15, place, right + 19, place + 4, _short(text.plain(name), _LONGEST), said)


def _end(values: Numbers) -> float | None:
    """Return the last value that a label can stand beside."""
    return values[-1] if values else None


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


def span(entries: Sequence[ClassAudit]) -> float:
    """Return how much of the scale every panel shows, so that losses can be compared between panels."""
    needed = [max(_extent(entry)) - _floor(entry) for entry in entries]
    return min(max(math.ceil(round(max(needed, default=0.0) / STEP, 6)) * STEP, 2 * STEP), 1.0)


def _extent(entry: ClassAudit) -> list[float]:
    return numbers([*entry.accuracy, *entry.accuracy_low, *entry.accuracy_high])


def _floor(entry: ClassAudit) -> float:
    return math.floor(round(min(_extent(entry)) / (STEP / 2), 6)) * STEP / 2


def panel(audit: Audit, entry: ClassAudit, height: float) -> Markup:
    """Draw one harmed class: its accuracy with interval, its best strength, and what it loses at the best average.

    Args:
        audit: The audit.
        entry: The class.
        height: How much of the scale is shown, from ``span``.

    Returns:
        A 264 x 148 graphic.
    """
    low = round(min(_floor(entry), 1 - height), 6)
    plot = Plot(30, _PANEL_WIDTH - 12, 10, _PANEL_HEIGHT - 20, low, low + height, len(audit.strengths))
    label = f"{text.plain(entry.name)} loses {words.bounded_points(entry.loss, entry.low, entry.high)}"
    pairs = zip(audit.strengths, entry.accuracy, strict=True)
    said = ", ".join(f"{words.strength(value)} {text.percent(share)}" for value, share in pairs)
    parts = [
        *_panel_frame(audit, entry, plot),
        Markup('<path class="band" d="%s"/>') % plot.band(entry.accuracy_low, entry.accuracy_high),
        Markup('<path class="own" d="%s"/>') % plot.line(entry.accuracy),
        _fall(audit, entry, plot),
    ]
    return Markup('<svg class="panel" viewBox="0 0 %s %s" role="img" aria-label="%s. Accuracy: %s">%s</svg>') % (
        _PANEL_WIDTH,
        _PANEL_HEIGHT,
        label,
        said,
        Markup("").join(parts),
    )


def _panel_frame(audit: Audit, entry: ClassAudit, plot: Plot) -> list[Markup]:
    rows = [
        Markup('<path class="grid" d="M%s %sH%s"/><text x="%s" y="%s" text-anchor="end">%s</text>')
        % (plot.left, plot.y(share), plot.right, plot.left - 5, plot.y(share) + 3.5, f"{100 * share:g}")
        for share in (round(plot.low + (plot.high - plot.low) * part, 6) for part in (0, 0.5, 1))
    ]
    labels = [_short(words.strength(value), 12) for value in audit.strengths]
    first = [words.chosen(audit), *(_place(audit, entry))]
    step = (plot.right - plot.left) / max(plot.count - 1, 1)
    ticks = [
        Markup('<text x="%s" y="%s" text-anchor="middle">%s</text>') % (plot.x(place), _PANEL_HEIGHT - 6, labels[place])
        for place in shown_ticks(labels, step, _PANEL_LETTER, first)
    ]
    return rows + ticks


def _place(audit: Audit, entry: ClassAudit) -> list[int]:
    return [] if entry.best_strength is None else [audit.strengths.index(entry.best_strength)]


def _fall(audit: Audit, entry: ClassAudit, plot: Plot) -> Markup:
    """Draw the way down from a class's best strength to the best average."""
    at = words.chosen(audit)
    after = entry.accuracy[at]
    falls = [(best, entry.accuracy[best]) for best in _place(audit, entry)]
    drawn = [
        Markup(
            '<path class="level" d="M%s %sH%s"/><path class="fall" d="M%s %sV%s"/>'
            '<circle class="best" cx="%s" cy="%s" r="3.4"/><circle class="now" cx="%s" cy="%s" r="3.4"/>'
        )
        % (
            *(plot.x(best), plot.y(before), plot.x(at), plot.x(at), plot.y(before), plot.y(after)),
            *(plot.x(best), plot.y(before), plot.x(at), plot.y(after)),
        )
        for best, before in falls
        if before is not None and after is not None
    ]
    return Markup("").join(drawn)


def spark(audit: Audit, entry: ClassAudit, height: float) -> Markup:
    """Draw a class's curve as small as a word, with a dot at the best average.

    Args:
        audit: The audit.
        entry: The class; without images nothing is drawn.
        height: How much of the scale is shown, from ``reach``.
    """
    given, after = numbers(entry.accuracy), entry.accuracy[words.chosen(audit)]
    if not given or after is None:
        return Markup("")
    middle = (min(given) + max(given)) / 2
    plot = Plot(3, 87, 3, 21, middle - height / 2, middle + height / 2, len(audit.strengths))
    dot = Markup('<circle cx="%s" cy="%s" r="2.4"/>') % (f"{plot.x(words.chosen(audit)):g}", f"{plot.y(after):g}")
    return Markup('<svg class="spark" viewBox="0 0 90 24" aria-hidden="true"><path d="%s"/>%s</svg>') % (
        plot.line(entry.accuracy),
        dot,
    )


def reach(entries: Sequence[ClassAudit]) -> float:
    """Return the largest difference between two strengths of one class, for all sparks together."""
    ranges = [max(given) - min(given) for given in (numbers(entry.accuracy) for entry in entries) if given]
    return max(max(ranges, default=0.0), STEP)


def interval(part: CueHarm, cues: Sequence[CueHarm], beyond: bool) -> Markup:
    """Draw the mean loss of one cue's classes at the best average.

    Args:
        part: The cue.
        cues: All of them, for a common scale.
        beyond: Whether to draw that at the strongest strength below it.
    """
    ends = numbers(
        value
        for one in cues
        for value in (one.loss, one.low, one.high, one.loss_at_strongest, one.strongest_low, one.strongest_high, 0.0)
    )
    low, high = min(ends), max(*ends, min(ends) + 0.01)

    def x(value: float) -> str:
        return f"{round(6 + 188 * (value - low) / (high - low), 1):g}"

    rows = [(11 if beyond else 18, "now", part.loss, part.low, part.high)]
    if beyond:
        rows.append((25, "end", part.loss_at_strongest, part.strongest_low, part.strongest_high))
    drawn = [
        Markup("%s<circle class='%s' cx='%s' cy='%s' r='3.6'/>")
        % (
            Markup("") if lower is None or upper is None else Markup('<path d="M%s %sH%s"/>') % (x(lower), y, x(upper)),
            kind,
            x(value),
            y,
        )
        for y, kind, value, lower, upper in rows
    ]
    return Markup('<svg class="interval %s" viewBox="0 0 200 36" aria-hidden="true">%s%s</svg>') % (
        part.cue.value,
        Markup('<path class="zero" d="M%s 0V36"/>') % x(0.0),
        Markup("").join(drawn),
    )
