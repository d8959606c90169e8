"""One lazy table: kind and name -> "module:attribute". Other packages add to it through entry points."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from cuesense.errors import SettingsError, expected, unknown

if TYPE_CHECKING:
    from cuesense.types import Perturbation

_CATALOG = "cuesense.perturbations.catalog"
_KORNIA_TABLE = "cuesense.perturbations.kornia_table"

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
    }
    | {
        name: f"{_KORNIA_TABLE}:{name.upper()}"
        for name in (
            "random_motion_blur",
            "box_blur",
            "perspective",
            "elastic",
            "thin_plate_spline",
            "random_translation",
            "random_scale",
            "random_shear",
            "padded_crop",
            "rotation_90",
            "fisheye",
            "solarize",
            "posterize",
            "sharpness",
            "gamma",
            "rgb_shift",
            "clahe",
            "equalize",
            "auto_contrast",
            "invert",
            "channel_shuffle",
            "channel_dropout",
            "planckian_jitter",
            "random_gaussian_noise",
            "salt_and_pepper",
            "jpeg",
            "plasma_brightness",
            "plasma_contrast",
            "plasma_shadow",
            "gaussian_illumination",
            "linear_illumination",
            "corner_illumination",
            "random_rain",
            "random_snow",
        )
    },
}

# Names of the form "prefix:NAME": kind, prefix -> the function that makes the thing of NAME.
_PREFIXES: Mapping[str, Mapping[str, str]] = {
    "perturbations": {
        "kornia": "cuesense.perturbations.libraries:kornia",
        "torchvision": "cuesense.perturbations.libraries:torchvision",
    },
}

KINDS = tuple(_TABLE)

# Names that a sentence can hold.
_LISTED = 12

# What programs have added in this process: kind -> name -> the thing itself.
_ADDED: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}


def register(perturbation: Perturbation) -> Perturbation:
    """Add a perturbation for the rest of this process, so that it can be named wherever one of ours can.

    Args:
        perturbation: What to add; one of the same name that was added before is replaced.

    Returns:
        The perturbation.

    Raises:
        SettingsError: This package, or another that is installed, has one of this name, or it is no name.
    """
    name = perturbation.name
    check_new_name(name)
    if name in _TABLE["perturbations"] or _prefix("perturbations", name) or name in plugins("perturbations"):
        do = "Choose another name"
        raise SettingsError(expected("the name of a new perturbation", "one of its own", f"'{name}'", do))
    _ADDED["perturbations"][name] = perturbation
    return perturbation


def check_new_name(name: object) -> None:
    """Raise SettingsError unless something can be named on the command line, where commas stand between names."""
    if not isinstance(name, str) or not name.isprintable() or "," in name or name != name.strip() or not name:
        to_be = "a text without commas, line breaks and spaces at its ends, so that --augmentations can name it"
        raise SettingsError(expected("the name of a perturbation", to_be, repr(name), "Choose another name"))


def added(kind: str) -> dict[str, Any]:
    """Return what programs have registered in this process, by name."""
    return dict(_ADDED[kind])


def names(kind: str) -> tuple[str, ...]:
    """Return every registered name of a kind, ours first, then those of other packages and of programs.

    Args:
        kind: One of KINDS.

    Returns:
        The names in the order of the table.
    """
    ours = tuple(_TABLE[kind])
    return ours + tuple(sorted((plugins(kind).keys() | _ADDED[kind].keys()) - set(ours)))


def known(kind: str, name: str) -> bool:
    """Return whether ``get`` takes a name: a registered one, or one such as ``"kornia:RandomRain"``."""
    # Plug-ins are looked for in every installed package, which takes long: only where the name is none of ours.
    here = name in _TABLE[kind] or name in _ADDED[kind] or bool(_prefix(kind, name))
    return here or name in plugins(kind)


def get(kind: str, name: str) -> Any:
    """Import and return a registered thing.

    Args:
        kind: One of KINDS.
        name: A registered name, or one such as ``"kornia:RandomRain"``.

    Returns:
        The function or value behind the name.

    Raises:
        SettingsError: The name is unknown; the sentence suggests the nearest one.
    """
    if not isinstance(name, str):
        check(kind, name)
    target = _TABLE[kind].get(name)
    if target is not None:
        return _imported(target)
    if name in _ADDED[kind]:
        return _ADDED[kind][name]
    prefix = _prefix(kind, name)
    if prefix:
        return _imported(_PREFIXES[kind][prefix])(name.removeprefix(f"{prefix}:"))
    check(kind, name)
    return plugins(kind)[name].load()


def check(kind: str, name: str) -> None:
    """Raise SettingsError, as ``get`` does, unless a name is registered; nothing is imported."""
    if not isinstance(name, str):
        raise SettingsError(expected(f"the name of the {kind.removesuffix('s')}", "a text", repr(name), "Pass a name"))
    if known(kind, name):
        return
    what, existing = f"{kind.removesuffix('s')} '{name}'", names(kind)
    if len(existing) > _LISTED and not get_close_matches(name, existing, n=1):
        raise SettingsError(f"Unknown {what}. `cuesense list {kind}` prints those that exist.")
    raise SettingsError(unknown(what, name, existing))


def _prefix(kind: str, name: str) -> str | None:
    """Return what stands before the colon of a name, where names may begin so."""
    prefix, colon, rest = name.partition(":")
    return prefix if colon and rest and prefix in _PREFIXES.get(kind, {}) else None


def _imported(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


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
