"""The mean loss of the classes that rely on one cue, as a dot with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from cuesense.reports.charts.axes import known_values
from cuesense.reports.text import css_class
from cuesense.schemas.audit import CueHarm

_WIDTH, _HEIGHT, _MARGIN = 200, 36, 6

# Where all losses and bounds are 0 the scale still needs some length: one point.
_LEAST_EXTENT = 0.01


def loss_interval(part: CueHarm, cues: Sequence[CueHarm], *, with_strongest: bool) -> Markup:
    """Draw the mean loss of one cue's classes at the best mean accuracy.

    Args:
        part: The cue.
        cues: All of them, for a common scale.
        with_strongest: Whether to draw the loss at the strongest strength below it.

    Returns:
        A 200 x 36 graphic.
    """
    x = _scale(cues)
    rows = [_row(x, 11 if with_strongest else 18, "now", (part.loss, part.low, part.high))]
    if with_strongest:
        rows.append(_row(x, 25, "end", (part.loss_at_strongest, part.strongest_low, part.strongest_high)))
    return Markup('<svg class="interval %s" viewBox="0 0 %s %s" aria-hidden="true">%s%s</svg>') % (
        *(css_class(part.cue), _WIDTH, _HEIGHT),
        Markup('<path class="zero" d="M%s 0V%s"/>') % (x(0.0), _HEIGHT),
        Markup("").join(rows),
    )


def _scale(cues: Sequence[CueHarm]) -> Callable[[float], str]:
    ends = known_values(
        value
        for one in cues
        for value in (one.loss, one.low, one.high, one.loss_at_strongest, one.strongest_low, one.strongest_high, 0.0)
    )
    low, high = min(ends), max(*ends, min(ends) + _LEAST_EXTENT)
    return lambda loss: f"{round(_MARGIN + (_WIDTH - 2 * _MARGIN) * (loss - low) / (high - low), 1):g}"


def _row(x: Callable[[float], str], y: int, kind: str, loss: tuple[float, float | None, float | None]) -> Markup:
    value, low, high = loss
    line = Markup("") if low is None or high is None else Markup('<path d="M%s %sH%s"/>') % (x(low), y, x(high))
    return Markup('%s<circle class="%s" cx="%s" cy="%s" r="3.6"/>') % (line, kind, x(value), y)
