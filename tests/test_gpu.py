"""The GPU benchmark records failures and goes on, notices other pixels and parameters, and keeps its time limits."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from benchmarks import gpu
from benchmarks.gpu_parts import pixels, speed
from benchmarks.gpu_parts.setting import Setting
from cuesense import registry
from cuesense.draws import Draws
from cuesense.perturbations.catalog import BRIGHTNESS, GRAYSCALE

SMALL = Setting("cpu", small=True)


def fails(_: Setting, results: dict[str, Any]) -> None:
    results["before"] = 1
    raise RuntimeError("no such kernel\nand its trace")


def sleeps(*_: object) -> None:
    time.sleep(30)


def test_a_part_that_fails_or_takes_too_long_is_recorded_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = {
        "fails": (fails, 5.0),
        "sleeps": (sleeps, 1.0),
        "works": (lambda _, results: results.update(a=2), 5.0),
    }
    monkeypatch.setattr(gpu, "_PARTS", parts)
    gpu.measured(SMALL, list(parts), tmp_path / "results" / "gpu.json")
    written = json.loads((tmp_path / "results" / "gpu.json").read_text())
    assert written["failed"] == {
        "fails": "RuntimeError: no such kernel",
        "sleeps": "TimeLimitError: stopped after 1 s",
    }
    assert (written["fails"], written["works"]) == ({"before": 1}, {"a": 2})
    assert "no such kernel" in gpu.table(written)


def depends_on_batch(images: Tensor, *_: object) -> Tensor:
    return images + (0.001 if len(images) > 1 else 0.0)


def draws_more_in_batches(images: Tensor, _: float, draws: Draws) -> Tensor:
    draws.uniform(len(images))
    return images.clone()


def breaks_in_batches(images: Tensor, *_: object) -> Tensor:
    if len(images) > 1:
        raise RuntimeError("tensors on two devices")
    return images.clone()


@pytest.mark.parametrize(
    ("apply", "within", "failed", "parameters"),
    [
        (BRIGHTNESS.apply, 2, 0, 0),
        (depends_on_batch, 0, 0, 0),
        (draws_more_in_batches, 2, 0, 2),
        (breaks_in_batches, 0, 2, 0),
    ],
)
def test_other_pixels_parameters_and_failures_are_counted_and_the_next_is_compared(
    apply: Any, within: int, failed: int, parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {
        "tried": replace(BRIGHTNESS, name="tried", ladder=(0.4,), apply=apply),
        "grayscale": replace(GRAYSCALE, ladder=(1.0,)),
    }
    monkeypatch.setattr(registry, "names", lambda _: tuple(known))
    monkeypatch.setattr(registry, "get", lambda _, name: known[name])
    results: dict[str, Any] = {}
    pixels.measure(SMALL, results)
    counts = ("compared", "within the tolerance", "failed", "other parameters")
    assert [results[name] for name in counts] == [4, within + 2, failed, parameters]


def test_ratios_are_of_equal_numbers_of_images() -> None:
    rows = [
        {"perturbation": "a", "value": value, "seconds": {"waited for": seconds}}
        for value, seconds in ((1.0, 0.1), (2.0, 0.2), (3.0, 0.6))
    ]
    rows.append({"perturbation": "b", "value": 1.0, "seconds": {"failed": "RuntimeError: none"}})
    found = speed.ratios(rows, 2.0)["waited for"]
    assert found == {"median": pytest.approx(0.1), "worst": pytest.approx(0.3), "worst condition": "a 3"}
    passes = {"bfloat16": 0.5, "bfloat16 autocast": None, "CUDA graph": None, "compiled": 0.25, "float32": None}
    run = {"bfloat16": {"seconds a forward pass of one image": 0.005}}
    assert gpu._over_forward(run, passes, 128) == {
        "total in bfloat16 over forward, bfloat16": pytest.approx(1.28),
        "total in bfloat16 over forward, compiled": pytest.approx(2.56),
    }
