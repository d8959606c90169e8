"""list as a user meets it."""

from __future__ import annotations

import json

import pytest

from cuesense import registry
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
