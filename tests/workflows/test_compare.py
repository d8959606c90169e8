"""What is written of a comparison."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cuesense.comparison.compare import compare as compare_profiles
from cuesense.errors import OutputError
from cuesense.reports.html.comparison import render
from cuesense.schemas.comparison import Comparison
from cuesense.workflows.compare import compare
from tests.helpers.profiles import profile


def test_files_say_what_the_comparison_says(tmp_path: Path) -> None:
    found = compare(profile(4, empty=1), profile(4, empty=1, seed=1), output=tmp_path / "out")
    assert (tmp_path / "out" / "compare.html").read_text(encoding="utf-8") == render(found)
    assert found == compare_profiles(profile(4, empty=1), profile(4, empty=1, seed=1))
    written = (tmp_path / "out" / "compare.json").read_text(encoding="utf-8")
    assert written == found.to_json()
    assert Comparison.model_validate(json.loads(written)) == found
    assert found.classes[3].accuracy.q is None
    table = (tmp_path / "out" / "compare.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 5
    for column in ("accuracy_q", "color_jitter_low", "shape_value", "label_changed", "color_jitter_budget_change"):
        assert column in table[0].split(",")
    (tmp_path / "taken" / "compare.csv").mkdir(parents=True)
    with pytest.raises(OutputError, match="a folder"):
        compare(profile(3), profile(3), output=tmp_path / "taken")
    assert not (tmp_path / "taken" / "compare.json").exists()
