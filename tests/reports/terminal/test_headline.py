"""What ends the screen: all sentences, then commands that can be copied."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cuesense.reports.headline import Headline, headline
from cuesense.reports.terminal.headline import render
from tests.helpers.graded_profiles import graded

SAID = headline(graded(12, seed=3))
COMMANDS = [("cuesense explain out lemon", "one class"), ("cuesense recommend out --train TRAIN", "what it costs")]


def printed(said: Headline, width: int, commands: list[tuple[str, str]] = COMMANDS) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(render(said, commands), crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_it_has_all_sentences_in_their_order_and_fits(width: int) -> None:
    text = printed(SAID, width)
    assert max(len(line.rstrip()) for line in text.partition("Next: ")[0].splitlines()) <= min(width, 100)
    words = " ".join(text.replace("\n- ", "\n").split())
    places = [words.index(" ".join(sentence.split())) for sentence in SAID.sentences]
    assert SAID.advice
    assert len(SAID.findings) > 1
    assert places == sorted(places)
    assert words.index("Next: ") > places[-1]


def test_every_finding_has_its_hyphen() -> None:
    lines = printed(SAID, 60).splitlines()
    assert sum(line.startswith("- ") for line in lines) == len(SAID.findings)


def test_the_commands_come_last_and_are_whole() -> None:
    assert [line.rstrip() for line in printed(SAID, 80).splitlines()[-2:]] == [
        "Next: cuesense explain out lemon            # one class",
        "      cuesense recommend out --train TRAIN  # what it costs",
    ]
    narrow = [line.rstrip() for line in printed(SAID, 44).splitlines()[-2:]]
    assert narrow == ["Next: cuesense explain out lemon", "      cuesense recommend out --train TRAIN"]
    longest = f"cuesense explain {'o' * 100} lemon"
    assert longest in printed(SAID, 60, [(longest, "one class")])


def test_a_profile_without_augmentations_ends_in_what_was_measured() -> None:
    bare = Headline((), "", "Measured on 3 images.", (), "cuesense report out")
    assert printed(bare, 80, [("cuesense report out", "the page")]).split("\n")[1:-1] == [
        "Measured on 3 images.",
        "",
        "Next: cuesense report out  # the page",
    ]
