"""The flags of torchvision's reference scripts as their transform for training (``ClassificationPresetTrain``)."""

from __future__ import annotations

from typing import Any

from cuesense.errors import SettingsError, unknown
from cuesense.pipelines.flags import Flag, one, read_flags, word

_MIXED = dict.fromkeys(("mixup-alpha", "cutmix-alpha"), "mixes two images with their labels")
# The defaults of references/classification/train.py. The size of the crop becomes the network's.
_FLAGS = {
    "auto-augment": Flag("auto_augment", word),
    "ra-magnitude": Flag("ra_magnitude", one, 9),
    "augmix-severity": Flag("augmix_severity", one, 3),
    "random-erase": Flag("random_erase", one, 0.0),
    "hflip-prob": Flag("hflip_prob", one, 0.5),
    "train-crop-size": Flag("train_crop_size", one),
    "interpolation": Flag("interpolation", word, "bilinear"),
}
_POLICIES = ("ra", "ta_wide", "augmix", "imagenet", "cifar10", "svhn")
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that flags stand for, and what was left out, in sentences.

    Args:
        text: Flags as they stand on the command line of torchvision's ``train.py``; those that say nothing of
            augmentation may stand among them.

    Raises:
        SettingsError: A flag of augmentation has no value, or one that it cannot have.
    """
    found, remarks = read_flags(text, _FLAGS, _MIXED, "--torchvision-args")
    policy, interpolation = found["auto_augment"], found["interpolation"]
    if policy is not None and policy not in _POLICIES:
        raise SettingsError(unknown(f"policy '{policy}' after --auto-augment", policy, _POLICIES))
    if interpolation not in _INTERPOLATIONS:
        raise SettingsError(
            unknown(f"interpolation '{interpolation}' in --torchvision-args", interpolation, _INTERPOLATIONS)
        )
    return found, remarks


def transform(settings: dict[str, Any], side: tuple[int, int]) -> Any:
    """Return the reference scripts' transform for images of a size (height, width) in pixels."""
    import torch
    from torchvision import transforms

    interpolation = transforms.InterpolationMode(settings["interpolation"])
    steps: list[Any] = [transforms.RandomResizedCrop(side, interpolation=interpolation)]
    if settings["hflip_prob"] > 0:
        steps.append(transforms.RandomHorizontalFlip(settings["hflip_prob"]))
    if settings["auto_augment"]:
        steps.append(_policy(settings, interpolation))
    steps += [
        transforms.PILToTensor(),
        transforms.ConvertImageDtype(torch.float),
        transforms.Normalize(_MEAN, _STD),
    ]
    if settings["random_erase"] > 0:
        steps.append(transforms.RandomErasing(p=settings["random_erase"]))
    return transforms.Compose(steps)


def _policy(settings: dict[str, Any], interpolation: Any) -> Any:
    from torchvision.transforms import autoaugment

    name = settings["auto_augment"]
    if name == "ra":
        return autoaugment.RandAugment(magnitude=int(settings["ra_magnitude"]), interpolation=interpolation)
    if name == "ta_wide":
        return autoaugment.TrivialAugmentWide(interpolation=interpolation)
    if name == "augmix":
        return autoaugment.AugMix(severity=int(settings["augmix_severity"]), interpolation=interpolation)
    return autoaugment.AutoAugment(autoaugment.AutoAugmentPolicy(name), interpolation=interpolation)
