"""Every example runs on small data, and its losses are numbers."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.profiles_with_forecasts import LOST, planted
from tests.helpers.small_networks import NAMES

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_trains(script: str, photos_folder: Path, tmp_path: Path) -> None:
    profile = planted(LOST)
    classes = [
        entry.model_copy(update={"name": name, "rivals": []})
        for entry, name in zip(profile.classes, NAMES, strict=True)
    ]
    path = tmp_path / "profile.json"
    policy = profile.policy.model_copy(update={"per_class": {}})
    path.write_text(profile.model_copy(update={"classes": classes, "policy": policy}).to_json())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", EXAMPLES / script, path, photos_folder, "--epochs", "2"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", done.stdout)]
    assert losses
    assert all(math.isfinite(loss) for loss in losses)


def test_the_readme_of_the_examples_names_them_all() -> None:
    text = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"`(\w+\.py) PROFILE FOLDER`", text)) == {path.name for path in EXAMPLES.glob("*.py")}
