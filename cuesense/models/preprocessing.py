"""How a network's images are prepared: as the user says it, else as the weights say it, else by what is assumed.

What is assumed, for a user's own weights whose file says nothing, is the size that all images of the dataset share,
and otherwise what the architecture's ImageNet weights were trained with. It is always said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from cuesense.errors import SettingsError, expected
from cuesense.models.carried import NOTHING, Carried
from cuesense.models.common import Loaded
from cuesense.types import CHANNEL_ORDERS, Preprocessing
from cuesense.validation import LARGEST_SIDE, check_channels, whole_number

Size = int | tuple[int, int]
Channels = tuple[float, float, float]

# What torchvision's and most of timm's ImageNet weights were trained with: a 224 crop of a shorter side of 256 pixels
# (87.5 %), normalized by the mean and deviation of the training images (torchvision.transforms, ImageClassification).
IMAGENET = Preprocessing((224, 224), 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

_FIELDS = frozenset({"image_size", "resize", "mean", "std", "interpolation", "channels"})
# What the sentence about a guess begins with.
_NOTHING_SAYS = "Nothing says"


@dataclass(frozen=True)
class ImageOptions:
    """The preprocessing that a user gives; None takes what the weights carry.

    Attributes:
        image_size: Side, or height and width, of the network's input in pixels, from 1 to 4096.
        resize: Shorter side before the center crop, in pixels, from 1 to 4096; 0 resizes whole to the image size,
            whatever the ratio of the sides, and crops nothing.
        mean: Normalization mean, RGB in [0, 1] units.
        std: Normalization standard deviation, RGB in [0, 1] units, positive.
        channels: The order in which the network takes the color channels, ``"rgb"`` or ``"bgr"``.

    Raises:
        SettingsError: One of these is out of range.
    """

    image_size: Size | None = None
    resize: int | None = None
    mean: Channels | None = None
    std: Channels | None = None
    channels: str | None = None

    def __post_init__(self) -> None:
        for side in self.size or ():
            whole_number(side, "--image-size", highest=LARGEST_SIDE)
        if self.resize is not None:
            whole_number(self.resize, "--resize", lowest=0, highest=LARGEST_SIDE)
        # Arrays and tensors become plain triples here, so that everything behind can compare and print them.
        object.__setattr__(self, "mean", check_channels(self.mean, "--mean"))
        object.__setattr__(self, "std", check_channels(self.std, "--std"))
        if self.mean is not None and not all(0 <= value <= 1 for value in self.mean):
            do = "Divide by 255 if it is for 8-bit values"
            raise SettingsError(expected("--mean", "three numbers from 0 to 1", self.mean, do))
        if self.channels is not None and self.channels not in CHANNEL_ORDERS:
            raise SettingsError(expected("--channels", "rgb or bgr", repr(self.channels), "Choose one of the two"))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width in pixels, or None where no size was given."""
        given: Any = self.image_size
        return given if given is None or isinstance(given, tuple) else (given, given)


AS_CARRIED = ImageOptions()
"""Nothing given: the weights decide."""


@dataclass(frozen=True)
class Beside:
    """What lies beside a network and says, or lets guess, how its images are prepared.

    Attributes:
        said: What the weights' file and the small files beside it say.
        own_size: Height and width that all images of the dataset share, or None where they differ or there are none.
    """

    said: Carried = NOTHING
    own_size: tuple[int, int] | None = None


ALONE = Beside()
"""A network and nothing beside it."""


@dataclass(frozen=True)
class Prepared:
    """How images are prepared, and which of it was guessed.

    Attributes:
        preprocessing: Size, resizing, normalization and order of the channels.
        guessed: The fields of the preprocessing that neither the user nor the weights say.
        warnings: A sentence about each guess that matters, and about what the file says that cannot be.
        assumptions: What the file or one beside it says, in a sentence.
    """

    preprocessing: Preprocessing
    guessed: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def prepare(loaded: Loaded, given: ImageOptions, beside: Beside = ALONE) -> Prepared:
    """Return how the images of a loaded network are prepared.

    Args:
        loaded: The network, with what its library knows.
        given: What the user gives, which wins.
        beside: What the weights' file says, which comes next, and the size of the dataset's images.

    Raises:
        SettingsError: The shorter side before the crop is smaller than the crop.
    """
    base, known = _said_or_usual(loaded, beside.said)
    own_size = beside.own_size if given.resize is None and "resize" not in known else None
    size = given.size or (base.image_size if "image_size" in known else own_size or base.image_size)
    # Images that have the size already are not enlarged to be cropped.
    as_it_is = own_size is not None and size == own_size
    if as_it_is:
        base = replace(base, image_size=size, resize=None)
    resize = given.resize if given.resize is not None else _scaled(base, size)
    if size is not None and resize and resize < max(size):
        do = "Pass a larger one or --image-size too"
        raise SettingsError(expected("--resize", f"at least the image size of {max(size)}", resize, do))
    normalization = given.mean or base.mean, given.std or base.std
    chosen = Preprocessing(
        size,
        resize or None,
        *normalization,
        base.interpolation,
        given.channels or base.channels,
        base.crop,
        base.resizer,
    )
    guessed = _FIELDS - known - _given(given)
    usual = "" if loaded.preprocessing is None else loaded.architecture
    warnings = (*beside.said.ignored, *_warnings(guessed, chosen, usual, as_it_is=as_it_is))
    return Prepared(chosen, guessed, warnings, _said(beside.said, given))


def prepare_as_they_come(given: ImageOptions) -> Prepared:
    """Return the preprocessing of images that are neither resized nor cropped: only the normalization is left."""
    guessed = frozenset(name for name in ("mean", "std", "channels") if getattr(given, name) is None)
    channels = given.channels or IMAGENET.channels
    chosen = Preprocessing(None, None, given.mean or IMAGENET.mean, given.std or IMAGENET.std, channels=channels)
    return Prepared(chosen, guessed, _warnings(guessed, chosen))


def without_guesses(warnings: tuple[str, ...]) -> tuple[str, ...]:
    """Return the warnings without those about what was guessed, for a preprocessing that images have confirmed."""
    return tuple(warning for warning in warnings if not warning.startswith(_NOTHING_SAYS))


def _said_or_usual(loaded: Loaded, said: Carried) -> tuple[Preprocessing, frozenset[str]]:
    """Return what holds where no option is given, and which of its fields somebody says."""
    base = loaded.preprocessing or IMAGENET
    known = frozenset() if loaded.preprocessing is None else _FIELDS - loaded.guessed
    # The only size that a file takes is a fact. What is beside the weights may be of another training.
    size = loaded.input_size if loaded.preprocessing is None else None
    size = size or said.image_size
    if size is not None:
        resize = said.resize if said.resize is not None and size == said.image_size else _scaled(base, size)
        base, known = replace(base, image_size=size, resize=resize or None), known | {"image_size"}
        known |= {"resize"} if resize == said.resize else frozenset()
    if said.mean is not None and said.std is not None:
        base, known = replace(base, mean=said.mean, std=said.std), known | {"mean", "std"}
    for name in ("interpolation", "channels"):
        if getattr(said, name) is not None:
            base, known = replace(base, **{name: getattr(said, name)}), known | {name}
    return base, known


def _scaled(base: Preprocessing, size: tuple[int, int] | None) -> int | None:
    """Return the resize in proportion to another size; None (resized whole) stays None."""
    if base.resize is None or base.image_size is None or size is None:
        return base.resize
    return max(round(base.resize * min(size) / min(base.image_size)), *size)


def _given(given: ImageOptions) -> frozenset[str]:
    """Return the fields that the user gives."""
    names = ("image_size", "resize", "mean", "std", "channels")
    return frozenset(name for name in names if getattr(given, name) is not None)


def _said(said: Carried, given: ImageOptions) -> tuple[str, ...]:
    """Return a sentence about what is taken from the weights' file."""
    parts = {
        "image_size": f"the image size {_sides(said.image_size)}",
        "mean": f"the mean {_numbers(said.mean)} and the standard deviation {_numbers(said.std)}",
        "channels": f"channels in the order {said.channels}",
    }
    taken = [words for name, words in parts.items() if getattr(said, name) and getattr(given, name) is None]
    return (f"The weights' file, or one beside it, says {', '.join(taken)}.",) if taken else ()


def _warnings(
    guessed: frozenset[str], chosen: Preprocessing, usual: str = "", *, as_it_is: bool = False
) -> tuple[str, ...]:
    """Return what a user should know of what was guessed; the interpolation is not worth a sentence.

    Args:
        guessed: Fields that nobody says.
        chosen: What was assumed.
        usual: The architecture whose usual values they are; empty for ImageNet's.
        as_it_is: Whether the size is that of all images.
    """
    whose = f", as is usual for {usual}," if usual else ""
    found = []
    normalization = sorted(guessed & {"mean", "std"})
    if len(normalization) == 1:
        (missing,) = normalization
        assumed = f"{_numbers(getattr(chosen, missing))} is assumed"
        found.append(f"{_NOTHING_SAYS} the {missing} of the normalization: {assumed}. Give --{missing}, too.")
    elif normalization:
        values = (
            "ImageNet's mean and std"
            if (chosen.mean, chosen.std) == (IMAGENET.mean, IMAGENET.std) or not usual
            else f"mean {_numbers(chosen.mean)} and std {_numbers(chosen.std)}{whose}"
        )
        found.append(f"{_NOTHING_SAYS} how the images were normalized: {values} are assumed.")
    if "image_size" in guessed and as_it_is:
        found.append(
            f"{_NOTHING_SAYS} how large the images were: the {_sides(chosen.image_size)} pixels that all of them have "
            f"are taken as they are."
        )
    elif "image_size" in guessed:
        found.append(f"{_NOTHING_SAYS} how large the images were: {_crop(chosen)}{whose} is assumed.")
    elif "resize" in guessed and as_it_is:
        found.append(
            f"{_NOTHING_SAYS} how images were resized: these have the size already, and are taken as they are."
        )
    elif "resize" in guessed:
        found.append(f"{_NOTHING_SAYS} how the images were resized: {_crop(chosen)}{whose} is assumed.")
    return tuple(found)


def _crop(chosen: Preprocessing) -> str:
    if chosen.resize is None:
        return f"resizing whole to {_sides(chosen.image_size)} pixels"
    return f"a center crop of {_sides(chosen.image_size)} of {chosen.resize} pixels"


def _sides(size: tuple[int, int] | None) -> str:
    height, width = size or (0, 0)
    return str(height) if height == width else f"{height} x {width}"


def _numbers(numbers: Channels | None) -> str:
    return ", ".join(f"{number:g}" for number in numbers or ())


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
