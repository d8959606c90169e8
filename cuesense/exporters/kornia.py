"""Policies as code of kornia.augmentation."""

from __future__ import annotations

from cuesense.exporters.common import (
    CROP_RATIO,
    ERASE_RATIO,
    FILL,
    HUE_SHARE,
    Size,
    around_zero,
    each,
    factors,
    known_size,
    one_policy,
    short,
    sigmas,
)
from cuesense.policy import Policy

_CODE = '''import torch
from kornia import augmentation as K

_AUGMENT = torch.nn.Sequential(
{steps})


def transform(images: torch.Tensor) -> torch.Tensor:
    """Augment a batch (N, 3, H, W) in [0, 1], before normalization; about {percent:.0f} % of the images."""
    chosen = torch.rand(len(images), device=images.device) < {probability}
    return torch.where(chosen[:, None, None, None], _AUGMENT(images), images)
'''


def export(policy: Policy, size: Size = None) -> str:
    """Return Python code that defines ``transform``, from batches in [0, 1] to batches in [0, 1].

    Every ``p`` is written, because kornia's defaults differ from one augmentation to the next.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The code.

    Raises:
        SettingsError: kornia cannot say it.
    """
    writers = {
        "random_resized_crop": lambda value: (
            f"RandomResizedCrop({known_size(size, 'random_resized_crop')}, scale=({short(value)}, 1.0), "
            f'ratio={CROP_RATIO}, align_corners=False, cropping_mode="resample", p=1.0)'
        ),
        "random_rotation": lambda value: f"RandomRotation({around_zero(value)}, align_corners=False, p=1.0)",
        "random_erasing": lambda value: (
            f"RandomErasing(scale=(0.0, {short(value)}), ratio={ERASE_RATIO}, value={FILL}, p=1.0)"
        ),
        "horizontal_flip": lambda value: f"RandomHorizontalFlip(p={short(value)})",
        "vertical_flip": lambda value: f"RandomVerticalFlip(p={short(value)})",
        "random_grayscale": lambda value: f"RandomGrayscale(p={short(value)})",
        "random_gaussian_blur": lambda value: _blur(value, size),
        "color_jitter": lambda value: (
            f"ColorJitter(brightness={factors(value)}, contrast={factors(value)}, saturation={factors(value)}, "
            f"hue={around_zero(value * HUE_SHARE)}, p=1.0)"
        ),
        "brightness": lambda value: f"ColorJitter(brightness={factors(value)}, p=1.0)",
        "contrast": lambda value: f"ColorJitter(contrast={factors(value)}, p=1.0)",
        "saturation": lambda value: f"ColorJitter(saturation={factors(value)}, p=1.0)",
        "hue": lambda value: f"ColorJitter(hue={around_zero(value)}, p=1.0)",
    }
    lines = each(one_policy(policy, "kornia"), writers, "kornia")
    steps = "".join(f"    K.{line},\n" for line in lines)
    return _CODE.format(steps=steps, percent=100 * policy.probability, probability=policy.probability)


def _blur(value: float, size: Size) -> str:
    sigma, side = sigmas(value, size)
    return f"RandomGaussianBlur(({side}, {side}), {sigma}, p=1.0)"
