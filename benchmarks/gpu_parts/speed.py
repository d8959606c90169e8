"""How long forward passes and single perturbations take on the device."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu_parts.setting import (
    AUTOCAST,
    BFLOAT16,
    FLOAT32,
    Setting,
    as_tensor,
    device_seconds,
    kernel_seconds,
    natural_images,
    network_of,
    tried,
    wall_seconds,
)
from cuesense.perturbations.apply import perturb
from cuesense.types import Perturbation


def forward(setting: Setting, results: dict[str, Any]) -> None:
    """Time eager forward passes of every network, precision and batch size, and CUDA graphs at one batch size."""
    for name in setting.networks:
        found = results.setdefault(name, {"eager": {}})
        for precision in (AUTOCAST, BFLOAT16, FLOAT32):
            tried(found["eager"], precision, lambda n=name, p=precision: _over_batches(setting, n, p))
        if setting.on_gpu:
            tried(found, "CUDA graph", lambda n=name: _graph(setting, n))


def compiled(setting: Setting, results: dict[str, Any]) -> None:
    """Time torch.compile's forward pass in bfloat16 at one batch size, and the time that compiling takes."""
    for name in setting.networks:
        tried(results, name, lambda n=name: _compiled(setting, n))


def perturbations(setting: Setting, results: dict[str, Any]) -> None:
    """Time every condition of the preset on one batch: waited for, on the host alone, and kernels alone."""
    results["batch"] = setting.batch
    images = as_tensor(natural_images(setting.batch, setting.side, setting.side)).to(setting.device)
    ids = [f"class/{index:04d}.jpg" for index in range(setting.batch)]
    rows: list[dict[str, Any]] = results.setdefault("conditions", [])
    with torch.inference_mode():
        for perturbation in setting.perturbations():
            for value in perturbation.ladder:
                row: dict[str, Any] = {"perturbation": perturbation.name, "value": value}
                rows.append(row)
                tried(row, "seconds", lambda p=perturbation, v=value: _condition(setting, p, v, images, ids))


def ratios(conditions: list[dict[str, Any]], forward_seconds: float) -> dict[str, Any]:
    """Return the median and the worst ratio of all conditions to a forward pass of as many images, by kind of time."""
    found: dict[str, Any] = {}
    for kind in ("waited for", "kernels", "host"):
        shares = [
            (row["seconds"][kind] / forward_seconds, f"{row['perturbation']} {row['value']:g}")
            for row in conditions
            if kind in row["seconds"]
        ]
        if shares:
            median = statistics.median(share for share, _ in shares)
            found[kind] = {"median": median, "worst": max(shares)[0], "worst condition": max(shares)[1]}
    return found


def _condition(
    setting: Setting, perturbation: Perturbation, value: float, images: Tensor, ids: list[str]
) -> dict[str, float]:
    def call() -> Tensor:
        return perturb(perturbation, images, ids, value)

    found = {"waited for": wall_seconds(setting, call)}
    if setting.on_gpu:
        setting.wait()
        start = time.perf_counter()
        call()
        # Until the call returns; the device may still be at work.
        found["host"] = time.perf_counter() - start
        found["kernels"] = sum(kernel_seconds(setting, call).values())
    return found


def _over_batches(setting: Setting, name: str, precision: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for batch in setting.batches:
        tried(found, str(batch), lambda b=batch: _timed(setting, b, _pass(setting, name, precision, b)))
    return found


def _timed(setting: Setting, batch: int, call: Callable[[], object]) -> dict[str, float]:
    seconds = device_seconds(setting, call)
    return {"seconds": seconds, "images a second": batch / seconds}


def _pass(setting: Setting, name: str, precision: str, batch: int) -> Callable[[], Tensor]:
    """Return one forward pass: weights and images in bfloat16, autocast as the engine does it, or float32."""
    dtype = torch.bfloat16 if precision == BFLOAT16 else torch.float32
    network, images = network_of(setting, name, dtype=dtype), _batch(setting, batch, dtype)

    def call() -> Tensor:
        with torch.inference_mode(), torch.autocast(setting.device, torch.bfloat16, enabled=precision == AUTOCAST):
            logits: Tensor = network(images)
            return logits

    return call


def _batch(setting: Setting, batch: int, dtype: torch.dtype) -> Tensor:
    # Random numbers, not zeros: zeros can run faster than real images do.
    generator = torch.Generator(setting.device).manual_seed(0)
    images = torch.randn(batch, 3, setting.side, setting.side, device=setting.device, generator=generator)
    return images.to(dtype).contiguous(memory_format=torch.channels_last)


def _graph(setting: Setting, name: str) -> dict[str, float]:
    network, images = network_of(setting, name, dtype=torch.bfloat16), _batch(setting, setting.batch, torch.bfloat16)
    with torch.no_grad():
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                network(images)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            network(images)
    return _timed(setting, setting.batch, graph.replay)


def _compiled(setting: Setting, name: str) -> dict[str, float]:
    network, images = network_of(setting, name, dtype=torch.bfloat16), _batch(setting, setting.batch, torch.bfloat16)
    # On a CPU only the way there is tried: the compiler itself takes minutes.
    faster: nn.Module = torch.compile(network, backend="inductor" if setting.on_gpu else "eager", dynamic=False)
    with torch.no_grad():
        start = time.perf_counter()
        faster(images)
        setting.wait()
        compiling = time.perf_counter() - start
        found = _timed(setting, setting.batch, lambda: faster(images))
    with contextlib.suppress(Exception):
        torch.compiler.reset()
    return found | {"seconds to compile": compiling}


def first_seconds(found: object, *path: str) -> float | None:
    """Return the seconds at a path of nested results, or None where that measurement is missing or failed."""
    for key in (*path, "seconds"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, float) else None
