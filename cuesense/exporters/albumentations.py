"""Policies as the JSON that albumentations 2 loads; written without it."""

from __future__ import annotations

import json
from typing import Any

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

VERSION = "2.0.8"
_BILINEAR, _CONSTANT_BORDER = 1, 0
_NO_CHANGE = {"brightness": [1.0, 1.0], "contrast": [1.0, 1.0], "saturation": [1.0, 1.0], "hue": [0.0, 0.0]}


def export(policy: Policy, size: Size = None) -> str:
    """Return JSON for ``albumentations.load``: the version's envelope around one pipeline, ``p`` in every step.

    Its format: albumentations' documentation, "Serialization of augmentation pipelines"; for 8-bit images.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The JSON.

    Raises:
        SettingsError: albumentations cannot say it.
    """
    writers = {
        "random_resized_crop": lambda value: _step(
            "RandomResizedCrop",
            size=list(known_size(size, "random_resized_crop")),
            scale=[short(value), 1.0],
            ratio=list(CROP_RATIO),
            interpolation=_BILINEAR,
        ),
        "random_rotation": lambda value: _step(
            "Rotate",
            limit=list(around_zero(value)),
            interpolation=_BILINEAR,
            border_mode=_CONSTANT_BORDER,
            fill=0,
        ),
        "random_erasing": lambda value: _step(
            "Erasing", scale=[0.0, short(value)], ratio=list(ERASE_RATIO), fill=round(255 * FILL)
        ),
        "horizontal_flip": lambda value: _step("HorizontalFlip", p=short(value)),
        "vertical_flip": lambda value: _step("VerticalFlip", p=short(value)),
        "random_grayscale": lambda value: _step("ToGray", p=short(value)),
        "random_gaussian_blur": lambda value: _step(
            "GaussianBlur", sigma_limit=list(sigmas(value, size)[0]), blur_limit=[0, 0]
        ),
        "color_jitter": lambda value: _jitter(
            brightness=factors(value),
            contrast=factors(value),
            saturation=factors(value),
            hue=around_zero(value * HUE_SHARE),
        ),
        "brightness": lambda value: _jitter(brightness=factors(value)),
        "contrast": lambda value: _jitter(contrast=factors(value)),
        "saturation": lambda value: _jitter(saturation=factors(value)),
        "hue": lambda value: _jitter(hue=around_zero(value)),
    }
    steps = each(one_policy(policy, "albumentations"), writers, "albumentations")
    together = _step("Sequential", p=policy.probability, transforms=steps)
    envelope = {"__version__": VERSION, "transform": _step("Compose", transforms=[together])}
    return json.dumps(envelope, indent=1) + "\n"


def _step(name: str, p: float = 1.0, **arguments: Any) -> dict[str, Any]:
    return {"__class_fullname__": name, "p": p, **arguments}


def _jitter(**ranges: tuple[float, float]) -> dict[str, Any]:
    return _step("ColorJitter") | {name: list(ranges.get(name, none)) for name, none in _NO_CHANGE.items()}
