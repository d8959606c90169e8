"""The flags of torchvision's reference scripts as their transform for training (``ClassificationPresetTrain``)."""

from __future__ import annotations

from typing import Any

from cuesense.pipelines.flags import Flag, Script, number, one_of, probability, read_flags

_MIXES = "it mixes two images with their labels, and is no change of one image"
_ELSEWHERE = dict.fromkeys(("mixup-alpha", "cutmix-alpha"), _MIXES) | {
    "ra-sampler": "it says how often an image is shown, and is no change of it",
    "ra-reps": "it says how often an image is shown, and is no change of it",
}
# All other flags of references/classification/train.py (and train_quantization.py).
_OTHERS = """
amp apex apex-opt-level backend batch-size bias-weight-decay cache-dataset clip-grad-norm data-path device
dist-backend dist-url epochs eval-batch-size help label-smoothing local-rank lr lr-gamma lr-min lr-scheduler
lr-step-size lr-warmup-decay lr-warmup-epochs lr-warmup-method model model-ema model-ema-decay model-ema-steps momentum
norm-weight-decay num-batch-norm-update-epochs num-calibration-batches num-observer-update-epochs opt output-dir
post-training-quantize pretrained print-freq qbackend resume start-epoch sync-bn test-only
transformer-embedding-decay use-deterministic-algorithms use-v2 val-crop-size val-resize-size wd weight-decay weights
workers world-size
"""
# The defaults of references/classification/train.py. The size of the crop becomes the network's.
_FLAGS = {
    "auto-augment": Flag("auto_augment", one_of("ra", "ta_wide", "augmix", "imagenet", "cifar10", "svhn")),
    "ra-magnitude": Flag("ra_magnitude", number(0, 30, whole=True), 9),
    "augmix-severity": Flag("augmix_severity", number(1, 10, whole=True), 3),
    "random-erase": Flag("random_erase", probability, 0.0),
    "hflip-prob": Flag("hflip_prob", probability, 0.5),
    "train-crop-size": Flag("train_crop_size", number(1, whole=True)),
    "interpolation": Flag("interpolation", one_of("nearest", "bilinear", "bicubic"), "bilinear"),
}
_SCRIPT = Script("torchvision's train.py", "--torchvision-args", _FLAGS, _ELSEWHERE, frozenset(_OTHERS.split()))
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that flags stand for, and what was left out, in sentences.

    Args:
        text: Flags as they stand on the command line of torchvision's ``train.py``; those that say nothing of
            augmentation may stand among them.

    Raises:
        SettingsError: A flag of augmentation has no value, or one that it cannot have, or a flag is misspelled.
    """
    return read_flags(text, _SCRIPT)


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
        return autoaugment.RandAugment(magnitude=settings["ra_magnitude"], interpolation=interpolation)
    if name == "ta_wide":
        return autoaugment.TrivialAugmentWide(interpolation=interpolation)
    if name == "augmix":
        return autoaugment.AugMix(severity=settings["augmix_severity"], interpolation=interpolation)
    return autoaugment.AutoAugment(autoaugment.AutoAugmentPolicy(name), interpolation=interpolation)
