"""The main chart of an audit: the accuracy of every class against the strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cuesense.reports.audit_text import headline, strength_text
from cuesense.reports.audit_view import AuditView
from cuesense.reports.charts.axes import Plot, above, below, known_stretches, scale_limits
from cuesense.reports.charts.labels import fitting_ticks, moved_apart, shortened
from cuesense.reports.text import counted, percent, points, printable
from cuesense.schemas.audit import ClassAudit

# 960 units are about the width of a page; the right margin holds names of 22 letters with their loss.
_WIDTH, _HEIGHT = 960, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 208, 40, 50

# Mean width of a letter and distance of two lines of text, at the style sheet's 12 px in the system's sans-serif font.
_LETTER, _LINE = 7.2, 15.0

# Longest labels: a class beside its line, a strength below the axis, the regularizer below these.
_CLASS_NAME, _STRENGTH_NAME, _REGULARIZER_NAME = 22, 14, 60

# 14 + 6 labels and that of the mean, 15 units each, fit beside the plot's 390 units of height and leave some room.
_MOST_HARMED, _MOST_GAINING = 14, 6

# Up to so many classes each line is named.
_FEW_CLASSES = 12

# Above so many lines of one kind those without a label are drawn fainter, so that the named ones can be followed.
_DENSE = 40


@dataclass(frozen=True)
class _Label:
    """A name beside the strong end of a line; index is the class's, None for the mean."""

    index: int | None
    name: str
    kind: str
    change: str
    accuracy: float


def audit_curves(view: AuditView) -> Markup:
    """Draw the accuracy of every class against the strength, those that are harmed in front.

    Args:
        view: The audit.

    Returns:
        A 960 x 480 graphic.
    """
    audit, plot, labels = view.audit, _plot(view), _labels(view)
    named = {label.index for label in labels}
    gaining = [entry for entry in view.gaining if not entry.harmed]
    rest = [entry for entry in audit.classes if not entry.harmed and not entry.gains]
    parts = [
        *_frame(view, plot),
        _lines(plot, rest, "rest", named),
        Markup('<path class="average-band" d="%s"/>') % plot.band(audit.mean_low, audit.mean_high),
        _lines(plot, gaining, "gains", named),
        *_choice_marks(view, plot),
        Markup('<path class="halo" d="%s"/>') % plot.line(audit.mean_accuracy),
        Markup('<path class="mean" d="%s"/>') % plot.line(audit.mean_accuracy),
        _lines(plot, view.harmed[::-1], "harmed", named),
        *(_dot(view, plot, entry) for entry in view.harmed if entry.index in named),
        *_drawn_labels(plot, labels),
    ]
    title = f"Accuracy of {counted(len(audit.classes), 'class')} against {printable(audit.regularizer)}"
    return Markup(
        '<svg class="curves" viewBox="%s" role="img" aria-labelledby="curves-name curves-description">'
        '<title id="curves-name">%s</title><desc id="curves-description">%s</desc>%s</svg>'
    ) % (f"0 0 {_WIDTH} {_HEIGHT}", title, f"{headline(view)} {_mean_accuracies(view)}", Markup("").join(parts))


def _plot(view: AuditView) -> Plot:
    audit = view.audit
    drawn = [*(value for entry in audit.classes for value in entry.accuracy), *audit.mean_low, *audit.mean_high]
    return Plot(_LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM, *scale_limits(drawn), len(audit.strengths))


def _mean_accuracies(view: AuditView) -> str:
    pairs = zip(view.audit.strengths, view.audit.mean_accuracy, strict=True)
    return f"Mean accuracy: {', '.join(f'{strength_text(strength)} {percent(mean)}' for strength, mean in pairs)}."


def _lines(plot: Plot, entries: Sequence[ClassAudit], kind: str, named: set[int | None]) -> Markup:
    dense = " dense" if len(entries) > _DENSE else ""
    lines = [
        Markup('<path%s d="%s"><title>%s</title></path>')
        % (Markup(' class="named"') if entry.index in named else "", plot.line(entry.accuracy), entry.name)
        for entry in entries
        if known_stretches(entry.accuracy)
    ]
    return Markup('<g class="%s">%s</g>') % (kind + dense, Markup("").join(lines))


def _dot(view: AuditView, plot: Plot, entry: ClassAudit) -> Markup:
    """Draw where a class is at the best mean accuracy."""
    share = entry.accuracy[view.best]
    if share is None:
        return Markup("")
    return Markup('<circle class="at" cx="%s" cy="%s" r="3"/>') % (plot.x(view.best), plot.y(share))


def _frame(view: AuditView, plot: Plot) -> list[Markup]:
    """Draw the grid and both axes."""
    rows = [
        Markup('<path class="grid" d="M%s %sH%s"/><text x="%s" y="%s" text-anchor="end">%s</text>')
        % (_LEFT, plot.y(share), plot.right, _LEFT - 10, plot.y(share) + 4, label)
        for share, label in _accuracy_ticks(plot)
    ]
    title = Markup('<text x="%s" y="%s" text-anchor="middle">%s, mild → strong</text>') % (
        (plot.left + plot.right) / 2,
        _HEIGHT - 6,
        shortened(printable(view.audit.regularizer), _REGULARIZER_NAME),
    )
    return [*rows, *_strength_ticks(view, plot), title]


def _accuracy_ticks(plot: Plot) -> list[tuple[float, str]]:
    """Return accuracies and their labels, at most eight; the highest carries the unit."""
    extent = plot.high - plot.low
    step = 0.05 if extent <= 0.25 else 0.1 if extent <= 0.7 else 0.2
    first, last = round(above(plot.low, step) / step), round(below(plot.high, step) / step)
    units = {last: "\N{NO-BREAK SPACE}%"}
    return [(round(step * at, 6), f"{100 * step * at:.0f}{units.get(at, '')}") for at in range(first, last + 1)]


def _strength_ticks(view: AuditView, plot: Plot) -> list[Markup]:
    """Draw the labels of the strengths that fit, those that some choice leads to before others."""
    labels = [shortened(strength_text(strength), _STRENGTH_NAME) for strength in view.audit.strengths]
    chosen = list(dict.fromkeys(choice.index for choice in view.choices if choice.index is not None))
    return [
        Markup('<text class="strength" x="%s" y="%s" text-anchor="middle">%s</text>')
        % (plot.x(index), plot.bottom + 20, labels[index])
        for index in fitting_ticks(labels, plot.step, _LETTER, chosen)
    ]


def _choice_marks(view: AuditView, plot: Plot) -> list[Markup]:
    """Draw a line at the strength with the best mean accuracy, and at the safe one, whose label stands lower."""
    if view.safe == view.best:
        return [_choice_mark(plot, view.best, "chosen", "best mean accuracy, safe", 14)]
    marks = [_choice_mark(plot, view.best, "chosen", "best mean accuracy", 14)]
    return marks if view.safe is None else [*marks, _choice_mark(plot, view.safe, "safe", "safe", 28)]


def _choice_mark(plot: Plot, index: int, kind: str, label: str, y: int) -> Markup:
    x = plot.x(index)
    return Markup('<g class="mark %s"><path d="M%s %sV%s"/><text x="%s" y="%s" text-anchor="middle">%s</text></g>') % (
        *(kind, x, y + 5, plot.bottom),
        *(x, y, label),
    )


def _labels(view: AuditView) -> list[_Label]:
    """Return the names beside the lines: the largest losses and gains, the mean, and all others where they are few."""
    few = len(view.audit.classes) <= _FEW_CLASSES
    gaining = [entry for entry in view.gaining if not entry.harmed][: _FEW_CLASSES if few else _MOST_GAINING]
    rest = [entry for entry in view.audit.classes if not entry.harmed and not entry.gains] if few else []
    found = [
        *((entry, "harmed", f"▼ −{points(entry.loss)}") for entry in view.harmed[:_MOST_HARMED]),
        *((entry, "gains", f"▲ +{points(entry.gain)}") for entry in gaining),
        *((entry, "rest", "") for entry in rest),
    ]
    ends = [(entry, kind, change, entry.accuracy[-1]) for entry, kind, change in found]
    labels = [
        _Label(entry.index, entry.name, kind, change, end) for entry, kind, change, end in ends if end is not None
    ]
    return [*labels, _Label(None, "mean", "overall", "", view.audit.mean_accuracy[-1])]


def _drawn_labels(plot: Plot, labels: Sequence[_Label]) -> list[Markup]:
    ends = [plot.y(label.accuracy) for label in labels]
    positions = moved_apart(ends, _LINE, _TOP, plot.bottom)
    return [_drawn_label(plot, *part) for part in zip(labels, ends, positions, strict=True)]


def _drawn_label(plot: Plot, label: _Label, end: float, y: float) -> Markup:
    name = shortened(printable(label.name), _CLASS_NAME)
    return Markup(
        '<g class="label %s"><path d="M%s %sL%s %s"/><text x="%s" y="%s">'
        '<tspan class="name">%s</tspan> <tspan>%s</tspan></text></g>'
    ) % (label.kind, plot.right + 3, end, plot.right + 15, y, plot.right + 19, y + 4, name, label.change)
