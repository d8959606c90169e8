"""The table of kornia's augmentations: the parameter of each that is varied, its ladder, and kornia's other arguments.

One row is all there is to say of an augmentation: the analysis calls kornia's class with the row's arguments, one image
at a time with a seed of its own, and the export writes the same call. Nothing here imports torch or kornia.

Ladders go from what is hardly seen to what is commonly the strongest in use (the libraries' defaults and the ranges of
RandAugment, TrivialAugment and ImageNet-C, where these vary the parameter). All are chosen by hand; not tuned. Names
differ from those of the ImageNet-C corruptions, whose stored predictions ``score`` reads with their own severities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cuesense.types import LazyFunction, Perturbation, Role

if TYPE_CHECKING:
    from torch import Tensor

    from cuesense.draws import Draws

Sides = tuple[int, int]
"""Height and width of an image in pixels."""

Arguments = Mapping[str, Any]

_SIDE = "fraction of shorter side"
_CHANCES = (0.25, 0.5, 0.75, 1.0)  # evenly spaced to every image
# The width of the waves of elastic: a few of them fit into the image, as with torchvision's defaults for small images.
_WAVES = 0.06
# The standard deviation of noise from U[-1, 1] blurred with sigma s is 1 / (2 sqrt(3 pi) s).
_BLURRED_NOISE = 2 * math.sqrt(3 * math.pi)


# kornia itself is imported when an augmentation is first applied.
_CALL = LazyFunction("cuesense.perturbations.kornia_calls:apply")


@dataclass(frozen=True)
class Row:
    """One augmentation of kornia.

    Attributes:
        name: Our name.
        transform: Name of the class in ``kornia.augmentation``.
        damages: What it harms, in words.
        parameter: Name of the value.
        unit: The value's unit.
        ladder: Values from mild to strong.
        limits: Smallest and largest value, both included.
        identity: The value that changes nothing.
        arguments: From a value and the image's sides to the arguments of the class, without ``p``.
        chance: Whether the value is the probability of application, kornia's ``p``; else it is always applied.
        sized: Whether the arguments depend on the sides.
        fixed: Whether nothing is random: all images get the same.
        tensors: Whether kornia wants its ranges as tensors.
    """

    name: str
    transform: str
    damages: str
    parameter: str
    unit: str
    ladder: tuple[float, ...]
    limits: tuple[float, float]
    identity: float
    arguments: Callable[[float, Sides], Arguments] = field(compare=False)
    chance: bool = False
    sized: bool = False
    tensors: bool = False
    fixed: bool = False

    def __call__(self, images: Tensor, value: float, draws: Draws) -> Tensor:
        """Apply kornia's class to each image: the ``apply`` of a perturbation.

        Args:
            images: (N, 3, H, W) in [0, 1].
            value: The strength.
            draws: The images' keys.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        changed: Tensor = _CALL(self, images, value, draws)
        return changed


def row_of(perturbation: Perturbation) -> Row | None:
    """Return the row of the table that a perturbation is made from, or None where it is from elsewhere."""
    return perturbation.apply if isinstance(perturbation.apply, Row) else None


def _entry(row: Row) -> Perturbation:
    return Perturbation(
        name=row.name,
        role=Role.AUGMENTATION,
        suppresses=(),
        damages=row.damages,
        parameter=row.parameter,
        unit=row.unit,
        ladder=row.ladder,
        identity=row.identity,
        limits=row.limits,
        apply=row,
        relative=row.unit == _SIDE,
        whole=row.unit == "bits",
    )


@dataclass(frozen=True)
class _Strength:
    """How the strength is measured: the identity is the lower limit unless given; the rest as in ``Row``."""

    parameter: str
    unit: str
    ladder: tuple[float, ...]
    limits: tuple[float, float]
    identity: float | None = None
    sized: bool = False
    fixed: bool = False


def _graded(
    name: str, transform: str, damages: str, strength: _Strength, arguments: Callable[[float, Sides], Arguments]
) -> Perturbation:
    """Return an augmentation that is always applied, at a strength."""
    identity = strength.limits[0] if strength.identity is None else strength.identity
    unit, ladder, limits = strength.unit, strength.ladder, strength.limits
    sized = strength.sized or unit == _SIDE
    parameter, fixed = strength.parameter, strength.fixed
    return _entry(
        Row(name, transform, damages, parameter, unit, ladder, limits, identity, arguments, sized=sized, fixed=fixed)
    )


def _by_chance(
    name: str, transform: str, damages: str, arguments: Arguments | None = None, *, tensors: bool = False
) -> Perturbation:
    """Return an augmentation that has no strength of its own: its value is the probability of application."""
    given = dict(arguments or {})
    unit = "probability"
    row = Row(
        name, transform, damages, unit, unit, _CHANCES, (0.0, 1.0), 0.0, lambda *_: given, chance=True, tensors=tensors
    )
    return _entry(row)


def _odd(length: float) -> int:
    """Return the odd number of pixels nearest to a length, at least 3: a kernel's side."""
    return max(3, 2 * round((length - 1) / 2) + 1)


def _elastic(value: float, sides: Sides) -> Arguments:
    sigma = max(1.0, _WAVES * min(sides))
    shift = value * min(sides) * _BLURRED_NOISE * sigma
    kernel = 2 * math.ceil(2 * sigma) + 1
    # kornia counts shifts in half sides, from -1 to 1 across the image, in the order x, y.
    return {
        "kernel_size": (kernel, kernel),
        "sigma": (sigma, sigma),
        "alpha": (2 * shift / sides[1], 2 * shift / sides[0]),
    }


def _rain(value: float, sides: Sides) -> Arguments:
    # Drops of 2 to 9 % of the side, as kornia's defaults are at 224 px.
    shortest, longest, slant = (max(1, round(share * min(sides))) for share in (0.022, 0.09, 0.022))
    # A drop takes some 5.5 % of the side in pixels; their number follows from the share of the image that they cover.
    drops = max(1, round(value * sides[0] * sides[1] / ((shortest + longest) / 2)))
    return {
        "number_of_drops": (drops, drops),
        "drop_height": (shortest, max(shortest, longest)),
        "drop_width": (-slant, slant),
    }


def kernel_of(value: float, sides: Sides) -> tuple[int, int]:
    """Return the sides in pixels of a square kernel of a fraction of an image's shorter side."""
    side = _odd(value * min(sides))
    return side, side


# Blurs: from 7 px up to some 40 px at 224 px. No median: kornia's takes 0.2 s an image from 7 px on.
RANDOM_MOTION_BLUR = _graded(
    "random_motion_blur",
    "RandomMotionBlur",
    "fine texture, and outlines across the motion",
    _Strength("length", _SIDE, (0.03, 0.06, 0.1, 0.18), (0.0, 0.4)),
    lambda value, sides: {
        "kernel_size": _odd(value * min(sides)),
        "angle": (-180.0, 180.0),
        "direction": (-1.0, 1.0),
        "border_type": "replicate",
    },
)
BOX_BLUR = _graded(
    "box_blur",
    "RandomBoxBlur",
    "fine texture",
    _Strength("window", _SIDE, (0.035, 0.07, 0.12, 0.2), (0.0, 0.4), fixed=True),
    lambda value, sides: {"kernel_size": kernel_of(value, sides), "border_type": "replicate"},
)

# Geometry. 0.5 is torchvision's default for perspective.
PERSPECTIVE = _graded(
    "perspective",
    "RandomPerspective",
    "outlines, angles",
    _Strength("distortion", "fraction of half a side", (0.1, 0.2, 0.35, 0.5), (0.0, 1.0)),
    lambda value, _: {"distortion_scale": value},
)
# The typical shift (standard deviation): torchvision's default (alpha 50, sigma 5) is .007 at 224 px.
ELASTIC = _graded(
    "elastic",
    "RandomElasticTransform",
    "outlines, straight lines",
    _Strength("displacement", _SIDE, (0.004, 0.008, 0.016, 0.03), (0.0, 0.1)),
    _elastic,
)
# The spline's five control points move by up to the value, in half sides; 0.2 is kornia's default.
THIN_PLATE_SPLINE = _graded(
    "thin_plate_spline",
    "RandomThinPlateSpline",
    "outlines, proportions",
    _Strength("displacement", "half sides", (0.05, 0.1, 0.2, 0.3), (0.0, 0.5)),
    lambda value, _: {"scale": value},
)
# 0.45 is the end of RandAugment's range for translations.
RANDOM_TRANSLATION = _graded(
    "random_translation",
    "RandomAffine",
    "context, position, parts at the border",
    _Strength("distance", "fraction of each side", (0.05, 0.1, 0.2, 0.4), (0.0, 1.0)),
    lambda value, _: {"degrees": 0.0, "translate": (value, value)},
)
# Ultralytics' and DeiT III's range ends at 0.5.
RANDOM_SCALE = _graded(
    "random_scale",
    "RandomAffine",
    "size, texture scale, parts at the border",
    _Strength("change", "fraction of the size", (0.1, 0.2, 0.3, 0.5), (0.0, 0.9)),
    lambda value, _: {"degrees": 0.0, "scale": (1 - value, 1 + value)},
)
# 17 degrees (a factor of 0.3) is the end of RandAugment's range; 30 is beyond it.
RANDOM_SHEAR = _graded(
    "random_shear",
    "RandomAffine",
    "angles, upright outlines",
    _Strength("angle", "degrees", (5.0, 10.0, 17.0, 30.0), (0.0, 60.0)),
    lambda value, _: {"degrees": 0.0, "shear": (-value, value)},
)
# 0.125 is the usual padding of 4 px at 32 px (He et al. 2016).
PADDED_CROP = _graded(
    "padded_crop",
    "RandomCrop",
    "position, parts at the border",
    _Strength("padding", _SIDE, (0.0625, 0.125, 0.25, 0.4), (0.0, 0.9)),
    lambda value, sides: {"size": sides, "padding": max(1, round(value * min(sides)))},
)
ROTATION_90 = _by_chance("rotation_90", "RandomRotation90", "upright outlines", {"times": (1, 3)})
FISHEYE = _by_chance(
    "fisheye",
    "RandomFisheye",
    "outlines, proportions, the border",
    {"center_x": (-0.3, 0.3), "center_y": (-0.3, 0.3), "gamma": (0.9, 1.1)},
    tensors=True,
)

# Tones. The ends are those of RandAugment and TrivialAugment, where they have the step, or one beyond.
SOLARIZE = _graded(
    "solarize",
    "RandomSolarize",
    "lightness and color of bright parts",
    _Strength("threshold", "lightness", (0.8, 0.6, 0.4, 0.2), (0.0, 1.0), identity=1.0, fixed=True),
    lambda value, _: {"thresholds": (value, value), "additions": (0.0, 0.0)},
)
POSTERIZE = _graded(
    "posterize",
    "RandomPosterize",
    "gradients, faint color",
    _Strength("depth", "bits", (5.0, 4.0, 3.0, 2.0), (1.0, 8.0), identity=8.0, fixed=True),
    lambda value, _: {"bits": (value, value)},
)
SHARPNESS = _graded(
    "sharpness",
    "RandomSharpness",
    "soft texture; adds edges and noise",
    _Strength("factor", "factor", (1.5, 2.0, 4.0, 8.0), (1.0, 20.0), fixed=True),
    lambda value, _: {"sharpness": (value, value)},
)
GAMMA = _graded(
    "gamma",
    "RandomGamma",
    "lightness, contrast of dark or bright parts",
    _Strength("gamma", "factor", (1.25, 1.5, 2.0, 3.0), (1.0, 5.0)),
    lambda value, _: {"gamma": (1 / value, value)},
)
# 20 of 255 is albumentations' default.
RGB_SHIFT = _graded(
    "rgb_shift",
    "RandomRGBShift",
    "color, lightness",
    _Strength("shift", "fraction of the range", (0.05, 0.1, 0.2, 0.4), (0.0, 1.0)),
    lambda value, _: {f"{channel}_shift_limit": (-value, value) for channel in "rgb"},
)
# Contrast limits: 4 is albumentations' default, kornia's is 40.
CLAHE = _graded(
    "clahe",
    "RandomClahe",
    "lightness; makes faint texture strong",
    _Strength("clip", "multiple of the mean count", (2.0, 4.0, 8.0, 16.0), (0.0, 40.0), fixed=True),
    lambda value, _: {"clip_limit": (value, value), "grid_size": (8, 8)},
)
EQUALIZE = _by_chance("equalize", "RandomEqualize", "lightness, color")
AUTO_CONTRAST = _by_chance("auto_contrast", "RandomAutoContrast", "lightness, faint color casts")
INVERT = _by_chance("invert", "RandomInvert", "color, lightness")
CHANNEL_SHUFFLE = _by_chance("channel_shuffle", "RandomChannelShuffle", "color")
CHANNEL_DROPOUT = _by_chance("channel_dropout", "RandomChannelDropout", "color", {"num_drop_channels": 1})
PLANCKIAN_JITTER = _by_chance(
    "planckian_jitter", "RandomPlanckianJitter", "color between blue and yellow", {"mode": "blackbody"}
)

# Noise and compression. Standard deviations and shares of pixels span ImageNet-C's; JPEG qualities are 70 to 10.
RANDOM_GAUSSIAN_NOISE = _graded(
    "random_gaussian_noise",
    "RandomGaussianNoise",
    "fine texture, faint contrast",
    _Strength("sigma", "fraction of the range", (0.02, 0.05, 0.1, 0.2), (0.0, 1.0)),
    lambda value, _: {"mean": 0.0, "std": value},
)
SALT_AND_PEPPER = _graded(
    "salt_and_pepper",
    "RandomSaltAndPepperNoise",
    "fine texture",
    _Strength("amount", "fraction of pixels", (0.01, 0.03, 0.06, 0.15), (0.0, 1.0)),
    lambda value, _: {"amount": (value, value), "salt_vs_pepper": (0.5, 0.5)},
)
JPEG = _graded(
    "jpeg",
    "RandomJPEG",
    "fine texture, color edges; adds blocks",
    _Strength("compression", "100 - quality", (30.0, 60.0, 80.0, 90.0), (0.0, 99.0), fixed=True),
    lambda value, _: {"jpeg_quality": (100 - value, 100 - value)},
)

# Light and weather. Gains and intensities double up to the ends of kornia's ranges or a little beyond.
_LIGHT = _Strength("gain", "fraction of the range", (0.1, 0.2, 0.4, 0.8), (0.0, 1.0))
PLASMA_BRIGHTNESS = _graded(
    "plasma_brightness",
    "RandomPlasmaBrightness",
    "lightness, uneven over the image",
    _Strength("intensity", "fraction of the range", (0.25, 0.5, 0.75, 1.0), (0.0, 1.0)),
    lambda value, _: {"roughness": (0.1, 0.7), "intensity": (0.0, value)},
)
PLASMA_CONTRAST = _by_chance(
    "plasma_contrast", "RandomPlasmaContrast", "contrast, uneven over the image", {"roughness": (0.1, 0.7)}
)
PLASMA_SHADOW = _graded(
    "plasma_shadow",
    "RandomPlasmaShadow",
    "outlines; adds the edges of shadows",
    _Strength("darkness", "fraction of the range", (0.25, 0.5, 0.75, 1.0), (0.0, 1.0)),
    lambda value, _: {"roughness": (0.1, 0.7), "shade_intensity": (-value, 0.0), "shade_quantity": (0.0, 1.0)},
)
GAUSSIAN_ILLUMINATION = _graded(
    "gaussian_illumination",
    "RandomGaussianIllumination",
    "lightness around one point",
    _LIGHT,
    lambda value, _: {"gain": (0.0, value), "center": (0.1, 0.9), "sigma": (0.2, 1.0)},
)
LINEAR_ILLUMINATION = _graded(
    "linear_illumination",
    "RandomLinearIllumination",
    "lightness toward one side",
    _LIGHT,
    lambda value, _: {"gain": (0.0, value)},
)
CORNER_ILLUMINATION = _graded(
    "corner_illumination",
    "RandomLinearCornerIllumination",
    "lightness toward one corner",
    _LIGHT,
    lambda value, _: {"gain": (0.0, value)},
)
# kornia's defaults (1,000 to 2,000 drops at 224 px) cover a quarter to a half.
RANDOM_RAIN = _graded(
    "random_rain",
    "RandomRain",
    "texture, faint contrast",
    _Strength("cover", "fraction of pixels", (0.03, 0.06, 0.12, 0.25), (0.0, 1.0), sized=True),
    _rain,
)
# Pixels darker than the value become up to 2.5 times as light.
RANDOM_SNOW = _graded(
    "random_snow",
    "RandomSnow",
    "color and lightness of dark parts",
    _Strength("depth", "lightness", (0.2, 0.4, 0.6, 0.8), (0.0, 1.0), fixed=True),
    lambda value, _: {"snow_coefficient": (value, value), "brightness": (2.5, 2.5)},
)
