"""The plausible ways to prepare images for weights that do not say it, and the options that name one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from cuesense.models.preprocessing import IMAGENET
from cuesense.types import CHANNEL_ORDERS, Preprocessing

Channels = tuple[float, float, float]

# What training scripts normalize with: torchvision's and timm's default; timm's for transformers (-1 to 1);
# ToTensor alone; 8-bit values; CIFAR-10's training images; Caffe's, which subtracts ImageNet's mean from 8-bit values.
NORMALIZATIONS: dict[str, tuple[Channels, Channels]] = {
    "ImageNet's": (IMAGENET.mean, IMAGENET.std),
    "-1 to 1": ((0.5,) * 3, (0.5,) * 3),
    "0 to 1": ((0.0,) * 3, (1.0,) * 3),
    "0 to 255": ((0.0,) * 3, (1 / 255,) * 3),
    "CIFAR-10's": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "Caffe's": (IMAGENET.mean, (1 / 255,) * 3),
}
# Between ImageNet's and CIFAR-10's means lie 0.041, between their deviations a factor of 1.16. Chosen by hand.
_ALIKE_MEAN, _ALIKE_STD = 0.1, 1.25
# Sides that networks are trained at. Larger ones are tried where they are usual for the architecture: a probe should
# cost seconds. Chosen by hand; not tuned.
SIDES = (28, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 144, 160, 192, 224, 256)
# Every side is within a factor of 1.5 of one of these, at which a network still recognizes what it was trained on. The
# smallest ones, which cost nothing, lie closer.
_COARSE = (32, 48, 96, 192)
# Sides that are tried in the other order of the channels, too, and how close to the current side one adds nothing.
_TURNED, _SAME = (48, 96), 1.25
# Larger images are tried in fewer ways, for the time that they take: few trainings differ from the usual ones there.
LARGE = 128
# Sides that are tried once the coarse one is known.
_NEAR = 1.7
# The share of the shorter side that the usual center crop keeps (224 of 256 pixels).
USUAL_CROP = 0.875


def coarse(current: Preprocessing, axes: frozenset[str]) -> Iterator[Preprocessing]:
    """Yield every usual normalization at a few sizes: a wrong one of either hides that the other is right.

    Args:
        current: What they replace; its own size comes last, which may be the largest.
        axes: What is searched: ``"image_size"``, as center crops of the whole shorter side, and ``"mean"``.
    """
    for reading in _few_sizes(current, _COARSE, axes):
        yield from normalizations(reading) if "mean" in axes else (reading,)


def turned(current: Preprocessing, axes: frozenset[str]) -> Iterator[Preprocessing]:
    """Yield every usual normalization at two sizes and the current one, in the other order of the channels.

    Args:
        current: What they replace.
        axes: What is searched; nothing where ``"channels"`` is not.
    """
    other = next(order for order in CHANNEL_ORDERS if order != current.channels)
    for reading in _few_sizes(replace(current, channels=other), _TURNED, axes) if "channels" in axes else ():
        yield from normalizations(reading) if "mean" in axes else (reading,)


def _few_sizes(current: Preprocessing, sides: Sequence[int], axes: frozenset[str]) -> list[Preprocessing]:
    if "image_size" not in axes:
        return [current]
    own = 0 if current.image_size is None else min(current.image_size)
    others = [side for side in sides if not own / _SAME < side < own * _SAME]
    return [*(replace(current, image_size=(side, side), resize=side) for side in others), current]


def sizes(best: Preprocessing, usual: Sequence[tuple[int, int]]) -> Iterator[Preprocessing]:
    """Yield other sizes, each of the whole shorter side, of a center crop of 87.5 % of it, and resized whole.

    Sides of more than 128 pixels come in one of the three ways only: that of the best.

    Args:
        best: What they replace; sides within a factor of 1.7 of its are tried.
        usual: Other sizes that are likely: of the architecture, of the dataset's images.
    """
    middle = None if best.image_size is None else min(best.image_size)
    squares = [(side, side) for side in SIDES if middle is None or middle / _NEAR < side < middle * _NEAR]
    for size in dict.fromkeys([*usual, *squares]):
        yield from crops(replace(best, image_size=size)) if max(size) <= LARGE else (_in_proportion(best, size),)


def _in_proportion(best: Preprocessing, size: tuple[int, int]) -> Preprocessing:
    if best.resize is None or best.image_size is None:
        return replace(best, image_size=size, resize=None)
    return replace(best, image_size=size, resize=max(round(best.resize * min(size) / min(best.image_size)), *size))


def crops(best: Preprocessing) -> Iterator[Preprocessing]:
    """Yield the same size of the whole shorter side, of 87.5 % of it, and resized whole."""
    if best.image_size is None:
        return
    longer, shorter = max(best.image_size), min(best.image_size)
    for resize in (longer, max(round(shorter / USUAL_CROP), longer), None):
        yield replace(best, resize=resize)


def normalizations(current: Preprocessing) -> Iterator[Preprocessing]:
    """Yield the same size under every usual normalization."""
    for mean, std in NORMALIZATIONS.values():
        yield replace(current, mean=mean, std=std)


def alike(one: Preprocessing, other: Preprocessing) -> bool:
    """Return whether two normalizations give a network nearly the same values, as ImageNet's and CIFAR-10's do."""
    means = (abs(first - second) for first, second in zip(one.mean, other.mean, strict=True))
    ratios = (max(first / second, second / first) for first, second in zip(one.std, other.std, strict=True))
    return max(means) < _ALIKE_MEAN and max(ratios) < _ALIKE_STD


def channel_orders(current: Preprocessing) -> Iterator[Preprocessing]:
    """Yield the same size and normalization in both orders of the channels."""
    for channels in CHANNEL_ORDERS:
        yield replace(current, channels=channels)


def described(reading: Preprocessing) -> str:
    """Return a reading in words, such as ``"center crop of 64 of 73 pixels, ImageNet's normalization, RGB"``."""
    return f"{_size_words(reading)}, {normalization_words(reading)}, {reading.channels.upper()}"


def _size_words(reading: Preprocessing) -> str:
    if reading.image_size is None:
        return "images as they come"
    height, width = reading.image_size
    side = str(height) if height == width else f"{height} x {width}"
    if reading.resize is None:
        return f"resized whole to {side} pixels"
    return f"center crop of {side} of {reading.resize} pixels"


def normalization_words(reading: Preprocessing) -> str:
    """Return the normalization by its name, or its numbers."""
    known = (name for name, values in NORMALIZATIONS.items() if values == (reading.mean, reading.std))
    name = next(known, None)
    if name is None:
        return f"mean {_numbers(reading.mean)} and std {_numbers(reading.std)}"
    return f"{name} normalization" if name.endswith("'s") else f"pixels from {name}"


def options_for(reading: Preprocessing, fields: frozenset[str]) -> str:
    """Return the options of the command line that give a reading, to be copied.

    Args:
        reading: The reading.
        fields: Which of its fields are to be given; a size goes with its resizing, a mean with its deviation.
    """
    found = []
    if fields & {"image_size", "resize"} and reading.image_size is not None and len(set(reading.image_size)) == 1:
        found.append(f"--image-size {reading.image_size[0]} --resize {reading.resize or 0}")
    if fields & {"mean", "std"}:
        found.append(f"--mean {_numbers(reading.mean)} --std {_numbers(reading.std)}")
    if "channels" in fields:
        found.append(f"--channels {reading.channels}")
    return " ".join(found)


def _numbers(numbers: Channels) -> str:
    """Return three numbers as an option takes them: one for all where they are equal, 1/255 as a fraction."""
    words = [_number(number) for number in numbers]
    return words[0] if len(set(words)) == 1 else ",".join(words)


def _number(number: float) -> str:
    fraction = Fraction(number).limit_denominator(255)
    if fraction.denominator > 1 and float(fraction) == number and float(f"{number:.6g}") != number:
        return f"{fraction.numerator}/{fraction.denominator}"
    return f"{number:.6g}"
