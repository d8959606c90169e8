"""Take a training transform apart: which of its parts augment, and which only prepare an image."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CellType, FunctionType
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from cuesense.pipelines.forms import array
from cuesense.pipelines.known import Known, known_kind

# Libraries whose ``p`` is the chance that a step is applied at all, so that at 1 it is always.
_LIBRARIES = ("torchvision", "timm", "albumentations", "kornia")
# Their classes in which it is something else: the chance of each of several parts.
_OTHER_CHANCE = ("RandomPhotometricDistort",)
_LISTS = ("Compose", "Sequential", "ImageSequential", "AugmentationSequential")
_FORM_NAMES = (
    "ToTensor",
    "PILToTensor",
    "MaybeToTensor",
    "MaybePILToTensor",
    "ConvertImageDtype",
    "ToImage",
    "ToImageTensor",
    "ToDtype",
    "ToPureTensor",
    "ToTensorV2",
    "ToNumpy",
    "ToFloat",
    "ToPILImage",
    "ToRGB",
    "Normalize",
    "Denormalize",
    "Identity",
    "NoOp",
)
_SIZE_NAMES = (
    "Resize",
    "CenterCrop",
    "SmallestMaxSize",
    "LongestMaxSize",
    "ResizeKeepRatio",
    "CenterCropOrPad",
    "PadIfNeeded",
)
_CROP_NAMES = ("RandomResizedCrop", "RandomResizedCropAndInterpolation", "RandomSizedCrop", "RandomCrop")
_SHIFT_NAMES = ("RandomCrop", "RandomCropOrPad")
# Steps after which an image has another size from draw to draw, so that a later change of size belongs to them.
_SIZES_VARY = ("ResizeKeepRatio", "RandomResize", "RandomShortestSize", "ScaleJitter", "RandomScale")
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


@dataclass(frozen=True)
class Part:
    """A part of a training transform, in its place.

    Attributes:
        name: Its name, unique among the parts.
        call: What is done to an image.
        role: ``"augmentation"``, ``"form"`` (another type or range, the same for every image) or ``"size"``.
        settings: The part as the user wrote it, as far as it says.
        always: The same, applied to every image; None where it cannot be set.
        probability: How often ``call`` applies it, where ``always`` is known, else 1.
        known: Which of our own augmentations it is.
    """

    name: str
    call: Callable[[Any], Any]
    role: str
    settings: str = ""
    always: Callable[[Any], Any] | None = None
    probability: float = 1.0
    known: Known | None = None


@dataclass(frozen=True)
class ByKeyword:
    """A transform of albumentations, which takes an array by name, as a function of any image."""

    transform: Any

    def __call__(self, image: Any) -> Any:
        """Return the changed array."""
        return self.transform(image=_as_array(image))["image"]

    def set_random_state(self, *generators: Any) -> None:
        """Set the generators of its own; those of version 1 have none and draw from Python's and NumPy's."""
        reseed = getattr(self.transform, "set_random_state", None)
        if reseed is not None:
            reseed(*generators)


@dataclass(frozen=True)
class Shifted:
    """A random crop of the network's size after a resize to more: cut from the image with reflected margins.

    The image that is analyzed is the center of the resized one, and what lay beside it is gone.
    """

    crop: Any
    margin: int

    def __call__(self, image: Any) -> Any:
        """Return a crop of the image."""
        from torchvision.transforms import functional

        if isinstance(image, np.ndarray):
            edges = ((self.margin, self.margin), (self.margin, self.margin), (0, 0))
            return self.crop(np.pad(image, edges, mode="reflect"))
        return self.crop(functional.pad(image, [self.margin] * 4, padding_mode="reflect"))

    def __repr__(self) -> str:
        """Return the crop with its margin."""
        return f"{self.crop!r} from an image with margins of {self.margin} px"


def library(step: Any) -> str:
    """Return the name of the package that a step's class comes from."""
    return type(step).__module__.partition(".")[0]


def flattened(transform: Any) -> Iterator[Any]:
    """Yield the steps of a transform in order: those of lists, ``Compose`` and sequences, also nested ones."""
    inner = _inner(transform)
    if inner is None:
        yield transform
        return
    for step in inner:
        yield from flattened(step)


def _inner(transform: Any) -> Iterable[Any] | None:
    if isinstance(transform, (list, tuple)):
        return transform
    if type(transform).__name__ not in _LISTS:
        held = _held(transform)
        return None if held is None else [held]
    # A container that applies only some of its steps, or all of them only sometimes, is one step.
    if getattr(transform, "random_apply", False) or getattr(transform, "p", 1) not in (1, None):
        return None
    if isinstance(transform, nn.Module) and not hasattr(transform, "transforms"):
        return transform.children()
    found: Iterable[Any] | None = getattr(transform, "transforms", None)
    return found


def _held(transform: Any) -> Any:
    """Return the one list of steps that a user's object or function holds, such as torchvision's training preset."""
    if library(transform) in _LIBRARIES:
        return None
    held = [value for value in reached(transform) if type(value).__name__ in _LISTS]
    return held[0] if len(held) == 1 else None


def reached(transform: Any) -> list[Any]:
    """Return what an object holds as attributes, or what a function uses from around it."""
    if isinstance(transform, FunctionType):
        used = [transform.__globals__[name] for name in transform.__code__.co_names if name in transform.__globals__]
        # A cell is empty while a function that refers to itself is being defined.
        return used + [cell.cell_contents for cell in transform.__closure__ or () if cell != CellType()]
    return list(getattr(transform, "__dict__", {}).values())


def parts_of(transform: Any, size: tuple[int, int] | None) -> list[Part]:
    """Return the parts of a transform, those whose class is known with their roles; the others as augmentations.

    Args:
        transform: What the user trains with.
        size: Height and width of the network's input, which crops then give, or None where it is not known.
    """
    steps = list(flattened(transform))
    parts: list[Part] = []
    for position, step in enumerate(steps):
        name = _numbered(name_of(step), [part.name for part in parts])
        parts.append(_part(step, name, steps[:position], size))
    return parts


def name_of(step: Any) -> str:
    """Return a readable name of a step: its class, with the class of what it holds, or its function's name."""
    inner = getattr(step, "transforms", None)
    # The steps of a jitter of albumentations are functions of its own.
    if isinstance(inner, (list, tuple, nn.ModuleList)) and inner and not isinstance(inner[0], FunctionType):
        return f"{type(step).__name__}({', '.join(name_of(part) for part in inner)})"
    if isinstance(step, type) or not hasattr(step, "__name__"):
        return type(step).__name__
    return str(step.__name__).replace("<lambda>", "lambda")


def settings_of(step: Any) -> str:
    """Return a step as it was written, without addresses in memory, which differ from run to run."""
    return " ".join(_ADDRESS.sub("", repr(step)).split())


def _part(step: Any, name: str, before: Sequence[Any], size: tuple[int, int] | None) -> Part:
    kind = type(step).__name__
    settings = settings_of(step)
    random_resize = kind == "ResizeKeepRatio" and getattr(step, "random_scale_prob", 0) > 0
    if kind in _FORM_NAMES:
        return Part(name, _callable(step), "form", settings)
    if kind in _SIZE_NAMES and not random_resize:
        if any(type(earlier).__name__ in _SIZES_VARY for earlier in before):
            return Part(name, _callable(_sized(step, size)), "form", settings)
        return Part(name, _callable(step), "size", settings)
    return _augmentation(_placed(step, before, size), step, name, size)


def _augmentation(call: Any, step: Any, name: str, size: tuple[int, int] | None) -> Part:
    always, probability = _always(call)
    inner = getattr(step, "transforms", None)
    single = inner[0] if type(step).__name__ == "RandomApply" and inner is not None and len(inner) == 1 else step
    kind = known_kind(single, probability, min(size) if size else None)
    return Part(
        name,
        _callable(call),
        "augmentation",
        settings_of(step),
        None if always is None else _callable(always),
        probability,
        kind,
    )


def _always(step: Any) -> tuple[Any, float]:
    """Return a step that is always applied, and how often this one is; None and 1 where that cannot be set."""
    if library(step) not in _LIBRARIES or type(step).__name__ in _OTHER_CHANCE:
        return None, 1.0
    for name in ("p", "probability"):
        found = getattr(step, name, None)
        if isinstance(found, (int, float)) and not isinstance(found, bool) and 0 < found < 1:
            other = copy.deepcopy(step)
            setattr(other, name, 1.0)
            return other, float(found)
    return None, 1.0


def _callable(step: Any) -> Callable[[Any], Any]:
    if isinstance(step, Shifted):
        return Shifted(_callable(step.crop), step.margin)
    return ByKeyword(step) if library(step) == "albumentations" else step


def _placed(step: Any, before: Sequence[Any], size: tuple[int, int] | None) -> Any:
    """Return a crop that gives the network's size; others as they are."""
    if type(step).__name__ not in (*_CROP_NAMES, *_SHIFT_NAMES) or size is None:
        return step
    given = _side(step)
    other = _sized(step, size)
    larger = next((_side(earlier) for earlier in reversed(before) if type(earlier).__name__ in _SIZE_NAMES), None)
    if type(step).__name__ not in _SHIFT_NAMES or not given or not larger or larger <= given:
        return other
    return Shifted(other, max(1, round(min(size) * (larger / given - 1) / 2)))


def _side(step: Any) -> int | None:
    """Return the shorter side in pixels that a step gives."""
    found = next((value for key in ("size", "height", "max_size") if (value := getattr(step, key, None))), None)
    if isinstance(found, (list, tuple)):
        found = min(found) if found else None
    return int(found) if isinstance(found, (int, float)) else None


def _sized(step: Any, size: tuple[int, int] | None) -> Any:
    """Return a copy of a step that gives images of this size."""
    if size is None:
        return step
    other = copy.deepcopy(step)
    generator = getattr(other, "_param_generator", None)
    if generator is not None and hasattr(generator, "output_size"):
        generator.output_size = size
        other.flags = {**other.flags, "size": size}
    elif hasattr(other, "height") and hasattr(other, "width"):
        other.height, other.width = size
    elif hasattr(other, "size"):
        other.size = size
    return other


def _numbered(name: str, taken: Sequence[str]) -> str:
    again = sum(known == name or known.startswith(f"{name} ") for known in taken)
    return f"{name} {again + 1}" if again else name


def _as_array(image: Any) -> np.ndarray:
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    if isinstance(image, Tensor):
        return array(image[0] if image.ndim == 4 else image)
    return np.asarray(image)
