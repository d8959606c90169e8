"""The command line as a user meets it: exit codes, one sentence, interruptions, JSON on stdout."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from cuesense.cli.app import app
from tests.conftest import make_folder
from tests.helpers.profiles import NAMES
from tests.helpers.profiles_with_forecasts import LOST, planted
from tests.training.test_setup import profile as small
from tests.workflows.test_forecast import WORLD

COMMANDS = (
    "analyze",
    "score",
    "recommend",
    "verify",
    "audit",
    "transfer",
    "compare",
    "check",
    "demo",
    "report",
    "list",
)
FLAGS = ["--image-size", "16", "--resize", "16", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def analyze(model: object, data: object, output: Path, *more: object) -> Result:
    return run("analyze", model, "--dataset", data, "--output", output, "--config", "quick", *FLAGS, *more)


def in_a_process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cuesense", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_the_main_job_writes_its_files_and_shows_a_table(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "profile.json",
        "report.html",
        "classes.csv",
        "curves.csv",
        "outcomes",
        "predictions.parquet",
    }
    for word in ("brick", "grass", "water", "color", "Clean accuracy"):
        assert word in result.stdout


def test_json_goes_to_stdout_alone(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out", "--json")
    assert json.loads(result.stdout)["summary"]["labels"]["color"] == 3
    assert result.stdout == (tmp_path / "out" / "profile.json").read_text(encoding="utf-8")


def test_a_report_can_be_made_again(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    analyze(model_file, photos_folder, tmp_path / "out")
    result = run("report", tmp_path / "out", "--output", tmp_path / "again.html")
    assert result.exit_code == 0
    assert "grass" in (tmp_path / "again.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"cuesense {command}" in result.stdout
    assert "Examples" in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "perturbations"], ["list", "presets"]])
def test_help_and_list_do_not_import_torch(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['cuesense', *{arguments}]\nimport cuesense.cli.app\ntry: cuesense.cli.app.main()\n"
    code += "except SystemExit: pass\nassert not {'torch', 'kornia', 'torchvision', 'timm'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_list_says_what_the_doses_behind_the_labels_leave() -> None:
    rows = [line.split() for line in run("list", "perturbations").stdout.splitlines()]
    shuffle = next(row for row in rows if row[:1] == ["patch_shuffle"])
    assert shuffle[-8:] == ["shape", "14%", "texture", "86%", "color", "100%", "at", "3"]


def test_list_names_everything_and_suggests_the_nearest() -> None:
    result = run("list")
    for name in ("torchvision", "folder", "planted", "patch_shuffle", "standard"):
        assert name in result.stdout
    assert "torchvision:NAME[@WEIGHTS]" in result.stdout
    wrong = run("list", "perturbation")
    assert wrong.exit_code == 2
    assert "Did you mean 'perturbations'" in wrong.stderr


class Evil:
    """A pickle of this runs code when it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (str(self.path),)


def _pickle(tmp_path: Path) -> list[object]:
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    return [path]


def _weights(tmp_path: Path, *more: str) -> list[object]:
    path = tmp_path / "weights.pt"
    torch.save({"layer.weight": torch.zeros(3, 3)}, path)
    return [path, *more]


def _text(tmp_path: Path) -> list[object]:
    path = tmp_path / "model.pt"
    path.write_text("this is no model")
    return [path]


MODELS = {
    "missing": (lambda tmp_path: [tmp_path / "none.pt"], "none.pt"),
    "no model": (_text, "model.pt"),
    "pickle that runs code": (_pickle, "state_dict"),
    "no --arch": (_weights, "--arch"),
    "keys that do not fit": (lambda p: _weights(p, "--arch", "torchvision:squeezenet1_1"), "layer.weight"),
    "unknown architecture": (lambda p: _weights(p, "--arch", "torchvision:resnet81"), "resnet18"),
    "unknown library": (lambda p: _weights(p, "--arch", "torchvison:resnet18"), "torchvision"),
    "unknown timm model": (lambda _: ["timm:resnet5"], "resnet"),
}


@pytest.mark.parametrize("name", MODELS)
def test_bad_models_are_one_sentence(name: str, photos_folder: Path, tmp_path: Path) -> None:
    make, said = MODELS[name]
    result = analyze(*make(tmp_path)[:1], photos_folder, tmp_path / "out", *make(tmp_path)[1:])
    _one_sentence(result, said)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "ran").exists()


def _one_sentence(result: Result, said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("cuesense: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_bad_datasets_are_one_sentence(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat" / "a.png")
    make_folder(tmp_path / "cats", 3)
    (tmp_path / "cats" / "brick").rename(tmp_path / "cats" / "cat")
    for name, said in {"none": "none", "empty": "empty", "flat": "class", "plantet:3": "planted"}.items():
        _one_sentence(analyze(model_file, tmp_path / name if ":" not in name else name, tmp_path / "out"), said)
    (tmp_path / "names.txt").write_text("brick\ngrass\nwater\n")
    wrong_names = analyze(model_file, tmp_path / "cats", tmp_path / "out", "--class-names", tmp_path / "names.txt")
    _one_sentence(wrong_names, "cat")
    (tmp_path / "names.txt").write_text("cat\ngrass\nwater\nblack\n")
    _one_sentence(
        analyze(model_file, tmp_path / "cats", tmp_path / "out", "--class-names", tmp_path / "names.txt"), "4"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--config", "standart"], "standard"),
        (["--mean", "grey"], "--mean"),
        (["--std", "0,1,1"], "--std"),
        (["--tolerance", "2"], "--tolerance"),
        (["--batch-size", "0"], "--batch-size"),
        (["--device", "quantum"], "--device"),
        (["--class-names", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_bad_options_are_one_sentence(
    model_file: Path, photos_folder: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    _one_sentence(analyze(model_file, photos_folder, tmp_path / "out", *more), said)
    assert not (tmp_path / "out").exists()


def test_odd_images_are_handled_and_broken_ones_counted(model_file: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "odd", 10)
    red = tmp_path / "odd" / "brick"
    for mode in ("L", "P", "CMYK", "RGBA", "LA", "1", "I;16"):
        suffix = "tif" if mode == "CMYK" else "png"
        Image.new(mode, (20, 30)).save(red / f"mode-{mode.replace(';', '')}.{suffix}")
    Image.new("RGB", (1, 1)).save(red / "one.png")
    (red / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    result = analyze(model_file, tmp_path / "odd", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["classes"][0]["images"] == 18
    assert any("brick/broken.jpg" in warning for warning in content["summary"]["warnings"])


def test_sizes_that_a_network_refuses_are_one_sentence(photos_folder: Path, tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    path = tmp_path / "flat.pt2"
    torch.export.save(torch.export.export(network, (torch.rand(2, 3, 4, 4),)), path)
    _one_sentence(analyze(path, photos_folder, tmp_path / "out"), "--image-size")


@pytest.fixture
def held_job(tmp_path: Path) -> list[str]:
    """A job of several shards; where HOLD is set, its network stops after the first shard until it is interrupted.

    It heeds an interruption even where the tests run in the background of a shell, whose jobs ignore it.
    """
    shard = tmp_path / "out" / "outcomes" / "shard-00000.npz"
    (tmp_path / "held.py").write_text(
        "import os\nimport time\nimport torch\n"
        "class Held(torch.nn.Module):\n"
        "    def forward(self, images):\n"
        f"        if 'HOLD' in os.environ and os.path.exists({str(shard)!r}):\n"
        "            time.sleep(60)\n"
        "        return images.mean(dim=(2, 3)) + images[:, 0, 0, :3]\n"
        "def build():\n    return Held()\n"
    )
    data = tmp_path / "many"
    make_folder(data, 130)
    job = ["analyze", "python:held:build", "--dataset", data, "--output", tmp_path / "out", "--config", "quick", *FLAGS]
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return [sys.executable, "-c", f"{heeded}; import cuesense.cli.app; cuesense.cli.app.main()", *map(str, job)]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_interrupted_work_is_kept(held_job: list[str], tmp_path: Path, how: signal.Signals, code: int) -> None:
    environment, shard = os.environ | {"PYTHONPATH": str(tmp_path)}, tmp_path / "out" / "outcomes" / "shard-00000.npz"
    with subprocess.Popen(
        held_job, env=environment | {"HOLD": "1"}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not shard.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(how)
        try:
            message = process.communicate(timeout=60)[1].decode()
        finally:
            process.kill()
    assert process.returncode == code
    assert "Traceback" not in message
    assert not (tmp_path / "out" / "profile.json").exists()
    kept = shard.stat().st_mtime_ns
    done = subprocess.run(held_job, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shard.stat().st_mtime_ns == kept
    assert (tmp_path / "out" / "profile.json").exists()


def test_a_full_disk_is_one_sentence(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    """A limit on file sizes stands for the disk: the kernel answers with an error all the same."""
    code = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\nimport cuesense.cli.app; cuesense.cli.app.main()"
    job = ["analyze", model_file, "--dataset", photos_folder, "--output", tmp_path / "out", "--config", "quick", *FLAGS]
    command = [sys.executable, "-c", code, *map(str, job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "writable" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_progress_stays_out_of_pipes(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    done = in_a_process(
        "analyze", model_file, "--dataset", photos_folder, "--output", tmp_path / "out", "--config", "quick", *FLAGS
    )
    assert done.returncode == 0, done.stderr
    assert "images/s" not in done.stderr + done.stdout
    assert "Report:" in done.stderr


def test_score_labels_again_from_the_table_that_analyze_wrote(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "out", tmp_path / "again"
    assert analyze(model_file, photos_folder, first).exit_code == 0
    done = CliRunner().invoke(app, ["score", str(first / "predictions.parquet"), "--output", str(second)])
    assert done.exit_code == 0, done.output
    before, after = (json.loads((folder / "profile.json").read_text()) for folder in (first, second))
    for name in ("classes", "groups", "labeling", "policy"):
        assert after[name] == before[name]
    assert after["summary"]["labels"] == before["summary"]["labels"]
    assert {path.name for path in second.iterdir()} == {"profile.json", "report.html", "classes.csv", "curves.csv"}
    kept = (first / "profile.json").read_bytes()
    _one_sentence(run("score", first / "predictions.parquet", "--output", first), "one of an analysis")
    assert (first / "profile.json").read_bytes() == kept


def test_score_answers_for_groups_and_refuses_a_table_of_something_else(tmp_path: Path) -> None:
    groups, wrong = tmp_path / "groups.csv", tmp_path / "wrong.csv"
    wrong.write_text("path,label\na.jpg,cat\n")
    groups.write_text("class,group\ncat,pets\n")
    done = CliRunner().invoke(app, ["score", str(wrong), "--groups", str(groups), "--output", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "sample_id" in done.output
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_one_of_the_files_cannot_be(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    assert analyze(model_file, photos_folder, tmp_path / "out").exit_code == 0
    (tmp_path / "again" / "profile.json").mkdir(parents=True)
    done = run("score", tmp_path / "out" / "predictions.parquet", "--output", tmp_path / "again")
    assert done.exit_code == 2
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["profile.json"]


@pytest.mark.parametrize("size", ["0", "-5", "99999"])
def test_score_refuses_impossible_sizes(tmp_path: Path, size: str) -> None:
    done = run("score", tmp_path / "none.csv", "--image-size", size)
    assert done.exit_code == 2
    assert "--image-size" in done.output


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    path.write_text(planted(LOST).to_json(), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["json", "yaml", "torchvision", "kornia", "albumentations", "timm"])
def test_recommendations_are_printed_or_written(name: str, profile_file: Path, tmp_path: Path) -> None:
    flags = ["--format", name, "--augmentations", "random_resized_crop, color_jitter", "--image-size", "48"]
    printed = run("recommend", profile_file, *flags)
    assert printed.exit_code == 0, printed.output
    assert "0.4" in printed.stdout
    written = run("recommend", profile_file, *flags, "--output", tmp_path / "made" / "policy.txt")
    assert written.exit_code == 0
    assert (tmp_path / "made" / "policy.txt").read_text(encoding="utf-8") == printed.stdout


def test_recommendations_by_class_name_every_class(profile_file: Path) -> None:
    result = run("recommend", profile_file, "--per-class", "--format", "json")
    assert [group["classes"] for group in json.loads(result.stdout)["groups"]] == [[name] for name in NAMES[:3]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--tolerance", "1.5"], "--tolerance"),
        (["--augmentations", "hue"], "one that the profile measured"),
        (["--format", "torchvison"], "Did you mean 'torchvision'"),
        (["--format", "kornia", "--per-class"], "the same for all classes"),
        (["--grouped", "--per-class"], "one of --grouped and --per-class"),
        (["--probability", "0"], "the probability of a policy"),
        (["--image-size", "0", "--format", "kornia"], "--image-size"),
    ],
)
def test_wrong_recommendations_are_one_sentence(arguments: list[str], sentence: str, profile_file: Path) -> None:
    result = run("recommend", profile_file, *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_profile_of_another_version_is_refused(profile_file: Path) -> None:
    text = profile_file.read_text(encoding="utf-8").replace('"schema_version": 1', '"schema_version": 2')
    profile_file.write_text(text, encoding="utf-8")
    result = run("recommend", profile_file)
    assert result.exit_code == 2
    assert "schema_version 1" in result.stderr


TRAIN, TEST = f"{WORLD},split=train,images=8", f"{WORLD},images=5"


@pytest.fixture
def small_profile(tmp_path: Path) -> Path:
    path = tmp_path / "small" / "profile.json"
    path.parent.mkdir()
    path.write_text(small().to_json(), encoding="utf-8")
    return path


def test_a_forecast_is_made_kept_and_used(small_profile: Path) -> None:
    flags = ["--augmentations", "random_resized_crop", "--dataset", TEST]
    model = ["--head", "--model", "python:tests.workflows.test_forecast:factory"]
    made = run("recommend", small_profile.parent, "--train", TRAIN, "--epochs", "1", *model, *flags)
    assert made.exit_code == 0, made.output
    forecast = json.loads(small_profile.read_text(encoding="utf-8"))["forecast"]
    assert forecast["method"] == "trained and head"
    assert "forecast for usual" not in made.stderr
    assert "forecast for per class: " in made.stderr
    again = run("recommend", small_profile, "--augmentations", "random_resized_crop")
    assert again.stdout == made.stdout
    assert "forecast for none: " in again.stderr


def test_without_a_forecast_it_says_what_stops_an_augmentation(profile_file: Path) -> None:
    result = run("recommend", profile_file, "--augmentations", "random_resized_crop,color_jitter")
    assert "random resized crop: to 0.4, because of barn spider (own accuracy)" in result.stderr
    assert "color jitter: left out, because of goldfish (own accuracy)" in result.stderr
    assert "No forecast: " in result.stderr
    empty = run("recommend", profile_file, "--augmentations", "color_jitter")
    assert "the policy for all classes is empty" in empty.stderr


def test_trainings_show_what_happened(small_profile: Path, tmp_path: Path) -> None:
    command = ["verify", small_profile, "--train", TRAIN, "--test", TEST, "--epochs", "1", "--seeds", "2"]
    command += ["--augmentations", "random_resized_crop", "--output", tmp_path / "out"]
    result = run(*command)
    assert result.exit_code == 0, result.output
    for words in ("best uniform", "2 seeds, 15 test images", "The forecast cannot be compared", "holds no forecast"):
        assert words in result.stdout
    assert "forecast.svg" in result.stderr
    kept = json.loads(small_profile.read_text(encoding="utf-8"))["verified"]
    assert kept["seeds"] == 2
    assert kept["policies"]["usual"]["policy"]["probability"] == 0.8
    printed = run(*command, "--json")
    assert printed.stdout == (tmp_path / "out" / "verify.json").read_text(encoding="utf-8")
    other = run(*command, "--epochs", "2")
    assert other.exit_code == 2
    assert "other recipe" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["recommend", "--train", "planted:0,size=32", "--dataset", TEST], "a dataset of the same 3 classes"),
        (["recommend", "--train", TRAIN], "photos/val"),
        (["recommend", "--train", TRAIN, "--format", "jsn"], "Did you mean 'json'"),
        (["recommend", "--train", TRAIN, "--augmentations", "hue"], "one that the profile measured, but got 'hue'"),
        (
            ["recommend", "--train", TRAIN, "--dataset", TEST, "--train-size", "8"],
            "--train-size to be a whole number",
        ),
        (["recommend", "--train", TRAIN, "--dataset", TEST, "--from", "nothing.pt"], "nothing.pt"),
        (["recommend", "--all-but", "1"], "--all-but"),
        (["recommend", "--train", TRAIN, "--dataset", TRAIN], "24 of 24 images that are among those of --train"),
        (["recommend", "--train", TRAIN, "--dataset", TEST, "--tolerance", "2"], "--tolerance"),
        (["recommend", "--train", TRAIN, "--dataset", TEST, "--grouped", "--format", "kornia"], "the same for all"),
        (["recommend", "--train", TRAIN, "--dataset", TEST, "--device", "foo"], "--device"),
        (["recommend", "--train", TRAIN, "--dataset", TEST, "--output", "/"], "a file, but got a folder"),
        (["recommend", "--epochs", "2"], "Add --train DATASET"),
        (["verify", "--train", TRAIN, "--test", TEST, "--device", "foo"], "--device"),
        (["verify", "--train", TRAIN, "--test", "nowhere"], "nowhere"),
        (["verify", "--train", TRAIN, "--test", TEST, "--tolerance", "0"], "--tolerance"),
        (["verify", "--train", "planted:0,size=32", "--test", TEST], "--train to be a dataset"),
    ],
)
def test_wrong_trainings_are_one_sentence(
    arguments: list[str], sentence: str, small_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_profile.parent)
    before = small_profile.read_bytes()
    result = run(arguments[0], small_profile, *arguments[1:])
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert small_profile.read_bytes() == before
    assert [path.name for path in small_profile.parent.iterdir()] == ["profile.json"]
