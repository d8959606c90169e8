"""What there is: every perturbation with its dose, ladder and limits. Functions are imported when first applied.

Ladders run from mild to strong. Doses that are fractions of the shorter side fit every resolution; at 224 px the
median windows of 3, 7, 11 and 16 % are 7, 16, 25 and 36 px.
"""

from cuesense.types import Cue, LazyFunction, Perturbation, Role

_SIDE = "fraction of shorter side"
_TILES = "tiles a side"
_COLOR, _TEXTURE, _SHAPE = (Cue.COLOR,), (Cue.TEXTURE,), (Cue.SHAPE,)


def _apply(module: str, name: str) -> LazyFunction:
    return LazyFunction(f"cuesense.perturbations.{module}:{name}")


def _suppression(
    where: str,
    name: str,
    suppresses: tuple[Cue, ...],
    damages: str,
    parameter: str,
    unit: str,
    ladder: tuple[float, ...],
    limits: tuple[float, float],
) -> Perturbation:
    return Perturbation(
        name=name,
        role=Role.SUPPRESSION if suppresses else Role.CONTROL,
        suppresses=suppresses,
        damages=damages,
        parameter=parameter,
        unit=unit,
        ladder=ladder,
        identity=limits[0],
        limits=limits,
        apply=_apply(where, name),
        relative=unit == _SIDE,
        whole=unit == _TILES,
    )


def _augmentation(
    where: str,
    name: str,
    damages: str,
    parameter: str,
    unit: str,
    ladder: tuple[float, ...],
    limits: tuple[float, float],
    identity: float = 0.0,
) -> Perturbation:
    return Perturbation(
        name=name,
        role=Role.AUGMENTATION,
        suppresses=(),
        damages=damages,
        parameter=parameter,
        unit=unit,
        ladder=ladder,
        identity=identity,
        limits=limits,
        apply=_apply(where, name),
        relative=unit == _SIDE,
    )


_FRACTIONS = (0.25, 0.5, 0.75, 1.0)
_WINDOWS = (0.03, 0.07, 0.11, 0.16)
_NARROW_WINDOWS = (0.035, 0.05, 0.07, 0.1)
_SIGMAS = (0.0045, 0.009, 0.018, 0.036)
_GRIDS = (2.0, 3.0, 4.0, 8.0)
_STRENGTHS = (0.1, 0.2, 0.4, 0.8)

GRAYSCALE = _suppression(
    "color", "grayscale", _COLOR, "contrast between hues", "blend", "fraction", _FRACTIONS, (0.0, 1.0)
)
CHANNEL_PERMUTATION = _suppression(
    "color", "channel_permutation", _COLOR, "luminance contrast", "blend", "fraction", _FRACTIONS, (0.0, 1.0)
)
MEDIAN_BLUR = _suppression(
    "texture", "median_blur", _TEXTURE, "thin parts and corners", "window", _SIDE, _WINDOWS, (0.0, 0.3)
)
BILATERAL_BLUR = _suppression(
    "texture", "bilateral_blur", _TEXTURE, "faint outlines", "window", _SIDE, (0.018, 0.036, 0.0625, 0.11), (0.0, 0.3)
)
OPENING_CLOSING = _suppression(
    "texture", "opening_closing", _TEXTURE, "thin parts and corners", "window", _SIDE, _NARROW_WINDOWS, (0.0, 0.3)
)
GAUSSIAN_BLUR = _suppression(
    "texture", "gaussian_blur", _TEXTURE, "shape, from 2 % on", "sigma", _SIDE, _SIGMAS, (0.0, 0.2)
)
PATCH_SHUFFLE = _suppression(
    "shape", "patch_shuffle", _SHAPE, "coarse texture; adds seams", "grid", _TILES, _GRIDS, (1.0, 32.0)
)
PATCH_ROTATION = _suppression(
    "shape", "patch_rotation", _SHAPE, "oriented texture; adds seams", "grid", _TILES, _GRIDS, (1.0, 32.0)
)
GRAYSCALE_PATCH_SHUFFLE = _suppression(
    "combinations",
    "grayscale_patch_shuffle",
    (Cue.COLOR, Cue.SHAPE),
    "coarse texture",
    "grid",
    _TILES,
    _GRIDS,
    (1.0, 32.0),
)
PATCH_SHUFFLE_OPENING_CLOSING = _suppression(
    "combinations",
    "patch_shuffle_opening_closing",
    (Cue.SHAPE, Cue.TEXTURE),
    "small spots",
    "grid",
    _TILES,
    _GRIDS,
    (1.0, 32.0),
)
GRAYSCALE_OPENING_CLOSING = _suppression(
    "combinations",
    "grayscale_opening_closing",
    (Cue.COLOR, Cue.TEXTURE),
    "thin parts",
    "window",
    _SIDE,
    _NARROW_WINDOWS,
    (0.0, 0.3),
)
GRAYSCALE_PATCH_SHUFFLE_GAUSSIAN_BLUR = _suppression(
    "combinations",
    "grayscale_patch_shuffle_gaussian_blur",
    (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE),
    "everything but lightness",
    "grid",
    _TILES,
    _GRIDS,
    (1.0, 32.0),
)

RANDOM_RESIZED_CROP = _augmentation(
    "geometry",
    "random_resized_crop",
    "outlines, context, texture scale",
    "scale",
    "area fraction",
    (0.7, 0.4, 0.2, 0.08),
    (0.01, 1.0),
    identity=1.0,
)
COLOR_JITTER = _augmentation("color", "color_jitter", "color, contrast", "strength", "fraction", _STRENGTHS, (0.0, 2.0))
BRIGHTNESS = _augmentation("color", "brightness", "lightness", "strength", "fraction", _STRENGTHS, (0.0, 2.0))
CONTRAST = _augmentation("color", "contrast", "faint detail", "strength", "fraction", _STRENGTHS, (0.0, 2.0))
SATURATION = _augmentation("color", "saturation", "color", "strength", "fraction", _STRENGTHS, (0.0, 2.0))
HUE = _augmentation("color", "hue", "color", "turn", "turns of the circle", (0.05, 0.1, 0.2, 0.5), (0.0, 0.5))
RANDOM_GRAYSCALE = _augmentation(
    "color", "random_grayscale", "color", "probability", "probability", (0.1, 0.2, 0.5, 1.0), (0.0, 1.0)
)
RANDOM_GAUSSIAN_BLUR = _augmentation(
    "texture", "random_gaussian_blur", "fine texture", "sigma", _SIDE, _SIGMAS, (0.0, 0.2)
)
RANDOM_ERASING = _augmentation(
    "geometry", "random_erasing", "small parts", "area", "area fraction", (0.1, 0.2, 0.33, 0.6), (0.0, 1.0)
)
RANDOM_ROTATION = _augmentation(
    "geometry", "random_rotation", "upright outlines", "angle", "degrees", (10.0, 30.0, 60.0, 180.0), (0.0, 180.0)
)
HORIZONTAL_FLIP = _augmentation(
    "geometry", "horizontal_flip", "handedness", "probability", "probability", _FRACTIONS, (0.0, 1.0)
)
VERTICAL_FLIP = _augmentation(
    "geometry", "vertical_flip", "upright outlines", "probability", "probability", _FRACTIONS, (0.0, 1.0)
)

TILE_JITTER = _suppression(
    "shape", "tile_jitter", (), "adds seams", "displacement", _SIDE, (0.009, 0.018, 0.036, 0.07), (0.0, 0.25)
)
TRANSLATION = _suppression(
    "shape", "translation", (), "the border", "distance", _SIDE, (0.009, 0.018, 0.036, 0.07), (0.0, 0.5)
)
