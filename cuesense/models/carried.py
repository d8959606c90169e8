"""How images are prepared for a network, as far as the file of its weights says it, or a small file beside it.

Training scripts keep their settings beside the weights: timm and torchvision's references their arguments (``args``),
Lightning ``hyper_parameters``, Ultralytics ``train_args``, others ``config``, ``cfg``, ``opt`` or ``hparams``. Hugging
Face keeps ``config.json`` and ``preprocessor_config.json`` in the folder of the weights, timm a ``config.json`` with
``pretrained_cfg``. A user's own ``model.toml`` or ``model.json`` beside the weights says it all, and comes first.

What is not plausible is left out and said, so that a typing error in a training script does no harm in silence.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar

from cuesense.errors import first_line
from cuesense.models import carried_values as values
from cuesense.types import ClassNames

Section = Mapping[str, Any]
_Value = TypeVar("_Value")

# Where settings stand. A section of the evaluation is nearer to what a user wants than one of the training.
_SECTIONS = [
    "preprocessing",
    "preprocess",
    "preprocessor_config",
    "preprocessor",
    "image_processor",
    "data_config",
    "pretrained_cfg",
    "default_cfg",
    "args",
    "hyper_parameters",
    "train_args",
    "config",
    "cfg",
    "opt",
    "hparams",
    "params",
    "options",
    "settings",
    "data",
    "dataset",
    "val",
    "valid",
    "validation",
    "eval",
    "test",
    "model",
    "transform",
    "transforms",
    "metadata",
    "meta",
]
# Settings of settings of settings; deeper ones are no longer about the images.
_DEEPEST = 3
# The evaluation's size before the training's, which may be smaller (torchvision's references).
_SIZES = [
    "val_crop_size",
    "test_crop_size",
    "eval_crop_size",
    "crop_size",
    "image_size",
    "img_size",
    "input_size",
    "imgsz",
    "im_size",
    "imgsize",
    "image_sz",
    "img_dim",
    "resolution",
    "input_resolution",
    "eval_size",
    "test_size",
]
_RESIZES = ("val_resize_size", "eval_resize_size", "resize_size", "resize", "resize_shorter")
_MEANS = ("mean", "image_mean", "img_mean", "pixel_mean", "norm_mean", "rgb_mean", "dataset_mean")
_NAMES = ("class_names", "classes", "label_names", "idx_to_class", "class_to_idx", "id2label", "names", "labels")
_CROPS = ("crop_pct", "crop_percentage", "crop_ratio")
_CHANNELS = ("channels", "channel_order", "color_order")
# Keys that only timm's arguments and configurations have, and only those of torchvision's references.
_TIMMS, _TORCHVISIONS = ("crop_pct", "pretrained_cfg", "model_ema_decay"), ("val_crop_size", "data_path")
# An area of the image in [0, 1]; below a tenth of its side no network was ever evaluated. Chosen by hand.
_SMALLEST_CROP = 0.1


@dataclass(frozen=True)
class Carried:
    """What settings beside weights say; each is None where they do not say it.

    Attributes:
        image_size: Height and width of the network's input in pixels.
        resize: Shorter side before the center crop in pixels; 0 where images are resized whole to the image size.
        mean: Normalization mean, RGB in [0, 1] units; given with std or not at all.
        std: Normalization standard deviation, likewise.
        interpolation: One of Pillow's filters, such as ``"bicubic"``.
        class_names: Names of the outputs in their order.
        arch: The architecture, with its prefix where the library is known, for instance ``"timm:resnet18"``.
        channels: The order in which the network takes the color channels: ``"rgb"`` or ``"bgr"``.
        ignored: What was left out because it is not plausible, in sentences.
    """

    image_size: tuple[int, int] | None = None
    resize: int | None = None
    mean: values.Channels | None = None
    std: values.Channels | None = None
    interpolation: str | None = None
    class_names: ClassNames | None = None
    arch: str | None = None
    channels: str | None = None
    ignored: tuple[str, ...] = ()


NOTHING = Carried()


def carried(about: Mapping[str, Any], source: str = "The weights' file") -> Carried:
    """Return what the data beside weights say about the images, the classes and the architecture.

    Args:
        about: Plain data: what a checkpoint holds beside its tensors, or the content of a configuration file. Values
            may be anything.
        source: Where the data stand, which begins a sentence.

    Returns:
        The plausible values, those of the outer sections before those of the inner ones.
    """
    sections = list(_sections(about, "", 0))
    ignored: list[str] = []
    size, resize = _size_and_resize(sections, ignored)
    mean, std = _normalization(sections, ignored) or (None, None)
    return Carried(
        image_size=size,
        resize=resize,
        mean=mean,
        std=std,
        interpolation=_interpolation(sections),
        class_names=_first(sections, _NAMES, values.names_of),
        arch=_arch(sections),
        channels=_channels(sections),
        ignored=tuple(f"{source} {text}" for text in dict.fromkeys(ignored)),
    )


def _sections(about: object, path: str, depth: int) -> Iterator[tuple[str, Section]]:
    """Yield the data themselves and the settings in them, with the path of keys that leads there."""
    if isinstance(about, (Namespace, SimpleNamespace)):
        about = vars(about)
    if not isinstance(about, Mapping) or depth > _DEEPEST:
        return
    yield path, about
    for name in _SECTIONS:
        yield from _sections(about.get(name), f"{path}{name}.", depth + 1)


def _first(
    sections: list[tuple[str, Section]], keys: tuple[str, ...], read: Callable[[Any], _Value | None]
) -> _Value | None:
    found = (read(section[key]) for _, section in sections for key in keys if section.get(key) is not None)
    return next((value for value in found if value is not None), None)


def _size_and_resize(
    sections: list[tuple[str, Section]], ignored: list[str]
) -> tuple[tuple[int, int] | None, int | None]:
    """Return the first size, with the resizing that stands in the same section."""
    for path, section in sections:
        found = _hugging_face(section) if _is_hugging_face(section) else _plain(path, section, ignored)
        if found is not None:
            return found
    return None, None


def _plain(path: str, section: Section, ignored: list[str]) -> tuple[tuple[int, int], int | None] | None:
    for key in _SIZES:
        if section.get(key) is None:
            continue
        size = values.size_of(section[key])
        if size is not None:
            return size, _resize(section, size)
        ignored.append(_implausible(path + key, section[key], "a size in pixels"))
    return None


def _resize(section: Section, size: tuple[int, int]) -> int | None:
    """Return the shorter side before the crop, 0 for none, or None where nothing says it."""
    if section.get("crop_mode") == "squash":
        return 0
    if _is_ultralytics(section):
        # Its classifiers see the center crop of the whole shorter side.
        return max(size)
    for key in _RESIZES:
        given = section.get(key)
        side = values.side_of(given)
        if given == 0 or (isinstance(given, (list, tuple)) and values.size_of(given) == size):
            return 0
        if side is not None and side >= max(size):
            return side
    share = next((found for key in _CROPS if (found := values.number_of(section.get(key))) is not None), None)
    return math.floor(min(size) / share) if share is not None and _SMALLEST_CROP <= share <= 1 else None


def _is_ultralytics(section: Section) -> bool:
    return "imgsz" in section and section.get("task") == "classify"


def _is_hugging_face(section: Section) -> bool:
    return any(key in section for key in ("image_processor_type", "feature_extractor_type", "do_resize", "do_rescale"))


def _hugging_face(section: Section) -> tuple[tuple[int, int], int | None] | None:
    """Return size and resize as transformers' image processors take them from preprocessor_config.json."""
    given = section.get("size")
    shortest = values.side_of(given.get("shortest_edge")) if isinstance(given, Mapping) else None
    whole = values.size_of(given)
    crop = values.size_of(section.get("crop_size"))
    if section.get("do_center_crop", crop is not None) and crop is not None:
        before = shortest or (None if whole is None else min(whole))
        return crop, before if before is not None and before >= max(crop) else max(crop)
    if shortest is None:
        # ViT's and others' processors resize whole, whatever the ratio of the sides.
        return None if whole is None else (whole, 0)
    # ConvNeXt's: below 384 pixels a center crop of the share crop_pct, above them resized whole.
    share = values.number_of(section.get("crop_pct"))
    if share is None or not _SMALLEST_CROP <= share <= 1:
        return (shortest, shortest), shortest
    return (shortest, shortest), math.floor(shortest / share) if shortest < 384 else 0


def _normalization(
    sections: list[tuple[str, Section]], ignored: list[str]
) -> tuple[values.Channels, values.Channels] | None:
    for path, section in sections:
        if _is_hugging_face(section) and section.get("do_normalize") is False:
            return _unnormalized(section)
        if _is_ultralytics(section):
            # Its classifiers take pixels in [0, 1] (DEFAULT_MEAN 0 and DEFAULT_STD 1 of ultralytics.data.augment).
            return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        for key in _MEANS:
            mean, std = section.get(key), section.get(key.replace("mean", "std"))
            if mean is None or std is None:
                continue
            found = values.normalization_of(mean, std)
            if found is not None:
                return found
            ignored.append(_implausible(path + key, f"{mean} with std {std}", "a mean and a standard deviation"))
    return None


def _unnormalized(section: Section) -> tuple[values.Channels, values.Channels]:
    """Return what leaves pixels as transformers leaves them: in [0, 1], or from 0 to 255 where nothing rescales."""
    spread = 1 / 255 if section.get("do_rescale") is False else 1.0
    return (0.0, 0.0, 0.0), (spread, spread, spread)


def _interpolation(sections: list[tuple[str, Section]]) -> str | None:
    return _first(sections, ("interpolation", "test_interpolation", "resample"), values.interpolation_of)


def _channels(sections: list[tuple[str, Section]]) -> str | None:
    flipped = any(section.get("do_flip_channel_order") is True for _, section in sections)
    return "bgr" if flipped else _first(sections, _CHANNELS, values.channels_of)


def _arch(sections: list[tuple[str, Section]]) -> str | None:
    """Return the architecture's name with the prefix of its library, or as it stands where nothing tells it."""
    for _, section in sections:
        for key in ("arch", "architecture", "model", "model_name"):
            name = section.get(key)
            if isinstance(name, str) and name and name.isprintable():
                return name if ":" in name else f"{_library(key, section)}{name}"
    return None


def _library(key: str, section: Section) -> str:
    if key == "architecture" or any(name in section for name in _TIMMS):
        return "timm:"
    # PyTorch's ImageNet example keeps torchvision's name under "arch".
    return "torchvision:" if key == "arch" or any(name in section for name in _TORCHVISIONS) else ""


def _implausible(where: str, value: object, what: str) -> str:
    return f"says {where} = {first_line(value)}, which cannot be {what}: it was ignored."
