"""One lazy table: kind and name -> "module:attribute". Other packages add to it through entry points."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from cuesense.errors import SettingsError, unknown

_CATALOG = "cuesense.perturbations.catalog"

_TABLE: Mapping[str, Mapping[str, str]] = {
    "models": {
        "torchvision": "cuesense.models.torchvision:load",
        "timm": "cuesense.models.timm:load",
        "open_clip": "cuesense.models.open_clip:load",
        "hf": "cuesense.models.huggingface:load",
        "onnx": "cuesense.models.onnx:load",
        "python": "cuesense.models.python:load",
    },
    "datasets": {
        "folder": "cuesense.datasets.folder:load",
        "table": "cuesense.datasets.table:load",
        "imagenet": "cuesense.datasets.imagenet:load",
        "torchvision": "cuesense.datasets.torchvision:load",
        "hf": "cuesense.datasets.hf:load",
        "wds": "cuesense.datasets.wds:load",
        "npz": "cuesense.datasets.npz:load",
        "zip": "cuesense.datasets.zipped:load",
        "planted": "cuesense.planted.world:load",
    },
    "reports": {
        "html": "cuesense.reports.html.profile:render",
        "terminal": "cuesense.reports.terminal.profile:render",
    },
    "exporters": {
        "json": "cuesense.exporters.plain:export_json",
        "yaml": "cuesense.exporters.plain:export_yaml",
        "torchvision": "cuesense.exporters.torchvision:export",
        "kornia": "cuesense.exporters.kornia:export",
        "albumentations": "cuesense.exporters.albumentations:export",
        "timm": "cuesense.exporters.timm:export",
        "ultralytics": "cuesense.exporters.ultralytics:export",
    },
    "perturbations": {
        name: f"{_CATALOG}:{name.upper()}"
        for name in (
            "grayscale",
            "grayscale_maximum",
            "grayscale_minimum",
            "channel_permutation",
            "median_blur",
            "bilateral_blur",
            "opening_closing",
            "gaussian_blur",
            "patch_shuffle",
            "patch_rotation",
            "grayscale_patch_shuffle",
            "patch_shuffle_opening_closing",
            "patch_shuffle_gaussian_blur",
            "grayscale_opening_closing",
            "grayscale_bilateral_blur",
            "grayscale_patch_shuffle_gaussian_blur",
            "random_resized_crop",
            "color_jitter",
            "brightness",
            "contrast",
            "saturation",
            "hue",
            "random_grayscale",
            "random_gaussian_blur",
            "random_erasing",
            "random_rotation",
            "horizontal_flip",
            "vertical_flip",
            "tile_jitter",
            "translation",
        )
    },
}

KINDS = tuple(_TABLE)


def names(kind: str) -> tuple[str, ...]:
    """Return every registered name of a kind, ours first, then those of other packages.

    Args:
        kind: One of KINDS.

    Returns:
        The names in the order of the table.
    """
    ours = tuple(_TABLE[kind])
    return ours + tuple(sorted(plugins(kind).keys() - set(ours)))


def get(kind: str, name: str) -> Any:
    """Import and return a registered thing.

    Args:
        kind: One of KINDS.
        name: A registered name.

    Returns:
        The function or value behind the name.

    Raises:
        SettingsError: The name is unknown; the sentence suggests the nearest one.
    """
    target = _TABLE[kind].get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)
    check(kind, name)
    return plugins(kind)[name].load()


def check(kind: str, name: str) -> None:
    """Raise SettingsError, as ``get`` does, unless a name is registered; nothing is imported."""
    # Plug-ins are looked for in every installed package, which takes long: only where the name is none of ours.
    if name not in _TABLE[kind] and name not in plugins(kind):
        raise SettingsError(unknown(f"{kind.removesuffix('s')} '{name}'", name, names(kind)))


def is_own(kind: str, name: str) -> bool:
    """Return whether a name is this package's own, not one that another package adds."""
    return name in _TABLE[kind]


@cache
def plugins(kind: str) -> Mapping[str, Any]:
    """Return the entry points that other packages declare, by name; they are looked for once a process.

    Args:
        kind: One of KINDS.
    """
    return {point.name: point for point in entry_points(group=f"cuesense.{kind}")}
