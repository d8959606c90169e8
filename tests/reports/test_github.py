"""Annotations are read back by the rules of GitHub's own runner, whatever the names are."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.gate_text import rule_title, violation
from cuesense.reports.github import command, commands
from tests.helpers.gate_results import checked, finding, result


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a command as ActionCommand.cs of the runner: properties between commas, then the escapes, percent last."""
    found = re.fullmatch(r"::(\w+) ([^\n]*?)::([^\n]*)", line)
    assert found is not None
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    return found[1], {key: decoded(value, ("%3A", "%2C")) for key, value in properties.items()}, decoded(found[3], ())


def decoded(text: str, more: tuple[str, ...]) -> str:
    for escape in ("%0D", "%0A", *more, "%25"):
        text = text.replace(escape, chr(int(escape[1:], 16)))
    return text


TEXT = st.text(alphabet=st.sampled_from(list("a%:,=0ADd25\r\n:: ")), max_size=30)


@given(TEXT, TEXT)
def test_whatever_is_in_them_comes_back(title: str, message: str) -> None:
    line = command("error", title, message)
    assert len(line.splitlines()) == 1
    assert read(line) == ("error", {"title": title}, message)


def test_rules_are_errors_doubts_warnings_and_notes_notices() -> None:
    broken = result(violations=[finding("x\n::error::y", 0.3), finding("bee", 0.2)], augmentation="color_jitter")
    doubtful = result("max-drop", uncertain=[finding(None, 0.2)])
    found = checked(broken, doubtful, notes=["100 % of a,b: c"])
    read_back = [read(line) for line in commands(found).splitlines()]
    assert read_back == [
        ("error", {"title": f"cuesense check: {rule_title(broken)}"}, violation(broken)),
        ("warning", {"title": "cuesense check: max-drop"}, read_back[1][2]),
        ("notice", {"title": "cuesense check"}, "100 % of a,b: c"),
    ]
    assert "which may be chance" in read_back[1][2]
    (holds,) = commands(checked(result())).splitlines()
    assert read(holds) == ("notice", {"title": "cuesense check"}, "Every rule holds (1 tested).")
