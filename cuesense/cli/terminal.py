"""What commands print: results on stdout; progress, remarks and where the results are on stderr, unless -q is given."""

from __future__ import annotations

import codecs
import io
import logging
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from cuesense.cli.signals import NotStartedError
from cuesense.types import Notify

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from cuesense.reports.headline import Headline
    from cuesense.reports.terminal.progress import Bar
    from cuesense.schemas.audit import Audit
    from cuesense.schemas.profile import Profile


@dataclass(frozen=True)
class _Verbosity:
    """How much a command prints on stderr beside errors, and what it has printed of a result's warnings."""

    verbose: bool = False
    quiet: bool = False
    said: set[str] = field(default_factory=set)


_USUAL = _Verbosity()
# Columns of a sentence that is easily read, and without which no word fits. Chosen by hand.
_WIDEST, _NARROWEST = 100, 20


# What a terminal without Unicode shows in place of a character, each as wide as it: the blocks of small curves, minus
# signs, dashes and the blank that no line breaks at.
_PLAIN = dict(zip("▁▂▃▄▅▆▇█\N{MINUS SIGN}–—…±×\N{NO-BREAK SPACE}", "_.:-=+*#---.~x ", strict=True))
_PLAIN_ERRORS = "cuesense.plain"


class Result(Protocol):
    """A result that can be written as JSON."""

    def to_json(self) -> str:
        """Return the result as JSON text with a final newline."""
        ...


# The options stand before the name of the command, so that every command reads them from here.
_VERBOSITY: ContextVar[_Verbosity] = ContextVar("verbosity", default=_USUAL)


def is_verbose() -> bool:
    """Return whether -v was given."""
    return _VERBOSITY.get().verbose


@contextmanager
def verbosity(*, verbose: bool, quiet: bool) -> Iterator[None]:
    """Hold how much is printed on stderr while a command runs.

    Args:
        verbose: Show what the package logs, and the traceback of an error above its sentence.
        quiet: Show neither progress nor remarks; errors are still shown.
    """
    logger = logging.getLogger("cuesense")
    level, handler = logger.level, logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    held = _VERBOSITY.set(_Verbosity(verbose, quiet))
    if verbose:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    elif quiet:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        # A program may run several commands in one process, as tests do.
        logger.removeHandler(handler)
        logger.setLevel(level)
        _VERBOSITY.reset(held)


def remark(text: str) -> None:
    """Print a line on stderr, unless -q was given."""
    if not _VERBOSITY.get().quiet:
        # A remark that nobody can read must not stop a command whose result is written.
        with suppress(OSError):
            # Not typer.echo, which finds the stream below the one that rich puts a progress bar on, and would write
            # into the bar.
            sys.stderr.write(f"{text}\n")


def remark_wrapped(text: str) -> None:
    """Print a sentence on stderr in lines as wide as the terminal, 100 columns at most; the further ones are indented.

    Words that are longer than a line stay whole, so that they can be searched for. Names of classes are printed without
    characters that command a terminal.
    """
    from cuesense.reports.text import printable

    columns = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 0)).columns))
    indent = " " * (2 + len(text) - len(text.lstrip(" ")))
    safe = printable(text)
    remark(textwrap.fill(safe, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False))


def remark_on_data(text: str) -> None:
    """Print a line on stderr that may name classes, without characters of theirs that command a terminal."""
    from cuesense.reports.text import printable

    _VERBOSITY.get().said.add(text)
    remark(printable(text))


def print_plainly() -> None:
    """Let stdout and stderr print what their encoding lacks in plain characters, instead of ending in a traceback."""
    codecs.register_error(_PLAIN_ERRORS, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_PLAIN_ERRORS)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return what is printed for characters that an encoding lacks, and where it goes on (a codecs error handler)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def discard_output() -> None:
    """Send what is still to be printed on stdout nowhere, because stdout is full or closed.

    Python would else try to print it again when it ends, and complain in a traceback of its own.
    """
    # A stream in memory, as in tests, has no file descriptor and cannot be full.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def unless_closed() -> Iterator[None]:
    """Leave out what nobody reads any more, because a reader such as head has closed stdout; the command goes on."""
    try:
        yield
    except BrokenPipeError:
        discard_output()


def print_rich(renderable: RenderableType, width: int | None = None) -> None:
    """Print a table or a text of rich on stdout.

    Args:
        renderable: What to print.
        width: Columns; None takes the terminal's.

    Raises:
        OSError: Stdout is full or closed.
    """
    from rich.console import Console

    class Raising(Console):
        """A console that does not end the program by itself where stdout is closed."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    # A command to copy may be longer than a line, and is whole.
    Raising(width=width).print(_WithoutTrailingBlanks(renderable), crop=False)


@dataclass(frozen=True)
class _WithoutTrailingBlanks:
    """What rich renders, without the blanks up to its width with which rich ends the lines of tables and boxes."""

    renderable: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the segments of each line, the last of them without blanks at its end."""
        from rich.segment import Segment

        for line in Segment.split_lines(console.render(self.renderable, options)):
            while line and not line[-1].text.strip(" "):
                line.pop()
            yield from line[:-1]
            if line:
                yield Segment(line[-1].text.rstrip(" "), line[-1].style)
            yield Segment.line()


@contextmanager
def progress(doing: str = "analyzing", unit: str = "images") -> Iterator[Bar]:
    """Show progress on stderr, unless -q was given; where that is no terminal, one line says how long it takes.

    Args:
        doing: What is being done, in one word.
        unit: What is counted.

    Yields:
        What is called with (done, in all), and with the names of phases.
    """
    # Imported here, as everything that brings rich: --help needs none of it.
    from cuesense.reports.terminal.progress import Bar, progress_bar

    if _VERBOSITY.get().quiet:
        yield Bar()
        return
    with progress_bar(doing, unit) as bar:
        yield bar


def _can_ask() -> bool:
    """Return whether a person reads stderr and answers on stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm_or_say(bar: Bar, *, yes: bool) -> Notify:
    """Return what is called with a sentence before work that may be in vain: it asks whether to go on.

    Without a terminal, nobody can be asked: it then says the sentence, and that it goes on. With -q or --yes, it does
    neither.

    Args:
        bar: The progress that is shown meanwhile.
        yes: Whether --yes was given.

    Returns:
        A function that raises NotStartedError where the answer is no.
    """

    def confirm(sentence: str) -> None:
        if yes or _VERBOSITY.get().quiet:
            return
        if not _can_ask():
            remark_wrapped(f"{sentence} Going on, since this is no terminal to ask in (--yes leaves this out).")
            return
        with bar.paused():
            remark_wrapped(sentence)
            if not typer.confirm("Go on? (--yes goes on without asking)", err=True):
                raise NotStartedError

    return confirm


def show(result: Result, render: Callable[[Any], RenderableType], *, as_json: bool) -> None:
    """Print a result on stdout, for people or as JSON.

    Args:
        result: The result.
        render: Makes what a terminal shows of it.
        as_json: Whether to print JSON instead.
    """
    if as_json:
        typer.echo(result.to_json(), nl=False)
        return
    print_rich(render(result))


def show_profile(
    profile: Profile, output: Path, *, as_json: bool, remarks: Sequence[str] = (), then: Sequence[tuple[str, str]] = ()
) -> None:
    """Print a profile on stdout, and on stderr where its page and its file are; last what it says, and what is next.

    Args:
        profile: The profile.
        output: Its folder.
        as_json: Whether to print JSON alone.
        remarks: Lines for stderr.
        then: Commands to run after those of every profile, each with what it is for.
    """
    where = f"Report: {output / 'report.html'}  Profile: {output / 'profile.json'}"
    if as_json:
        typer.echo(profile.to_json(), nl=False)
        for line in (where, *remarks):
            remark(line)
        return
    from cuesense.reports.headline import headline
    from cuesense.reports.terminal.headline import render as render_headline
    from cuesense.reports.terminal.profile import render
    from cuesense.reports.text import printable

    folder = shlex.quote(printable(str(output)))
    said = headline(profile, folder=folder)
    print_rich(render(_without_said(profile)))
    for line in (where, *remarks):
        remark(line)
    print_rich(render_headline(said, [*_next_commands(profile, said, folder), *then]))


def _next_commands(profile: Profile, said: Headline, folder: str) -> list[tuple[str, str]]:
    """Return the commands to run after any profile: the headline's own, and a look at the class that it names first."""
    from cuesense.reports.text import printable, quoted

    first = said.findings[0] if said.findings else ""
    named = next((entry for entry in profile.classes if quoted(entry.name) in first), None)
    looks = []
    if named is not None:
        plain = named.name == printable(named.name)
        called = shlex.quote(named.name) if plain and not named.name.startswith("-") else str(named.index)
        looks = [(f"cuesense explain {folder} {called}", "one class")]
    purposes = {
        "recommend": "what training costs",
        "verify": "whether training agrees",
        "analyze": "with augmentations",
    }
    return [*looks, (said.command, purposes.get(said.command.split()[1], "the page"))]


def _without_said(profile: Profile) -> Profile:
    """Return a profile without the warnings that stand above it; where stdout goes elsewhere, none is left out."""
    if _VERBOSITY.get().quiet or not _is_one_stream():
        return profile
    rest = [text for text in profile.summary.warnings if text not in _VERBOSITY.get().said]
    return profile.model_copy(update={"summary": profile.summary.model_copy(update={"warnings": rest})})


def _is_one_stream() -> bool:
    """Return whether stdout and stderr go to one terminal, file or pipe."""
    if sys.stdout.isatty() and sys.stderr.isatty():
        return True
    # Streams in memory, as in tests, have no file descriptors.
    with suppress(OSError, ValueError):
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    return False


def show_audit(audit: Audit, output: Path, *, as_json: bool) -> None:
    """Print an audit on stdout, and on stderr where its page and its file are."""
    from cuesense.reports.terminal.audit import render

    show(audit, render, as_json=as_json)
    remark(f"Report: {output / 'audit.html'}  Audit: {output / 'audit.json'}")
