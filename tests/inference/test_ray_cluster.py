"""Ray's workers give what one process gives, byte for byte, also after losses; errors and Ctrl-C are those of one."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from torch import Tensor

from cuesense.errors import CuesenseError, ModelError, SettingsError
from cuesense.inference import ray_cluster, ray_pool
from cuesense.inference.engine import predict
from cuesense.inference.options import RayWorkers, RunOptions
from cuesense.inference.ray_cluster import RayEngine, connected, device_here, expected_options, ray_engine
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier
from cuesense.workflows.analyze import analyze
from tests.helpers.engine_runs import CONDITIONS, read, run
from tests.helpers.small_networks import NAMES, SIZE, Colors, Meanest, classifier

IMAGES = {"image_size": SIZE, "resize": SIZE, "mean": (0.5,) * 3, "std": (0.25,) * 3, "class_names": NAMES}

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\+00:00|Z)")


def elsewhere(act: Callable[[], None]) -> Classifier:
    """Return the usual network, which does something in every forward pass outside of this process."""
    here = os.getpid()

    class Acts(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            if os.getpid() != here:
                act()
            return super().forward(images)

    return classifier(Acts())


def started_by(mark: Path) -> list[str]:
    """Return the processes that have a mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(mark).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Return the results in a folder, without the time when they were made."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {name: _TIME.sub(b"", found) for name, found in files.items()}


@pytest.mark.usefixtures("two_workers")
@pytest.mark.filterwarnings("ignore::cuesense.errors.CuesenseWarning")
def test_after_a_loss_the_results_are_those_of_one_process(photos_folder: Path, tmp_path: Path) -> None:
    died = tmp_path / "died"

    def die_once() -> None:
        if not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    chosen: dict[str, Any] = {"config": "quick", "batch_size": 8, "progress": False}
    analyze(elsewhere(lambda: None), photos_folder, output=tmp_path / "local" / "out", **chosen)
    analyze(elsewhere(die_once), photos_folder, output=tmp_path / "ray" / "out", engine="ray", **chosen)
    assert died.exists()
    expected = content(tmp_path / "local" / "out")
    assert {"profile.json", "curves.csv", "predictions.parquet", "report.html"} <= expected.keys()
    assert content(tmp_path / "ray" / "out") == expected
    assert ray.is_initialized(), "a Ray that others have started goes on"


@pytest.mark.usefixtures("two_workers")
def test_images_in_memory_are_found_again(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "outcomes", {})
    options = RunOptions(batch_size=8, seed=5, ray=RayWorkers(2))
    seen: list[tuple[int, int]] = []
    data = Colors(30, broken=frozenset({4}))
    found = predict(classifier(), data, (0, 1, 2), CONDITIONS, store, options, lambda *pair: seen.append(pair))
    assert data.read == [], "workers have decoded the images"
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)
    assert len(found.skipped) == 1
    for one, other in zip(read(found), read(run(data)), strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()
    again = OutcomeStore.open(tmp_path / "outcomes", {})
    before = again.names
    for one, other in zip(read(run(data, store=again)), read(found), strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()
    assert again.names == before, "nothing was computed again"


@pytest.mark.usefixtures("two_workers")
def test_a_network_fails_with_the_sentence_of_one_process() -> None:
    def fail() -> None:
        raise ValueError("seventeen is no size")

    options = RunOptions(batch_size=8, ray=RayWorkers(1))
    with pytest.raises(
        ModelError, match=r"^The model failed on a batch of shape \(8, 3, 16, 16\): seventeen is no siz"
    ):
        predict(elsewhere(fail), Colors(30), (0, 1, 2), CONDITIONS, OutcomeStore(), options)


@pytest.mark.usefixtures("two_workers")
def test_a_unit_that_ends_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_pool, "_MOST_LOSSES", 1)
    options = RunOptions(batch_size=8, ray=RayWorkers(1))
    with pytest.raises(ModelError, match="workers of Ray to be alive, but got one that ended again and again"):
        predict(
            elsewhere(lambda: os.kill(os.getpid(), signal.SIGKILL)),
            Colors(30), (0, 1, 2), CONDITIONS, OutcomeStore(), options,
        )  # fmt: skip


def test_an_interruption_keeps_what_is_done_and_ends_ray(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = ["analyze", model_file, "--dataset", photos_folder, "--output", output, "--config", "thorough"]
    command += ["--image-size", SIZE, "--resize", SIZE, "--mean", "0.5", "--std", "0.25", "--batch-size", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUESENSE_TEST_RUN": str(tmp_path)}
    environment.pop("RAY_ADDRESS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "cuesense", *map(str, command), "--engine", "ray", "--ray-workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    while process.poll() is None and not any(output.glob("outcomes/shard-*.npz")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    parts = len(list(output.glob("outcomes/shard-*.npz")))
    assert f"kept: {parts} finished part" in said
    assert said.count("cuesense: interrupted; ") == 1
    until = time.monotonic() + 20
    while (running := started_by(tmp_path)) and time.monotonic() < until:
        time.sleep(0.1)
    assert running == [], "Ray has ended with the command that started it"


def test_what_is_asked_for() -> None:
    assert ray_engine("local", None, None, None, "auto") is None
    assert ray_engine("ray", None, None, None, "auto") == RayEngine()
    assert ray_engine("ray", "auto", 3, None, "cuda") == RayEngine("auto", 3, 1.0)
    assert ray_engine("ray", None, None, 0.5, "cuda") == RayEngine(None, None, 0.5)
    assert ray_engine("ray", None, None, None, "cpu") == RayEngine(None, None, 0.0)


def test_a_machine_without_a_gpu_may_start_a_run_on_the_gpus_of_a_cluster() -> None:
    assert [device_here(RayEngine(), device) for device in ("cuda", "auto", "cpu")] == ["auto", "auto", "cpu"]
    assert [device_here(None, device) for device in ("cuda", "auto", "cpu")] == ["cuda", "auto", "cpu"]
    assert [RayWorkers(2, 4, 0.5).device, RayWorkers(2).device] == ["cuda", "cpu"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("dask", None, None, None, "auto"), "--engine to be local or ray, but got 'dask'"),
        (("local", "auto", None, None, "auto"), "--ray-address to be given with --engine ray"),
        (("local", None, 2, None, "auto"), "--ray-workers to be given with --engine ray"),
        (("local", None, None, 1, "auto"), "--gpus-per-worker to be given with --engine ray"),
        (("ray", None, 0, None, "auto"), "--ray-workers"),
        (("ray", None, None, -1, "auto"), "--gpus-per-worker to be a whole number or a fraction below 1"),
        (("ray", None, None, 1.5, "auto"), "--gpus-per-worker to be a whole number or a fraction below 1"),
        (("ray", None, None, 1, "cpu"), "--gpus-per-worker to be above 0 for GPUs alone, but got 1 with --device cpu"),
        (("ray", None, None, 0, "cuda"), "--gpus-per-worker to be above 0 for GPUs alone"),
    ],
)
def test_what_does_not_fit_is_one_sentence(given: tuple[Any, ...], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ray_engine(*given)
    assert said in caught.value.for_command_line


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CuesenseError, match=r"Install it: pip install 'cuesense\[ray\]'"):
        ray_engine("ray", None, None, None, "auto")


@pytest.mark.parametrize(
    ("engine", "nodes", "workers"),
    [
        (RayEngine(), [{"CPU": 2.0}], RayWorkers(2)),
        (RayEngine(), [{"CPU": 2.0}, {"CPU": 6.0}], RayWorkers(8)),
        (RayEngine(workers=3), [{"CPU": 2.0}], RayWorkers(3)),
        (RayEngine(), [{"CPU": 16.0, "GPU": 8.0}, {"CPU": 4.0}], RayWorkers(8, 2, 1.0)),
        (RayEngine(gpus=0.0), [{"CPU": 16.0, "GPU": 8.0}], RayWorkers(16)),
        (RayEngine(gpus=0.1), [{"CPU": 40.0, "GPU": 1.0}], RayWorkers(10, 4, 0.1)),
        (RayEngine(gpus=2.0), [{"CPU": 8.0, "GPU": 3.0}, {"CPU": 8.0, "GPU": 4.0}], RayWorkers(3, 4, 2.0)),
        (RayEngine(gpus=1.0), [{"CPU": 2.0, "GPU": 8.0}], RayWorkers(8, 1, 1.0)),
        (RayEngine(workers=64, gpus=1.0), [{"CPU": 4.0}], RayWorkers(64, 1, 1.0)),
    ],
)
def test_workers_take_what_the_machines_have(
    engine: RayEngine, nodes: list[dict[str, float]], workers: RayWorkers
) -> None:
    assert ray_cluster._fitting(engine, nodes) == workers


def test_a_cluster_without_gpus_is_refused_where_they_are_asked_for() -> None:
    with pytest.raises(SettingsError, match="the Ray cluster to be one with GPUs, but got none"):
        ray_cluster._fitting(RayEngine(gpus=1.0), [{"CPU": 4.0}])


def test_an_address_at_which_nothing_answers_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"a Ray cluster that can be used, but got '{address}': .*refused"):
            ray_cluster._connect(ray, address)


@pytest.mark.parametrize(
    ("engine", "gpus", "device", "workers"),
    [
        (RayEngine(), 0, "cpu", RayWorkers(4)),
        (RayEngine(workers=3), 0, "cpu", RayWorkers(3)),
        (RayEngine(workers=64), 0, "cpu", RayWorkers(4)),
        (RayEngine(), 2, "cuda", RayWorkers(2, 2, 1.0)),
        (RayEngine(gpus=0.0), 2, "cpu", RayWorkers(4)),
        (RayEngine(workers=3, gpus=0.5), 2, "cuda", RayWorkers(3, 1, 0.5)),
    ],
)
def test_workers_of_this_machine_are_known_without_starting_ray(
    engine: RayEngine, gpus: int, device: str, workers: RayWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", None)
    monkeypatch.setattr(ray_cluster, "cores", lambda: 4)
    monkeypatch.setattr(ray_cluster, "gpus", lambda: gpus)
    found = expected_options(engine, RunOptions(batch_size=7), default_batch=False)
    assert found == RunOptions(device, 7, workers=workers.cpus, ray=workers)


@pytest.mark.usefixtures("two_workers")
def test_a_cluster_that_runs_is_asked_how_many_workers_it_has() -> None:
    assert expected_options(RayEngine(), RunOptions(), default_batch=True).ray == RayWorkers(2)


def test_without_an_engine_nothing_changes() -> None:
    options = RunOptions(batch_size=7)
    with connected(None, options, default_batch=True) as found:
        assert found is options
    assert expected_options(None, options, default_batch=True) is options
    assert options.here is options


def test_this_process_runs_what_it_runs_itself_without_workers() -> None:
    assert RunOptions("cuda", ray=RayWorkers(8, 1, 1.0)).here == RunOptions(
        "cuda" if torch.cuda.is_available() else "cpu"
    )
    assert RunOptions("cpu", ray=RayWorkers(8)).here == RunOptions("cpu")


@pytest.mark.filterwarnings("ignore::cuesense.errors.CuesenseWarning")
def test_a_training_transform_is_measured_in_one_process(photos_folder: Path) -> None:
    with pytest.raises(SettingsError, match="engine to be local where a training transform is measured, but got ray"):
        analyze(Meanest(), photos_folder, engine="ray", torchvision_args="--auto-augment ra", **IMAGES)  # type: ignore[arg-type]
