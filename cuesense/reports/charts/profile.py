"""Small charts as inline SVG. Colors come from the page's style sheet through class names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from cuesense.reports.charts.curves import Floats, Overview
from cuesense.reports.text import GLYPHS, bounded
from cuesense.schemas.base import Estimate
from cuesense.types import Cue, CueVerdict

_BAR_LEFT, _BAR_WIDTH, _BAR_PITCH = 13, 107, 12
_PANEL_WIDTH, _PANEL_HEIGHT = 216, 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 32, 10, 8, 20


def evidence(reliance: Mapping[Cue, Estimate]) -> Markup:
    """Draw one bar a cue from 0 to 1, with a whisker where the bounds are known.

    Args:
        reliance: The class's evidence; what lies outside [0, 1] is drawn at the border.

    Returns:
        A 120 x 36 graphic with the numbers as its title.
    """
    known = {cue: reliance[cue] for cue in Cue if cue in reliance}
    said = ", ".join(f"{cue.value} {bounded(part.value, part.low, part.high)}" for cue, part in known.items())
    bars = "".join(_bar(cue, part, _BAR_PITCH * row) for row, (cue, part) in enumerate(known.items()))
    return Markup(f'<svg class="evidence" viewBox="0 0 121 36" role="img"><title>{said}</title>{bars}</svg>')


def _bar(cue: Cue, part: Estimate, top: int) -> str:
    letter = f'<text x="0" y="{top + 9}">{GLYPHS[CueVerdict(cue.value)]}</text>'
    track = f'<path class="track" d="M{_BAR_LEFT} {top + 6}h{_BAR_WIDTH}"/>'
    if part.value is None:
        return letter + track
    end = _along(part.value) - _BAR_LEFT
    bar = f'<path class="{cue.value}" d="M{_BAR_LEFT} {top + 2}h{end:.4g}v7h-{end:.4g}z"/>'
    return letter + track + bar + _whisker(part, top + 6)


def _whisker(part: Estimate, y: int) -> str:
    if part.low is None or part.high is None:
        return ""
    low, high = _along(part.low), _along(part.high)
    return f'<path class="whisker" d="M{low:.4g} {y}H{high:.4g}M{low:.4g} {y - 2}v4M{high:.4g} {y - 2}v4"/>'


def _along(share: float) -> float:
    return _BAR_LEFT + _BAR_WIDTH * min(max(share, 0.0), 1.0)


def label_bar(labels: Mapping[CueVerdict, int]) -> Markup:
    """Draw how many classes have each label as one stacked bar, in the order of CueLabel.

    Args:
        labels: Number of classes a label.

    Returns:
        A graphic as wide as its place; empty labels take no room.
    """
    counts = {label: labels.get(label, 0) for label in CueVerdict}
    total = max(sum(counts.values()), 1)
    said = ", ".join(f"{label.value} {count}" for label, count in counts.items() if count)
    parts, start = [], 0.0
    for label, count in counts.items():
        width = 100 * count / total
        if count:
            parts.append(f'<rect class="{label.value}" x="{start:.4g}%" width="{width:.4g}%" height="100%"/>')
        start += width
    return Markup(f'<svg class="stack" role="img"><title>{said or "no classes"}</title>{"".join(parts)}</svg>')


def panel(overview: Overview, ticks: Sequence[str], title: str) -> Markup:
    """Draw accuracy against severity: the classes' spread, their mean, and the worst class with its interval.

    Args:
        overview: The numbers of S severities.
        ticks: The S doses as text.
        title: What a screen reader says.

    Returns:
        A 216 x 128 graphic.
    """
    low, high = overview.spread
    band = f'<path class="band" d="{_line(high)}{_line(low, back=True)}Z"/>'
    clean = f'<path class="clean" d="M{_LEFT} {_y(overview.mean[0])}H{_PANEL_WIDTH - _RIGHT}"/>'
    mean = f'<path class="mean" d="{_line(overview.mean)}"/>'
    marks = "".join(_mark(index, overview) for index in range(len(overview.worst)))
    worst = f'<path class="worst" d="{_line(overview.worst)}"/>{marks}'
    size = f'viewBox="0 0 {_PANEL_WIDTH} {_PANEL_HEIGHT}"'
    drawn = f"{_frame(['clean', *ticks])}{band}{clean}{worst}{mean}"
    return Markup(f'<svg class="panel" {size} role="img" aria-label="%s">{drawn}</svg>') % title


def _mark(index: int, overview: Overview) -> str:
    x, last = _x(index, len(overview.worst)), len(overview.worst) - 1
    low, high = overview.worst_bounds[:, index]
    whisker = f'<path class="whisker" d="M{x} {_y(low)}V{_y(high)}"/>' if 0 < index <= last else ""
    return f'{whisker}<circle class="worst" cx="{x}" cy="{_y(overview.worst[index])}" r="2.2"/>'


def _frame(ticks: Sequence[str]) -> str:
    """Draw the grid at 0, 50 and 100 % and the doses below it."""
    lines = "".join(f'<path class="grid" d="M{_LEFT} {_y(share)}H{_PANEL_WIDTH - _RIGHT}"/>' for share in (0, 0.5, 1))
    shares = _labels((_LEFT - 5, float(_y(share)) + 3.5, f"{100 * share:g}", "end") for share in (0, 0.5, 1))
    places = ((float(_x(index, len(ticks))), _PANEL_HEIGHT - 6, tick, "middle") for index, tick in enumerate(ticks))
    return lines + shares + _labels(places)


def _labels(places: Iterable[tuple[float, float, str, str]]) -> str:
    return "".join(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>' for x, y, text, anchor in places)


def _line(accuracy: Floats, *, back: bool = False) -> str:
    """Return a path from left to right, or its continuation from right to left."""
    points = [f"{_x(index, len(accuracy))} {_y(share)}" for index, share in enumerate(accuracy)]
    return ("L" if back else "M") + "L".join(reversed(points) if back else points)


def _x(index: int, count: int) -> str:
    return f"{_LEFT + (_PANEL_WIDTH - _LEFT - _RIGHT) * index / max(count - 1, 1):.1f}"


def _y(share: float) -> str:
    return f"{_TOP + (_PANEL_HEIGHT - _TOP - _BOTTOM) * (1 - float(share)):.1f}"
