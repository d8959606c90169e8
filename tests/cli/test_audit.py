"""audit as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import make_folder
from tests.helpers.command_line import assert_one_sentence, run, run_python, without
from tests.helpers.simulated_sweeps import Truth, level, simulated, table
from tests.helpers.sweep_networks import ARCH, write_networks

SIZE = "16"
IMAGES = ["--arch", ARCH, "--image-size", SIZE, "--resize", SIZE, "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]
# Fields that readers of audit.json rely on.
CONTRACT = {"regularizer", "strengths", "chosen_by_mean", "chosen_by_worst_class", "chosen_safe", "mean_accuracy"}
OF_A_CLASS = {"name", "harmed", "loss", "low", "high", "best_strength", "loss_at_strongest", "gains", "n", "seeds"}


def _harmful() -> Truth:
    """The strongest is best on average; class 0 loses 0.3 by it, all others gain 0.1."""
    accuracy = np.minimum(level(3, 8), 0.85)
    accuracy[2, 1:] += 0.1
    accuracy[2, 0] -= 0.3
    return Truth(accuracy, images=300)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with networks, their list, photographs and a table of accuracies."""
    folder = tmp_path_factory.mktemp("sweep")
    write_networks(folder, seeds=2)
    make_folder(folder / "photos", 40)
    table(simulated(_harmful(), 0)).to_csv(folder / "accuracies.csv", index=False)
    return folder


def test_checkpoints_give_a_table_a_page_and_json(sweep: Path, tmp_path: Path) -> None:
    command = ("audit", sweep / "runs.csv", "--dataset", sweep / "photos", "--output", tmp_path / "out", *IMAGES)
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "weight_decay" in result.stdout.replace(" ", "_")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"answers", "audit.csv", "audit.html", "audit.json"}
    again = run(*command, "--json")
    assert again.stdout == (tmp_path / "out" / "audit.json").read_text(encoding="utf-8")
    found = json.loads(again.stdout)
    assert set(found) >= CONTRACT
    assert set(found["classes"][0]) >= OF_A_CLASS


def test_a_table_of_accuracies_names_the_class_that_is_harmed(sweep: Path, tmp_path: Path) -> None:
    result = run("audit", "--accuracies", sweep / "accuracies.csv", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert "class 0" in result.stdout
    assert "audit.html" in result.stderr


def test_a_table_needs_no_torch(sweep: Path, tmp_path: Path) -> None:
    job = ["audit", "--accuracies", sweep / "accuracies.csv", "--output", tmp_path]
    done = run_python(without({"torch"}), *job)
    assert done.returncode == 0, done.stderr


def test_an_interrupted_audit_goes_on(sweep: Path, tmp_path: Path) -> None:
    code = (
        "import signal, sys, os; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import cuesense.inference.one_checkpoint as c; predict = c.predict\n"
        "def once(*a, **k):\n"
        "    if c.__dict__.setdefault('done', 0) == 3: os.kill(os.getpid(), signal.SIGINT)\n"
        "    c.done += 1\n"
        "    return predict(*a, **k)\n"
        "c.predict = once\nimport cuesense.cli.app; cuesense.cli.app.main()"
    )
    job = ["audit", sweep / "runs.csv", "--dataset", sweep / "photos", "--output", tmp_path / "out", *IMAGES]
    done = run_python(code, *job)
    assert done.returncode == 130, done.stderr
    assert "interrupted; kept: 3 finished parts in " in done.stderr
    assert done.stderr.endswith(", from where the same command goes on.\n")
    assert len(list((tmp_path / "out" / "answers").rglob("shard-*.npz"))) == 3
    assert run(*job).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "a list of checkpoints or --accuracies TABLE, but got neither"),
        (["runs.csv"], "Expected --dataset to be given with RUNS"),
        (["gone.csv", "--dataset", "photos"], "No such file or directory"),
        (["--accuracies", "accuracies.csv", "--dataset", "photos"], "left out with --accuracies"),
        (["--accuracies", "accuracies.csv", "--engine", "ray"], "--engine to be left out with --accuracies"),
        (["runs.csv", "--dataset", "photos", "--ray-workers", "2"], "--ray-workers to be given with --engine ray"),
        (["--accuracies", "one.csv"], "two strengths at least"),
        (["--accuracies", "accuracies.csv", "--tolerance", "2"], "--tolerance"),
        (["--accuracies", "accuracies.csv", "--order", "0,1"], "--order to be rising, falling, or all strengths"),
        (["--accuracies", "accuracies.csv", "--regularizer", "crop", "--profile", "gone"], "gone"),
        (["runs.csv", "--dataset", "photos", "--accepted", "gone.csv", *IMAGES], "No such file"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[object], sentence: str, sweep: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(sweep)
    table(simulated(Truth(level(1, 2)), 0)).to_csv(sweep / "one.csv", index=False)
    assert_one_sentence(run("audit", *arguments, "--output", tmp_path / "out"), sentence)
    assert not (tmp_path / "out" / "audit.json").exists()


def test_the_direction_of_the_strengths_is_asked_for_or_said(sweep: Path, tmp_path: Path) -> None:
    job = ("audit", "--accuracies", sweep / "accuracies.csv", "--output", tmp_path, "--regularizer")
    assert_one_sentence(run(*job, "scale"), "--order rising where larger numbers are stronger")
    falling = run(*job, "scale", "--order", "falling")
    assert "0 the strongest, smaller is stronger, because --order says so" in " ".join(falling.stdout.split())
    known = run(*job, "weight_decay", "--json")
    assert json.loads(known.stdout)["direction"]["order"] == "rising"
    assert "that is how &#39;weight_decay&#39; is usually meant" in (tmp_path / "audit.html").read_text(
        encoding="utf-8"
    )


def test_a_row_that_is_no_class_is_left_out_and_a_name_is_no_formula(sweep: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(sweep / "accuracies.csv").replace({"class": {"class 0": "=1+1"}})
    keys = ["run", "strength", "seed"]
    total = frame.groupby(keys, as_index=False).agg(accuracy=("accuracy", "mean"), n=("n", "sum"))
    pd.concat([frame, total.assign(**{"class": "macro avg"})]).to_csv(tmp_path / "t.csv", index=False)
    result = run("audit", "--accuracies", tmp_path / "t.csv", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Left out 'macro avg'" in " ".join(result.stdout.split())
    text = (tmp_path / "out" / "audit.csv").read_text(encoding="utf-8")
    assert "macro avg" not in text
    assert "\n'=1+1," in text
    assert "\n=1+1," not in text
    assert "=1+1" in {entry["name"] for entry in json.loads((tmp_path / "out" / "audit.json").read_text())["classes"]}
