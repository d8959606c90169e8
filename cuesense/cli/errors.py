"""Errors and exit codes, alike in all commands."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import NoReturn

import typer

from cuesense.cli.terminal import is_verbose
from cuesense.errors import CuesenseError

RESUMED = "what was done is kept, the same command goes on from there"
_INTERRUPTED = 130
_WRONG = 2

_LOGGER = logging.getLogger(__name__)


@contextmanager
def user_errors(kept: str = "nothing was written") -> Iterator[None]:
    """Turn a user's mistake into one sentence and exit code 2, and an interruption into 130.

    Args:
        kept: What the message of an interruption says about the work that was done.
    """
    started = time.monotonic()
    _LOGGER.info("cuesense %s started", version("cuesense"))
    try:
        yield
    except CuesenseError as error:
        from cuesense.reports.text import plain

        _fail(plain(error.for_command_line))
    except OSError as error:
        _fail(f"The result could not be printed or written: {error.strerror or error}.")
    except KeyboardInterrupt:
        typer.echo(f"cuesense: interrupted; {kept}.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    _LOGGER.info("done in %.1f s", time.monotonic() - started)


def _fail(sentence: str) -> NoReturn:
    """Print the sentence, with -v below the traceback of the error that is being handled, and exit."""
    if is_verbose():
        typer.echo(traceback.format_exc(), err=True, nl=False)
    typer.echo(f"cuesense: {sentence}", err=True)
    raise typer.Exit(_WRONG) from None
