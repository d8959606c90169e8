"""The flags of timm's training script as its transform: by ``create_transform``, with the same defaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cuesense.errors import SettingsError, expected, first_line
from cuesense.pipelines.flags import Flag, Script, Values, number, one_of, positive_range, probability, read_flags

_POLICIES = "one of timm's policies, such as rand-m9-mstd0.5-inc1, augmix-m3-w3, original or v0"
_MIXES = "it mixes two images with their labels, and is no change of one image"
_REPEATS = "it says how often an image is shown, and is no change of it"
_ELSEWHERE = {
    **dict.fromkeys(("mixup", "cutmix", "cutmix-minmax"), _MIXES),
    **dict.fromkeys(("aug-repeats", "aug-splits", "epoch-repeats"), _REPEATS),
    "config": "cuesense does not read that file; write its flags of augmentation here",
}
# All other flags of train.py, of versions 0.6 to 1.0, without those of augmentation.
_OTHERS = """
amp amp-dtype amp-impl apex-amp batch-size bce-loss bce-pos-weight bce-sum bce-target-thresh bn-eps bn-momentum
cache-dir channels-last checkpoint-hist class-map clip-grad clip-mode cooldown-epochs crop-pct cutmix-off-epoch data
data-dir dataset dataset-download dataset-trust-remote-code decay-epochs decay-milestones decay-rate device
device-modules dist-bn dr drop drop-block drop-connect drop-path epochs eval-metric experiment fast-norm fuser gp
grad-accum-steps grad-checkpointing head-init-bias head-init-scale help img-size in-chans initial-checkpoint
input-img-mode input-key input-size interpolation jsd-loss kd-model-name kd-distill-type kd-loss-weight kd-temperature
layer-decay layer-decay-min-scale layer-decay-no-opt-scale local-rank log-interval log-wandb lr lr-base lr-base-scale
lr-base-size lr-cycle-decay lr-cycle-limit lr-cycle-mul lr-k-decay lr-noise lr-noise-pct lr-noise-std mean min-lr
mixup-mode mixup-off-epoch mixup-prob mixup-switch-prob model model-dtype model-ema model-ema-decay model-ema-force-cpu
model-ema-warmup model-kwargs momentum naflex-loader naflex-max-seq-len naflex-patch-size-probs naflex-patch-sizes
naflex-train-seq-lens native-amp no-ddp-bb no-prefetcher no-resume-opt num-classes opt opt-betas opt-eps opt-kwargs
output patience-epochs pin-mem pretrained pretrained-path recovery-interval resplit resume save-images sched
sched-on-updates seed smoothing split-bn start-epoch std sync-bn synchronize-step target-key torchcompile
torchcompile-mode torchscript train-num-samples train-split tta use-multi-epochs-loader val-interval val-num-samples
val-split validation-batch-size wandb-project wandb-resume-id wandb-tags warmup-epochs warmup-lr warmup-prefix
weight-decay worker-seeding workers
"""


def _policy(values: Values) -> str:
    """Return a policy as timm spells it; timm itself says whether it is one."""
    from timm.data import auto_augment

    made: dict[str, Callable[..., Any]] = {
        "rand": auto_augment.rand_augment_transform,
        "augmix": auto_augment.augment_and_mix_transform,
        "": auto_augment.auto_augment_transform,
    }
    try:
        (text,) = values
        # As create_transform does, which takes every other beginning for a policy of AutoAugment.
        made[next(begin for begin in made if text.startswith(begin))](text, {})
    except (AssertionError, ValueError, KeyError, TypeError):
        raise ValueError(_POLICIES) from None
    # Sections without a number, which timm passes over in silence; those of a set of steps have none.
    if any(not re.search(r"\d", part) and not part.startswith("t") for part in text.split("-")[1:]):
        raise ValueError(_POLICIES)
    return text


def _jitter(values: Values) -> float | tuple[float, ...]:
    """Return one strength, or one each for brightness, contrast, saturation and, as a fourth, the hue."""
    try:
        if len(values) not in (1, 3, 4):
            raise ValueError
        factors = tuple(number(0)([value]) for value in values[:3])
        hue = tuple(number(0, 0.5)([value]) for value in values[3:])
    except ValueError:
        raise ValueError("1, 3 or 4 numbers of at least 0, of which the fourth (hue) is at most 0.5") from None
    return factors[0] if len(values) == 1 else factors + hue


# The defaults of timm's train.py, and the names of create_transform.
_FLAGS = {
    "aa": Flag("auto_augment", _policy),
    "scale": Flag("scale", positive_range, (0.08, 1.0)),
    "ratio": Flag("ratio", positive_range, (3 / 4, 4 / 3)),
    "hflip": Flag("hflip", probability, 0.5),
    "vflip": Flag("vflip", probability, 0.0),
    "color-jitter": Flag("color_jitter", _jitter, 0.4),
    "color-jitter-prob": Flag("color_jitter_prob", probability),
    "grayscale-prob": Flag("grayscale_prob", probability, 0.0),
    "gaussian-blur-prob": Flag("gaussian_blur_prob", probability, 0.0),
    "train-crop-mode": Flag("train_crop_mode", one_of("rrc", "rkrc", "rkrr")),
    "reprob": Flag("re_prob", probability, 0.0),
    "remode": Flag("re_mode", one_of("pixel", "const", "rand"), "pixel"),
    "recount": Flag("re_count", number(1, whole=True), 1),
    "train-interpolation": Flag(
        "interpolation", one_of("random", "bilinear", "bicubic", "nearest", "box", "hamming", "lanczos"), "random"
    ),
    "no-aug": Flag("no_aug", None, False),
}
_SCRIPT = Script("timm's train.py", "--timm-args", _FLAGS, _ELSEWHERE, frozenset(_OTHERS.split()))


def read(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments of ``create_transform`` that flags stand for, and what was left out, in sentences.

    Args:
        text: Flags as they stand on the command line of timm's ``train.py``; those that say nothing of augmentation
            may stand among them.

    Raises:
        SettingsError: A flag of augmentation has no value, or one that it cannot have, or a flag is misspelled.
    """
    return read_flags(text, _SCRIPT)


def transform(arguments: dict[str, Any], side: tuple[int, int]) -> Any:
    """Return timm's transform for images of a size (height, width) in pixels.

    Raises:
        SettingsError: timm refuses the arguments.
    """
    from timm.data.transforms_factory import create_transform

    try:
        return create_transform((3, *side), is_training=True, **arguments)
    except Exception as error:
        got = f"{type(error).__name__}: {first_line(error)}"
        raise SettingsError(expected("--timm-args", "flags that timm takes", got, "Correct them")) from error
