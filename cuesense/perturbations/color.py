"""Color: blends toward gray, channel permutations, and the jitters of brightness, contrast, saturation and hue.

The jitters follow torchvision's definitions with parameters of each image's own: kornia's ColorJitter draws from a
global random stream and orders its steps once a batch. Whose code is used, and why, is measured by
``benchmarks/kornia_first.py``.
"""

import numpy as np
import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_saturation_with_gray_subtraction,
)
from numpy.typing import NDArray
from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.sampling import kept_on, on_device_of, uniform_per_image, with_probability

# SimCLR's ratio of hue to the other three (Chen et al. 2020, appendix A: 0.8 s, 0.8 s, 0.8 s, 0.2 s).
_HUE_SHARE = 0.25
# ITU-R BT.601, as kornia and torchvision have it.
_LUMA = (0.299, 0.587, 0.114)
# The four steps of color_jitter, in the order of their random numbers.
_CONTRAST, _SATURATION, _HUE = 1, 2, 3


def luma(images: Tensor) -> Tensor:
    """Return kornia's gray; its weights stay on the device, where kornia makes them again in each call.

    Args:
        images: (N, 3, H, W) in [0, 1], float32.

    Returns:
        (N, 1, H, W) in [0, 1].
    """
    gray: Tensor = rgb_to_grayscale(images, kept_on(images.device, torch.tensor, _LUMA))
    return gray


def grayscale(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Blend every pixel with its own gray.

    Source: Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), color suppression with alpha 0.2 to 1.
    Suppresses color; at 1 nothing of hue and saturation is left. Keeps shape and texture, but lowers the contrast
    between regions that differ in hue alone.
    Implementation: kornia's gray, blended by torch; kornia's blend of the two agrees to 6e-8 in 1.6 x the time.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Weight of the gray, 0 to 1.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return torch.lerp(images, luma(images), value)


def grayscale_maximum(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Blend every pixel with its largest channel, the value of HSV.

    Luma (grayscale) turns a saturated blue nearly black, so that a blue object on a dark ground loses its contrast and
    not only its color. Here pure colors become as bright as white. Each gray hides another contrast, and none shows
    what was not there: what a class keeps under the gray that harms it least is nearest to what it keeps without color
    (docs/method.md).
    Source: HSV's value, Smith 1978 ("Color gamut transform pairs").
    Suppresses color; at 1 nothing of hue and saturation is left. Keeps shape and texture, but pure colors can no longer
    be told from each other or from white.
    Implementation: own; kornia's ``adjust_saturation`` agrees to 6e-8 and takes four times as long.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Weight of the gray, 0 to 1.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return torch.lerp(images, images.amax(dim=1, keepdim=True), value)


def grayscale_minimum(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Blend every pixel with its smallest channel, the whiteness of HWB.

    Luma (grayscale) turns a saturated blue nearly black but a saturated yellow nearly white, so that a yellow object on
    a white ground loses its contrast and not only its color. Here pure colors become black. Each gray hides another
    contrast, and none shows what was not there: what a class keeps under the gray that harms it least is nearest to
    what it keeps without color (docs/method.md).
    Source: whiteness, Smith and Lyons 1996 ("HWB: a more intuitive hue-based color model", J. Graphics Tools 1(1)).
    Suppresses color; at 1 nothing of hue and saturation is left. Keeps shape and texture, but pure colors can no longer
    be told from each other or from black.
    Implementation: own; kornia has it only as ``adjust_saturation`` between two inversions, four to five times as slow.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Weight of the gray, 0 to 1.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return torch.lerp(images, images.amin(dim=1, keepdim=True), value)


def channel_permutation(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Blend every image with itself under a cyclic shift of its color channels (one of the two at random).

    Source: a second mechanism against color beside grayscale (one that keeps saturation); only the cyclic shifts
    are used because they move every channel.
    Suppresses color by making it wrong instead of absent. Keeps shape and texture; changes luminance contrast, and
    leaves neutral colors as they are.
    Implementation: own; kornia's channel shuffle gives the same pixels, but is a class, and takes twice the time.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Weight of the shifted image, 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    shift = 1 + (torch.from_numpy(draws.uniform(1)) < 0.5).long()
    order = on_device_of(images, (torch.arange(3) + shift).remainder(3))
    rows = torch.arange(len(images), device=images.device)[:, None]
    return torch.lerp(images, images[rows, order], value)


def brightness(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Multiply an image by a factor from U[max(0, 1 - value), 1 + value].

    Source: torchvision's ``ColorJitter(brightness=value)``.
    Harms classes recognized by absolute color or lightness; saturates highlights.
    Implementation: kornia's ``adjust_brightness_accumulative``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Half-width of the factor's range, 0 or more.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _brightness(images, _factor(images, value, draws, 0))


def contrast(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Blend an image with its mean gray; the image's weight is a sample of U[max(0, 1 - value), 1 + value].

    Source: torchvision's ``ColorJitter(contrast=value)``.
    Harms classes recognized by faint detail; saturates highlights and shadows.
    Implementation: kornia's ``adjust_contrast_with_mean_subtraction``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Half-width of the weight's range, 0 or more.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    changed: Tensor = adjust_contrast_with_mean_subtraction(images, _factor(images, value, draws, 1))
    return changed


def saturation(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Blend an image with its gray; the image's weight is a sample of U[max(0, 1 - value), 1 + value].

    Source: torchvision's ``ColorJitter(saturation=value)``.
    Harms classes recognized by color.
    Implementation: kornia's ``adjust_saturation_with_gray_subtraction``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Half-width of the weight's range, 0 or more.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    changed: Tensor = adjust_saturation_with_gray_subtraction(images, _factor(images, value, draws, 2))
    return changed


def hue(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Turn the hue of an image by an angle from U[-value, value].

    Source: torchvision's ``ColorJitter(hue=value)``; HSV as in Smith 1978 ("Color gamut transform pairs").
    Harms classes recognized by hue; neutral colors stay.
    Implementation: own; kornia's ``adjust_hue`` agrees to 5e-7 and takes three to five times as long.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Largest turn, in turns of the color circle, 0 to 0.5.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _hue(images, uniform_per_image(images, draws, 3).mul_(2).sub_(1).mul_(value).view(-1, 1, 1))


def color_jitter(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Jitter brightness, contrast, saturation (each by value) and hue (by a quarter of value), in a random order.

    Source: torchvision's ``ColorJitter(value, value, value, value / 4)``; the ratio 4 : 1 is that of SimCLR
    (Chen et al. 2020, appendix A). Unlike there, every image has an order of its own, not every batch.
    Harms classes recognized by color; high values also cost contrast.
    Implementation: own; kornia's functions one after the other take 3.5 to 4.6 times as long.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Strength, 0 to 2.
        draws: Eight numbers an image: four strengths, four sort keys of the order.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    numbers = draws.uniform(8).astype(np.float64)
    low, high = _range(value)
    factors = low + (high - low) * numbers[:, :3]
    strengths = np.concatenate([factors, (2 * numbers[:, 3:4] - 1) * value * _HUE_SHARE], axis=1)
    order = numbers[:, 4:].argsort(axis=1, kind="stable")
    # On the CPU every image is a batch of its own (apply.py), which needs no sorting.
    if len(images) == 1:
        for step in order[0].tolist():
            strength = float(strengths[0, step])
            images = _hue(images, strength) if step == _HUE else _blended(images, torch.tensor(strength), step)
        return images
    return _jittered_together(images, strengths.astype(np.float32), order)


def random_grayscale(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Turn an image gray with probability value.

    Source: torchvision's ``RandomGrayscale(p=value)``.
    Harms classes recognized by color.
    Implementation: kornia's ``rgb_to_grayscale``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Probability, 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return with_probability(lambda chosen: luma(chosen).expand_as(chosen), images, value, draws)


def _range(value: float) -> tuple[float, float]:
    return max(0.0, 1.0 - value), 1.0 + value


def _factor(images: Tensor, value: float, draws: Draws, index: int) -> Tensor:
    low, high = _range(value)
    return uniform_per_image(images, draws, index).mul_(high - low).add_(low).view(-1, 1, 1, 1)


def _brightness(images: Tensor, factor: Tensor | float) -> Tensor:
    # Clipped in place: kornia's own clip makes a copy, which takes a fifth of the time.
    changed: Tensor = adjust_brightness_accumulative(images, factor, clip_output=False)
    return changed.clamp_(0, 1)


def _blended(images: Tensor, factor: Tensor, step: int) -> Tensor:
    """Change brightness, contrast or saturation to kornia's pixels, with fewer copies: .5 to .7 of the time."""
    changed = images * factor
    if step == _CONTRAST:
        changed += luma(images).mean((-2, -1), keepdim=True).mul_(1 - factor)
    elif step == _SATURATION:
        changed += luma(images).mul_(1 - factor)
    return changed.clamp_(0, 1)


def _jittered_together(images: Tensor, strengths: NDArray[np.float32], order: NDArray[np.int64]) -> Tensor:
    """Jitter a batch with few operations, all of them on neighboring images: for a GPU.

    Args:
        images: (N, 3, H, W).
        strengths: Three factors and a turn of the hue, (N, 4).
        order: Which step is the first, second, ..., (N, 4).
    """
    # Images in the order of how many steps come before the hue. The first ones then take part in each of these steps,
    # all take part in the hue, and the last ones in the steps after it.
    before = order.argsort(axis=1)[:, _HUE]
    rows = np.argsort(-before, kind="stable")
    places = on_device_of(images, torch.from_numpy(np.stack([rows, np.argsort(rows)])))
    weights = on_device_of(images, torch.from_numpy(_blend_weights(strengths, order)[:, :, rows]))
    turns = on_device_of(images, torch.from_numpy(strengths[rows, _HUE]))
    pixels = images.index_select(0, places[0])
    for step in range(3):
        _blend(pixels, weights[step], slice(0, int((before > step).sum())))
    pixels = _hue(pixels, turns.view(-1, 1, 1))
    for step in range(3):
        _blend(pixels, weights[step + 1], slice(int((before > step).sum()), None))
    return pixels.index_select(0, places[1])


def _blend_weights(strengths: NDArray[np.float32], order: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the weights of the image, of its mean gray and of its gray by position in the order, (4, 3, N)."""
    factors = np.take_along_axis(strengths, order, axis=1)
    rest = np.float32(1) - factors
    return np.stack([factors, rest * (order == _CONTRAST), rest * (order == _SATURATION)]).transpose(2, 0, 1)


def _blend(pixels: Tensor, weights: Tensor, part: slice) -> None:
    """Change brightness, contrast or saturation of a part of a batch in place: which, say its weights, (3, N)."""
    chosen = pixels[part]
    if len(chosen):
        own, of_mean, of_gray = weights[:, part].view(3, -1, 1, 1, 1)
        gray = luma(chosen)
        other = torch.addcmul(gray.mean((-2, -1), keepdim=True).mul_(of_mean), gray, of_gray)
        torch.addcmul(other, chosen, own, out=chosen).clamp_(0, 1)


def _hue(images: Tensor, turn: Tensor | float) -> Tensor:
    """Turn the hue and keep value and chroma: each channel is one ramp of the hue, which runs from 0 to 6."""
    red, green, blue = images.unbind(1)
    value, least = images.amax(1), images.amin(1)
    chroma = value - least
    # The smallest normal number keeps 0 / 0 out of gray pixels without changing any other pixel's hue.
    scale = chroma.clamp_min(torch.finfo(images.dtype).tiny).reciprocal_()
    # Three ramps instead of kornia's rgb_to_hsv and back: fewer passes over the image, and gray pixels,
    # whose chroma is 0, stay exactly as they are. lerp chooses without a boolean mask, which is slow on the CPU.
    hue = (red - green).mul_(scale).add_(4)
    hue.lerp_((blue - red).mul_(scale).add_(2), _is(green, value))
    hue.lerp_((green - blue).mul_(scale), _is(red, value))
    hue += 6 * turn
    hue -= (hue / 6).floor_().mul_(6)
    centers, signs, offsets = kept_on(images.device, _hue_ramps)
    ramps = (hue[:, None] - centers).abs_()
    torch.addcmul(offsets, signs, ramps, out=ramps)
    return torch.addcmul(least[:, None], chroma[:, None], ramps.clamp_(0, 1))


def _hue_ramps() -> Tensor:
    """Return centers, signs and offsets of the channels' ramps, (3, 3, 1, 1): red's is |hue - 3| - 1."""
    return torch.tensor([[3.0, 2.0, 4.0], [1.0, -1.0, -1.0], [-1.0, 2.0, 2.0]]).view(3, 3, 1, 1)


def _is(channel: Tensor, value: Tensor) -> Tensor:
    """Return 1 where a channel is the largest, else 0: as numbers, which are faster than booleans on the CPU."""
    return torch.eq(channel, value, out=torch.empty_like(channel))
