"""audit and transfer as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cuesense.cli.app import app
from tests.conftest import make_folder
from tests.helpers.audits import CLASS_FIELDS, FIELDS
from tests.helpers.simulated_sweeps import Truth, level, planted, simulated, table
from tests.helpers.sweep_networks import ARCH, write_networks
from tests.workflows.test_audit import SIZE

FLAGS = ["--arch", ARCH, "--image-size", SIZE, "--resize", SIZE, "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with networks, their list, photographs and a table of accuracies."""
    folder = tmp_path_factory.mktemp("place")
    write_networks(folder, seeds=2)
    make_folder(folder / "photos", 40)
    table(simulated(planted(), 0)).to_csv(folder / "accuracies.csv", index=False)
    return folder


def test_checkpoints_give_a_table_a_page_and_json(place: Path, tmp_path: Path) -> None:
    command = ("audit", place / "runs.csv", "--dataset", place / "photos", "--output", tmp_path / "out", *FLAGS)
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "weight_decay" in result.stdout.replace(" ", "_")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"answers", "audit.csv", "audit.html", "audit.json"}
    again = run(*command, "--json")
    assert again.stdout == (tmp_path / "out" / "audit.json").read_text(encoding="utf-8")
    found = json.loads(again.stdout)
    assert set(found) >= FIELDS
    assert set(found["classes"][0]) >= CLASS_FIELDS


def test_a_table_of_accuracies_names_the_class_that_pays(place: Path, tmp_path: Path) -> None:
    result = run("audit", "--accuracies", place / "accuracies.csv", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert "class 0" in result.stdout
    assert "audit.html" in result.stderr


def test_a_table_needs_no_torch(place: Path, tmp_path: Path) -> None:
    arguments = ["cuesense", "audit", "--accuracies", str(place / "accuracies.csv"), "--output", str(tmp_path)]
    code = f"import sys; sys.argv = {arguments}\nimport cuesense.cli.app\ntry: cuesense.cli.app.main()\n"
    code += "except SystemExit as end: assert not end.code\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_transfer_audits_another_task(place: Path, tmp_path: Path) -> None:
    result = run("transfer", place / "runs.csv", "--dataset", place / "photos", "--output", tmp_path, *FLAGS, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["source"]["train"] == "five folds of the dataset"


def test_an_interrupted_audit_goes_on(place: Path, tmp_path: Path) -> None:
    code = (
        "import signal, sys, os; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import cuesense.inference.checkpoints as c; ask = c._ask\n"
        "def once(*a, **k):\n"
        "    if c.__dict__.setdefault('done', 0) == 3: os.kill(os.getpid(), signal.SIGINT)\n"
        "    c.done += 1\n"
        "    return ask(*a, **k)\n"
        "c._ask = once\nimport cuesense.cli.app; cuesense.cli.app.main()"
    )
    job = ["audit", place / "runs.csv", "--dataset", place / "photos", "--output", tmp_path / "out", *FLAGS]
    done = subprocess.run([sys.executable, "-c", code, *map(str, job)], capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert "interrupted; what was done is kept" in done.stderr
    assert len(list((tmp_path / "out" / "answers").iterdir())) == 3
    assert run(*job).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["audit"], "a list of checkpoints or --accuracies TABLE, but got neither"),
        (["audit", "runs.csv"], "Expected --dataset to be given with RUNS"),
        (["audit", "gone.csv", "--dataset", "photos"], "No such file or directory"),
        (["audit", "--accuracies", "accuracies.csv", "--dataset", "photos"], "left out with --accuracies"),
        (["audit", "--accuracies", "one.csv"], "two strengths at least"),
        (["audit", "--accuracies", "accuracies.csv", "--tolerance", "2"], "--tolerance"),
        (["audit", "--accuracies", "accuracies.csv", "--order", "0,1"], "--order to be all strengths"),
        (["audit", "--accuracies", "accuracies.csv", "--regularizer", "crop", "--profile", "gone"], "gone"),
        (["audit", "runs.csv", "--dataset", "photos", "--accepted", "gone.csv", *FLAGS], "No such file"),
        (["transfer", "lost.csv", "--dataset", "photos"], "but got 2 that are missing: a.pt, b.pt"),
        (["transfer", "runs.csv", "--dataset", "photos", "--train", "gone", *FLAGS], "gone"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    arguments: list[object], sentence: str, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(place)
    table(simulated(Truth(level(1, 2)), 0)).to_csv(place / "one.csv", index=False)
    (place / "lost.csv").write_text("model,strength,seed\na.pt,0,0\nb.pt,1,0\n")
    result = run(*arguments, "--output", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not (tmp_path / "out" / "audit.json").exists()
