"""Checkpoints in Ray's workers: the audit of one process, also after losses; each is kept as soon as it has ended."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cuesense.errors import ModelError
from cuesense.inference import ray_checkpoints
from cuesense.inference.checkpoints import CheckpointPredictions, predict_checkpoints
from cuesense.inference.one_checkpoint import CheckpointOptions
from cuesense.inference.options import RayWorkers, RunOptions
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import VARIABLE
from cuesense.sweeps.run_list import Runs, read_runs
from cuesense.types import Progress, Sample, no_progress
from cuesense.workflows.audit import audit
from tests.helpers.own_pools import use_own_pool
from tests.helpers.small_networks import SIZE, Colors
from tests.helpers.sweep_networks import ARCH, write_networks

IMAGES = ImageOptions(SIZE, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
HERE = CheckpointOptions(RunOptions(batch_size=32), IMAGES)
THERE = replace(HERE, run=replace(HERE.run, ray=RayWorkers(2)))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list of four checkpoints."""
    return write_networks(tmp_path_factory.mktemp("sweep"), (0.0, 1.0), seeds=2)


@pytest.fixture
def runs(listed: Path) -> Runs:
    return read_runs(listed, arch=ARCH)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let a pool in this process do the checkpoints, the last one first; return the numbers of those it did."""
    return use_own_pool(monkeypatch)


def found(
    runs: Runs,
    options: CheckpointOptions,
    folder: Path | None,
    progress: Progress = no_progress,
    *,
    restart: bool = False,
    images: int = 40,
) -> CheckpointPredictions:
    return predict_checkpoints(runs, Colors(images), options, folder, progress=progress, restart=restart)


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_results_come_in_the_order_of_the_list(runs: Runs, done: list[Any], tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    other = found(runs, THERE, tmp_path / "ray", lambda *step: steps.append(step))
    one = found(runs, HERE, tmp_path / "local")
    assert done == [3, 2, 1, 0, "closed"]
    assert steps == [(number * 40, 160) for number in range(5)]
    assert one.sweep.per_image is not None
    assert other.sweep.per_image is not None
    np.testing.assert_array_equal(other.sweep.per_image.predicted, one.sweep.per_image.predicted)
    np.testing.assert_array_equal(other.similarity, one.similarity)
    assert len({tuple(row) for row in one.sweep.per_image.predicted}) > 1
    assert files(tmp_path / "ray") == files(tmp_path / "local")
    np.testing.assert_array_equal(found(runs, THERE, None).sweep.accuracy, one.sweep.accuracy)


@pytest.mark.usefixtures("done")
def test_a_checkpoint_that_has_ended_is_kept_and_not_run_again(runs: Runs, tmp_path: Path) -> None:
    def stop(images: int, _: int) -> None:
        if images:
            raise KeyboardInterrupt

    def shards() -> dict[Path, int]:
        """Return the kept shards; one that is written again is another file."""
        return {path: path.stat().st_ino for path in tmp_path.rglob("shard-*.npz")}

    with pytest.raises(KeyboardInterrupt):
        found(runs, THERE, tmp_path, stop)
    first = shards()
    assert len(first) == 1
    found(runs, THERE, tmp_path)
    every = shards()
    assert len(every) == 4
    assert first.items() <= every.items()
    found(runs, THERE, tmp_path, images=50)
    assert len(shards()) == 8
    assert every.items() <= shards().items()
    found(runs, THERE, tmp_path, restart=True)
    assert shards().keys() == every.keys()
    assert not shards().items() & every.items()


@pytest.mark.usefixtures("done")
def test_errors_name_the_checkpoint(runs: Runs, tmp_path: Path) -> None:
    torch.save({"1.weight": torch.eye(4), "1.bias": torch.zeros(4)}, tmp_path / "other.pt")
    broken = replace(runs, models=(*runs.models[:3], str(tmp_path / "other.pt")))
    with pytest.raises(ModelError, match=r"other\.pt"):
        found(broken, THERE, None)


@pytest.mark.usefixtures("done")
def test_what_forbids_programs_here_forbids_them_in_workers(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Workers have other environment variables."""
    sent: list[bool] = []
    begin = ray_checkpoints.CheckpointWorker.__init__

    def worker(self: Any, checkpoints: Any, kept: Any) -> None:
        sent.append(checkpoints.options.trust.weights_only)
        monkeypatch.delenv(VARIABLE)
        begin(self, checkpoints, kept)

    monkeypatch.setattr(ray_checkpoints.CheckpointWorker, "__init__", worker)
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(ModelError, match="a program"):
        found(runs, THERE, tmp_path)
    assert sent == [True]


@pytest.mark.usefixtures("two_workers")
def test_the_audit_is_that_of_one_process_also_after_a_loss(listed: Path, tmp_path: Path) -> None:
    died, here = tmp_path / "died", os.getpid()

    class Deadly(Colors):
        def __getitem__(self, index: int) -> Sample:
            if os.getpid() != here and not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getitem__(index)

    options: dict[str, Any] = {"arch": ARCH, "image_size": SIZE, "resize": SIZE, "mean": (0.5,) * 3, "std": (0.25,) * 3}
    audit(listed, Colors(60), output=tmp_path / "local" / "out", **options)
    audit(listed, Deadly(60), output=tmp_path / "ray" / "out", engine="ray", **options)
    assert died.exists()
    expected = files(tmp_path / "local" / "out")
    assert {"audit.json", "audit.csv", "audit.html"} <= expected.keys()
    assert files(tmp_path / "ray" / "out") == expected
