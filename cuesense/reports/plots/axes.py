"""Axes of matplotlib to draw on, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuesense.errors import SettingsError, expected
from cuesense.reports.charts.labels import shortened
from cuesense.reports.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Letters of a name beside a line or a bar. Chosen by hand.
_LETTERS = 24


def require_matplotlib() -> None:
    """Raise SettingsError unless matplotlib is installed."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        do = "Install it: pip install 'cuesense[plot]'"
        raise SettingsError(expected("matplotlib, which charts need,", "installed", "no such package", do)) from None


def axes_or_new(ax: Axes | None, width: float = 6.4, height: float = 4.8) -> Axes:
    """Return the axes that were given, else those of a new figure, which a notebook shows by itself.

    Args:
        ax: Where to draw; None makes a new figure.
        width: Its width in inches.
        height: Its height in inches.

    Raises:
        SettingsError: Something else was given.
    """
    if ax is not None:
        from matplotlib.axes import Axes

        if not isinstance(ax, Axes):
            do = "Pass axes of matplotlib.pyplot.subplots(), or leave it out"
            raise SettingsError(expected("ax", "axes of matplotlib", f"an object of type {type(ax).__name__}", do))
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def percent_axis(axis: Axis) -> None:
    """Show the shares of an axis as percentages."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g}\N{NO-BREAK SPACE}%"))


def short_name(name: str) -> str:
    """Return a name from outside, short, printable, and without what matplotlib would read as a formula."""
    return shortened(printable(name), _LETTERS).replace("$", r"\$")
