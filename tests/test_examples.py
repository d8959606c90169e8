"""Every example runs on small data, and its losses are numbers."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.helpers.profiles_with_forecasts import LOST, planted
from tests.helpers.small_networks import NAMES

EXAMPLES = Path(__file__).parents[1] / "examples"


# Scripts that make their own images.
ALONE = {"flips_by_class.py"}
SCRIPTS = sorted({path.name for path in EXAMPLES.glob("*.py")} - ALONE)


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_trains(script: str, photos_folder: Path, tmp_path: Path) -> None:
    profile = planted(LOST)
    classes = [
        entry.model_copy(update={"name": name, "rivals": []})
        for entry, name in zip(profile.classes, NAMES, strict=True)
    ]
    path = tmp_path / "profile.json"
    policy = profile.policy.model_copy(update={"per_class": {}})
    path.write_text(profile.model_copy(update={"classes": classes, "policy": policy}).to_json())
    output = run(script, path, photos_folder, "--epochs", "2")
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", output)]
    assert losses
    assert all(math.isfinite(loss) for loss in losses)


def test_flips_by_class_are_compared_with_flips_for_all_and_none() -> None:
    output = run("flips_by_class.py", "--steps", "8", "--images", "5")
    assert "world 0: no_flip_classes = [" in output
    rows = re.findall(r"^(none|all|those that bear it) +" + r" +(\d+\.\d)" * 4, output, re.MULTILINE)
    assert [row[0] for row in rows] == ["none", "all", "those that bear it"]
    assert all(0 <= float(share) <= 100 for row in rows for share in row[1:])


def run(script: str, *arguments: object) -> str:
    """Return what an example prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", EXAMPLES / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def commands_that_print(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``cuesense`` prints its arguments and what says which part it is."""
    stand_in = tmp_path / "bin" / "cuesense"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "$* | $RANK/$WORLD_SIZE | $CUDA_VISIBLE_DEVICES"\n')
    stand_in.chmod(0o755)
    path = os.pathsep.join([str(stand_in.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PROCESSES": "2", "SLURM_ARRAY_TASK_ID": "3", "SLURM_CPUS_PER_TASK": "4"}


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("ray_one_machine.sh", [r"analyze my model --engine ray \| .*"]),
        ("slurm_array.sh", [r"analyze my model --part 3/64 --workers 4 \| .*"]),
        ("torchrun.sh", [r"analyze my model \| 0/2 \| 0", r"analyze my model \| 1/2 \| 1"]),
    ],
)
def test_a_script_starts_the_command(script: str, printed: list[str], commands_that_print: dict[str, str]) -> None:
    done = subprocess.run(
        [EXAMPLES / script, "my model"], capture_output=True, text=True, check=False, env=commands_that_print
    )
    assert done.returncode == 0, done.stderr
    lines = sorted(done.stdout.splitlines())
    assert len(lines) == len(printed)
    assert all(re.fullmatch(line, found) for line, found in zip(printed, lines, strict=True)), lines


def test_a_cluster_is_one_that_ray_knows() -> None:
    validate_config(prepare_config(yaml.safe_load((EXAMPLES / "ray_cluster.yaml").read_text())))


def test_the_readme_of_the_examples_names_them_all() -> None:
    text = (EXAMPLES / "README.md").read_text()
    assert sorted(re.findall(r"`(\w+\.py) PROFILE FOLDER`", text)) == SCRIPTS
    assert set(re.findall(r"`(\w+\.py)`", text)) == ALONE
    others = {path.name for kind in ("*.sh", "*.yaml") for path in EXAMPLES.glob(kind)}
    assert set(re.findall(r"`(\w+\.(?:sh|yaml))`", text)) == others
