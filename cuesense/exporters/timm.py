"""Policies as flags of timm's training script, which says less than a policy does."""

from __future__ import annotations

from collections.abc import Mapping

from cuesense.exporters.common import CROP_RATIO, Size, one_policy, short
from cuesense.policies.policy import Policy

_ERASED = 0.33  # timm erases up to a third of the area, which the ladder rounds
_CHANCES = {"hflip": "horizontal_flip", "vflip": "vertical_flip", "grayscale-prob": "random_grayscale"}
_SPOKEN = ("random_resized_crop", "color_jitter", *_CHANCES.values())


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
    doses = one_policy(policy, "timm")
    comments = "".join(f"# {sentence}\n" for sentence in _comments(doses))
    return comments + " ".join(_flags(doses, policy.probability)) + "\n"


def _comments(doses: Mapping[str, float]) -> list[str]:
    spoken = (*_SPOKEN, *(["random_erasing"] if _erases(doses) else []))
    left_out = [name for name in doses if name not in spoken]
    comments = ["timm draws each augmentation apart from the others, not all or none."]
    if "random_resized_crop" in doses:
        comments.append("timm crops every image: no view stays whole.")
    if "color_jitter" in doses:
        comments.append("timm's color jitter leaves the hue alone.")
    if left_out:
        comments.append(f"Left out, because timm has no flag for the dose: {', '.join(left_out)}.")
    return comments


def _flags(doses: Mapping[str, float], probability: float) -> list[str]:
    crop = doses.get("random_resized_crop")
    ratio = CROP_RATIO if crop is not None else (1.0, 1.0)
    jitter = doses.get("color_jitter")
    flags = [f"--scale {short(1.0 if crop is None else crop)} 1.0", f"--ratio {ratio[0]} {ratio[1]}"]
    flags += ["--color-jitter 0.0"] if jitter is None else [f"--color-jitter {short(jitter)}"]
    flags += [] if jitter is None else [f"--color-jitter-prob {short(probability)}"]
    flags += [f"--{flag} {short(probability * doses.get(name, 0.0))}" for flag, name in _CHANCES.items()]
    if _erases(doses):
        flags.append(f"--reprob {short(probability)} --remode const")
    return flags


def _erases(doses: Mapping[str, float]) -> bool:
    return doses.get("random_erasing", 0.0) >= _ERASED
