"""analyze as a user meets it: its files, JSON alone on stdout, interruptions, one sentence for every mistake."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import make_folder
from tests.helpers.command_line import SMALL_IMAGES, analyze, assert_one_sentence, run_in_process, run_python


def test_the_main_job_writes_its_files_and_shows_a_table(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "profile.json",
        "report.html",
        "classes.csv",
        "curves.csv",
        "outcomes",
        "pictures.parquet",
        "predictions.parquet",
    }
    for word in ("brick", "grass", "water", "color", "Clean accuracy"):
        assert word in result.stdout


def test_json_goes_to_stdout_alone(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out", "--json")
    assert json.loads(result.stdout)["summary"]["labels"]["color"] == 3
    assert result.stdout == (tmp_path / "out" / "profile.json").read_text(encoding="utf-8")


def test_what_the_images_can_decide_is_said_on_stderr_unless_quiet(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out", "--json")
    said = result.stderr.splitlines()
    assert said[0].startswith("With ")
    assert any(line.startswith("Of the ") for line in said)
    assert analyze(model_file, photos_folder, tmp_path / "out", quiet=True).stderr == ""


def test_the_confidence_reaches_the_profile(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    result = analyze(model_file, photos_folder, tmp_path / "out", "--json", "--confidence", "0.51")
    assert json.loads(result.stdout)["policy"]["confidence"] == 0.51


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
    assert_one_sentence(result, said)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "ran").exists()


def test_bad_datasets_are_one_sentence(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat" / "a.png")
    make_folder(tmp_path / "cats", 3)
    (tmp_path / "cats" / "brick").rename(tmp_path / "cats" / "cat")
    for name, said in {"none": "none", "empty": "empty", "flat": "class", "plantet:3": "planted"}.items():
        assert_one_sentence(analyze(model_file, tmp_path / name if ":" not in name else name, tmp_path / "out"), said)
    (tmp_path / "names.txt").write_text("brick\ngrass\nwater\n")
    wrong_names = analyze(model_file, tmp_path / "cats", tmp_path / "out", "--class-names", tmp_path / "names.txt")
    assert_one_sentence(wrong_names, "cat")
    (tmp_path / "names.txt").write_text("cat\ngrass\nwater\nblack\n")
    assert_one_sentence(
        analyze(model_file, tmp_path / "cats", tmp_path / "out", "--class-names", tmp_path / "names.txt", quiet=True),
        "4",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--config", "standart"], "standard"),
        (["--mean", "grey"], "--mean"),
        (["--std", "0,1,1"], "--std"),
        (["--tolerance", "0"], "Expected --tolerance to be between 0 and 1"),
        (["--tolerance", "1"], "Expected --tolerance to be between 0 and 1"),
        (["--confidence", "0.5"], "Expected --confidence to be between 0.5 and 1"),
        (["--confidence", "1"], "Expected --confidence to be between 0.5 and 1"),
        (["--batch-size", "0"], "--batch-size"),
        (["--batch-size", "1025"], "--batch-size"),
        (["--workers", "0"], "--workers"),
        (["--device", "quantum"], "--device"),
        (["--engine", "spark"], "Expected --engine to be local or ray, but got 'spark'"),
        (["--ray-workers", "2"], "Expected --ray-workers to be given with --engine ray"),
        (["--engine", "ray", "--ray-workers", "0"], "--ray-workers"),
        (["--class-names", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_bad_options_are_one_sentence(
    model_file: Path, photos_folder: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    assert_one_sentence(analyze(model_file, photos_folder, tmp_path / "out", *more), said)
    assert not (tmp_path / "out").exists()


def test_odd_images_are_handled_and_broken_ones_counted(model_file: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "odd", 10)
    red = tmp_path / "odd" / "brick"
    for number, mode in enumerate(("L", "P", "CMYK", "RGBA", "LA", "1", "I;16")):
        suffix = "tif" if mode == "CMYK" else "png"
        # No two alike: copies count once.
        noise = Image.fromarray(np.random.default_rng(number).integers(0, 255, (30, 20), dtype=np.uint8))
        noise.convert(mode).save(red / f"mode-{mode.replace(';', '')}.{suffix}")
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
    assert_one_sentence(analyze(path, photos_folder, tmp_path / "out", quiet=True), "--image-size")


@pytest.fixture
def held_job(tmp_path: Path) -> list[str]:
    """A job of several shards; where HOLD is set, its network stops after the first shard until it is interrupted.

    It heeds an interruption even where the tests run in the background of a shell, whose jobs ignore it.
    """
    shards = tmp_path / "out" / "outcomes"
    (tmp_path / "held.py").write_text(
        "import glob\nimport os\nimport time\nimport torch\n"
        "class Held(torch.nn.Module):\n"
        "    def forward(self, images):\n"
        f"        if 'HOLD' in os.environ and glob.glob({str(shards / 'shard-*')!r}):\n"
        "            time.sleep(60)\n"
        "        return images.mean(dim=(2, 3)) + images[:, 0, 0, :3]\n"
        "def build():\n    return Held()\n"
    )
    data = tmp_path / "many"
    make_folder(data, 130)
    job = ["analyze", "python:held:build", "--dataset", data, "--output", tmp_path / "out", "--config", "quick"]
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return [
        sys.executable,
        "-c",
        f"{heeded}; import cuesense.cli.app; cuesense.cli.app.main()",
        *map(str, job),
        *SMALL_IMAGES,
    ]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_interrupted_work_is_kept(held_job: list[str], tmp_path: Path, how: signal.Signals, code: int) -> None:
    environment, shards = os.environ | {"PYTHONPATH": str(tmp_path)}, tmp_path / "out" / "outcomes"
    with subprocess.Popen(
        held_job, env=environment | {"HOLD": "1"}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not list(shards.glob("shard-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(how)
        try:
            message = process.communicate(timeout=60)[1].decode()
        finally:
            process.kill()
    assert process.returncode == code
    assert "Traceback" not in message
    assert not (tmp_path / "out" / "profile.json").exists()
    (shard,) = shards.glob("shard-*")
    kept = shard.stat().st_mtime_ns
    done = subprocess.run(held_job, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shard.stat().st_mtime_ns == kept
    assert (tmp_path / "out" / "profile.json").exists()


def test_a_full_disk_is_one_sentence(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    """A limit on file sizes stands for the disk: the kernel answers with an error all the same."""
    code = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\nimport cuesense.cli.app; cuesense.cli.app.main()"
    job = ["analyze", model_file, "--dataset", photos_folder, "--output", tmp_path / "out", "--config", "quick"]
    done = run_python(code, *job, *SMALL_IMAGES)
    assert done.returncode == 2, done.stderr
    assert "writable" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_progress_stays_out_of_pipes(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    job = ["analyze", model_file, "--dataset", photos_folder, "--output", tmp_path / "out", "--config", "quick"]
    done = run_in_process(*job, *SMALL_IMAGES)
    assert done.returncode == 0, done.stderr
    assert "images/s" not in done.stderr + done.stdout
    assert "Report:" in done.stderr


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    dry = analyze(model_file, photos_folder, tmp_path / "out", "--dry-run", "--part", "1/2")
    assert dry.exit_code == 0, dry.output
    assert dry.stdout.splitlines()[1].split()[:4] == ["quick", "60", "13", "420"]
    assert "nothing was measured or written" in dry.stdout
    assert list(tmp_path.iterdir()) == []
    cost = json.loads(analyze(model_file, photos_folder, tmp_path / "out", "--dry-run", "--json").stdout)
    assert cost["planned"]["forward_passes"] == 60 * 13
    assert [row["config"] for row in cost["others"]] == ["standard", "thorough"]
    assert list(tmp_path.iterdir()) == []


def test_a_run_says_what_it_takes(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    done = analyze(model_file, photos_folder, tmp_path / "out")
    assert "780 forward passes are still to be computed: about 1 s and " in done.stderr
    assert "forward passes" not in analyze(model_file, photos_folder, tmp_path / "out").stderr


def test_an_adaptive_run_says_how_much_it_looked_at(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    dry = analyze(model_file, photos_folder, tmp_path / "out", "--adaptive", "--dry-run")
    assert "With --adaptive this is the most that is computed; most runs end earlier." in dry.stdout
    done = analyze(model_file, photos_folder, tmp_path / "out", "--adaptive")
    assert done.exit_code == 0, done.output
    assert "At most 780 forward passes are still to be computed" in done.stderr
    known = json.loads((tmp_path / "out" / "profile.json").read_text())["provenance"]["adaptive"]
    assert known["of"] == 780
    assert 60 < known["forward_passes"] < 780
    share = f"Looked at {known['forward_passes']} of 780 perturbed and clean images"
    assert share in done.stderr
    again = analyze(model_file, photos_folder, tmp_path / "out", "--adaptive")
    assert share in again.stderr
    assert "still to be computed" not in again.stderr
    # What is left is what a full run still computes.
    left = analyze(model_file, photos_folder, tmp_path / "out")
    assert f"{780 - known['forward_passes']} forward passes are still to be computed" in left.stderr


def test_adaptive_parts_are_refused(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    done = analyze(model_file, photos_folder, tmp_path / "out", "--adaptive", "--part", "1/2")
    assert_one_sentence(done, "used in one process that does all of the work, but got part 1 of 2")
    assert not (tmp_path / "out").exists()
