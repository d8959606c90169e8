"""The table of perturbations: what each removes or harms, its parameter, its ladder of values and its limits.

A ladder runs from mild to strong: severity 1 is its first value. Values that are fractions of the image's shorter side
fit every resolution; at 224 px the median windows of 3, 7, 11 and 16 % are 7, 16, 25 and 36 px. The functions
themselves are imported when they are first applied, so that this table loads without torch.
"""

from dataclasses import dataclass

from cuesense.types import Cue, LazyFunction, Perturbation, Role

_SIDE = "fraction of shorter side"
_TILES = "tiles a side"
_COLOR, _TEXTURE, _SHAPE = (Cue.COLOR,), (Cue.TEXTURE,), (Cue.SHAPE,)


@dataclass(frozen=True)
class _Strength:
    """How the strength of a perturbation is measured, and which strengths there are.

    Attributes:
        parameter: Name of the value.
        unit: The value's unit.
        ladder: Values from mild to strong (severities 1, 2, ...).
        limits: Smallest and largest value that make sense, both included.
        identity: The value that changes nothing; None where it is the smallest.
    """

    parameter: str
    unit: str
    ladder: tuple[float, ...]
    limits: tuple[float, float]
    identity: float | None = None


def _suppression(
    module: str, name: str, suppresses: tuple[Cue, ...], damages: str, strength: _Strength
) -> Perturbation:
    """Return the entry of a perturbation that removes cues, or of a control, which removes none."""
    role = Role.SUPPRESSION if suppresses else Role.CONTROL
    return _entry(module, name, role, suppresses, damages, strength)


def _augmentation(module: str, name: str, damages: str, strength: _Strength) -> Perturbation:
    return _entry(module, name, Role.AUGMENTATION, (), damages, strength)


def _entry(
    module: str, name: str, role: Role, suppresses: tuple[Cue, ...], damages: str, strength: _Strength
) -> Perturbation:
    return Perturbation(
        name=name,
        role=role,
        suppresses=suppresses,
        damages=damages,
        parameter=strength.parameter,
        unit=strength.unit,
        ladder=strength.ladder,
        identity=strength.limits[0] if strength.identity is None else strength.identity,
        limits=strength.limits,
        apply=LazyFunction(f"cuesense.perturbations.{module}:{name}"),
        relative=strength.unit == _SIDE,
        whole=strength.unit == _TILES,
    )


# Ladders and limits. A ladder has four values, that of grids five: with fewer a curve has no shape, each more costs one
# forward pass an image. Limits are the range of the functions themselves, or what is still recognizable by eye; chosen
# by hand.
_FRACTIONS = (0.25, 0.5, 0.75, 1.0)  # evenly spaced to the complete change
_BLEND = _Strength("blend", "fraction", _FRACTIONS, (0.0, 1.0))

# A texture disappears at a window of about one of its periods, so the ladder spans fine to coarse textures relative to
# the side. 16 % removes even coarse ones (measured: docs/method.md, "Median at 11 %").
_MEDIAN_WINDOW = _Strength("window", _SIDE, (0.03, 0.07, 0.11, 0.16), (0.0, 0.3))
# Burgert et al.'s bilateral diameters of 4 to 14 px at 224 px are 0.018 to 0.0625; one stronger value is added.
_BILATERAL_WINDOW = _Strength("window", _SIDE, (0.018, 0.036, 0.0625, 0.11), (0.0, 0.3))
# Narrower than the median's: at 7 % the texture of the planted images is unreadable (share .13) and outlines are whole
# (1.0), and pretrained networks at 224 px keep the most (docs/method.md; benchmarks/manipulation.py).
_MORPHOLOGY_WINDOW = _Strength("window", _SIDE, (0.035, 0.05, 0.07, 0.1), (0.0, 0.3))
# 1 to 8 px at 224 px, doubling; from some 2 % of the side on a blur damages shape as well.
_SIGMA = _Strength("sigma", _SIDE, (0.0045, 0.009, 0.018, 0.036), (0.0, 0.2))
# Of Burgert et al.'s grids from 2 to 16, a ladder of shape from layout over parts to fine detail: 3 and 4 remove shape
# at 64 and at 224 px, 6 also cuts the parts, and 8 removes coarse texture as well.
_GRID = _Strength("grid", _TILES, (2.0, 3.0, 4.0, 6.0, 8.0), (1.0, 32.0))
# 2 to 16 px at 224 px, doubling; 3.6 % is the sham of the ablations, as large as a suppression's pixel change.
_SHAM_LADDER = (0.009, 0.018, 0.036, 0.07)

# torchvision's jitters are commonly used at 0.4; the ladder doubles on both sides of what is common.
_JITTER = _Strength("strength", "fraction", (0.1, 0.2, 0.4, 0.8), (0.0, 2.0))
# The strongest value, 0.08, is torchvision's default for training on ImageNet (Szegedy et al. 2015).
_CROP_AREA = _Strength("scale", "area fraction", (0.7, 0.4, 0.2, 0.08), (0.01, 1.0), identity=1.0)
# Half a turn reaches every hue, so 0.5 is the end; the others are chosen by hand.
_HUE_TURN = _Strength("turn", "turns of the circle", (0.05, 0.1, 0.2, 0.5), (0.0, 0.5))
# SimCLR uses 0.2 (Chen et al. 2020, appendix A); the values around it are chosen by hand.
_GRAY_PROBABILITY = _Strength("probability", "probability", (0.1, 0.2, 0.5, 1.0), (0.0, 1.0))
_FLIP_PROBABILITY = _Strength("probability", "probability", _FRACTIONS, (0.0, 1.0))
# 0.33 is torchvision's default for the largest area (Zhong et al. 2020 use 0.4).
_ERASED_AREA = _Strength("area", "area fraction", (0.1, 0.2, 0.33, 0.6), (0.0, 1.0))
# 180 degrees reach every angle; the others are chosen by hand.
_ANGLE = _Strength("angle", "degrees", (10.0, 30.0, 60.0, 180.0), (0.0, 180.0))

GRAYSCALE = _suppression("color", "grayscale", _COLOR, "contrast between hues", _BLEND)
GRAYSCALE_MAXIMUM = _suppression("color", "grayscale_maximum", _COLOR, "contrast of pure colors to white", _BLEND)
GRAYSCALE_MINIMUM = _suppression("color", "grayscale_minimum", _COLOR, "contrast of pure colors to black", _BLEND)
CHANNEL_PERMUTATION = _suppression("color", "channel_permutation", _COLOR, "luminance contrast", _BLEND)
MEDIAN_BLUR = _suppression("texture", "median_blur", _TEXTURE, "thin parts and corners", _MEDIAN_WINDOW)
BILATERAL_BLUR = _suppression("texture", "bilateral_blur", _TEXTURE, "faint outlines", _BILATERAL_WINDOW)
OPENING_CLOSING = _suppression("texture", "opening_closing", _TEXTURE, "thin parts and corners", _MORPHOLOGY_WINDOW)
GAUSSIAN_BLUR = _suppression("texture", "gaussian_blur", _TEXTURE, "shape, from 2 % on", _SIGMA)
PATCH_SHUFFLE = _suppression("shape", "patch_shuffle", _SHAPE, "coarse texture; adds seams", _GRID)
PATCH_ROTATION = _suppression("shape", "patch_rotation", _SHAPE, "oriented texture; adds seams", _GRID)
GRAYSCALE_PATCH_SHUFFLE = _suppression(
    "combinations", "grayscale_patch_shuffle", (Cue.COLOR, Cue.SHAPE), "coarse texture", _GRID
)
PATCH_SHUFFLE_OPENING_CLOSING = _suppression(
    "combinations", "patch_shuffle_opening_closing", (Cue.SHAPE, Cue.TEXTURE), "small spots", _GRID
)
PATCH_SHUFFLE_GAUSSIAN_BLUR = _suppression(
    "combinations", "patch_shuffle_gaussian_blur", (Cue.SHAPE, Cue.TEXTURE), "contrast between regions", _GRID
)
GRAYSCALE_OPENING_CLOSING = _suppression(
    "combinations", "grayscale_opening_closing", (Cue.COLOR, Cue.TEXTURE), "thin parts", _MORPHOLOGY_WINDOW
)
GRAYSCALE_BILATERAL_BLUR = _suppression(
    "combinations", "grayscale_bilateral_blur", (Cue.COLOR, Cue.TEXTURE), "faint outlines", _BILATERAL_WINDOW
)
GRAYSCALE_PATCH_SHUFFLE_GAUSSIAN_BLUR = _suppression(
    "combinations",
    "grayscale_patch_shuffle_gaussian_blur",
    (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE),
    "everything but lightness",
    _GRID,
)

RANDOM_RESIZED_CROP = _augmentation("geometry", "random_resized_crop", "outlines, context, texture scale", _CROP_AREA)
COLOR_JITTER = _augmentation("color", "color_jitter", "color, contrast", _JITTER)
BRIGHTNESS = _augmentation("color", "brightness", "lightness", _JITTER)
CONTRAST = _augmentation("color", "contrast", "faint detail", _JITTER)
SATURATION = _augmentation("color", "saturation", "color", _JITTER)
HUE = _augmentation("color", "hue", "color", _HUE_TURN)
RANDOM_GRAYSCALE = _augmentation("color", "random_grayscale", "color", _GRAY_PROBABILITY)
RANDOM_GAUSSIAN_BLUR = _augmentation("texture", "random_gaussian_blur", "fine texture", _SIGMA)
RANDOM_ERASING = _augmentation("geometry", "random_erasing", "small parts", _ERASED_AREA)
RANDOM_ROTATION = _augmentation("geometry", "random_rotation", "upright outlines", _ANGLE)
HORIZONTAL_FLIP = _augmentation("geometry", "horizontal_flip", "handedness", _FLIP_PROBABILITY)
VERTICAL_FLIP = _augmentation("geometry", "vertical_flip", "upright outlines", _FLIP_PROBABILITY)

TILE_JITTER = _suppression(
    "shape", "tile_jitter", (), "adds seams", _Strength("displacement", _SIDE, _SHAM_LADDER, (0.0, 0.25))
)
TRANSLATION = _suppression(
    "shape", "translation", (), "the border", _Strength("distance", _SIDE, _SHAM_LADDER, (0.0, 0.5))
)
