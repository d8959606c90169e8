"""How a network's images are prepared: as the user gives it, else as the weights carry it, else as for ImageNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from cuesense.errors import SettingsError, expected
from cuesense.models.common import Loaded
from cuesense.types import Preprocessing
from cuesense.validation import LARGEST_SIDE, check_channels, whole_number

Size = int | tuple[int, int]
Channels = tuple[float, float, float]

# What torchvision's and most of timm's ImageNet weights were trained with: a 224 crop of a shorter side of 256 pixels
# (87.5 %), normalized by the mean and deviation of the training images (torchvision.transforms, ImageClassification).
IMAGENET = Preprocessing((224, 224), 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

_NO_NORMALIZATION = "Nothing says how the images were normalized: ImageNet's mean and std are assumed."
_NO_SIZE = "Nothing says how large the images were: a center crop of 224 of 256 pixels is assumed."
_NO_RESIZE = "Nothing says how the images were resized: the center crop is taken to be 87.5 % of the shorter side."


@dataclass(frozen=True)
class ImageOptions:
    """The preprocessing that a user gives; None takes what the weights carry.

    Attributes:
        image_size: Side, or height and width, of the network's input in pixels, from 1 to 4096.
        resize: Shorter side before the center crop, in pixels, from 1 to 4096.
        mean: Normalization mean, RGB in [0, 1] units.
        std: Normalization standard deviation, RGB in [0, 1] units, positive.

    Raises:
        SettingsError: One of these is out of range.
    """

    image_size: Size | None = None
    resize: int | None = None
    mean: Channels | None = None
    std: Channels | None = None

    def __post_init__(self) -> None:
        for side in self.size or ():
            whole_number(side, "--image-size", highest=LARGEST_SIDE)
        if self.resize is not None:
            whole_number(self.resize, "--resize", highest=LARGEST_SIDE)
        # Arrays and tensors become plain triples here, so that everything behind can compare and print them.
        object.__setattr__(self, "mean", check_channels(self.mean, "--mean"))
        object.__setattr__(self, "std", check_channels(self.std, "--std"))
        if self.mean is not None and not all(0 <= value <= 1 for value in self.mean):
            do = "Divide by 255 if it is for 8-bit values"
            raise SettingsError(expected("--mean", "three numbers from 0 to 1", self.mean, do))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width in pixels, or None where no size was given."""
        given: Any = self.image_size
        return given if given is None or isinstance(given, tuple) else (given, given)


AS_CARRIED = ImageOptions()
"""Nothing given: the weights decide."""


@dataclass(frozen=True)
class Prepared:
    """How images are prepared, and which of it was guessed.

    Attributes:
        preprocessing: Size, resizing and normalization.
        guessed: The fields of the preprocessing that neither the user nor the weights say.
        warnings: A sentence about each guess that matters.
    """

    preprocessing: Preprocessing
    guessed: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def prepare(loaded: Loaded, given: ImageOptions) -> Prepared:
    """Return how the images of a loaded network are prepared.

    Args:
        loaded: The network, with what its weights carry.
        given: What the user gives, which wins.

    Raises:
        SettingsError: The shorter side before the crop is smaller than the crop.
    """
    carried = loaded.preprocessing or IMAGENET
    size = given.size or (loaded.input_size if loaded.preprocessing is None else None) or carried.image_size
    resize = given.resize or _scaled(carried, size)
    if size is not None and resize is not None and resize < max(size):
        do = "Pass a larger one or --image-size too"
        raise SettingsError(expected("--resize", f"at least the image size of {max(size)}", resize, do))
    chosen = Preprocessing(size, resize, given.mean or carried.mean, given.std or carried.std, carried.interpolation)
    guessed = frozenset() if loaded.preprocessing is not None else _unknown(given, loaded.input_size)
    return Prepared(chosen, guessed, _warnings(guessed))


def prepare_as_they_come(given: ImageOptions) -> Prepared:
    """Return the preprocessing of images that are neither resized nor cropped: only the normalization is left."""
    guessed = frozenset(name for name in ("mean", "std") if getattr(given, name) is None)
    chosen = Preprocessing(None, None, given.mean or IMAGENET.mean, given.std or IMAGENET.std)
    return Prepared(chosen, guessed, _warnings(guessed))


def _scaled(carried: Preprocessing, size: tuple[int, int] | None) -> int | None:
    """Return the carried resize in proportion to the new size; None (squash) stays None."""
    if carried.resize is None or carried.image_size is None or size is None:
        return carried.resize
    return max(round(carried.resize * min(size) / min(carried.image_size)), *size)


def _unknown(given: ImageOptions, input_size: tuple[int, int] | None) -> frozenset[str]:
    """Return the fields that nothing tells, where the weights carry no preprocessing.

    An exported file has an input size. The interpolation stays unknown: there is no option for it.
    """
    known = {
        "image_size": given.size is not None or input_size is not None,
        "resize": given.resize is not None,
        "mean": given.mean is not None,
        "std": given.std is not None,
        "interpolation": False,
    }
    return frozenset(name for name, is_known in known.items() if not is_known)


def _warnings(guessed: frozenset[str]) -> tuple[str, ...]:
    """Return what a user should know; the interpolation changes few predictions and is not worth a sentence."""
    found = [_NO_NORMALIZATION] if guessed & {"mean", "std"} else []
    if "image_size" in guessed:
        found.append(_NO_SIZE)
    elif "resize" in guessed:
        found.append(_NO_RESIZE)
    return tuple(found)


def sized(network: nn.Module, carried: Preprocessing | None, chosen: Preprocessing) -> nn.Module:
    """Return a network for another image size than its weights are for, where it can be changed to it.

    Transformers of timm interpolate their position embeddings so (their own ``set_input_size``).

    Args:
        network: The network; it is changed in place.
        carried: What its weights carry.
        chosen: How images are prepared.
    """
    change = getattr(network, "set_input_size", None)
    if carried is not None and chosen.image_size not in (None, carried.image_size) and callable(change):
        change(img_size=chosen.image_size)
    return network
