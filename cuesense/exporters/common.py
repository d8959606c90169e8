"""What exporters share: a policy as steps whose ranges every library knows, in its units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from cuesense.errors import SettingsError, expected
from cuesense.policies.policy import Policy

Size = tuple[int, int] | None
Range = tuple[float, float]
Kind = Literal["crop", "rotation", "erasing", "horizontal_flip", "vertical_flip", "gray", "blur", "jitter"]
Written = TypeVar("Written")

CROP_RATIO: Range = (0.75, 1.3333)
ERASE_RATIO: Range = (0.3, 3.3)
FILL = 0.5
_HUE_SHARE = 0.25
_LEAST_SIGMA = 0.01
_FACTORS = ("brightness", "contrast", "saturation")
_CHANCES: Mapping[str, Kind] = {
    "horizontal_flip": "horizontal_flip",
    "vertical_flip": "vertical_flip",
    "random_grayscale": "gray",
}


@dataclass(frozen=True)
class Step:
    """One augmentation.

    Attributes:
        kind: What is done.
        probability: How often, among the images that the policy augments.
        ranges: What is drawn, (low, high) each: ``scale`` and ``area`` are area fractions, ``angle`` degrees, ``sigma``
            pixels, ``hue`` turns, ``brightness``, ``contrast`` and ``saturation`` factors.
        size: The output's height and width in pixels, for a crop.
    """

    kind: Kind
    probability: float = 1.0
    ranges: Mapping[str, Range] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)

    @property
    def kernel(self) -> int:
        """The odd side in pixels of a kernel that holds four of a blur's largest sigma on each side."""
        return 2 * math.ceil(4 * self.ranges["sigma"][1]) + 1


def one_policy(policy: Policy, library: str) -> Mapping[str, float]:
    """Return the doses of a policy that is the same for all classes.

    Args:
        policy: The policy.
        library: Whose words it is to be written in, for the error.

    Returns:
        The strongest dose of each augmentation, in the order in which they are applied.

    Raises:
        SettingsError: The policy differs between classes.
    """
    if policy.scope != "global":
        to_be = f"the same for all classes, which is all that {library} can say"
        do = "Leave --per-class and --grouped out, choose --format json or yaml, or train with PolicyAugmentation"
        raise SettingsError(expected("the policy", to_be, f"one of scope {policy.scope}", do))
    return {name: policy.values[0][name] for name in policy.names}


def written(
    policy: Policy, size: Size, library: str, writers: Mapping[Kind, Callable[[Step], Written]]
) -> list[Written]:
    """Return what a library's writers make of each step of a policy.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels, or None.
        library: Whose words, for the errors.
        writers: From a step to the library's words, by kind.

    Returns:
        One text or value an augmentation, in the order in which they are applied.

    Raises:
        SettingsError: The policy differs between classes, an augmentation comes from another package, or the size is
            needed and not known.
    """
    steps = [_step(name, value, size, library) for name, value in one_policy(policy, library).items()]
    return [writers[step.kind](step) for step in steps]


def short(number: float) -> float:
    """Return a number of six digits after the point."""
    return round(float(number), 6)


def _step(name: str, value: float, size: Size, library: str) -> Step:
    if name in _CHANCES:
        return Step(_CHANCES[name], short(value))
    if name == "random_resized_crop":
        return Step("crop", ranges={"scale": (short(value), 1.0)}, size=_known(size, name))
    if name == "random_gaussian_blur":
        largest = max(value * min(_known(size, name)), 2 * _LEAST_SIGMA)
        return Step("blur", ranges={"sigma": (_LEAST_SIGMA, short(largest))})
    if name == "random_rotation":
        return Step("rotation", ranges={"angle": _around_zero(value)})
    if name == "random_erasing":
        return Step("erasing", ranges={"area": (0.0, short(value))})
    return Step("jitter", ranges=_jitter(name, value, library))


def _jitter(name: str, value: float, library: str) -> dict[str, Range]:
    factor = (short(max(0.0, 1 - value)), short(1 + value))
    if name == "color_jitter":
        return dict.fromkeys(_FACTORS, factor) | {"hue": _around_zero(value * _HUE_SHARE)}
    if name == "hue":
        return {name: _around_zero(value)}
    if name in _FACTORS:
        return {name: factor}
    do = "Name the others with --augmentations, or choose --format json"
    raise SettingsError(expected("every augmentation", f"one that {library} has", f"'{name}'", do))


def _around_zero(value: float) -> Range:
    return short(-value), short(value)


def _known(size: Size, what: str) -> tuple[int, int]:
    if size is None:
        raise SettingsError(
            expected(f"the input size that {what} needs", "known", "none in the profile", "Give --image-size")
        )
    return size
