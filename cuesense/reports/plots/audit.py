"""The charts of an audit: ``audit.plot.accuracies()`` and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cuesense.reports.audit_text import strength_text
from cuesense.reports.audit_view import AuditView, view
from cuesense.reports.charts.labels import moved_apart
from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.plots.axes import axes_or_new, percent_axis, require_matplotlib, short_name
from cuesense.reports.text import readable_name
from cuesense.schemas.audit import Audit, ClassAudit
from cuesense.validation import whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Harm and gain: the page's colors of alarm and of shape, apart also for people with a color vision deficiency.
_HARMED, _GAINS, _REST = "#a4341b", "#1c69b0", "0.75"
# Losses that fit a page, and classes that are named beside their lines. Chosen by hand.
_MOST, _NAMED = 20, 8
# Lines up to this number are drawn solid. Chosen by hand.
_SOLID = 60
# Height of a name in thousandths of the axes, room for names beside the lines in parts of the axes, and what leads from
# a line to its name.
_LINE, _ROOM = 38, 0.24
_LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}


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
        # Of hundreds of lines the single one does not count, but where they lie.
        alpha = 1.0 if len(self.audit.classes) <= _SOLID else 0.25
        for entry in self.audit.classes:
            harmed = bool(entry.harmed)
            color = _HARMED if harmed else _GAINS if entry.gains else _REST
            look: dict[str, Any] = {"linewidth": 1.4, "zorder": 3} if harmed else {"linewidth": 0.8, "zorder": 1}
            ax.plot(_numbers(entry.accuracy), color=color, alpha=alpha, **look)
        low, high = _numbers(self.audit.mean_low), _numbers(self.audit.mean_high)
        ax.fill_between(range(len(low)), low, high, color="black", alpha=0.15, linewidth=0)
        ax.plot(self.audit.mean_accuracy, color="black", linewidth=2, label="mean of all images", zorder=4)
        _mark_choices(ax, found)
        for color, label in ((_HARMED, "harmed"), (_GAINS, "gains"), (_REST, "neither is shown")):
            ax.plot([], [], color=color, label=label)
        strengths = [short_name(strength_text(strength)) for strength in self.audit.strengths]
        ax.set_xticks(range(len(strengths)), strengths)
        ax.set(xlabel=f"{short_name(readable_name(self.audit.regularizer))}, mild to strong", ylabel="accuracy")
        percent_axis(ax.yaxis)
        ax.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5)
        _name_lines(ax, found.harmed[:_NAMED], len(strengths) - 1)
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
        ax.set(xlabel="mean loss of the classes that rely on it", ylim=(-0.6, max(len(cues), 1) - 0.4))
        percent_axis(ax.xaxis)
        if not cues:
            ax.text(0.5, 0.5, "cues are not known: audit with profile=...", ha="center", transform=ax.transAxes)
        return ax


def _numbers(values: Sequence[float | None]) -> list[float]:
    """Return values with NaN where one is not known: a gap in a line."""
    return [np.nan if value is None else value for value in values]


def _name_lines(ax: Axes, classes: Sequence[ClassAudit], last: int) -> None:
    """Write the names of classes beside the strong ends of their lines, none over another."""
    ends = sorted((end, entry.name) for entry in classes if (end := entry.accuracy[-1]) is not None)
    if not ends:
        return
    low, high = ax.get_ylim()
    places = moved_apart([1000 * (end - low) / (high - low) for end, _ in ends], _LINE, 0, 1000)
    for (end, name), place in zip(ends, places, strict=True):
        at = (last + _ROOM / 3 * max(last, 1), low + place * (high - low) / 1000)
        ax.annotate(short_name(name), (last, end), at, fontsize=8, va="center", arrowprops=_LEADER)
    # A long name may go beyond the axes, where no line should cross it.
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(xlim=(-0.05 * max(last, 1), last + _ROOM * max(last, 1)), ylim=(low, high))


def _mark_choices(ax: Axes, found: AuditView) -> None:
    ax.axvline(found.best, color="black", linestyle="--", linewidth=1, label="best mean accuracy")
    if found.safe is not None and found.safe != found.best:
        ax.axvline(found.safe, color="black", linestyle=":", linewidth=1, label="best safe strength")
