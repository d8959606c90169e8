"""How an image processor of transformers prepares images, as a resize, a center crop and a normalization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cuesense.types import INTERPOLATIONS, Preprocessing

# ConvNextImageProcessor resizes straight to sizes from 384 on, and crops below.
_UNCROPPED = 384
_CHANNELS = 3
_SQUASHED = (
    "These weights' images are squashed to a square before the crop; here their shorter side is resized, which is the "
    "same for square images."
)
_NEVER_NORMALIZE = ("MobileViTImageProcessor",)


@dataclass(frozen=True)
class Images:
    """How a network wants its images.

    Attributes:
        preprocessing: Sizes and normalization, None where they are not known.
        warnings: What of it is done otherwise here, in sentences.
        guessed: Fields of the preprocessing that the processor does not say.
    """

    preprocessing: Preprocessing | None
    warnings: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()


def preprocessing_of(processor: Any, side: tuple[int, int] | None) -> Images:
    """Return what an image processor does with an image.

    Args:
        processor: An image processor of transformers.
        side: The height and width of the network's input, for processors that do not resize.

    Returns:
        The preprocessing.
    """
    named = type(processor).__name__
    kind = named.removesuffix("Fast").removesuffix("Pil")
    if kind == "TimmWrapperImageProcessor":
        return _of_timm(processor.data_config)
    sizes, guessed = _sizes(processor, kind, side)
    if sizes is None:
        said = f"The {kind} of these weights does not say the size of its images."
        return Images(None, (said,))
    mean, std = _normalization(processor, kind)
    image_size, resize = sizes
    crop = "rounded" if resize is None else "down"
    # Since transformers 5 a processor says what it resizes with; before, the fast ones were torchvision's.
    backend = getattr(processor, "backend", "torchvision" if named.endswith("Fast") else "pil")
    resizer = "torchvision" if backend == "torchvision" else "pillow"
    return Images(
        Preprocessing(image_size, resize, mean, std, _interpolation(processor), _order(processor), crop, resizer),
        _padded(processor) + ((_SQUASHED,) if guessed == ("resize",) else ()),
        frozenset(guessed),
    )


def _sizes(
    processor: Any, kind: str, side: tuple[int, int] | None
) -> tuple[tuple[tuple[int, int], int | None] | None, tuple[str, ...]]:
    """Return the size of the input and the shorter side before the crop, None for a resize straight to the size."""
    size = _dictionary(getattr(processor, "size", None)) if getattr(processor, "do_resize", True) else {}
    cropped = _dictionary(getattr(processor, "crop_size", None)) if getattr(processor, "do_center_crop", False) else {}
    crop, given = _pair(cropped) or _pair(size), _pair(size)
    shortest: Any = size.get("shortest_edge")
    share: Any = getattr(processor, "crop_pct", None)
    if kind == "ConvNextImageProcessor" and shortest:
        straight = shortest >= _UNCROPPED or not share
        return ((shortest, shortest), None if straight else int(shortest / share)), ()
    if kind == "LevitImageProcessor" and shortest and crop:
        # It enlarges the shorter side by the usual 256/224 before it crops.
        return (crop, int(256 / 224 * shortest)), ()
    if kind == "PerceiverImageProcessor" and given and cropped:
        # It crops a share of the shorter side first and then resizes, which comes to the same.
        return (given, max(_pair(cropped) or given)), ()
    if share and crop and (shortest or given):
        return (crop, int((shortest or min(given or crop)) / share)), ()
    if shortest:
        return (_pair(cropped) or (shortest, shortest), shortest), ()
    if given and cropped and crop and given != crop:
        # Squashed to a square, of which the center is taken: for square images the shorter side is the same.
        return (crop, max(*given, *crop)), ("resize",)
    found = given or crop or side
    return (None, ()) if found is None else ((found, None), () if given else ("image_size", "resize"))


def _dictionary(size: Any) -> Mapping[str, int]:
    if isinstance(size, int):
        return {"height": size, "width": size}
    return {key: value for key, value in dict(size or {}).items() if isinstance(value, int)}


def _pair(size: Mapping[str, int]) -> tuple[int, int] | None:
    return (size["height"], size["width"]) if "height" in size and "width" in size else None


def _normalization(processor: Any, kind: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return mean and standard deviation in units of [0, 1], whatever range the processor normalizes."""
    rescales = getattr(processor, "do_rescale", True)
    # The processor's values are this many times those from 0 to 1.
    factor = 255 * float(getattr(processor, "rescale_factor", None) or 1 / 255) if rescales else 255.0
    mean, std = [0.0] * _CHANNELS, [1.0] * _CHANNELS
    if getattr(processor, "do_normalize", True) and kind not in _NEVER_NORMALIZE:
        mean = _channels(getattr(processor, "image_mean", None), 0.0)
        std = _channels(getattr(processor, "image_std", None), 1.0)
    if kind == "EfficientNetImageProcessor" and getattr(processor, "include_top", False):
        # It divides by the standard deviation a second time, as the original network's own layer does.
        std = [value * value for value in std]
    if getattr(processor, "rescale_offset", False):
        mean = [value + 1 for value in mean]
    red, green, blue = (value / factor for value in mean)
    scales = [value / factor for value in std]
    return (red, green, blue), (scales[0], scales[1], scales[2])


def _channels(values: Any, default: float) -> list[float]:
    if values is None:
        return [default] * _CHANNELS
    numbers = [float(value) for value in values] if isinstance(values, (list, tuple)) else [float(values)]
    return numbers[:_CHANNELS] if len(numbers) >= _CHANNELS else numbers[:1] * _CHANNELS


def _interpolation(processor: Any) -> str:
    number: Any = getattr(processor, "resample", None)
    return "bilinear" if number is None else INTERPOLATIONS[int(number)]


def _order(processor: Any) -> str:
    return "bgr" if getattr(processor, "do_flip_channel_order", False) else "rgb"


def _padded(processor: Any) -> tuple[str, ...]:
    padded = getattr(processor, "do_pad", False) and getattr(processor, "pad_size", None)
    return ("These weights were evaluated on padded images; a center crop is used instead.",) if padded else ()


def _of_timm(config: Mapping[str, Any]) -> Images:
    from cuesense.models.timm import preprocessing_of as of_timm

    preprocessing, warnings = of_timm(config)
    return Images(preprocessing, warnings=warnings)
