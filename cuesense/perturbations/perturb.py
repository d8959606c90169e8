"""Apply one perturbation to one batch: the only way in, for the engine and for users."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cuesense.errors import SettingsError, expected
from cuesense.types import Draws, Perturbation


def perturb(
    perturbation: Perturbation,
    images: Tensor,
    sample_ids: Sequence[str],
    value: float,
    *,
    seed: int = 0,
    repeat: int = 0,
) -> Tensor:
    """Perturb a batch; what happens to an image depends on its id, the dose and the seed alone.

    On the CPU every image is a batch of its own: its pixels then cannot depend on its neighbors, not even in the
    last bit, and its working set stays in the cache. Other devices take the whole batch at once.

    Args:
        perturbation: What to apply.
        images: (N, 3, H, W), float32 or bfloat16 (computed in float32), RGB in [0, 1]; left unchanged.
        sample_ids: The images' ids, length N.
        value: The dose, in the perturbation's unit; its identity returns the images as they are.
        seed: The run's seed.
        repeat: Which repeat of the condition, from 0.

    Returns:
        A new tensor of the same shape, dtype and device, in [0, 1].

    Raises:
        SettingsError: The dose is outside the perturbation's limits, or the shapes do not fit.
    """
    _check(perturbation, images, sample_ids, value)
    if value == perturbation.identity:
        return images.clone()
    draws = Draws.of(sample_ids, perturbation=perturbation.name, value=value, seed=seed, repeat=repeat)
    pixels = images.float()
    changed = torch.empty_like(pixels, memory_format=torch.contiguous_format)
    step = 1 if images.device.type == "cpu" else max(1, len(pixels))
    for start in range(0, len(pixels), step):
        part = slice(start, start + step)
        result = perturbation.apply(pixels[part].contiguous(), value, draws[part])
        torch.clamp(result, 0.0, 1.0, out=changed[part])
    return changed.to(images.dtype)


def _check(perturbation: Perturbation, images: Tensor, sample_ids: Sequence[str], value: float) -> None:
    low, high = perturbation.limits
    if not low <= value <= high:
        raise SettingsError(
            expected(
                f"{perturbation.name}'s {perturbation.parameter}",
                f"between {low:g} and {high:g} ({perturbation.unit})",
                f"{value:g}",
                f"Choose a value such as {', '.join(f'{rung:g}' for rung in perturbation.ladder)}",
            )
        )
    if images.ndim != 4 or images.shape[1] != 3 or len(images) != len(sample_ids):
        raise SettingsError(
            expected(
                "images",
                "of shape (N, 3, H, W) with one sample id each",
                f"{tuple(images.shape)} and {len(sample_ids)} ids",
                "Stack RGB images into one batch",
            )
        )
