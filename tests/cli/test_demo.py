"""demo as a user meets it."""

import json
from pathlib import Path

import pytest

from cuesense.planted.world import PlantedWorld
from cuesense.workflows import demo
from tests.helpers.command_line import run


def test_the_demo_shows_a_profile_and_how_many_cues_it_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few images, so that the test is quick: what the demo finds on all of them is tested where networks are trained.
    monkeypatch.setattr(demo, "IMAGES_PER_CLASS", 2)
    result = run("demo", "--output", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    truth = PlantedWorld.truth.__get__(demo.WORLD)
    recovered = sum(entry["cue"] == cue.value for entry, cue in zip(found["classes"], truth, strict=True))
    *said, report, remark = result.stderr.splitlines()
    assert said[0].startswith("With 2 images a class, the share of a class that stays recognized without a cue is ")
    assert report.startswith(f"Report: {tmp_path / 'out' / 'report.html'}")
    assert remark == f"{recovered} of 12 planted cues recovered."
    # What a person sees: the table, then what it says, an advice, and at the very end what to do next.
    shown = run("demo", "--output", tmp_path / "out").stdout
    *_, before, first, second, last = [line.rstrip() for line in shown.splitlines()]
    headline = shown.partition("Relies on: ")[2].replace("\n", " ")
    assert "Recommended: " in headline
    assert headline.index("Recommended: ") < headline.index("Measured on 24 images") < headline.index("Next: ")
    assert before == ""
    assert first.startswith("Next: cuesense explain ")
    assert second.strip().startswith("cuesense recommend ")
    assert last.strip().startswith("cuesense analyze MODEL --dataset DATASET")
