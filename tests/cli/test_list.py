"""list as a user meets it."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from cuesense import registry
from cuesense.cli.list import KINDS, _print_rows, rows
from cuesense.config import presets
from tests.helpers.command_line import assert_one_sentence, run


def test_list_shows_what_the_ablations_behind_the_cues_leave() -> None:
    rows = [line.split() for line in run("list", "perturbations").stdout.splitlines()]
    shuffle = next(row for row in rows if row[:1] == ["patch_shuffle"])
    assert shuffle[-8:] == ["shape", "15%", "texture", "87%", "color", "100%", "at", "3"]


def test_list_names_everything_and_suggests_the_nearest() -> None:
    result = run("list")
    for name in ("torchvision", "folder", "planted", "patch_shuffle", "standard"):
        assert name in result.stdout
    assert "torchvision:NAME[@WEIGHTS]" in result.stdout
    wrong = run("list", "perturbation")
    assert_one_sentence(wrong, "Did you mean 'perturbations'")


@pytest.mark.parametrize("kind", ["models", "datasets", "perturbations", "exporters", "presets"])
def test_every_kind_has_a_line_for_each_name(kind: str) -> None:
    lines = run("list", kind).stdout.splitlines()
    assert lines[0].strip() == kind
    named = {line.split()[0] for line in lines[2:]}
    expected = set(presets()) if kind == "presets" else set(registry.names(kind))
    assert named >= expected


def test_json_lists_every_kind_with_the_titles_as_keys() -> None:
    found = json.loads(run("list", "--json").stdout)
    assert list(found) == ["models", "datasets", "perturbations", "exporters", "presets"]
    assert [row["name"] for row in found["exporters"]] == list(registry.names("exporters"))
    shuffle = next(row for row in found["perturbations"] if row["name"] == "patch_shuffle")
    assert (shuffle["role"], shuffle["suppresses"], shuffle["unit"]) == ("suppression", "shape", "tiles a side")
    assert list(json.loads(run("list", "presets", "--json").stdout)) == ["presets"]


def test_the_values_of_a_ladder_are_numbers_in_json() -> None:
    for row in json.loads(run("list", "perturbations", "--json").stdout)["perturbations"]:
        assert row["ladder"] == list(registry.get("perturbations", row["name"]).ladder)


class Screen(io.StringIO):
    """A terminal that keeps what it shows."""

    def isatty(self) -> bool:
        return True


def shown(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what a terminal of so many columns shows of all kinds."""
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    for kind in KINDS:
        _print_rows(kind, rows(kind))
    # Without what makes letters bold.
    return re.sub(r"\x1b\[\d*m", "", screen.getvalue()).splitlines()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_in_a_terminal_every_kind_fits(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(columns, monkeypatch)
    assert max(map(len, lines)) <= columns
    shuffle = next(line.split() for line in lines if line.startswith("patch_shuffle "))
    assert shuffle[:3] == ["patch_shuffle", "shape", "2"]
    for name in registry.names("perturbations"):
        assert any(line.split()[:1] == [name] for line in lines), name


def test_a_wide_terminal_has_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(line.split()[:2] == ["name", "role"] for line in shown(240, monkeypatch))


def test_a_pipe_has_a_line_for_each_name_whatever_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = run("list", "perturbations").stdout.splitlines()
    assert len(lines) == 2 + len(registry.names("perturbations"))


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_the_next_command_is_said_beside_the_list(kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    given = [] if kind is None else [kind]
    said = run("list", *given).stderr
    assert said.startswith("Next: cuesense ")
    assert max(map(len, said.splitlines())) <= 80
    assert (run("-q", "list", *given).stderr, run("list", *given, "--json").stderr) == ("", "")
