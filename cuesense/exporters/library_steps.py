"""What other libraries call the augmentations of kornia's table, and those that are named by their library.

A library that lacks an augmentation, or does something else under its name, has no entry: its export then names the
formats that have one. ``tests/exporters/test_library_steps.py`` holds the pixels against the analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cuesense.perturbations.kornia_table import Row, Sides, kernel_of
from cuesense.perturbations.libraries import LibraryTransform

Values = Callable[[float, Sides], Any]

_DIGITS = 6  # as in exporters/common.py
_BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"


def _number(value: float) -> float:
    return round(float(value), _DIGITS)


def _affine(arguments: str) -> str:
    return f"RandomAffine(0.0, {arguments}, {_BILINEAR})"


def _by_chance(call: str) -> Values:
    return lambda value, _: f"RandomApply([{call}], p={_number(value)})"


_TURNS = ", ".join(f"v2.RandomRotation(({angle}, {angle}))" for angle in (90, 180, 270))

# Calls of torchvision.transforms.v2 on one float image, by our name.
_TORCHVISION: Mapping[str, Values] = {
    "perspective": lambda value, _: f"RandomPerspective({_number(value)}, p=1.0)",
    "random_translation": lambda value, _: _affine(f"translate=({_number(value)}, {_number(value)})"),
    "random_scale": lambda value, _: _affine(f"scale=({_number(1 - value)}, {_number(1 + value)})"),
    "padded_crop": lambda value, sides: f"RandomCrop({sides}, padding={max(1, round(value * min(sides)))})",
    "rotation_90": _by_chance(f"v2.RandomChoice([{_TURNS}])"),
    "solarize": lambda value, _: f"RandomSolarize({_number(value)}, p=1.0)",
    "posterize": lambda value, _: f"RandomPosterize({int(value)}, p=1.0)",
    "equalize": lambda value, _: f"RandomEqualize(p={_number(value)})",
    "invert": lambda value, _: f"RandomInvert(p={_number(value)})",
    "channel_shuffle": _by_chance("v2.RandomChannelPermutation()"),
    "random_gaussian_noise": lambda value, _: f"GaussianNoise(sigma={_number(value)})",
    # No JPEG: torchvision's encoder is deprecated since its version 0.29.
}


def _pair(value: float) -> tuple[float, float]:
    return _number(value), _number(value)


# Arguments of albumentations' classes, by our name: (class, arguments).
_ALBUMENTATIONS: Mapping[str, Values] = {
    "random_translation": lambda value, _: (
        "Affine",
        {"translate_percent": {axis: (_number(-value), _number(value)) for axis in "xy"}, "fill": 0},
    ),
    "random_scale": lambda value, _: (
        "Affine",
        {"scale": (_number(1 - value), _number(1 + value)), "keep_ratio": True, "fill": 0},
    ),
    "box_blur": lambda value, sides: ("Blur", {"blur_limit": kernel_of(value, sides)}),
    "solarize": lambda value, _: ("Solarize", {"threshold_range": _pair(value)}),
    "posterize": lambda value, _: ("Posterize", {"num_bits": (int(value), int(value))}),
    "rgb_shift": lambda value, _: (
        "RGBShift",
        {f"{channel}_shift_limit": (_number(-255 * value), _number(255 * value)) for channel in "rgb"},
    ),
    "random_gaussian_noise": lambda value, _: ("GaussNoise", {"std_range": _pair(value)}),
    "salt_and_pepper": lambda value, _: ("SaltAndPepper", {"amount": _pair(value), "salt_vs_pepper": (0.5, 0.5)}),
    "jpeg": lambda value, _: ("ImageCompression", {"quality_range": (round(100 - value), round(100 - value))}),
    "equalize": lambda *_: ("Equalize", {}),
    "invert": lambda *_: ("InvertImg", {}),
    "channel_shuffle": lambda *_: ("ChannelShuffle", {}),
    "channel_dropout": lambda *_: ("ChannelDropout", {"channel_drop_range": (1, 1), "fill": 0}),
}


def kornia_step(applied: object, value: float, sides: Sides) -> str | None:
    """Return a call of kornia.augmentation (as ``K.``), or None for what is not kornia's."""
    if isinstance(applied, Row):
        given = [
            f"{key}={_written(argument, tensors=applied.tensors)}"
            for key, argument in applied.arguments(value, sides).items()
        ]
        return f"{applied.transform}({', '.join([*given, f'p={_number(value) if applied.chance else 1.0}'])})"
    # The policies of kornia.augmentation.auto have no probability of their own.
    if isinstance(applied, LibraryTransform) and applied.library == "kornia" and applied.has_probability:
        return f"{applied.name}(p={_number(value)})"
    return None


def torchvision_step(applied: object, value: float, sides: Sides) -> str | None:
    """Return a call of torchvision.transforms.v2 (as ``v2.``), or None for what it lacks."""
    if isinstance(applied, Row):
        return _TORCHVISION[applied.name](value, sides) if applied.name in _TORCHVISION else None
    if isinstance(applied, LibraryTransform) and applied.library == "torchvision":
        given = applied.arguments(value) | ({"p": 1.0} if applied.has_probability else {})
        call = f"{applied.name}({', '.join(f'{key}={argument}' for key, argument in given.items())})"
        return f"RandomApply([v2.{call}], p={_number(value)})" if applied.by_chance else call
    return None


def albumentations_step(applied: object, value: float, sides: Sides) -> dict[str, Any] | None:
    """Return a step of albumentations' JSON, or None for what it lacks."""
    if not isinstance(applied, Row) or applied.name not in _ALBUMENTATIONS:
        return None
    name, arguments = _ALBUMENTATIONS[applied.name](value, sides)
    return {"__class_fullname__": name, "p": _number(value) if applied.chance else 1.0, **arguments}


def _written(argument: object, *, tensors: bool) -> str:
    """Return an argument as Python code, with short numbers."""
    if isinstance(argument, tuple):
        listed = ", ".join(_written(part, tensors=False) for part in argument)
        return f"torch.tensor([{listed}])" if tensors else f"({listed})"
    return repr(_number(argument)) if isinstance(argument, float) else repr(argument)


def formats(applied: object) -> list[str]:
    """Return the names of the libraries that have an augmentation, for the error of one that lacks it."""
    if isinstance(applied, LibraryTransform):
        return [applied.library]
    name = applied.name if isinstance(applied, Row) else ""
    has = {
        "kornia": isinstance(applied, Row),
        "torchvision": name in _TORCHVISION,
        "albumentations": name in _ALBUMENTATIONS,
    }
    return [library for library in has if has[library]]
