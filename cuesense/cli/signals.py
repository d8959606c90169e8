"""What ends a command early: Ctrl-C (SIGINT) and SIGTERM, once; what follows at once does not disturb the cleaning up.

Kept free of heavy imports, so that a command can be interrupted from its first moment on.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

# Ctrl-C reaches a program several times where its parents pass it on, and people press it twice. What comes within
# this time is taken as the same wish. Chosen by hand; not tuned.
_SAME_WISH_SECONDS = 2.0


class TerminationError(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


class NotStartedError(KeyboardInterrupt):
    """The answer "no" to the question whether to go on."""


class _Ending:
    """When the command was first asked to end; None before."""

    since: float | None = None


def end_once() -> None:
    """Let the first SIGINT or SIGTERM end the command, and a much later one end the process at once.

    Files are whole or absent at any moment, so that ending at once leaves nothing half-written either.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    # A shell lets jobs in the background ignore Ctrl-C, which must stay so.
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def exit_code(interruption: KeyboardInterrupt) -> int:
    """Return what shells report for a program that a signal ended: 128 and the signal's number."""
    return 128 + (signal.SIGTERM if isinstance(interruption, TerminationError) else signal.SIGINT)


def _end(number: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if _Ending.since is None:
        _Ending.since = now
        raise TerminationError if number == signal.SIGTERM else KeyboardInterrupt
    if now - _Ending.since > _SAME_WISH_SECONDS:
        os.write(2, b"cuesense: interrupted again; ended at once.\n")
        os._exit(128 + number)
