"""The last thing on the screen: what a profile says in a few sentences, and the commands to run next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from cuesense.reports.headline import Headline

# Columns of a sentence that is easily read. Chosen by hand.
_WIDEST = 100
_FIRST = "Next: "


@dataclass(frozen=True)
class _Commands:
    """Commands, each in a line that can be copied, with what it is for where all of that fits."""

    commands: Sequence[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield a line for each command."""
        longest = max((len(command) for command, _ in self.commands), default=0)
        for number, (command, purpose) in enumerate(self.commands):
            start = _FIRST if not number else " " * len(_FIRST)
            line = Text.assemble(start, (command, "bold"))
            said = f"{' ' * (longest - len(command))}  # {purpose}"
            if len(line) + len(said) <= options.max_width:
                line.append(said, "dim")
            # A terminal wraps a long command by itself, without a line break in what is copied.
            yield Text(line.plain, no_wrap=True, overflow="ignore") if len(line) > options.max_width else line


def render(said: Headline, commands: Sequence[tuple[str, str]]) -> RenderableType:
    """Return the sentences and the next commands, for rich's Console.print.

    Args:
        said: The sentences.
        commands: Commands to run next, each with what it is for; the last lines on the screen.
    """
    advice = [Text(said.advice, "bold")] if said.advice else []
    sure = [Text(sentence, "dim") for sentence in (said.measured, *said.surer)]
    sentences: list[RenderableType] = [*map(_listed, said.findings), *advice, *sure]
    return Group(Text(""), *(Constrain(entry, _WIDEST) for entry in sentences), Text(""), _Commands(commands))


def _listed(sentence: str) -> Table:
    """Return a sentence behind a hyphen, its further lines indented."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row("-", Text(sentence))
    return grid
