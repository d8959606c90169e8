"""What a public function tells the Python program that calls it beside its result: progress, and what was assumed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from cuesense.errors import CuesenseWarning, SettingsError, expected, name_arguments
from cuesense.types import Progress, ProgressOption, no_progress

_PACKAGE = "cuesense"


def watched(progress: ProgressOption, doing: str, unit: str = "images") -> AbstractContextManager[Progress]:
    """Return a context whose value is called with (done, in all) while something long runs.

    Args:
        progress: The caller's own function; None shows a bar where a person looks at stderr, in a terminal or in a
            notebook, and nothing in pipes and tests; False shows nothing.
        doing: What is being done, in one word.
        unit: What is counted.

    Raises:
        SettingsError: progress is something else.
    """
    if callable(progress):
        return nullcontext(progress)
    if progress is False:
        return nullcontext(no_progress)
    if progress is not None and progress is not True:
        to_be, do = "a function, False or None", "Pass False for no bar, or leave it out"
        raise SettingsError(expected("progress", to_be, repr(progress), do))
    # Imported here, as everything that brings rich.
    from cuesense.reports.terminal.progress import notebook_bar, progress_bar

    if _in_notebook():
        return notebook_bar(doing, unit)
    return progress_bar(doing, unit) if sys.stderr.isatty() else nullcontext(no_progress)


def warn_of(assumptions: Iterable[str]) -> None:
    """Say in one Python warning what was assumed, at the line outside of this package that called it.

    Args:
        assumptions: Sentences, which may name flags; without any there is no warning.
    """
    said = name_arguments(" ".join(assumptions))
    if said:
        warnings.warn(said, CuesenseWarning, stacklevel=_levels_to_caller())


def _in_notebook() -> bool:
    """Return whether a kernel of Jupyter runs this program; its outputs are shown below a cell."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return find is not None and hasattr(find(), "kernel")


def _levels_to_caller() -> int:
    """Return the stacklevel, counted from the function that calls this one, of the first frame outside the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    return level
