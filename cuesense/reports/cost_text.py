"""What an analysis would take, in words."""

from __future__ import annotations

from cuesense.reports.terminal.progress import about
from cuesense.reports.text import DASH

_GIGABYTE = 1e9


def cost_sentence(forward_passes: int, seconds: float, memory: int | None) -> str:
    """Return in one sentence what is still to be computed, and what it takes.

    Args:
        forward_passes: Images times conditions, at least 1.
        seconds: The time for them.
        memory: Bytes of memory at the peak; None where it is not known.
    """
    passes = "1 forward pass is" if forward_passes == 1 else f"{forward_passes:,} forward passes are"
    peak = "" if memory is None else f" and {gigabytes(memory)} of memory"
    return f"{passes} still to be computed: {about(seconds)}{peak}."


def duration(seconds: float | None) -> str:
    """Return a time as ``progress.about`` says it, a dash for None."""
    return DASH if seconds is None else about(seconds)


def gigabytes(count: int) -> str:
    """Return a number of bytes in gigabytes of 10^9, with one decimal."""
    return f"{count / _GIGABYTE:.1f} GB"
