"""The charts of a profile: ``profile.plot.cue_map()`` and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cuesense.errors import SettingsError, expected, unknown
from cuesense.reports.charts.curve_accuracies import correct_counts, image_counts
from cuesense.reports.charts.labels import Box, free_place
from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.confusions import confusions
from cuesense.reports.cue_map import CORNERS, HEIGHT, CueMap, Spot, cue_map
from cuesense.reports.plots.axes import axes_or_new, percent_axis, require_matplotlib, short_name
from cuesense.reports.profile_text import BUDGET_WORDS, FULL_BUDGET_WORDS, value_text
from cuesense.reports.text import readable_name
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile
from cuesense.stats.intervals import nan_below, wilson
from cuesense.types import BudgetStatus, Cue, CueVerdict, Role
from cuesense.validation import names_of, whole_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Names beside dots that can be read, and pairs of a bar chart that fit a page. Chosen by hand.
_NAMED_DOTS, _PAIRS = 20, 15
# Names of classes stand in here, in sides of the triangle: between the labels of its corners.
_ROOM: Box = (-0.15, -0.03, 1.15, HEIGHT + 0.03)
# Bars of budgets, from what is safe in full to what is not known: a sequence that also reads in gray, then a gray.
_STATUS_COLORS = {"unlimited": "#1c69b0", "none": "#7f1d1d", "undetermined": "#c9ccd1"}

# Curves up to this number have bands that are easily seen. Chosen by hand.
_BANDS = 3


class ProfilePlots:
    """Charts of one profile.

    Every function draws on the ``ax`` that it is given, else on a new figure, and returns the axes. None shows a
    window: a notebook shows the figure by itself, elsewhere ``axes.figure.savefig("chart.png")`` or
    ``matplotlib.pyplot.show()`` does.
    """

    def __init__(self, profile: Profile) -> None:
        """Keep a profile.

        Args:
            profile: What is drawn.

        Raises:
            SettingsError: matplotlib is not installed.
        """
        require_matplotlib()
        self.profile = profile

    def __repr__(self) -> str:
        """Return what can be drawn."""
        return "profile.plot: cue_map(), curves(class_name), confusions(), budgets(), each with ax=None"

    def cue_map(self, ax: Axes | None = None) -> Axes:
        """Draw every class between shape, texture and color, where ``reports.cue_map`` places it.

        Filled dots are known to a tenth of their sum, hollow ones are less certain; classes of which nothing is known
        are left out. The star is the average class, colors are the verdicts on the classes, and a corner says the
        weight of its cue there: the map shows the part of the triangle that holds all classes. Up to 20 classes have
        their names beside their dots, where there is room for them.

        Args:
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes.
        """
        ax = axes_or_new(ax, 6.4, 5.6)
        found = cue_map(self.profile)
        pairs = zip(found.spots, self.profile.classes, strict=True)
        placed = [(spot, entry) for spot, entry in pairs if spot is not None]
        ax.plot(*zip(*(CORNERS[cue] for cue in (*Cue, Cue.SHAPE)), strict=True), color="0.6", linewidth=1, zorder=1)
        for cue, (x, y) in CORNERS.items():
            above = cue is Cue.SHAPE
            ax.text(x, y + (0.03 if above else -0.03), found.corner(cue), ha="center", va="bottom" if above else "top")
        for verdict in CueVerdict:
            _draw_spots(ax, found, [spot for spot, entry in placed if entry.cue is verdict], verdict)
        if found.mean is not None:
            ax.scatter(*_points(found, [found.mean]), marker="*", s=140, color="black", label="average class", zorder=4)
        if len(found.spots) <= _NAMED_DOTS:
            _draw_names(ax, found, placed)
        ax.set_aspect("equal")
        ax.set_axis_off()
        # A profile of classes without images has nothing to name.
        if placed:
            ax.legend(loc="upper left", fontsize=8, frameon=False)
        return ax

    def curves(self, class_name: str | int, perturbations: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
        """Draw the accuracy of one class from the clean images to the strongest value of each perturbation.

        The horizontal axis is the severity, 0 for the clean image; the values that it stands for are in the legend.
        Bands are Wilson intervals at ``policy.confidence``.

        Args:
            class_name: Name of the class, or its position in ``classes``.
            perturbations: Names (or one name) of perturbations; None draws every augmentation.
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes.

        Raises:
            SettingsError: There is no such class, or it has no images, or a perturbation was not measured.
        """
        entry = self.profile.classes[class_name]
        at = self.profile.classes.index(entry)
        chosen = self._curves(perturbations)
        if not entry.images:
            to_be, do = "one with images", "Choose another class"
            raise SettingsError(expected(f"the class '{entry.name}'", to_be, "none", do))
        ax = axes_or_new(ax)
        # Bands of many curves lie over each other.
        alpha = 0.12 if len(chosen) <= _BANDS else 0.05
        for curve in chosen:
            shares, low, high = _accuracies(curve, at, self.profile.policy.confidence)
            (line,) = ax.plot(range(len(shares)), shares, marker="o", markersize=3, label=_values_of(curve))
            ax.fill_between(range(len(shares)), low, high, color=line.get_color(), alpha=alpha, linewidth=0)
        ax.set(xlabel="severity (0: clean)", ylabel="recognized images", ylim=(-0.02, 1.02))
        ax.set_title(short_name(entry.name))
        ax.set_xticks(range(1 + max((len(curve.values) for curve in chosen), default=0)))
        percent_axis(ax.yaxis)
        if chosen:
            ax.legend(fontsize=7, frameon=False)
        return ax

    def confusions(self, most: int = _PAIRS, ax: Axes | None = None) -> Axes:
        """Draw which class takes whose images under an augmentation at its strongest value, the largest shares.

        Args:
            most: How many pairs, at least 1.
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes.
        """
        pairs = confusions(self.profile)[: whole_number(most, "most")][::-1]
        shown = [
            (pair.share, f"{short_name(pair.loser)} → {short_name(pair.taker)} ({readable_name(pair.perturbation)})")
            for pair in pairs
        ]
        ax = axes_or_new(ax, 7.2, 1.2 + 0.28 * max(len(shown), 1))
        ax.barh(range(len(shown)), [share for share, _ in shown], color="#bb4a05")
        ax.set_yticks(range(len(shown)), [label for _, label in shown], fontsize=8)
        ax.set(xlabel="share of the class's images that the other class takes")
        percent_axis(ax.xaxis)
        if not shown:
            ax.set(xlim=(0, 1))
            ax.text(0.5, 0.5, "no class takes a notable share", ha="center", transform=ax.transAxes)
        return ax

    def budgets(self, ax: Axes | None = None) -> Axes:
        """Draw for every augmentation how many classes may have it up to which value.

        Args:
            ax: Where to draw; None makes a new figure.

        Returns:
            The axes; a bar's parts go from classes that nothing limits to those with no safe value, and last those
            that are undetermined.
        """
        curves = [curve for curve in self.profile.curves if curve.role is Role.AUGMENTATION]
        ax = axes_or_new(ax, 7.2, 1.4 + 0.45 * max(len(curves), 1))
        for row, curve in enumerate(reversed(curves)):
            _draw_budgets(ax, row, curve, self.profile.classes)
        ax.set_yticks(range(len(curves)), [readable_name(curve.perturbation) for curve in reversed(curves)])
        ax.set(xlabel="classes", xlim=(0, max(len(self.profile.classes), 1)))
        if curves:
            of_label = {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
            place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
            ax.legend(list(of_label.values()), list(of_label), fontsize=7, ncols=4, **place)
        return ax

    def _curves(self, names: Sequence[str] | None) -> list[CurveModel]:
        if names is None:
            return [curve for curve in self.profile.curves if curve.role is Role.AUGMENTATION and curve.values]
        known = {curve.perturbation: curve for curve in self.profile.curves}
        chosen = names_of(names, "perturbations")
        for name in chosen:
            if name not in known:
                raise SettingsError(unknown(f"perturbation '{name}'", name, known))
        return [known[name] for name in chosen]


def _draw_spots(ax: Axes, found: CueMap, spots: Sequence[Spot], cue: CueVerdict) -> None:
    """Draw the classes of one verdict: certain ones filled, uncertain ones hollow."""
    color, label = CUE_COLORS[cue], f"{cue.value} ({len(spots):,})"
    # Many dots cover each other: through them their number is seen.
    size, alpha = (36, 1.0) if len(found.spots) <= _NAMED_DOTS else (16, 0.6)
    certain = [spot for spot in spots if spot.sure]
    uncertain = [spot for spot in spots if not spot.sure]
    if certain:
        ax.scatter(*_points(found, certain), s=size, color=color, alpha=alpha, label=label, zorder=3)
    if uncertain:
        hollow = None if certain else label
        ax.scatter(*_points(found, uncertain), s=size, facecolors="none", edgecolors=color, label=hollow, zorder=3)


def _draw_names(ax: Axes, found: CueMap, placed: Sequence[tuple[Spot, ClassModel]]) -> None:
    """Write the names beside the dots where they cover neither dots nor each other."""
    # How many points (1/72 inch) a side of the triangle has, which with its labels fills the axes.
    extent = ax.get_window_extent()
    side = min(extent.width / 1.1, extent.height) * 72 / ax.figure.dpi
    letter, line, gap = (size / side for size in (4.4, 8.5, 5.0))
    centers = [found.point(spot) for spot, _ in placed]
    taken: list[Box] = [(x - gap * 0.9, y - gap * 0.9, x + gap * 0.9, y + gap * 0.9) for x, y in centers]
    if found.mean is not None:
        (x, y), half = found.point(found.mean), 1.3 * gap
        taken.append((x - half, y - half, x + half, y + half))
    for center, (_, entry) in zip(centers, placed, strict=True):
        name = short_name(entry.name)
        box = free_place(center, (len(name) * letter, line), gap, taken, _ROOM)
        if box is not None:
            taken.append(box)
            ax.text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, name, ha="center", va="center", fontsize=7)


def _points(found: CueMap, spots: Sequence[Spot]) -> tuple[list[float], list[float]]:
    points = [found.point(spot) for spot in spots]
    return [x for x, _ in points], [y for _, y in points]


def _accuracies(curve: CurveModel, at: int, confidence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a class's accuracy at severities 0 to S, with its bounds."""
    images, right = image_counts(curve)[:, at], correct_counts(curve)[:, at]
    low, high = wilson(right, images, confidence)
    return right / nan_below(images, at_least=1), low, high


def _values_of(curve: CurveModel) -> str:
    return f"{readable_name(curve.perturbation)} ({', '.join(value_text(value, curve.unit) for value in curve.values)})"


def _draw_budgets(ax: Axes, row: int, curve: CurveModel, classes: Sequence[ClassModel]) -> None:
    """Draw the bar of one augmentation, from unlimited to none; each part has its value as text where it is wide."""
    found = [entry.budgets[curve.perturbation] for entry in classes if curve.perturbation in entry.budgets]
    limits = list(reversed(curve.values))
    keys: list[float | str] = ["unlimited", *limits, "none", "undetermined"]
    counts = [sum(_key(budget) == key for budget in found) for key in keys]
    start = 0
    for position, (key, count) in enumerate(zip(keys, counts, strict=True)):
        if not count:
            continue
        shade = 0.25 + 0.6 * position / (len(limits) + 1)
        color = _STATUS_COLORS.get(str(key)) or (1.0, 0.82 * (1 - shade) + 0.15, 0.1)
        label = FULL_BUDGET_WORDS[BudgetStatus(key)] if isinstance(key, str) else "up to a value"
        ax.barh(row, count, left=start, color=color, edgecolor="white", label=label)
        if count >= len(classes) / 12:
            text = BUDGET_WORDS[BudgetStatus(key)] if isinstance(key, str) else value_text(key, curve.unit)
            ax.text(start + count / 2, row, text, ha="center", va="center", fontsize=7, color=_ink(color))
        start += count


def _key(budget: BudgetModel) -> float | str:
    if budget.status is BudgetStatus.LIMITED and budget.value is not None:
        return budget.value
    return budget.status.value


def _ink(color: str | tuple[float, float, float]) -> str:
    """Return black or white, whichever reads better on a color (relative luminance of WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"
