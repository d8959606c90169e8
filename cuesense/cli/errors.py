"""Errors and exit codes, alike in all commands."""

from __future__ import annotations

import logging
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import typer

from cuesense.atomic_files import Written, recorded
from cuesense.cli.signals import NotStartedError, exit_code
from cuesense.cli.terminal import discard_output, is_verbose, remark
from cuesense.errors import CuesenseError, CuesenseWarning, UnfinishedError, expected, listed

# Exit codes are a contract with scripts.
_WRONG = 2
# A line of a terminal. Chosen by hand; not tuned.
_NAMED_FILES = 3

_LOGGER = logging.getLogger(__name__)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a user's mistake into one sentence and exit code 2, and an interruption into 130, or 143 by SIGTERM."""
    started, written = time.monotonic(), Written()
    _LOGGER.info("cuesense %s started", version("cuesense"))
    try:
        with recorded(written), warnings.catch_warnings():
            # What was assumed is a remark of the command; a Python program is warned of it.
            warnings.simplefilter("ignore", CuesenseWarning)
            yield
    except CuesenseError as error:
        from cuesense.reports.text import printable

        _fail(printable(error.for_command_line))
    except BrokenPipeError:
        # Whoever reads the result, such as head, has enough of it: nothing is wrong.
        discard_output()
        raise typer.Exit from None
    except OSError as error:
        _fail(_system_error(error))
    except MemoryError:
        _fail("There is too little memory. Take fewer images or a smaller --batch-size, or a machine with more memory.")
    except RecursionError:
        _fail("Something in the input is nested too deeply to be read. Check the files that the command names.")
    except KeyboardInterrupt as interruption:
        what = "not started" if isinstance(interruption, NotStartedError) else "interrupted"
        typer.echo(f"cuesense: {what}; {_kept(written)}.", err=True)
        raise typer.Exit(exit_code(interruption)) from None
    _LOGGER.info("done in %.1f s", time.monotonic() - started)


@contextmanager
def unfinished_is_no_failure(part: int) -> Iterator[None]:
    """Say which parts of a run lack something, and end with exit code 0: this part is done.

    Args:
        part: Which part the command did; 0 for none, where what is missing is a failure.
    """
    try:
        yield
    except UnfinishedError as error:
        if part == 0:
            raise
        remark(error.for_command_line)
        raise typer.Exit from None


def _system_error(error: OSError) -> str:
    """Return the sentence about what the system refused: a file, or stdout where no file is named."""
    reason = error.strerror or str(error)
    if error.filename is None:
        # The package turns what it cannot read or write into its own errors; what is left is stdout, for instance full.
        discard_output()
        return f"The result could not be printed or written: {reason}."
    from cuesense.reports.text import printable

    do = "Change its permissions or name another"
    return expected(f"'{printable(str(error.filename))}'", "a file that can be used", f"'{reason}'", do)


def _fail(sentence: str) -> NoReturn:
    """Print the sentence, with -v below the traceback of the error that is being handled, and exit."""
    # Where stderr is full or closed, the exit code alone must say it.
    with suppress(OSError):
        if is_verbose():
            # The sentence comes last, where a reader looks first.
            typer.echo(traceback.format_exc(), err=True, nl=False)
        typer.echo(f"cuesense: {sentence}", err=True)
    raise typer.Exit(_WRONG) from None


def _kept(written: Written) -> str:
    """Return what an interruption leaves, as the disk says it, and what the same command does with it."""
    parts, outputs = written.kept(), written.outputs()
    said = []
    if outputs:
        said.append(f"written: {listed([str(path) for path in outputs], _NAMED_FILES)}")
    if parts:
        again = "the same command without --restart" if written.restarted else "the same command"
        said.append(f"kept: {_count(parts)}, from where {again} goes on")
    return "; ".join(said) or "nothing was written"


def _count(parts: list[Path]) -> str:
    folders = sorted({str(path.parent) for path in parts})
    return f"{len(parts)} finished part{'s' if len(parts) > 1 else ''} in {listed(folders, _NAMED_FILES)}"
