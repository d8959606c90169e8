"""The charts of one class of an audit: a panel for a harmed class, and a small curve for its row in the table."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cuesense.reports.audit_text import loss_in_points, strength_text
from cuesense.reports.audit_view import AuditView
from cuesense.reports.charts.axes import STEP, Plot, above, below, known_values
from cuesense.reports.charts.labels import fitting_ticks, shortened
from cuesense.reports.text import percent, printable
from cuesense.schemas.audit import ClassAudit

# About as wide as a panel is on the page (15 rem or more), so that a unit is about a pixel.
_WIDTH, _HEIGHT = 264, 148

# Mean width of a letter at the style sheet's 9.5 px, and the longest label of a strength.
_LETTER, _STRENGTH_NAME = 5.4, 12

# As high as a line of the table, with room for the dot's radius at each border.
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 90, 24, 3


def panel_extent(entries: Sequence[ClassAudit]) -> float:
    """Return how much of the scale every panel shows, so that losses can be compared between panels.

    Args:
        entries: The classes that have a panel.

    Returns:
        A multiple of 0.1 in [0.2, 1].
    """
    needed = [max(_drawn_accuracies(entry)) - _scale_start(entry) for entry in entries]
    return min(max(above(max(needed, default=0.0), STEP), 2 * STEP), 1.0)


def _drawn_accuracies(entry: ClassAudit) -> list[float]:
    return known_values([*entry.accuracy, *entry.accuracy_low, *entry.accuracy_high])


def _scale_start(entry: ClassAudit) -> float:
    return below(min(_drawn_accuracies(entry)), STEP / 2)


def class_panel(view: AuditView, entry: ClassAudit, extent: float) -> Markup:
    """Draw one harmed class: its accuracy with interval, its best strength, and its loss at the best mean accuracy.

    Args:
        view: The audit.
        entry: The class.
        extent: How much of the scale is shown, from ``panel_extent``.

    Returns:
        A 264 x 148 graphic.
    """
    low = round(min(_scale_start(entry), 1 - extent), 6)
    plot = Plot(30, _WIDTH - 12, 10, _HEIGHT - 20, low, low + extent, len(view.audit.strengths))
    title = f"{printable(entry.name)} loses {loss_in_points(entry.loss, entry.low, entry.high)}"
    pairs = zip(view.audit.strengths, entry.accuracy, strict=True)
    accuracies = ", ".join(f"{strength_text(strength)} {percent(share)}" for strength, share in pairs)
    parts = [
        *_frame(view, entry, plot),
        Markup('<path class="band" d="%s"/>') % plot.band(entry.accuracy_low, entry.accuracy_high),
        Markup('<path class="own" d="%s"/>') % plot.line(entry.accuracy),
        _loss_arrow(view, entry, plot),
    ]
    return Markup('<svg class="panel" viewBox="0 0 %s %s" role="img" aria-label="%s. Accuracy: %s">%s</svg>') % (
        *(_WIDTH, _HEIGHT, title, accuracies),
        Markup("").join(parts),
    )


def _frame(view: AuditView, entry: ClassAudit, plot: Plot) -> list[Markup]:
    shares = [round(plot.low + (plot.high - plot.low) * part, 6) for part in (0, 0.5, 1)]
    rows = [
        Markup('<path class="grid" d="M%s %sH%s"/><text x="%s" y="%s" text-anchor="end">%s</text>')
        % (plot.left, plot.y(share), plot.right, plot.left - 5, plot.y(share) + 3.5, f"{100 * share:g}")
        for share in shares
    ]
    labels = [shortened(strength_text(strength), _STRENGTH_NAME) for strength in view.audit.strengths]
    own_best = view.best_of_class[entry.index]
    first = [view.best] if own_best is None else [view.best, own_best]
    ticks = [
        Markup('<text x="%s" y="%s" text-anchor="middle">%s</text>') % (plot.x(index), _HEIGHT - 6, labels[index])
        for index in fitting_ticks(labels, plot.step, _LETTER, first)
    ]
    return rows + ticks


def _loss_arrow(view: AuditView, entry: ClassAudit, plot: Plot) -> Markup:
    """Draw the way down from a class's own best strength to the best mean accuracy."""
    own_best, after = view.best_of_class[entry.index], entry.accuracy[view.best]
    before = None if own_best is None else entry.accuracy[own_best]
    if own_best is None or before is None or after is None:
        return Markup("")
    start, end, top, bottom = plot.x(own_best), plot.x(view.best), plot.y(before), plot.y(after)
    return Markup(
        '<path class="level" d="M%s %sH%s"/><path class="fall" d="M%s %sV%s"/>'
        '<circle class="best" cx="%s" cy="%s" r="3.4"/><circle class="now" cx="%s" cy="%s" r="3.4"/>'
    ) % (*(start, top, end), *(end, top, bottom), *(start, top), *(end, bottom))


def sparkline(view: AuditView, entry: ClassAudit, extent: float) -> Markup:
    """Draw a class's curve as small as a word, with a dot at the best mean accuracy.

    Args:
        view: The audit.
        entry: The class; without images nothing is drawn.
        extent: How much of the scale is shown, from ``sparkline_extent``.

    Returns:
        A 90 x 24 graphic.
    """
    known, after = known_values(entry.accuracy), entry.accuracy[view.best]
    if not known or after is None:
        return Markup("")
    middle = (min(known) + max(known)) / 2
    ends = (_SPARK_MARGIN, _SPARK_WIDTH - _SPARK_MARGIN, _SPARK_MARGIN, _SPARK_HEIGHT - _SPARK_MARGIN)
    plot = Plot(*ends, middle - extent / 2, middle + extent / 2, len(view.audit.strengths))
    dot = Markup('<circle cx="%s" cy="%s" r="2.4"/>') % (f"{plot.x(view.best):g}", f"{plot.y(after):g}")
    return Markup('<svg class="spark" viewBox="0 0 %s %s" aria-hidden="true"><path d="%s"/>%s</svg>') % (
        *(_SPARK_WIDTH, _SPARK_HEIGHT),
        *(plot.line(entry.accuracy), dot),
    )


def sparkline_extent(entries: Sequence[ClassAudit]) -> float:
    """Return the largest difference between two strengths of one class, at least 0.1: the scale of all small curves."""
    ranges = [max(known) - min(known) for known in (known_values(entry.accuracy) for entry in entries) if known]
    return max(max(ranges, default=0.0), STEP)
