"""A policy as the JSON that ``albumentations.load`` reads.

albumentations is never imported: its first line is no longer maintained and its second one is AGPL. The format is that
of its documentation, "Serialization of augmentation pipelines".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cuesense.exporters.common import (
    CROP_RATIO,
    ERASE_RATIO,
    FILL,
    WEIGHTS_USE,
    Kind,
    Range,
    Size,
    Step,
    library_calls,
    short,
)
from cuesense.exporters.library_steps import albumentations_step
from cuesense.policies.policy import Policy

VERSION = "2.0.8"  # the version whose documentation the argument names come from

_BILINEAR, _CONSTANT_BORDER = 1, 0  # OpenCV's numbers for interpolation and border
# Every range is written out, because ColorJitter changes all four by default.
_NO_JITTER = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0), "hue": (0.0, 0.0)}
_CROP = {"ratio": CROP_RATIO, "interpolation": _BILINEAR}
_ROTATION = {"interpolation": _BILINEAR, "border_mode": _CONSTANT_BORDER, "fill": 0}
_FILL = round(255 * FILL)
_WRITERS: Mapping[Kind, Callable[[Step], dict[str, Any]]] = {
    "crop": lambda step: _named("RandomResizedCrop", step) | {"size": step.size, **step.ranges, **_CROP},
    "rotation": lambda step: _named("Rotate", step) | {"limit": step.ranges["angle"], **_ROTATION},
    "erasing": lambda step: (
        _named("Erasing", step) | {"scale": step.ranges["area"], "ratio": _erase_ratio(step), "fill": _FILL}
    ),
    "horizontal_flip": lambda step: _named("HorizontalFlip", step),
    "vertical_flip": lambda step: _named("VerticalFlip", step),
    "gray": lambda step: _named("ToGray", step),
    "blur": lambda step: _named("GaussianBlur", step) | {"sigma_limit": step.ranges["sigma"], "blur_limit": (0, 0)},
    "jitter": lambda step: _named("ColorJitter", step) | _NO_JITTER | dict(step.ranges),
}


def export(policy: Policy, size: Size = None) -> str:
    """Return JSON for ``albumentations.load``: one pipeline for 8-bit images, with ``p`` in every step.

    Class weights, where there are any, follow as ``class_weights``, with a sentence on how they are used:
    ``albumentations.load`` reads nothing but ``transform``.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The JSON.

    Raises:
        SettingsError: The policy differs between classes, albumentations lacks an augmentation, or the size is needed.
    """
    steps = library_calls(policy, size, "albumentations", _WRITERS, albumentations_step)
    # Sequential inside Compose: an image gets all augmentations or none, as it does in PolicyAugmentation.
    together = {"__class_fullname__": "Sequential", "p": policy.probability, "transforms": steps}
    pipeline = {"__class_fullname__": "Compose", "p": 1.0, "transforms": [together]}
    weights = {"class_weights": list(policy.class_weights), "class_weights_use": WEIGHTS_USE}
    written = {"__version__": VERSION, "transform": pipeline} | (weights if policy.class_weights else {})
    return json.dumps(written, indent=1) + "\n"


def _erase_ratio(step: Step) -> Range:
    """Return the range of width to height in which boxes of the largest area fit into the image.

    albumentations erases no more than what fits at every ratio of its range: 30 % of a square image at torchvision's
    ratios, whatever the area.
    """
    height, width = step.size if min(step.size) else (1, 1)
    area, shape = step.ranges["area"][1], width / height
    low, high = max(ERASE_RATIO[0], area * shape), min(ERASE_RATIO[1], shape / area)
    return (short(low), short(high)) if low <= high else ERASE_RATIO


def _named(name: str, step: Step) -> dict[str, Any]:
    return {"__class_fullname__": name, "p": step.probability}
