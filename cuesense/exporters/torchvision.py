"""Policies as code of torchvision.transforms.v2."""

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

_BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"
_HEAD = "# For one image (3, H, W) in [0, 1], before Normalize. A whole batch would share one draw.\n"


def export(policy: Policy, size: Size = None) -> str:
    """Return Python code that defines ``transform``, from images in [0, 1] to images in [0, 1].

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The code.

    Raises:
        SettingsError: torchvision cannot say it.
    """
    writers = {
        "random_resized_crop": lambda value: (
            f"RandomResizedCrop({known_size(size, 'random_resized_crop')}, scale=({short(value)}, 1.0), "
            f"ratio={CROP_RATIO}, antialias=True)"
        ),
        "random_rotation": lambda value: f"RandomRotation({around_zero(value)}, {_BILINEAR})",
        "random_erasing": lambda value: (
            f"RandomErasing(p=1.0, scale=(0.0, {short(value)}), ratio={ERASE_RATIO}, value={FILL})"
        ),
        "horizontal_flip": lambda value: f"RandomHorizontalFlip(p={short(value)})",
        "vertical_flip": lambda value: f"RandomVerticalFlip(p={short(value)})",
        "random_grayscale": lambda value: f"RandomGrayscale(p={short(value)})",
        "random_gaussian_blur": lambda value: _blur(value, size),
        "color_jitter": lambda value: (
            f"ColorJitter(brightness={factors(value)}, contrast={factors(value)}, saturation={factors(value)}, "
            f"hue={around_zero(value * HUE_SHARE)})"
        ),
        "brightness": lambda value: f"ColorJitter(brightness={factors(value)})",
        "contrast": lambda value: f"ColorJitter(contrast={factors(value)})",
        "saturation": lambda value: f"ColorJitter(saturation={factors(value)})",
        "hue": lambda value: f"ColorJitter(hue={around_zero(value)})",
    }
    lines = each(one_policy(policy, "torchvision"), writers, "torchvision")
    steps = "".join(f"        v2.{line},\n" for line in lines) or "        v2.Identity(),\n"
    return (
        f"from torchvision.transforms import v2\n\n{_HEAD}"
        f"transform = v2.RandomApply(\n    [\n{steps}    ],\n    p={policy.probability},\n)\n"
    )


def _blur(value: float, size: Size) -> str:
    sigma, side = sigmas(value, size)
    return f"GaussianBlur(kernel_size={side}, sigma={sigma})"
