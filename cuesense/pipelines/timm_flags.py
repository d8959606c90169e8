"""The flags of timm's training script as its transform: by ``create_transform``, with the same defaults."""

from __future__ import annotations

from typing import Any

from cuesense.pipelines.flags import Flag, numbers, one, read_flags, word

_MIXED = dict.fromkeys(("mixup", "cutmix", "mixup-prob"), "mixes two images with their labels")
# The defaults of timm's train.py, and the names of create_transform.
_FLAGS = {
    "aa": Flag("auto_augment", word),
    "scale": Flag("scale", numbers(2), (0.08, 1.0)),
    "ratio": Flag("ratio", numbers(2), (3 / 4, 4 / 3)),
    "hflip": Flag("hflip", one, 0.5),
    "vflip": Flag("vflip", one, 0.0),
    "color-jitter": Flag("color_jitter", numbers(1, 3, 4), 0.4),
    "color-jitter-prob": Flag("color_jitter_prob", one),
    "grayscale-prob": Flag("grayscale_prob", one, 0.0),
    "gaussian-blur-prob": Flag("gaussian_blur_prob", one, 0.0),
    "train-crop-mode": Flag("train_crop_mode", word),
    "reprob": Flag("re_prob", one, 0.0),
    "remode": Flag("re_mode", word, "pixel"),
    "recount": Flag("re_count", one, 1),
    "train-interpolation": Flag("interpolation", word, "random"),
    "no-aug": Flag("no_aug", None, False),
}


def read(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments of ``create_transform`` that flags stand for, and what was left out, in sentences.

    Args:
        text: Flags as they stand on the command line of timm's ``train.py``; those that say nothing of augmentation
            may stand among them.

    Raises:
        SettingsError: A flag of augmentation has no value, or one that it cannot have.
    """
    found, remarks = read_flags(text, _FLAGS, _MIXED, "--timm-args")
    found["re_count"] = int(found["re_count"])
    jitter = found["color_jitter"]
    found["color_jitter"] = jitter[0] if isinstance(jitter, tuple) and len(jitter) == 1 else jitter
    return found, remarks


def transform(arguments: dict[str, Any], side: tuple[int, int]) -> Any:
    """Return timm's transform for images of a size (height, width) in pixels."""
    from timm.data.transforms_factory import create_transform

    return create_transform((3, *side), is_training=True, **arguments)
