"""What kornia's functions make of our perturbations: the same change of the same images, from the same random numbers.

``FORMS`` holds, for every perturbation with code of our own, what kornia has for it, ``NONE_IN_KORNIA`` those for which
it has nothing. ``benchmarks/kornia_first.py`` times both; ``tests/perturbations/test_kornia.py`` compares the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from kornia import augmentation, color, enhance, filters, morphology
from kornia.geometry import bbox, transform
from torch import Tensor
from torch.nn import functional

from cuesense.draws import Draws
from cuesense.perturbations import combinations, geometry
from cuesense.perturbations import texture as ours
from cuesense.types import Apply

# Float32 rounds a value in [0, 1] by 6e-8 at most; a blur adds up some thirty such errors.
_ROUNDING = 2e-6


@dataclass(frozen=True)
class Form:
    """Kornia's way to one of our perturbations.

    Attributes:
        calls: The functions and classes of kornia that it is made of.
        apply: As the perturbation's own: (images (N, 3, H, W), value, draws) -> (N, 3, H, W).
        difference: Why its pixels differ from ours.
        largest: No value of an 8-bit image differs by more; None where kornia defines something else.
        fits: Whether it can be applied to images of (height, width) at a value; None: always.
    """

    calls: str
    apply: Apply
    difference: str = "rounding"
    largest: float | None = _ROUNDING
    fits: Callable[[int, int, float], bool] | None = None


def _factor(value: float, draws: Draws, index: int) -> Tensor:
    """Return torchvision's factor of a jitter for each image, from its random number of this index: (N,)."""
    low = max(0.0, 1.0 - value)
    return low + (1.0 + value - low) * torch.from_numpy(draws.uniform(1, start=index))[:, 0]


def _turn(value: float, draws: Draws, share: float = 1.0) -> Tensor:
    """Return the turn of the hue of each image in radians, as kornia counts it: (N,)."""
    return (2 * torch.from_numpy(draws.uniform(1, start=3))[:, 0] - 1) * (2 * math.pi * value * share)


def _sometimes(change: Callable[[Tensor], Tensor]) -> Apply:
    """Return what changes the images whose random number lies below the value."""

    def apply(images: Tensor, value: float, draws: Draws) -> Tensor:
        chosen = torch.from_numpy(np.flatnonzero(draws.uniform(1)[:, 0] < value)).to(images.device)
        images = images.clone()
        images[chosen] = change(images[chosen])
        return images

    return apply


def _grayscale(images: Tensor, value: float, _: Draws) -> Tensor:
    return enhance.adjust_saturation_with_gray_subtraction(images, 1.0 - value)


def _grayscale_maximum(images: Tensor, value: float, _: Draws) -> Tensor:
    return enhance.adjust_saturation(images, 1.0 - value)


def _grayscale_minimum(images: Tensor, value: float, _: Draws) -> Tensor:
    return enhance.invert(enhance.adjust_saturation(enhance.invert(images), 1.0 - value))


def _channel_permutation(images: Tensor, value: float, draws: Draws) -> Tensor:
    shift = 1 + (torch.from_numpy(draws.uniform(1)) < 0.5).long()
    order = (torch.arange(3) + shift).remainder(3)
    shuffled = augmentation.RandomChannelShuffle(p=1.0).apply_transform(images, {"channels": order}, {})
    return enhance.add_weighted(images, 1 - value, shuffled, value, 0.0)


def _brightness(images: Tensor, value: float, draws: Draws) -> Tensor:
    return enhance.adjust_brightness_accumulative(images, _factor(value, draws, 0), clip_output=False).clamp_(0, 1)


def _contrast(images: Tensor, value: float, draws: Draws) -> Tensor:
    return enhance.adjust_contrast_with_mean_subtraction(images, _factor(value, draws, 1))


def _saturation(images: Tensor, value: float, draws: Draws) -> Tensor:
    return enhance.adjust_saturation_with_gray_subtraction(images, _factor(value, draws, 2))


def _hue(images: Tensor, value: float, draws: Draws) -> Tensor:
    return enhance.adjust_hue(images, _turn(value, draws))


_JITTERS = (
    enhance.adjust_brightness_accumulative,
    enhance.adjust_contrast_with_mean_subtraction,
    enhance.adjust_saturation_with_gray_subtraction,
    enhance.adjust_hue,
)


def _color_jitter(images: Tensor, value: float, draws: Draws) -> Tensor:
    strengths = [*(_factor(value, draws, index) for index in range(3)), _turn(value, draws, 0.25)]
    orders = draws.uniform(4, start=4).argsort(axis=1, kind="stable")
    images = images.clone()
    # Every image has an order of its own: as ours, each position takes the images that have a step there.
    for position in range(4):
        for index, (jitter, strength) in enumerate(zip(_JITTERS, strengths, strict=True)):
            rows = torch.from_numpy(np.flatnonzero(orders[:, position] == index))
            if len(rows):
                chosen = rows.to(images.device)
                images.index_copy_(0, chosen, jitter(images.index_select(0, chosen), strength[rows]))
    return images


def _gray(images: Tensor) -> Tensor:
    return color.rgb_to_grayscale(images).expand_as(images)


def _kernel(sigma: float) -> int:
    """Return the length of the kernel that ends before four sigmas, as ours does."""
    return 2 * max(0, math.ceil(4 * sigma) - 1) + 1


def _gaussian_blur(images: Tensor, value: float, _: Draws) -> Tensor:
    sigma = value * min(images.shape[-2:])
    return filters.gaussian_blur2d(images, _kernel(sigma), (sigma, sigma), "reflect")


def _random_gaussian_blur(images: Tensor, value: float, draws: Draws) -> Tensor:
    # Kornia refuses a sigma of 0. All images share the longest kernel.
    sigmas = torch.from_numpy(draws.uniform(1)).mul_(value * min(images.shape[-2:])).clamp_min_(1e-3)
    return filters.gaussian_blur2d(images, _kernel(float(sigmas.max())), sigmas.expand(-1, 2), "reflect")


def _reflects(height: int, width: int, value: float) -> bool:
    """Return whether a blur's kernel is shorter than the image, which kornia's reflected border asks for."""
    return _kernel(value * min(height, width)) // 2 < min(height, width)


def _window(images: Tensor, value: float) -> int:
    return max(3, 2 * int(value * min(images.shape[-2:]) / 2) + 1)


def _square_median(images: Tensor, value: float, _: Draws) -> Tensor:
    return filters.median_blur(images, _window(images, value))


def _median(images: Tensor, value: float, _: Draws) -> Tensor:
    small, window = ours._reduced(images, value, ours._MEDIAN_WINDOW)
    medians = filters.median_blur(filters.median_blur(small, (1, window)), (window, 1))
    return ours._restored(medians, images)


# So wide that the weights of a window of 5 px are flat to 1e-9.
_FLAT = (1e5, 1e5)


def _color_sigma(value: float) -> float:
    return min(ours._COLOR_SIGMA_LIMIT, ours._COLOR_SIGMA_PER_WINDOW * value)


def _square_bilateral(images: Tensor, value: float, _: Draws) -> Tensor:
    window = _window(images, value)
    return filters.bilateral_blur(images, window, _color_sigma(value), _FLAT, color_distance_type="l2")


def _bilateral(images: Tensor, value: float, _: Draws) -> Tensor:
    small, window = ours._reduced(images, value, ours._BILATERAL_WINDOW)
    for kernel in ((1, window), (window, 1)):
        small = filters.bilateral_blur(small, kernel, _color_sigma(value), _FLAT, color_distance_type="l2")
    return ours._restored(small, images)


def _opening_closing(images: Tensor, value: float, _: Draws) -> Tensor:
    window, height, width = _window(images, value), *images.shape[-2:]
    border = 2 * (window - 1)
    padded = functional.pad(images, (border,) * 4, mode="reflect")
    kernel = torch.ones(window, window, device=images.device)
    opened = morphology.closing(morphology.opening(padded, kernel), kernel)
    closed = morphology.opening(morphology.closing(padded, kernel), kernel)
    mean = enhance.add_weighted(opened, 0.5, closed, 0.5, 0.0)
    return mean[..., border : border + height, border : border + width]


def _patch_shuffle(images: Tensor, value: float, draws: Draws) -> Tensor:
    grid = int(value)
    # Kornia counts destinations by column and sources by row.
    order = torch.from_numpy(draws.uniform(grid * grid)).argsort(dim=1).view(-1, grid, grid).mT.flatten(1)
    jigsaw = augmentation.RandomJigsaw((grid, grid), p=1.0, ensure_perm=False)
    return jigsaw.apply_transform(images, {"permutation": order}, {})


def _divides(height: int, width: int, value: float) -> bool:
    return height % int(value) == 0 and width % int(value) == 0


def _translation(images: Tensor, value: float, draws: Draws) -> Tensor:
    angle = torch.from_numpy(draws.uniform(1)[:, 0]).double() * (2 * math.pi)
    distance = value * min(images.shape[-2:])
    shift = -torch.stack([angle.cos() * distance, angle.sin() * distance], dim=1).round().float().to(images.device)
    return transform.translate(images, shift, "nearest", "reflection", align_corners=True)


def _corners(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Return our crop boxes as kornia wants them: (N, 4, 2), x and y of the corner pixels, clockwise."""
    top, left, height, width = torch.from_numpy(geometry.crop_boxes(*images.shape[-2:], value, draws)).unbind(1)
    return bbox.bbox_generator(left, top, width, height)


def _sliced_crop(images: Tensor, value: float, draws: Draws) -> Tensor:
    size = (images.shape[-2], images.shape[-1])
    return transform.crop_by_indices(images, _corners(images, value, draws), size, align_corners=False)


def _sampled_crop(images: Tensor, value: float, draws: Draws) -> Tensor:
    size = (images.shape[-2], images.shape[-1])
    return transform.crop_and_resize(images, _corners(images, value, draws).to(images.device), size)


def _rotation(images: Tensor, value: float, draws: Draws) -> Tensor:
    angle = (2 * torch.from_numpy(draws.uniform(1)[:, 0]) - 1) * value
    return transform.rotate(images, angle.to(images.device), align_corners=False)


def _erasing(images: Tensor, value: float, draws: Draws) -> Tensor:
    height, width = images.shape[-2:]
    numbers = draws.uniform(4).astype(np.float64)
    ratio = np.exp(np.log(0.3) + np.log(3.3 / 0.3) * numbers[:, 1])
    area = value * numbers[:, 0] * height * width
    tall = np.minimum(np.rint(np.sqrt(area * ratio)), height)
    wide = np.minimum(np.rint(np.sqrt(area / ratio)), width)
    box = {
        "ys": np.floor(numbers[:, 2] * (height - tall + 1)),
        "xs": np.floor(numbers[:, 3] * (width - wide + 1)),
        "heights": tall,
        "widths": wide,
        "values": np.full(len(tall), 0.5),
    }
    parameters = {name: torch.from_numpy(numbers).float() for name, numbers in box.items()}
    return augmentation.RandomErasing(p=1.0, value=0.5).apply_transform(images, parameters, {})


def _grayscale_then(change: Apply) -> Apply:
    return lambda images, value, draws: change(_grayscale(images, 1.0, draws), value, draws)


def _shuffle_then(change: Apply, strength: float, shuffle: Apply = _patch_shuffle) -> Apply:
    return lambda images, value, draws: change(shuffle(images, value, draws), strength, draws)


def _plain_jitter(index: int, change: Callable[[Tensor, Tensor], Tensor]) -> Apply:
    return lambda images, value, draws: change(images, _factor(value, draws, index).view(-1, 1, 1, 1).to(images.device))


def _blend(gray: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return (images * factor).add_(gray * (1 - factor)).clamp_(0, 1)


def _blend_with_mean(images: Tensor, factor: Tensor) -> Tensor:
    return _blend(color.rgb_to_grayscale(images).mean(dim=(1, 2, 3), keepdim=True), images, factor)


def _plain_gray(images: Tensor) -> Tensor:
    weights = images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True).expand_as(images)


# What our own code would be where kornia's functions are used.
PLAIN_TORCH: dict[str, Apply] = {
    "brightness": _plain_jitter(0, lambda images, factor: (images * factor).clamp_(0, 1)),
    "contrast": _plain_jitter(1, _blend_with_mean),
    "saturation": _plain_jitter(2, lambda images, factor: _blend(color.rgb_to_grayscale(images), images, factor)),
    "random_grayscale": _sometimes(_plain_gray),
    "horizontal_flip": _sometimes(lambda images: images.flip(3)),
    "vertical_flip": _sometimes(lambda images: images.flip(2)),
}

_GRAY, _JIGSAW = "adjust_saturation_with_gray_subtraction", "RandomJigsaw.apply_transform"
_MORPHOLOGY = "opening, closing, add_weighted"
_SQUARE = "the square window's, at full resolution"
_SIXTEEN_BITS = "ours finds medians among 16-bit numbers"

FORMS: dict[str, tuple[Form, ...]] = {
    "grayscale": (Form(_GRAY, _grayscale),),
    "grayscale_maximum": (Form("adjust_saturation", _grayscale_maximum),),
    "grayscale_minimum": (Form("invert, adjust_saturation, invert", _grayscale_minimum),),
    "channel_permutation": (Form("RandomChannelShuffle.apply_transform, add_weighted", _channel_permutation),),
    "median_blur": (
        Form("median_blur of 1 x k, then k x 1", _median, _SIXTEEN_BITS, 2e-5),
        Form("median_blur of k x k", _square_median, _SQUARE, None),
    ),
    "bilateral_blur": (
        Form("bilateral_blur of 1 x k, then k x 1", _bilateral),
        Form("bilateral_blur of k x k", _square_bilateral, _SQUARE, None),
    ),
    "opening_closing": (Form(_MORPHOLOGY, _opening_closing),),
    "gaussian_blur": (Form("gaussian_blur2d", _gaussian_blur, fits=_reflects),),
    "patch_shuffle": (Form(_JIGSAW, _patch_shuffle, "none", 0.0, _divides),),
    "grayscale_patch_shuffle": (Form(f"{_GRAY}, {_JIGSAW}", _grayscale_then(_patch_shuffle), fits=_divides),),
    "patch_shuffle_opening_closing": (
        Form(f"{_JIGSAW}, {_MORPHOLOGY}", _shuffle_then(_opening_closing, combinations._WINDOW), fits=_divides),
    ),
    "patch_shuffle_gaussian_blur": (
        Form(f"{_JIGSAW}, gaussian_blur2d", _shuffle_then(_gaussian_blur, combinations._SIGMA), fits=_divides),
    ),
    "grayscale_opening_closing": (
        # Half a gray level.
        Form(f"{_GRAY}, {_MORPHOLOGY}", _grayscale_then(_opening_closing), "ours rounds grays to 8 bits", 0.5001 / 255),
    ),
    "grayscale_bilateral_blur": (Form(f"{_GRAY}, bilateral_blur of 1 x k, then k x 1", _grayscale_then(_bilateral)),),
    "grayscale_patch_shuffle_gaussian_blur": (
        Form(
            f"{_GRAY}, {_JIGSAW}, gaussian_blur2d",
            _grayscale_then(_shuffle_then(_gaussian_blur, combinations._SIGMA)),
            fits=_divides,
        ),
    ),
    "random_resized_crop": (
        # A coordinate of some 200 px is rounded by 1e-5 px, and neighbors differ by 1 at most.
        Form("crop_by_indices", _sliced_crop, "rounding of the coordinates", 2e-5),
        Form("crop_and_resize", _sampled_crop, "it samples at the box's corners, not at pixel centers", None),
    ),
    "color_jitter": (Form("the functions of the four jitters", _color_jitter),),
    "brightness": (Form("adjust_brightness_accumulative, clipped in place", _brightness, "none", 0.0),),
    "contrast": (Form("adjust_contrast_with_mean_subtraction", _contrast, "none", 0.0),),
    "saturation": (Form(_GRAY, _saturation, "none", 0.0),),
    "hue": (Form("adjust_hue", _hue),),
    "random_grayscale": (Form("rgb_to_grayscale", _sometimes(_gray)),),
    "random_gaussian_blur": (
        # Ours cuts at four sigmas for every image: 2 exp(-8) of the weight at most is lost along each side. One image
        # alone agrees but for rounding.
        Form(
            "gaussian_blur2d", _random_gaussian_blur, "a batch shares its longest kernel", 4 * math.exp(-8), _reflects
        ),
    ),
    "random_erasing": (Form("RandomErasing.apply_transform", _erasing, "none", 0.0),),
    # Ours and kornia's sines and products are rounded in another order.
    "random_rotation": (Form("rotate", _rotation, "rounding of the coordinates", 1e-4),),
    "horizontal_flip": (Form("hflip", _sometimes(transform.hflip), "none", 0.0),),
    "vertical_flip": (Form("vflip", _sometimes(transform.vflip), "none", 0.0),),
    "translation": (Form("translate", _translation, "none", 0.0),),
}

NONE_IN_KORNIA = {
    "patch_rotation": "nothing turns the tiles of a grid",
    "tile_jitter": "nothing moves the content of tiles",
}
