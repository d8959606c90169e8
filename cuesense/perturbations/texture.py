"""Texture: Gaussian, median and bilateral smoothing, with windows relative to the image's shorter side."""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from cuesense.draws import Draws
from cuesense.perturbations.sampling import kept_on, uniform_per_image

# Largest window in pixels that is filtered at full resolution. A larger one is filtered on a reduced image: kornia's
# median copies the image k * k times, and takes some 200 ms an image from 7 px on. Reduced, it stays within 0.03 (mean
# absolute difference on photographs) of the full square median (tests/perturbations/test_references.py).
_MEDIAN_WINDOW = 7
# Multiples of 1/255 are whole numbers here, so that 8-bit images keep their values, and 1.0 still fits into 16 bits.
_FIXED_POINT = 128 * 255
# Smaller than the median's, because every pixel of the window costs an exponential; chosen by hand.
_BILATERAL_WINDOW = 5
# Burgert et al. pair d = 4 px with a color sigma of 50 of 255, and d = 14 with 200, at 224 px: 11 to 12.5 times the
# window's share of the side. 200 of 255 is also their largest sigma.
_COLOR_SIGMA_PER_WINDOW = 12.0
_COLOR_SIGMA_LIMIT = 0.8
# The exponent of a Gaussian at four sigmas, -4 ** 2 / 2. Beyond it a weight is below 1/2,900 of the central one.
_FOUR_SIGMAS = -8.0


def gaussian_blur(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Blur every image with one sigma.

    Source: Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), texture suppression; their (3, 0.33) to (15, 2.33) px
    at 224 px are values of 0.0015 to 0.0104. The border is mirrored and the kernel cut at four sigmas.
    Suppresses texture. Damages shape as well once sigma passes some 2 % of the side.
    Implementation: own; kornia's ``gaussian_blur2d`` takes up to 8 x the time, and fails on small images.

    Args:
        images: (N, 3, H, W) in [0, 1], or one channel of three equal ones.
        value: Sigma as a fraction of the shorter side, 0 or more.
        draws: Not used: nothing is random.

    Returns:
        Of the same shape, in [0, 1].
    """
    # Two products with a banded matrix: no padded copy, and one call a side whatever sigma.
    sigma = value * _side(images)
    return _along_both(images, *(kept_on(images.device, _blur_matrix, sigma, length) for length in images.shape[-2:]))


def random_gaussian_blur(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Blur an image with sigma from U[0, value].

    Source: torchvision's ``GaussianBlur(kernel_size, sigma=(0.1, s))``, with s relative to the shorter side.
    Harms classes recognized by fine texture.
    Implementation: own; kornia's ``gaussian_blur2d`` takes up to 3 x the time, with one kernel length for a batch.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Largest sigma as a fraction of the shorter side, 0 or more.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    sigma = uniform_per_image(images, draws) * (value * _side(images))
    height, width = images.shape[-2:]
    rows = _blur_weights(sigma, height)
    columns = rows if width == height else _blur_weights(sigma, width)
    return rows[:, None] @ images @ columns[:, None].mT


def median_blur(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Replace every pixel by the median of the row medians' column around it (a separable median).

    Windows beyond 7 px are taken at reduced resolution: the image is averaged down until the window is 7 px, filtered
    and interpolated back, so that a window of 16 % of the side costs less than one of 7 px. Medians are found among
    16-bit numbers, twice as fast as among floats; 8-bit images keep their values exactly, others to 2e-5.
    Source: Narendra 1981 ("A separable median filter for image noise smoothing", IEEE TPAMI 3(1)).
    Suppresses texture with a period of up to about one window and keeps outlines. Damages thin parts, and rounds
    corners.
    Implementation: own; kornia's median is the square window's, which takes 3 to 210 x the time at 3 to 7 px.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Window as a fraction of the shorter side; at least 3 px are taken.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    small, window = _reduced(images, value, _MEDIAN_WINDOW)
    fixed = small.mul(_FIXED_POINT).round_().short()
    padded = _padded(_padded(fixed, window // 2, 3), window // 2, 2)
    # One long vector, as in _opening_then_closing: what the ends of its rows hold is cut in the end.
    columns = _running_median(padded.flatten(), window, 1)
    medians = _running_median(columns, window, padded.stride(2)).as_strided(small.shape, padded.stride())
    return _restored(medians.to(images.dtype).div_(_FIXED_POINT), images)


def bilateral_blur(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Average every pixel with the pixels around it that have a like color, along rows and then along columns.

    The window's space weight is flat and the color weight Gaussian, with a sigma of 12 times the value (at most 0.8):
    Burgert et al.'s ladder from (d 4, sigma 50) to (14, 200) of 255 at 224 px is reproduced within 10 %. Windows
    beyond 5 px are taken at reduced resolution.
    Source: Tomasi and Manduchi 1998 (ICCV); separable form of Pham and van Vliet 2005 (ICME); values of Burgert et
    al. 2025 (NeurIPS, arXiv 2509.20234).
    Suppresses low-contrast texture and keeps strong edges; strong texture survives the low values.
    Implementation: own; kornia's ``bilateral_blur``, along rows and columns, agrees to 4e-7 in 1.4 to 4 x the time.

    Args:
        images: (N, 3, H, W) in [0, 1], or one channel of three equal ones.
        value: Window as a fraction of the shorter side; at least 3 px are taken.
        draws: Not used: nothing is random.

    Returns:
        Of the same shape, in [0, 1].
    """
    small, window = _reduced(images, value, _BILATERAL_WINDOW)
    sigma = min(_COLOR_SIGMA_LIMIT, _COLOR_SIGMA_PER_WINDOW * value)
    return _restored(_bilateral_pass(_bilateral_pass(small, window, sigma, 3), window, sigma, 2), images)


def opening_closing(images: Tensor, value: float, draws: Draws) -> Tensor:  # noqa: ARG001 - one signature for all
    """Flatten what is narrower than a window: the mean of an opening then closing and of a closing then opening.

    A morphological opening removes what is bright and narrow, a closing what is dark and narrow; edges stay sharp, so
    that a network used to sharp images is not misled. The window is a square. Extremes are found among 8-bit numbers,
    five times as fast as among floats; 8-bit images keep their values exactly, others to 2e-3.
    Source: Serra 1988 ("Image Analysis and Mathematical Morphology 2", alternating filters).
    Suppresses texture whose bars are up to about one window wide and keeps outlines. Damages thin parts, and rounds
    corners to squares.
    Implementation: own; kornia's ``opening`` and ``closing`` agree to 6e-8 and take 8 to 108 x the time.

    Args:
        images: (N, 3, H, W) in [0, 1], or one channel of three equal ones.
        value: Window as a fraction of the shorter side; at least 3 px are taken, and an odd number.
        draws: Not used: nothing is random.

    Returns:
        Of the same shape, in [0, 1].
    """
    window = max(3, 2 * int(value * _side(images) / 2) + 1)
    # Minima and maxima need no precision beyond the image's own, and 8-bit numbers keep more of it in the cache. Floats
    # become bytes by way of 16 bits because only that is vectorized on the CPU.
    bytes_ = images.mul(255).round_().short().byte()
    # Closing then opening is opening then closing of the negative: one call does both, with half as many operations.
    opened, negative = _opening_then_closing(torch.cat([bytes_, ~bytes_], dim=1), window).chunk(2, dim=1)
    return opened.short().add_(~negative).to(images.dtype).mul_(0.5 / 255)


def _side(images: Tensor) -> int:
    return min(images.shape[-2:])


def _along_both(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Multiply by one matrix along each side."""
    return rows @ images @ columns.T


@lru_cache
def _blur_matrix(sigma: float, length: int) -> Tensor:
    return _blur_weights(torch.tensor([sigma]), length)[0]


def _blur_weights(sigma: Tensor, length: int) -> Tensor:
    """Return (N, length, length) Gaussian weights; what lies outside the image is its mirror image."""
    position = torch.arange(length, device=sigma.device, dtype=sigma.dtype)
    output, source = position[:, None], position[None, :]
    inside = (position > 0) & (position < length - 1)
    # A sigma of 0 would divide by zero; 1e-3 px already leaves all weight on the pixel itself.
    scale = -0.5 / sigma.clamp_min(1e-3)[:, None, None].square()
    weights = _bell((output - source).square() * scale)
    for mirrored in (output + source, 2 * (length - 1) - output - source):
        # The border pixel itself is not repeated, so it has no mirror image of its own.
        weights += _bell(mirrored.square() * scale) * inside
    return weights / weights.sum(dim=2, keepdim=True)


def _bell(exponent: Tensor) -> Tensor:
    """Return exp, cut to zero beyond four sigmas, without ever making a denormal number (they are slow)."""
    return functional.threshold(exponent.clamp_min_(2 * _FOUR_SIGMAS).exp_(), math.exp(_FOUR_SIGMAS), 0.0)


def _padded(images: Tensor, radius: int, dim: int) -> Tensor:
    """Mirror without repeating the border; what lies beyond one image length repeats the mirrored border."""
    mirrored = min(radius, images.shape[dim] - 1)
    for amount, mode in ((mirrored, "reflect"), (radius - mirrored, "replicate")):
        if amount:
            images = functional.pad(images, (amount, amount, 0, 0) if dim == 3 else (0, 0, amount, amount), mode=mode)
    return images


def _reduced(images: Tensor, value: float, most: int) -> tuple[Tensor, int]:
    """Return the images at the resolution at which the window is at most ``most`` pixels, and the odd window."""
    window = value * _side(images)
    factor = max(1.0, window / most)
    odd = max(3, min(most, 2 * int(window / factor / 2) + 1))
    height, width = images.shape[-2:]
    return _resized(images, max(1, round(height / factor)), max(1, round(width / factor))), odd


def _restored(small: Tensor, images: Tensor) -> Tensor:
    return _resized(small, images.shape[-2], images.shape[-1])


def _resized(images: Tensor, height: int, width: int) -> Tensor:
    if images.shape[-2:] == (height, width):
        return images
    sizes = zip(images.shape[-2:], (height, width), strict=True)
    return _along_both(images, *(kept_on(images.device, _resize_matrix, source, target) for source, target in sizes))


@lru_cache
def _resize_matrix(source: int, target: int) -> Tensor:
    """Return the (target, source) weights of an antialiased bilinear resize: a product is faster than the resize."""
    columns = functional.interpolate(torch.eye(source)[None, None], (target, source), mode="bilinear", antialias=True)
    return columns[0, 0]


def _running_median(pixels: Tensor, window: int, stride: int) -> Tensor:
    """Return the median of every window of a vector, by minima and maxima alone.

    Neighbors are sorted once for all windows in which they lie: windows of 3, 5 and 7 px take 4, 8 and 16 minima and
    maxima. Networks that sort each window by itself take 4, 12 and 22.

    Args:
        pixels: (L,).
        window: 3, 5 or 7.
        stride: How far apart the pixels of a window lie in the vector.

    Returns:
        (L - (window - 1) * stride,).
    """
    count = len(pixels) - (window - 1) * stride

    def at(sorted_: Tensor, pixel: int) -> Tensor:
        return sorted_[pixel * stride : pixel * stride + count]

    first, second = pixels[:-stride], pixels[stride:]
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    if window == 3:
        return torch.maximum(at(low, 0), torch.minimum(at(high, 0), at(pixels, 2)))
    # The two middle ones of the outer pixels, in either order: the median is theirs and the center's.
    if window == 5:
        inner = torch.maximum(at(low, 0), at(low, 3)), torch.minimum(at(high, 0), at(high, 3))
    else:
        third, low, high = pixels[2 * stride :], low[:-stride], high[:-stride]
        middle, high = torch.minimum(high, third), torch.maximum(high, third)
        low, middle = torch.minimum(low, middle), torch.maximum(low, middle)
        lesser, greater = torch.minimum(at(middle, 0), at(middle, 4)), torch.maximum(at(middle, 0), at(middle, 4))
        inner = (
            torch.maximum(lesser, torch.maximum(at(low, 0), at(low, 4))),
            torch.minimum(greater, torch.minimum(at(high, 0), at(high, 4))),
        )
    return _median_of_three(*inner, at(pixels, window // 2))


def _median_of_three(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    return torch.maximum(low, torch.minimum(high, third))


_Better = Callable[..., Tensor]


def _opening_then_closing(images: Tensor, window: int) -> Tensor:
    """Return (N, C, H, W) images of any number type opened and then closed by a square window, in the same shape."""
    count, channels, height, width = images.shape
    # What all steps together see of one side. An opening and a closing share their middle step.
    margin = 2 * (window - 1)
    # With the rows of all images beside each other in one long vector, windows along both sides are slices of it:
    # contiguous memory needs no index for each pixel. What the end of a row takes from the next one is cut in the end.
    rows = _padded(images.permute(2, 0, 1, 3), margin, 3)
    rows = rows.index_select(0, kept_on(images.device, _mirrored_rows, height, margin))
    pixels, row = rows.flatten(), rows[0].numel()
    for span, better in ((window, torch.minimum), (2 * window - 1, torch.maximum), (window, torch.minimum)):
        pixels = _running(_running(pixels, span, row, better), span, 1, better)
    strides = (row, rows.stride(1), rows.stride(2), 1)
    return pixels.as_strided((height, count, channels, width), strides).permute(1, 2, 0, 3)


@lru_cache
def _mirrored_rows(length: int, margin: int) -> Tensor:
    """Return the rows of a padded image, as ``_padded`` takes them."""
    return _padded(torch.arange(length, dtype=torch.float32).view(1, 1, 1, -1), margin, 3).flatten().int()


def _running(pixels: Tensor, window: int, stride: int, better: _Better) -> Tensor:
    """Return the extreme of every window of a vector, in as many steps as the window has binary digits.

    Args:
        pixels: (L,).
        window: Pixels of a window, 1 or more.
        stride: How far apart these lie in the vector.
        better: The smaller or the larger of two tensors.

    Returns:
        (L - (window - 1) * stride,).
    """
    span = 1
    while span < window:
        step = min(span, window - span)
        pixels = better(pixels[: len(pixels) - step * stride], pixels[step * stride :])
        span += step
    return pixels


# Shifted views instead of kornia's unfold, which copies the image once for every pixel of the window: over 20 GB for a
# bilateral filter of 13 px on a batch of 64 images.
def _bilateral_pass(images: Tensor, window: int, sigma: float, dim: int) -> Tensor:
    radius, length = window // 2, images.shape[dim]
    padded = _padded(images, radius, dim)
    ahead: dict[int, Tensor] = {}
    behind: dict[int, Tensor] = {}
    for distance in range(1, radius + 1):
        # Two pixels weigh alike for each other, so that one exponential serves both.
        start, pairs = radius - distance, length + distance
        difference = padded.narrow(dim, start + distance, pairs) - padded.narrow(dim, start, pairs)
        weight = _squared_distance(difference).mul_(-0.5 / sigma**2).exp_()
        ahead[distance], behind[distance] = weight.narrow(dim, distance, length), weight.narrow(dim, 0, length)
    total, weight_sum = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for start in range(window):
        shifted = padded.narrow(dim, start, length)
        if start == radius:
            # A pixel has the weight 1 for itself.
            total += shifted
            weight_sum += 1
        else:
            weight = ahead[start - radius] if start > radius else behind[radius - start]
            total.addcmul_(shifted, weight)
            weight_sum += weight
    return total.div_(weight_sum)


def _squared_distance(difference: Tensor) -> Tensor:
    """Return the squared distance of colors, (N, 1, H, W); one channel stands for three equal ones."""
    if difference.shape[1] == 1:
        return difference.square_().mul_(3)
    return difference.square_().sum(dim=1, keepdim=True)
