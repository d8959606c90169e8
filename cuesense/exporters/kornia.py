"""A policy as code of kornia.augmentation, which augments batches on the device where they are."""

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
from cuesense.exporters.library_steps import kornia_step
from cuesense.policies.policy import Policy

_CODE = '''import torch
from kornia import augmentation as K

_AUGMENT = torch.nn.Sequential(
{steps})


def transform(images: torch.Tensor) -> torch.Tensor:
    """Augment a batch (N, 3, H, W) in [0, 1], before normalization; about {percent:.0f} % of the images."""
    chosen = torch.rand(len(images), device=images.device) < {probability}
    return torch.where(chosen[:, None, None, None], _AUGMENT(images).clamp(0, 1), images)
'''
# Every call ends before its ``p``, which ``_closed`` adds.
_WRITERS: Mapping[Kind, Callable[[Step], str]] = {
    # align_corners=False, not kornia's default, because the measured crop samples at pixel centers.
    "crop": lambda step: (
        f"RandomResizedCrop({step.size}, scale={step.ranges['scale']}, ratio={CROP_RATIO}, "
        'align_corners=False, cropping_mode="resample", '
    ),
    "rotation": lambda step: f"RandomRotation({step.ranges['angle']}, align_corners=False, ",
    "erasing": lambda step: f"RandomErasing(scale={step.ranges['area']}, ratio={ERASE_RATIO}, value={FILL}, ",
    "horizontal_flip": lambda _: "RandomHorizontalFlip(",
    "vertical_flip": lambda _: "RandomVerticalFlip(",
    "gray": lambda _: "RandomGrayscale(",
    "blur": lambda step: f"RandomGaussianBlur(({step.kernel}, {step.kernel}), {step.ranges['sigma']}, ",
    "jitter": lambda step: "ColorJitter(" + "".join(f"{name}={pair}, " for name, pair in step.ranges.items()),
}


def export(policy: Policy, size: Size = None) -> str:
    """Return Python code that defines ``transform``, from batches in [0, 1] to batches in [0, 1].

    Every ``p`` is written, because kornia's defaults differ from one augmentation to the next. Class weights, where
    there are any, follow as ``class_weights``.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels.

    Returns:
        The code.

    Raises:
        SettingsError: The policy differs between classes, kornia lacks an augmentation, or the size is needed.
    """
    with_p = {kind: _closed(writer) for kind, writer in _WRITERS.items()}
    steps = "".join(f"    K.{line},\n" for line in library_calls(policy, size, "kornia", with_p, kornia_step))
    if not steps:
        return f"import torch\n\n{NOTHING}transform = torch.nn.Identity()\n" + weights_constant(policy)
    code = _CODE.format(steps=steps, percent=100 * policy.probability, probability=policy.probability)
    return code + weights_constant(policy)


def _closed(writer: Callable[[Step], str]) -> Callable[[Step], str]:
    return lambda step: f"{writer(step)}p={step.probability})"
