"""A policy as code of torchvision.transforms.v2, which augments one image at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cuesense.exporters.common import (
    CROP_RATIO,
    ERASE_RATIO,
    FILL,
    NOTHING,
    Kind,
    Size,
    Step,
    library_calls,
    weights_constant,
)
from cuesense.exporters.library_steps import torchvision_step
from cuesense.policies.policy import Policy

_HEAD = "# For one image (3, H, W) in [0, 1], before Normalize. A whole batch would share one draw.\n"
_WRITERS: Mapping[Kind, Callable[[Step], str]] = {
    "crop": lambda step: (
        f"RandomResizedCrop({step.size}, scale={step.ranges['scale']}, ratio={CROP_RATIO}, antialias=True)"
    ),
    "rotation": lambda step: f"RandomRotation({step.ranges['angle']}, interpolation=v2.InterpolationMode.BILINEAR)",
    "erasing": lambda step: f"RandomErasing(p=1.0, scale={step.ranges['area']}, ratio={ERASE_RATIO}, value={FILL})",
    "horizontal_flip": lambda step: f"RandomHorizontalFlip(p={step.probability})",
    "vertical_flip": lambda step: f"RandomVerticalFlip(p={step.probability})",
    "gray": lambda step: f"RandomGrayscale(p={step.probability})",
    "blur": lambda step: f"GaussianBlur(kernel_size={step.kernel}, sigma={step.ranges['sigma']})",
    "jitter": lambda step: f"ColorJitter({', '.join(f'{name}={pair}' for name, pair in step.ranges.items())})",
}


def export(policy: Policy, size: Size = None) -> str:
    """Return Python code that defines ``transform``, from images in [0, 1] to images in [0, 1].

    Class weights, where there are any, follow as ``class_weights``.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The code.

    Raises:
        SettingsError: The policy differs between classes, torchvision lacks an augmentation, or the size is needed.
    """
    lines = library_calls(policy, size, "torchvision", _WRITERS, torchvision_step)
    if not lines:
        nothing = f"from torchvision.transforms import v2\n\n{NOTHING}transform = v2.Identity()\n"
        return nothing + weights_constant(policy)
    steps = "".join(f"        v2.{line},\n" for line in lines)
    return (
        f"from torchvision.transforms import v2\n\n{_HEAD}"
        f"transform = v2.RandomApply(\n    [\n{steps}    ],\n    p={policy.probability},\n)\n"
        f"{weights_constant(policy)}"
    )
