"""Which of our own augmentations a step of another library is: only of those is known what training with them costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# color_jitter turns the hue by a quarter of its strength (cuesense/perturbations/color.py).
_HUE_SHARE = 0.25
_FACTORS = ("brightness", "contrast", "saturation")


@dataclass(frozen=True)
class Known:
    """A step as one of our own augmentations.

    Attributes:
        name: Name of the augmentation in the registry.
        value: Its strength in the augmentation's unit, at the step's strongest.
        note: In which respect the two differ; empty where they are the same.
    """

    name: str
    value: float
    note: str = ""


def known_kind(step: Any, probability: float, side: int | None) -> Known | None:
    """Return which of our own augmentations a step is, or None.

    Args:
        step: A transform of torchvision, timm, albumentations or kornia.
        probability: How often it is applied.
        side: Shorter side of the network's input in pixels, which the unit of a blur needs.
    """
    name = type(step).__name__
    if name in _CHANCES:
        return Known(_CHANCES[name], probability)
    if name in _SIGMA_RANGES:
        return _blur(step, side)
    reader = _READERS.get(name)
    return None if reader is None else reader(step)


def _crop(step: Any) -> Known | None:
    scale = _pair(_of(step, "scale"))
    if scale is None or not 0 < scale[0] < 1:
        return None
    # Ours always reaches up to the whole image.
    note = "" if scale[1] == 1 else f"crops of up to {scale[1]:g} of the area"
    return Known("random_resized_crop", scale[0], note)


def _erasing(step: Any) -> Known | None:
    area = getattr(step, "max_area", None)
    scale = _pair(_of(step, "scale"))
    largest = float(area) if area is not None else None if scale is None else scale[1]
    return None if largest is None or not 0 < largest <= 1 else Known("random_erasing", largest)


def _rotation(step: Any) -> Known | None:
    angles = _pair(next((found for key in ("degrees", "limit") if (found := _of(step, key)) is not None), None))
    largest = 0.0 if angles is None else max(abs(angle) for angle in angles)
    return Known("random_rotation", min(largest, 180.0)) if largest else None


def _jitter(step: Any) -> Known | None:
    """Return the jitter of which a step's strengths are most alike; one that changes a single thing has its own."""
    strengths = {name: _strength(_of(step, name), around=1.0) for name in _FACTORS}
    strengths["hue"] = _strength(_of(step, "hue"), around=0.0)
    used = {name: strength for name, strength in strengths.items() if strength}
    if len(used) < 2:
        return next((Known(name, strength) for name, strength in used.items()), None)
    strongest = max(strengths[name] for name in _FACTORS)
    same = all(strengths[name] == strongest for name in _FACTORS) and strengths["hue"] == strongest * _HUE_SHARE
    note = "" if same else f"taken as equal jitter of {strongest:g}"
    return Known("color_jitter", min(strongest, 2.0), note)


def _blur(step: Any, side: int | None) -> Known | None:
    sigma = _pair(next((found for key in ("sigma", "sigma_limit") if (found := _of(step, key)) is not None), None))
    if sigma is None or side is None:
        return None
    return Known("random_gaussian_blur", min(sigma[1] / side, 0.2))


def _strength(found: Any, *, around: float) -> float:
    """Return how far a factor or a turn is drawn from where it changes nothing; 0 where the step has none."""
    if isinstance(found, (int, float)):
        return float(found)
    pair = _pair(found)
    if pair is None:
        return 0.0
    return round(max(abs(pair[0] - around), abs(pair[1] - around)), 6)


def _of(step: Any, name: str) -> Any:
    """Return a setting of a step; kornia keeps what is drawn in a generator."""
    found = getattr(step, name, None)
    if found is None:
        found = getattr(getattr(step, "_param_generator", None), name, None)
    # A method, such as scale of some classes, is no setting.
    return None if callable(found) else found


def _pair(found: Any) -> tuple[float, float] | None:
    """Return two numbers, low and high; one number stands for both signs of it."""
    try:
        numbers = [float(number) for number in found] if _is_list(found) else [-float(found), float(found)]
    except (TypeError, ValueError):
        return None
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _is_list(found: Any) -> bool:
    return isinstance(found, Sequence) or getattr(found, "ndim", 0) == 1


_CHANCES: Mapping[str, str] = {
    "RandomHorizontalFlip": "horizontal_flip",
    "HorizontalFlip": "horizontal_flip",
    "RandomVerticalFlip": "vertical_flip",
    "VerticalFlip": "vertical_flip",
    "RandomGrayscale": "random_grayscale",
    "ToGray": "random_grayscale",
}
_SIGMA_RANGES = ("GaussianBlur", "RandomGaussianBlur")
_READERS: Mapping[str, Callable[[Any], Known | None]] = {
    "RandomResizedCrop": _crop,
    "RandomResizedCropAndInterpolation": _crop,
    "RandomErasing": _erasing,
    "Erasing": _erasing,
    "RandomRotation": _rotation,
    "Rotate": _rotation,
    "ColorJitter": _jitter,
    "ColorJiggle": _jitter,
}
