"""Apply one perturbation to one batch: the only way in, for the engine and for users."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.errors import SettingsError, expected
from cuesense.types import Perturbation


def perturb(
    perturbation: Perturbation,
    images: Tensor,
    sample_ids: Sequence[str],
    value: float,
    *,
    seed: int = 0,
    repeat: int = 0,
) -> Tensor:
    """Perturb a batch; what happens to an image depends on its id, the value and the seed alone.

    On the CPU every image is a batch of its own: its pixels then cannot depend on its neighbors, not even in the
    last bit, and its working set stays in the cache. Other devices take the whole batch at once.

    Args:
        perturbation: What to apply.
        images: (N, 3, H, W), float32 or bfloat16 (computed in float32), RGB in [0, 1] (not checked: results are cut
            to it); left unchanged.
        sample_ids: The images' ids, length N.
        value: The physical strength, in the perturbation's unit; its identity returns the images as they are.
        seed: The run's seed.
        repeat: Which repeat of the condition, from 0.

    Returns:
        A new tensor of the same shape, dtype and device, in [0, 1].

    Raises:
        SettingsError: The value is outside the perturbation's limits, or the shapes or types do not fit.
    """
    _check(perturbation, images, sample_ids, value)
    if value == perturbation.identity or len(images) == 0:
        return images.clone()
    draws = Draws.of(sample_ids, perturbation=perturbation.name, value=value, seed=seed, repeat=repeat)
    pixels = images.float()
    step = 1 if images.device.type == "cpu" else len(pixels)
    parts = [slice(start, start + step) for start in range(0, len(pixels), step)]
    changed = [perturbation.apply(pixels[part].contiguous(), value, draws[part]).clamp_(0, 1) for part in parts]
    return (changed[0] if len(changed) == 1 else torch.cat(changed)).to(images.dtype)


def _check(perturbation: Perturbation, images: Tensor, sample_ids: Sequence[str], value: float) -> None:
    perturbation.check(value)
    if not isinstance(images, Tensor) or images.dtype not in (torch.float32, torch.bfloat16):
        got = images.dtype if isinstance(images, Tensor) else type(images).__name__
        do = "Convert 8-bit images with images.float() / 255"
        raise SettingsError(expected("images", "a float32 or bfloat16 tensor in [0, 1]", got, do))
    if images.ndim != 4 or images.shape[1] != 3 or len(images) != len(sample_ids):
        raise SettingsError(
            expected(
                "images",
                "of shape (N, 3, H, W) with one sample id each",
                f"{tuple(images.shape)} and {len(sample_ids)} ids",
                "Stack RGB images into one batch",
            )
        )
