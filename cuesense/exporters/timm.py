"""A policy as flags of timm's training script.

timm draws each augmentation apart from the others and has no flag for some: comments before the flags list how its
training differs from the policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from cuesense.exporters.common import CROP_RATIO, LEFT_OUT, NOTHING, Size, shared_values, short
from cuesense.policies.policy import Policy

_ERASED = 0.33  # --reprob erases up to a third of the area, with no flag for less; the ladder rounds it to 0.33
_PROBABILITY_FLAGS = {"hflip": "horizontal_flip", "vflip": "vertical_flip", "grayscale-prob": "random_grayscale"}
_WITH_FLAG = ("random_resized_crop", "color_jitter", *_PROBABILITY_FLAGS.values())
_NO_WEIGHTS = f"{LEFT_OUT}timm has no flag for them: class weights in the loss (the format yaml has them)."


def export(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return flags for timm's ``train.py``, after comments on what timm does otherwise.

    Args:
        policy: A policy that is the same for all classes.
        size: Not used: timm takes it from its model.

    Returns:
        Comment lines that begin with ``#``, and one line of flags.

    Raises:
        SettingsError: The policy differs between classes.
    """
    values = shared_values(policy, "timm")
    sentences = [*_comments(values), *([_NO_WEIGHTS] if policy.class_weights else [])]
    comments = "".join(f"# {sentence}\n" for sentence in sentences)
    return ("" if values else NOTHING) + comments + " ".join(_flags(values, policy.probability)) + "\n"


def _comments(values: Mapping[str, float]) -> list[str]:
    with_flag = (*_WITH_FLAG, *(["random_erasing"] if _erases(values) else []))
    left_out = [name for name in values if name not in with_flag]
    if not values:
        return ["timm augments by default, so that these flags turn it off."]
    comments = ["timm draws each augmentation apart from the others, not all or none."]
    if "random_resized_crop" in values:
        comments.append("timm crops every image: no view stays whole.")
    if "color_jitter" in values:
        comments.append("timm's color jitter leaves the hue alone.")
    if left_out:
        comments.append(f"{LEFT_OUT}timm has no flag for the value: {', '.join(left_out)}.")
    return comments


def _flags(values: Mapping[str, float], probability: float) -> list[str]:
    crop = values.get("random_resized_crop")
    # timm crops by default: without a crop in the policy its scale and ratio must be fixed to 1.
    ratio = CROP_RATIO if crop is not None else (1.0, 1.0)
    jitter = values.get("color_jitter")
    flags = [f"--scale {short(1.0 if crop is None else crop)} 1.0", f"--ratio {ratio[0]} {ratio[1]}"]
    flags += ["--color-jitter 0.0"] if jitter is None else [f"--color-jitter {short(jitter)}"]
    flags += [] if jitter is None else [f"--color-jitter-prob {short(probability)}"]
    # timm flips by default, so a probability of 0 is written too.
    flags += [f"--{flag} {short(probability * values.get(name, 0.0))}" for flag, name in _PROBABILITY_FLAGS.items()]
    if _erases(values):
        flags.append(f"--reprob {short(probability)} --remode const")
    return flags


def _erases(values: Mapping[str, float]) -> bool:
    return values.get("random_erasing", 0.0) >= _ERASED
