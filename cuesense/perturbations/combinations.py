"""Suppressions combined: two together leave one cue, to test whether it suffices; all three leave none.

Where color is removed, the other changes see one channel instead of three equal ones: a third of the work, and the same
pixels.
"""

from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.color import luma
from cuesense.perturbations.shape import patch_shuffle
from cuesense.perturbations.texture import bilateral_blur, gaussian_blur, opening_closing

# The end of gaussian_blur's ladder (8 px at 224 px): together with shuffle and grayscale at most .15 of any cue is left
# (docs/method.md, "all three").
_SIGMA = 0.036
# The window of the primary texture ablation (ablations.py), so that the pair removes what that ablation removes.
_WINDOW = 0.07


def grayscale_patch_shuffle(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Remove color and shuffle the tiles: texture alone is left.

    Source: the two mechanisms of Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), together.
    Suppresses color and shape. Damages textures coarser than a tile.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Tiles a side.
        draws: Those of patch_shuffle.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _as_rgb(patch_shuffle(luma(images), value, draws))


def patch_shuffle_opening_closing(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Shuffle the tiles and flatten what is narrower than 7 % of the shorter side: color alone is left.

    Edges stay sharp, because a pretrained network recognizes colors far less well under a blur: at 224 px its color
    classes keep 13 % under shuffle and blur, 43 % here (docs/method.md).
    Source: patch_shuffle (Burgert et al. 2025, NeurIPS, arXiv 2509.20234) and opening_closing (Serra 1988), together.
    Suppresses shape and texture. Damages small spots of a color.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Tiles a side.
        draws: Those of patch_shuffle.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return opening_closing(patch_shuffle(images, value, draws), _WINDOW, draws)


def patch_shuffle_gaussian_blur(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Shuffle the tiles and blur the result: color alone is left.

    Sigma is 3.6 % of the shorter side. A second mechanism beside patch_shuffle_opening_closing: no edge stays sharp, so
    that no outline and no texture survives in a tile, but a network used to sharp images recognizes colors less well.
    Source: patch_shuffle and gaussian_blur of Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), together.
    Suppresses shape and texture. Damages the contrast between regions, and mixes the colors of small spots.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Tiles a side.
        draws: Those of patch_shuffle.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return gaussian_blur(patch_shuffle(images, value, draws), _SIGMA, draws)


def grayscale_opening_closing(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Remove color and flatten what is narrow: shape alone is left.

    Source: grayscale (Burgert et al. 2025, arXiv 2509.20234) and opening_closing (Serra 1988), together.
    Suppresses color and texture. Damages thin parts.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Window as a fraction of the shorter side.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _as_rgb(opening_closing(luma(images), value, draws))


def grayscale_bilateral_blur(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Remove color and average every pixel with the like pixels around it: shape alone is left.

    A second mechanism beside grayscale_opening_closing, which erases thin lines: here they become fainter. At 6.25 % of
    a side of 224 px a black line on white keeps 75 % of its contrast where it is 6 px wide, 23 % where it is 2 px wide.
    Source: grayscale and bilateral_blur of Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), together.
    Suppresses color and texture. Damages faint outlines; strong texture survives the low values.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Window as a fraction of the shorter side.
        draws: Not used: nothing is random.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _as_rgb(bilateral_blur(luma(images), value, draws))


def grayscale_patch_shuffle_gaussian_blur(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Remove color, shuffle the tiles and blur the result: nothing is left, and what a class keeps is chance.

    Sigma is 3.6 % of the shorter side.

    Source: the three mechanisms of Burgert et al. 2025 (NeurIPS, arXiv 2509.20234), together.
    Suppresses color, shape and texture. Damages everything but the mean lightness.
    Implementation: that of its parts.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Tiles a side.
        draws: Those of patch_shuffle.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return _as_rgb(gaussian_blur(patch_shuffle(luma(images), value, draws), _SIGMA, draws))


def _as_rgb(gray: Tensor) -> Tensor:
    return gray.expand(-1, 3, -1, -1).contiguous()
