"""Single values that training scripts keep beside weights, checked: a size, a mean, an interpolation, class names.

Each function returns None for what is no plausible value, and never raises: what stands in a file may be anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cuesense.types import INTERPOLATIONS, ClassNames
from cuesense.validation import LARGEST_SIDE

Channels = tuple[float, float, float]

_SMALLEST_STD = 1e-6
# Values above 1 are of images from 0 to 255 (Caffe's and Detectron's normalization, for instance).
_EIGHT_BITS = 255
# More outputs than this are no list of classes. Chosen by hand: ImageNet-21k has 21,841.
_MOST_CLASSES = 100_000


def number_of(value: object) -> float | None:
    """Return a finite number, also one that is written as text; None for anything else, booleans too."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def numbers_of(value: object) -> tuple[float, ...] | None:
    """Return the numbers of a list, or of a text such as ``"0.5, 0.5 0.5"`` or ``"[0.5, 0.5, 0.5]"``."""
    if isinstance(value, str):
        value = [part for part in re.split(r"[,\s]+", value.strip(" ()[]")) if part]
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        value = [value]
    numbers = [number_of(part) for part in value]
    return None if not numbers or None in numbers else tuple(number for number in numbers if number is not None)


def side_of(value: object) -> int | None:
    """Return a length in pixels: a whole number from 1 to 4096."""
    number = number_of(value)
    whole = number is not None and number.is_integer() and 1 <= number <= LARGEST_SIDE
    return int(number) if whole and number is not None else None


def size_of(value: object) -> tuple[int, int] | None:
    """Return height and width in pixels.

    Args:
        value: One side, ``[height, width]``, ``[channels, height, width]`` (1, 3 or 4 channels, first or last), a text
            with these, or Hugging Face's ``{"height": ..., "width": ...}``.

    Returns:
        Two whole numbers from 1 to 4096, or None.
    """
    if isinstance(value, Mapping):
        value = [value.get("height"), value.get("width")]
    numbers = numbers_of(value)
    if numbers is None:
        return None
    if len(numbers) == 3:
        numbers = numbers[1:] if numbers[0] in (1, 3, 4) else numbers[:2] if numbers[2] in (1, 3, 4) else ()
    sides = [side_of(number) for number in numbers]
    if not 1 <= len(sides) <= 2 or sides[0] is None or sides[-1] is None:
        return None
    return sides[0], sides[-1]


def normalization_of(mean: object, std: object) -> tuple[Channels, Channels] | None:
    """Return mean and standard deviation, RGB, in [0, 1] units.

    Args:
        mean: Three numbers, or one for all channels; of images from 0 to 255 where one of them is above 1.
        std: Likewise, positive; in the mean's units, or of images from 0 to 255 where one is above 2.

    Returns:
        Two triples, or None where one of the two is not plausible.
    """
    found = [_three(value) for value in (mean, std)]
    if found[0] is None or found[1] is None or min(found[1]) < _SMALLEST_STD:
        return None
    scaled = [found[0], found[1]]
    # With a mean of 8-bit values the deviation is of those, too, whatever its size: 1 stands for 1/255.
    if max(found[0]) > 1 or max(found[1]) > 2:
        scaled = [_divided(values) for values in scaled]
    within = all(0 <= value <= 1 for value in scaled[0]) and max(scaled[1]) <= 2
    return (scaled[0], scaled[1]) if within else None


def _three(value: object) -> Channels | None:
    numbers = numbers_of(value) or ()
    numbers = numbers * 3 if len(numbers) == 1 else numbers
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


def _divided(values: Channels) -> Channels:
    red, green, blue = (round(value / _EIGHT_BITS, 9) for value in values)
    return red, green, blue


def interpolation_of(value: object) -> str | None:
    """Return one of Pillow's filters from its name, an enumeration's name or Pillow's number ("resample")."""
    if isinstance(value, int) and not isinstance(value, bool):
        return INTERPOLATIONS[value] if 0 <= value < len(INTERPOLATIONS) else None
    name = value.lower().rpartition(".")[2] if isinstance(value, str) else ""
    return name if name in INTERPOLATIONS else None


def channels_of(value: object) -> str | None:
    """Return ``"rgb"`` or ``"bgr"``."""
    name = value.strip().lower() if isinstance(value, str) else ""
    return name if name in ("rgb", "bgr") else None


def names_of(value: object) -> ClassNames | None:
    """Return the outputs' names from a list, ``{index: name}`` or ``{name: index}``; None where they are no such thing.

    Hugging Face's placeholders LABEL_0, LABEL_1, ... are no names.
    """
    if isinstance(value, Mapping):
        value = _in_order(value)
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not 2 <= len(value) <= _MOST_CLASSES:
        return None
    names = [name for name in value if isinstance(name, str) and name.strip()]
    unusable = len(names) != len(value) or len(set(names)) != len(names)
    if unusable or names == [f"LABEL_{place}" for place in range(len(names))]:
        return None
    return ClassNames(tuple(names))


def _in_order(value: Mapping[Any, Any]) -> list[Any] | None:
    """Return the names in the order of their indices, which must be 0 to K - 1, on whichever side they stand."""
    for pairs in (value.items(), [(index, name) for name, index in value.items()]):
        by_index = {side: name for index, name in pairs if (side := _index(index)) is not None}
        if len(by_index) == len(value) and sorted(by_index) == list(range(len(value))):
            return [by_index[index] for index in range(len(value))]
    return None


def _index(value: object) -> int | None:
    number = number_of(value)
    return int(number) if number is not None and number.is_integer() else None
