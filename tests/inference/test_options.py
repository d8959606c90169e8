"""A user's options of a run: defaults by device, and limits on both sides."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from cuesense.errors import SettingsError
from cuesense.inference import options as options_room
from cuesense.inference.options import RunOptions, run_options


def test_a_cpu_gets_small_batches_and_a_gpu_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_options("cpu").batch_size == 32
    monkeypatch.setattr(options_room, "device_of", str)
    assert run_options("cuda").batch_size == 512
    assert run_options("cuda", batch_size=5).batch_size == 5


@pytest.mark.parametrize(("cores", "workers"), [(None, 1), (1, 1), (15, 15), (16, 16), (17, 16)])
def test_one_worker_a_core_up_to_sixteen(cores: int | None, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert run_options("cpu").workers == workers
    assert run_options("cpu", workers=40).workers == 40


@pytest.mark.parametrize("batch_size", [1, 1024])
def test_batches_may_be_as_small_and_as_large_as_their_limits(batch_size: int) -> None:
    assert run_options("cpu", batch_size).batch_size == batch_size


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 0},
        {"batch_size": 1025},
        {"workers": 0},
        {"workers": 1.0},
        {"seed": 0.5},
        {"precision": "float16"},
        {"device": "warp"},
    ],
)
def test_values_beyond_their_limits_are_refused(changes: dict[str, object]) -> None:
    ((name, _),) = changes.items()
    with pytest.raises(SettingsError, match=name.partition("_")[2] or name):
        run_options(**{"device": "cpu"} | changes)  # type: ignore[arg-type]


def test_numbers_and_devices_of_numpy_and_torch_become_plain() -> None:
    found = run_options(torch.device("cpu"), np.int64(8), "bfloat16", np.int32(3), np.int64(-7))  # type: ignore[arg-type]
    assert found == RunOptions("cpu", 8, "bfloat16", 3, -7)
    assert {type(value) for value in (found.batch_size, found.workers, found.seed)} == {int}
    assert type(found.device) is str


def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run_options() == run_options("cpu")
