"""The charts of an audit: ``audit.plot.accuracies()`` and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cuesense.reports.audit_text import strength_text
from cuesense.reports.audit_view import AuditView, view
from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.plots.axes import axes_or_new, percent_axis, require_matplotlib, short_name
from cuesense.schemas.audit import Audit, ClassAudit
from cuesense.validation import whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Harm and gain: the page's colors of alarm and of shape, apart also for people with a color vision deficiency.
_HARMED, _GAINS, _REST = "#a4341b", "#1c69b0", "0.75"
# Losses that fit a page, and classes that are named beside their lines. Chosen by hand.
_MOST, _NAMED = 20, 8


class AuditPlots:
    """Charts of one audit; each draws on ``ax``, else on a new figure, and returns the axes. None opens a window."""

    def __init__(self, audit: Audit) -> None:
        """Keep an audit.

        Args:
            audit: What is drawn.

        Raises:
            SettingsError: matplotlib is not installed.
        """
        require_matplotlib()
        self.audit = audit

    def __repr__(self) -> str:
        """Return what can be drawn."""
        return "audit.plot: accuracies(), losses(), cues(), each with ax=None"

    def accuracies(self, ax: Axes | None = None) -> Axes:
        """Draw the accuracy of every class against the strength, those that are harmed in front.

        Args:
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes; the strengths stand evenly, mild to strong, and a line marks the best mean accuracy.
        """
        ax, found = axes_or_new(ax, 8.0, 4.8), view(self.audit)
        for entry in self.audit.classes:
            harmed = bool(entry.harmed)
            color = _HARMED if harmed else _GAINS if entry.gains else _REST
            ax.plot(_numbers(entry.accuracy), color=color, linewidth=1.4 if harmed else 0.8, zorder=3 if harmed else 1)
        for entry in found.harmed[:_NAMED]:
            _name_line(ax, entry, len(self.audit.strengths) - 1)
        low, high = _numbers(self.audit.mean_low), _numbers(self.audit.mean_high)
        ax.fill_between(range(len(low)), low, high, color="black", alpha=0.15, linewidth=0)
        ax.plot(self.audit.mean_accuracy, color="black", linewidth=2, label="mean of all images", zorder=4)
        _mark_choices(ax, found)
        for color, label in ((_HARMED, "harmed"), (_GAINS, "gains"), (_REST, "neither is shown")):
            ax.plot([], [], color=color, label=label)
        strengths = [short_name(strength_text(strength)) for strength in self.audit.strengths]
        ax.set_xticks(range(len(strengths)), strengths)
        ax.set(xlabel=f"{short_name(self.audit.regularizer)}, mild to strong", ylabel="accuracy")
        percent_axis(ax.yaxis)
        ax.legend(fontsize=8, frameon=False)
        return ax

    def losses(self, most: int = _MOST, ax: Axes | None = None) -> Axes:
        """Draw what the classes lose at the best mean accuracy against their own best strength, the largest first.

        Args:
            most: How many classes, at least 1.
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes; bars of classes that are shown to be harmed are red, lines are bounds that hold for all classes
            together.
        """
        known = [entry for entry in self.audit.classes if entry.loss is not None]
        shown = sorted(known, key=lambda entry: -(entry.loss or 0.0))[: whole_number(most, "most")][::-1]
        ax = axes_or_new(ax, 6.4, 1.2 + 0.28 * max(len(shown), 1))
        for row, entry in enumerate(shown):
            ax.barh(row, entry.loss or 0.0, color=_HARMED if entry.harmed else _REST)
            if entry.low is not None and entry.high is not None:
                ax.plot([entry.low, entry.high], [row, row], color="black", linewidth=1)
        ax.set_yticks(range(len(shown)), [short_name(entry.name) for entry in shown], fontsize=8)
        ax.axvline(self.audit.tolerance, color="black", linestyle=":", linewidth=1, label="tolerance")
        ax.set(xlabel=f"loss at {short_name(strength_text(self.audit.chosen_by_mean))}, the best mean accuracy")
        percent_axis(ax.xaxis)
        ax.legend(fontsize=8, frameon=False)
        return ax

    def cues(self, ax: Axes | None = None) -> Axes:
        """Draw what the classes that rely on each cue lose on average at the best mean accuracy, with intervals.

        Args:
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes; without a profile in the audit they say that the cues are not known.
        """
        cues = self.audit.cues[::-1]
        ax = axes_or_new(ax, 6.4, 1.2 + 0.4 * max(len(cues), 1))
        for row, part in enumerate(cues):
            if part.low is not None and part.high is not None:
                ax.plot([part.low, part.high], [row, row], color=CUE_COLORS[part.cue])
            ax.plot([part.loss], [row], "o", color=CUE_COLORS[part.cue])
        ax.set_yticks(range(len(cues)), [f"{part.cue.value} ({part.classes:,})" for part in cues])
        ax.axvline(0, color="0.6", linewidth=1, zorder=0)
        ax.set(xlabel="mean loss of the classes that rely on it")
        percent_axis(ax.xaxis)
        if not cues:
            ax.text(0.5, 0.5, "cues are not known: audit with profile=...", ha="center", transform=ax.transAxes)
        return ax


def _numbers(values: Sequence[float | None]) -> list[float]:
    """Return values with NaN where one is not known: a gap in a line."""
    return [np.nan if value is None else value for value in values]


def _name_line(ax: Axes, entry: ClassAudit, last: int) -> None:
    """Write a class's name beside the strong end of its line."""
    end = entry.accuracy[-1]
    if end is not None:
        ax.annotate(short_name(entry.name), (last, end), (4, 0), textcoords="offset points", fontsize=8, va="center")


def _mark_choices(ax: Axes, found: AuditView) -> None:
    ax.axvline(found.best, color="black", linestyle="--", linewidth=1, label="best mean accuracy")
    if found.safe is not None and found.safe != found.best:
        ax.axvline(found.safe, color="black", linestyle=":", linewidth=1, label="best safe strength")
