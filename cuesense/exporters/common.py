"""What exporters share: a policy as steps, whose ranges are in units that every library knows.

Data: Policy -> name and value of each augmentation -> Step (kind, probability, ranges) -> a library's call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from cuesense.errors import SettingsError, expected
from cuesense.exporters.library_steps import formats
from cuesense.perturbations.kornia_table import Row
from cuesense.perturbations.libraries import LibraryTransform
from cuesense.policies.policy import Policy, augmentation
from cuesense.types import Perturbation

Size = tuple[int, int] | None
Range = tuple[float, float]
Kind = Literal["crop", "rotation", "erasing", "horizontal_flip", "vertical_flip", "gray", "blur", "jitter"]
Call = TypeVar("Call")

# The exported augmentation must be the one that was measured, so these five repeat cuesense/perturbations:
CROP_RATIO: Range = (0.75, 1.3333)  # width to height of a crop, 3/4 to 4/3: torchvision's default
ERASE_RATIO: Range = (0.3, 3.3)  # height to width of an erased box: torchvision's default
FILL = 0.5  # erased pixels are mid-gray
_HUE_SHARE = 0.25  # color_jitter turns the hue by a quarter of its strength, as SimCLR does
_KERNEL_SIGMAS = 4  # a blur's kernel ends four sigmas from its center

# Libraries refuse a sigma of 0. At 0.01 px the neighboring pixel's weight, exp(-5000), is 0 in every float.
_LEAST_SIGMA = 0.01
_DIGITS = 6  # hides errors of binary fractions (0.30000000000000004) and keeps every value of a ladder

WEIGHTS_USE = (
    "One weight a class, in the order of the profile's classes: "
    "torch.nn.CrossEntropyLoss(weight=torch.tensor(class_weights))"
)

# What files of every format that has comments say of a policy without augmentations.
NOTHING = "# Train without augmentation.\n"

# How comments begin on what a library has nothing for; ``left_out`` finds them.
LEFT_OUT = "Left out, because "

_FLAGS = "Leave --per-class and --grouped out"
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
        size: The output's height and width in pixels, for a crop; those of the image, where known, for erasing.
    """

    kind: Kind
    probability: float = 1.0
    ranges: Mapping[str, Range] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)

    @property
    def kernel(self) -> int:
        """The odd side in pixels of a kernel that holds four of a blur's largest sigma on each side."""
        return 2 * math.ceil(_KERNEL_SIGMAS * self.ranges["sigma"][1]) + 1


def shared_values(policy: Policy, library: str) -> Mapping[str, float]:
    """Return the values of a policy that is the same for all classes.

    Args:
        policy: The policy.
        library: Name of the library that it is exported to, for the error.

    Returns:
        The strongest value of each augmentation, in the order in which they are applied; without those that change
        nothing, which other libraries need not take (albumentations erases no area of 0).

    Raises:
        SettingsError: The policy differs between classes.
    """
    if policy.scope != "global":
        to_be = f"the same for all classes, because {library} does not know the class of an image"
        got = f"one of scope {policy.scope}"
        if policy.left_out:
            rest = len(policy.left_out) - 1
            got = f"one that leaves out '{policy.left_out[0]}'" + (f" and {rest} more" if rest else "")
        # A policy with values was recommended already, in Python; the options of the command line have none.
        without = "Recommend one with scope='global' and spares=False" if policy.names else _FLAGS
        do = f"{without}, choose --format json or yaml, or train with PolicyAugmentation"
        raise SettingsError(expected("the policy", to_be, got, do))
    values = {name: policy.values[0][name] for name in policy.names}
    return {name: value for name, value in values.items() if value != augmentation(name).identity}


def library_calls(
    policy: Policy,
    size: Size,
    library: str,
    writers: Mapping[Kind, Callable[[Step], Call]],
    others: Callable[[object, float, tuple[int, int]], Call | None],
) -> list[Call]:
    """Return one call of a library for each augmentation of a policy.

    Args:
        policy: A policy that is the same for all classes.
        size: The network's input as (height, width) in pixels, or None.
        library: Name of the library, for the errors.
        writers: From a step to the library's call, by kind.
        others: From what applies one of kornia's augmentations (or one named by its library), its value and the input
            size to the library's call, or None where it has none.

    Returns:
        One text or JSON value an augmentation, in the order in which they are applied.

    Raises:
        SettingsError: The policy differs between classes, an augmentation comes from another package, or the size is
            needed and not known.
    """
    calls = []
    for name, value in shared_values(policy, library).items():
        entry = augmentation(name)
        if isinstance(entry.apply, (Row, LibraryTransform)):
            calls.append(_other(entry, value, size, library, others))
        else:
            step = _step(name, value, size, library)
            calls.append(writers[step.kind](step))
    return calls


def left_out(text: str) -> list[str]:
    """Return the sentences of an exported file on what it leaves out of the policy."""
    comments = (line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    return [comment for comment in comments if comment.startswith(LEFT_OUT)]


def weights_constant(policy: Policy) -> str:
    """Return Python code that defines the weights of the classes in the loss; empty where all classes count alike."""
    if not policy.class_weights:
        return ""
    listed = ", ".join(map(str, policy.class_weights))
    return f"\n# {WEIGHTS_USE}\nclass_weights = [{listed}]\n"


def short(number: float) -> float:
    """Return a number of six digits after the point."""
    return round(float(number), _DIGITS)


def _other(
    entry: Perturbation,
    value: float,
    size: Size,
    library: str,
    others: Callable[[object, float, tuple[int, int]], Call | None],
) -> Call:
    sized = isinstance(entry.apply, Row) and entry.apply.sized
    found = others(entry.apply, value, _known(size, entry.name) if sized else (0, 0))
    if found is None:
        has = " or ".join(f"--format {name}" for name in [*formats(entry.apply), "json"])
        do = f"Choose {has}, or name the others with --augmentations"
        raise SettingsError(expected("every augmentation", f"one that {library} has", f"'{entry.name}'", do))
    return found


def _step(name: str, value: float, size: Size, library: str) -> Step:
    if name in _CHANCES:
        return Step(_CHANCES[name], short(value))
    if name == "random_resized_crop":
        return Step("crop", ranges={"scale": (short(value), 1.0)}, size=_known(size, name))
    if name == "random_gaussian_blur":
        # The measured sigma is a fraction of the shorter side; libraries take pixels.
        largest = max(value * min(_known(size, name)), 2 * _LEAST_SIGMA)
        return Step("blur", ranges={"sigma": (_LEAST_SIGMA, short(largest))})
    if name == "random_rotation":
        return Step("rotation", ranges={"angle": _around_zero(value)})
    if name == "random_erasing":
        return Step("erasing", ranges={"area": (0.0, short(value))}, size=size or (0, 0))
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
