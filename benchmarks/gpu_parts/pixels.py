"""Whether every perturbation gives the same pixels on the device as on the CPU, from the same parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu_parts.setting import Setting, as_tensor, failed, natural_images
from cuesense import registry
from cuesense.draws import Draws
from cuesense.perturbations.apply import perturb
from cuesense.types import Perturbation

# Far below half a gray level of 8 bits, 0.002, and far above the rounding of float32.
TOLERANCE = 1e-5
_SEED = 3
_ODD = 97, 130

Numbers = dict[tuple[int, int], list[np.ndarray]]


def measure(setting: Setting, results: dict[str, Any]) -> None:
    """Compare every value of every registered perturbation, and the scaling of 8-bit images, with the CPU's."""
    sizes = ((64, 64), _ODD) if setting.small else ((224, 224), _ODD)
    batches = [natural_images(4 if setting.small else 16, height, width) for height, width in sizes]
    results["tolerance"], results["images"] = TOLERANCE, [list(batch.shape) for batch in batches]
    levels = torch.arange(256, dtype=torch.uint8)
    on_device = levels.to(setting.device).float().div_(255).cpu()
    results["8-bit images as float32 are equal"] = bool(torch.equal(on_device, levels.float().div_(255)))
    rows: list[dict[str, Any]] = results.setdefault("conditions", [])
    for name in registry.names("perturbations"):
        perturbation = registry.get("perturbations", name)
        for value in perturbation.ladder:
            for batch in batches:
                rows.append(_compared(setting, perturbation, value, batch))
                results.update(_counted(rows))


def _compared(setting: Setting, perturbation: Perturbation, value: float, batch: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"perturbation": perturbation.name, "value": value, "size": list(batch.shape[1:3])}
    try:
        images, ids = as_tensor(batch), [f"class/{index:03d}.jpg" for index in range(len(batch))]
        with torch.inference_mode():
            with _recorded() as expected_numbers:
                expected = perturb(perturbation, images, ids, value, seed=_SEED)
            with _recorded() as numbers:
                found = _on_device(setting, perturbation, value, images, ids)
        difference = (found.cpu() - expected).abs()
        row["largest"] = float(difference.max())
        row["mean"] = float(difference.mean())
        row["beyond"] = float((~(difference <= TOLERANCE)).float().mean())
        row["within"] = row["beyond"] == 0
        row["digest"] = hashlib.sha256(expected.numpy().tobytes()).hexdigest()[:16]
        row["parameters"] = _equal(expected_numbers, numbers)
    except Exception as error:  # recorded, and the next condition goes on
        row |= {"failed": failed(error), "within": False}
    return row


def _on_device(setting: Setting, perturbation: Perturbation, value: float, images: Tensor, ids: list[str]) -> Tensor:
    if setting.on_gpu:
        return perturb(perturbation, images.to(setting.device), ids, value, seed=_SEED)
    # On a CPU images are perturbed one by one: the whole batch at once takes the way that a GPU takes.
    draws = Draws.of(ids, perturbation=perturbation.name, value=value, seed=_SEED)
    return perturbation.apply(images, value, draws).clamp_(0, 1)


@contextmanager
def _recorded() -> Iterator[Numbers]:
    """Collect every random number that is drawn, by the range of its index, one row an image."""
    numbers: Numbers = {}
    uniform = Draws.uniform

    def record(draws: Draws, count: int, start: int = 0) -> np.ndarray:
        found = uniform(draws, count, start)
        numbers.setdefault((start, count), []).append(np.array(found))
        return found

    Draws.uniform = record  # type: ignore[method-assign]
    try:
        yield numbers
    finally:
        Draws.uniform = uniform  # type: ignore[method-assign]


def _equal(expected: Numbers, found: Numbers) -> str:
    """Return whether two runs drew the same numbers for the same images, in a word."""
    if not expected and not found:
        return "none"
    same = expected.keys() == found.keys() and all(
        np.array_equal(np.concatenate(expected[key]), np.concatenate(found[key])) for key in expected
    )
    return "identical" if same else "different"


def _counted(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [row for row in rows if "failed" not in row]
    return {
        "compared": len(rows),
        "within the tolerance": sum(row["within"] for row in rows),
        "failed": len(rows) - len(found),
        "other parameters": sum(row["parameters"] == "different" for row in found),
        "largest difference": max((row["largest"] for row in found), default=None),
        "outside": sorted({row["perturbation"] for row in rows if not row["within"]}),
    }
