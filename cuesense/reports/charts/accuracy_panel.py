"""The chart of one perturbation over the whole dataset: accuracy against severity.

``html/profile.js`` draws the same chart for a single class, with the same sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from cuesense.arrays import Floats
from cuesense.reports.charts.curve_accuracies import Overview

# 100 of the 128 units of height are the plot, so that one unit is one percentage point; the margins hold the labels of
# both axes at the style sheet's 9.5 units.
_WIDTH, _HEIGHT = 216, 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 32, 10, 8, 20


def accuracy_panel(overview: Overview, ticks: Sequence[str], title: str) -> Markup:
    """Draw accuracy against severity: the classes' spread, their mean, and the worst class with its interval.

    Args:
        overview: The numbers of S severities.
        ticks: The S values as text.
        title: The chart's name for screen readers.

    Returns:
        A 216 x 128 graphic.
    """
    low, high = overview.spread
    band = f'<path class="band" d="{_line(high)}{_line(low, back=True)}Z"/>'
    clean = f'<path class="clean" d="M{_LEFT} {_y(overview.mean[0])}H{_WIDTH - _RIGHT}"/>'
    mean = f'<path class="mean" d="{_line(overview.mean)}"/>'
    marks = "".join(_worst_mark(severity, overview) for severity in range(len(overview.worst)))
    worst = f'<path class="worst" d="{_line(overview.worst)}"/>{marks}'
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    drawn = f"{_frame(['clean', *ticks])}{band}{clean}{worst}{mean}"
    return Markup(f'<svg class="panel" {size} role="img" aria-label="%s">{drawn}</svg>') % title


def _worst_mark(severity: int, overview: Overview) -> str:
    """Draw the worst class at one severity; the clean image has no whisker, which would hide the axis."""
    x = _x(severity, len(overview.worst))
    low, high = overview.worst_bounds[:, severity]
    whisker = f'<path class="whisker" d="M{x} {_y(low)}V{_y(high)}"/>' if severity > 0 else ""
    return f'{whisker}<circle class="worst" cx="{x}" cy="{_y(overview.worst[severity])}" r="2.2"/>'


def _frame(ticks: Sequence[str]) -> str:
    """Draw the grid at 0, 50 and 100 % and the values below it."""
    lines = "".join(f'<path class="grid" d="M{_LEFT} {_y(share)}H{_WIDTH - _RIGHT}"/>' for share in (0, 0.5, 1))
    shares = _texts((_LEFT - 5, float(_y(share)) + 3.5, f"{100 * share:g}", "end") for share in (0, 0.5, 1))
    below = ((float(_x(at, len(ticks))), _HEIGHT - 6, tick, "middle") for at, tick in enumerate(ticks))
    return lines + shares + _texts(below)


def _texts(placed: Iterable[tuple[float, float, str, str]]) -> str:
    return "".join(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>' for x, y, text, anchor in placed)


def _line(accuracy: Floats, *, back: bool = False) -> str:
    """Return a path from left to right, or its continuation from right to left."""
    points = [f"{_x(severity, len(accuracy))} {_y(share)}" for severity, share in enumerate(accuracy)]
    return ("L" if back else "M") + "L".join(reversed(points) if back else points)


def _x(severity: int, count: int) -> str:
    return f"{_LEFT + (_WIDTH - _LEFT - _RIGHT) * severity / max(count - 1, 1):.1f}"


def _y(share: float) -> str:
    return f"{_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - float(share)):.1f}"
