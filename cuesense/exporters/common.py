"""What exporters share: refusals, ranges, and doses in pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from cuesense.errors import SettingsError, expected
from cuesense.policy import Policy

Size = tuple[int, int] | None
Written = TypeVar("Written")

CROP_RATIO = (0.75, 1.3333)
ERASE_RATIO = (0.3, 3.3)
HUE_SHARE = 0.25
FILL = 0.5
_LEAST_SIGMA = 0.01


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
    return {name: policy.doses[0][name] for name in policy.names}


def each(doses: Mapping[str, float], writers: Mapping[str, Callable[[float], Written]], library: str) -> list[Written]:
    """Return what the writers make of each dose.

    Args:
        doses: The strongest dose of each augmentation.
        writers: From a dose to the library's words, by augmentation.
        library: Whose words, for the error.

    Returns:
        One text or value an augmentation.

    Raises:
        SettingsError: The library has no word for an augmentation.
    """
    for name in doses:
        if name not in writers:
            do = "Name the others with --augmentations, or choose --format json"
            raise SettingsError(expected("every augmentation", f"one that {library} has", f"'{name}'", do))
    return [writers[name](value) for name, value in doses.items()]


def known_size(size: Size, what: str) -> tuple[int, int]:
    """Return the input's size.

    Args:
        size: It, or None.
        what: The augmentation that needs it.

    Returns:
        Height and width in pixels.

    Raises:
        SettingsError: It is None.
    """
    if size is None:
        do = "Give --image-size"
        raise SettingsError(expected(f"the input size that {what} needs", "known", "none in the profile", do))
    return size


def factors(strength: float) -> tuple[float, float]:
    """Return the range of a factor: from max(0, 1 - strength) to 1 + strength."""
    return short(max(0.0, 1 - strength)), short(1 + strength)


def around_zero(value: float) -> tuple[float, float]:
    """Return the range from -value to value."""
    return short(-value), short(value)


def sigmas(value: float, size: Size) -> tuple[tuple[float, float], int]:
    """Return the range of a blur's sigma in pixels, and the odd side of a kernel that holds four of the largest."""
    largest = max(value * min(known_size(size, "random_gaussian_blur")), 2 * _LEAST_SIGMA)
    return (_LEAST_SIGMA, short(largest)), 2 * math.ceil(4 * largest) + 1


def short(number: float) -> float:
    """Return a number of six digits after the point."""
    return round(float(number), 6)
