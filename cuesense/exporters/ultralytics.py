"""A policy as hyperparameters of Ultralytics' classification: a YAML file for ``yolo classify train cfg=FILE``.

Ultralytics draws each augmentation apart from the others, crops and jitters every image, and has no setting for some:
comments above each line say how it differs from the policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from cuesense.exporters.common import LEFT_OUT, NOTHING, Size, shared_values, short
from cuesense.policies.policy import Policy

_ERASED = 0.33  # Ultralytics erases 2 to 33 % of the area, with no setting for less; the ladder rounds a third to 0.33
_HUE_SHARE = 0.25  # color_jitter turns the hue by a quarter of its strength, as SimCLR does
_LARGEST = 1.0  # Ultralytics takes fractions up to 1
_NO_WEIGHTS = f"# {LEFT_OUT}no hyperparameter is one: class weights in the loss (the format yaml has them)."
# Our augmentations that hyperparameters of classification are about; all others are left out.
_HAS = (
    "random_resized_crop",
    "color_jitter",
    "brightness",
    "contrast",
    "saturation",
    "hue",
    "horizontal_flip",
    "vertical_flip",
    "random_erasing",
)
# Those that its detection has, by its names: its classification does nothing with them.
_DETECTION = {
    "random_rotation": "degrees",
    "random_translation": "translate",
    "random_shear": "shear",
    "perspective": "perspective",
}


def export(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return hyperparameters for Ultralytics, after comments on what it does otherwise.

    Args:
        policy: A policy that is the same for all classes.
        size: Not used: Ultralytics takes it from ``imgsz``.

    Returns:
        YAML; every hyperparameter of classification is written, because Ultralytics augments by default.

    Raises:
        SettingsError: The policy differs between classes.
    """
    values = shared_values(policy, "Ultralytics")
    lines = [] if values else [NOTHING.rstrip(), "# Ultralytics augments by default, so that these values turn it off."]
    lines += [*_color(values), *_geometry(values, policy.probability), *_erasing(values, policy.probability)]
    lines += _left_out(values)
    lines.append("# A policy of its own (randaugment is the default) would come on top, and turn hsv_* off.")
    lines.append("auto_augment: null")
    return "\n".join([*lines, *([_NO_WEIGHTS] if policy.class_weights else [])]) + "\n"


def _left_out(values: Mapping[str, float]) -> list[str]:
    lines = []
    ours = [name for name in values if name in _DETECTION]
    if ours:
        theirs = ", ".join(_DETECTION[name] for name in ours)
        lines.append(f"# {LEFT_OUT}Ultralytics has {theirs} for detection alone: {', '.join(ours)}.")
    others = [name for name in values if name not in (*_HAS, *_DETECTION)]
    if others:
        lines.append(f"# {LEFT_OUT}Ultralytics has no hyperparameter for them: {', '.join(others)}.")
    return lines


def _color(values: Mapping[str, float]) -> list[str]:
    """Return the lines of the color jitter: one for brightness with contrast, one for saturation, one for hue."""
    jitter = values.get("color_jitter", 0.0)
    bright, contrast = (values.get(name, jitter) for name in ("brightness", "contrast"))
    hue, saturation = values.get("hue", jitter * _HUE_SHARE), values.get("saturation", jitter)
    together = min(bright, contrast)
    lines = []
    if hue or saturation or together:
        lines.append("# Every image is jittered, where the policy leaves some clean.")
    if bright != contrast and together:
        lines.append("# hsv_v jitters brightness and contrast alike: the smaller of the two values is taken.")
    if max(bright, contrast) and not together:
        name = "brightness" if bright else "contrast"
        lines.append(f"# {LEFT_OUT}hsv_v jitters brightness and contrast alike: {name}.")
    if max(saturation, together) > _LARGEST:
        lines.append("# Ultralytics takes values up to 1: the policy's are larger.")
    return [
        *lines,
        f"hsv_h: {short(hue)}",
        f"hsv_s: {short(min(saturation, _LARGEST))}",
        f"hsv_v: {short(min(together, _LARGEST))}",
    ]


def _geometry(values: Mapping[str, float], probability: float) -> list[str]:
    area = values.get("random_resized_crop", 1.0)
    lines = ["# Crops of 1 - scale to 1 of the area, of every image: none stays whole."] if area < 1 else []
    lines.append(f"scale: {short(1 - area)}")
    flips = {"fliplr": "horizontal_flip", "flipud": "vertical_flip"}
    return lines + [f"{name}: {short(probability * values.get(ours, 0.0))}" for name, ours in flips.items()]


def _erasing(values: Mapping[str, float], probability: float) -> list[str]:
    area = values.get("random_erasing", 0.0)
    if 0 < area < _ERASED:
        return [
            f"# {LEFT_OUT}Ultralytics erases up to 33 % of the area, with no setting for less: random_erasing.",
            "erasing: 0.0",
        ]
    lines = [f"# 2 to 33 % of the area, where the policy erases up to {100 * area:g} %, in black."] if area else []
    return [*lines, f"erasing: {short(probability if area else 0.0)}"]
