"""Makers of images with one cue from photographs, by methods that the analysis does not use.

A maker is a function of an image, (H, W, 3) uint8, and a random generator; it returns an image of the same shape. What
is not its cue is made equal for all images: drawings have equal lengths of line and silhouettes equal areas, textures
have equal mean and contrast, colors have lightness that tells nothing. Photographs are no planted truth all the same:
lines follow strong texture where there is some, and a silhouette is right only where the object differs from the border
of the image in color.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.outside.pixels import (
    Floats,
    Image,
    blurred,
    cells,
    collage,
    gray_image,
    k_means,
    lab,
    largest_component,
    lightness,
    nearest,
    regions,
    rgb,
    side_of,
    strongest_lines,
    thick,
)
from cuesense.types import CueVerdict

Maker = Callable[[Image, np.random.Generator], Image]

# All constants here are chosen by eye on contact sheets (`single_cue.py sheet`); none is tuned on an answer.
INK, PAPER = 0.05, 0.97
# Length of all lines of a drawing, in sides of the image.
_LENGTH = 7
_LINE_WIDTH = 0.009
# Share of the pixels with the strongest gradient that lines are looked for in.
_STEEP = 0.25
# Gradient, relative to the steepest, below which a line would be noise of the camera.
_FAINT = 0.2
# Share of the image that every silhouette fills, and the limits of its enlargement.
_AREA, _ZOOM = 0.22, (0.5, 2.0)
# The middle of the image, as a share of its sides, that textures are taken from: objects are mostly there.
_MIDDLE = 0.6
# Side of a texture's tiles: 28 px at 224.
TILE = 1 / 8
# Standard deviation of a texture about its mean of one half.
_CONTRAST = 0.2
# Lightness L* of flat colors, and the range of others.
_FLAT, _LOWEST, _HIGHEST = 62.0, 40.0, 80.0


def line_drawing(image: Image, rng: np.random.Generator) -> Image:  # noqa: ARG001 - one signature for all
    """Draw the longest and strongest edges as thin black lines on white.

    Edges are ridges of the gradient of the blurred lightness (Canny 1986, IEEE TPAMI 8:679), without its thresholds:
    drawings have lines of about the same length, shorter ones where an image is plain.
    """
    smooth = blurred(lightness(image), 0.012)
    down, across = np.gradient(smooth)
    steep = np.hypot(down, across)
    usual, steepest = np.quantile(steep, (1 - _STEEP, 0.99))
    lines = _ridges(steep, down, across) & (steep >= max(usual, _FAINT * steepest))
    return _drawing(strongest_lines(lines, steep, _LENGTH * side_of(image)), INK, PAPER)


def _ridges(steep: Floats, down: Floats, across: Floats) -> NDArray[np.bool_]:
    """Return where the gradient is a maximum along its own direction, to the nearest of four."""
    turn = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(steep, 1)
    ridge = np.zeros(steep.shape, dtype=bool)
    for direction, (row, column) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead, behind = (
            padded[1 + sign * row :, 1 + sign * column :][: steep.shape[0], : steep.shape[1]] for sign in (1, -1)
        )
        ridge |= (turn == direction) & (steep >= ahead) & (steep > behind)
    return ridge


def edge_map(image: Image, rng: np.random.Generator) -> Image:
    """Show the borders between regions of like color as white lines on black."""
    region = regions(image, 7, rng, nearness=25)
    border = np.zeros(region.shape, dtype=bool)
    border[:, :-1] |= region[:, 1:] != region[:, :-1]
    border[:-1] |= region[1:] != region[:-1]
    down, across = np.gradient(blurred(lightness(image), 0.012))
    length = _LENGTH * side_of(image)
    return _drawing(strongest_lines(border, np.hypot(down, across) + np.float32(1e-3), length), PAPER, INK)


def _drawing(lines: NDArray[np.bool_], ink: float, paper: float) -> Image:
    return gray_image(np.where(thick(lines, _LINE_WIDTH), ink, paper))


def silhouette(image: Image, rng: np.random.Generator) -> Image:
    """Fill the outline of the object in black on white, moved to the middle and scaled to one area.

    The object is what differs in color from four typical colors of the image's border, more so in the middle (a
    boundary prior: Wei et al. 2012, ECCV), cut off by Otsu's threshold (1979, IEEE Trans. SMC 9:62). By eye about half
    of the silhouettes of photographs show the object; the others show the largest strange part of the scene.
    """
    colors = blurred(lab(image), 0.015)
    depth = max(1, round(0.06 * side_of(image)))
    rim = np.ones(colors.shape[:2], dtype=bool)
    rim[depth:-depth, depth:-depth] = False
    centers = k_means(colors[rim], 4, rng)
    near = centers[nearest(colors.reshape(-1, 3), centers)].reshape(colors.shape)
    apart = np.linalg.norm(colors - near, axis=-1) * _middle_weight(colors.shape)
    mask = largest_component(apart > _otsu(apart))
    mask = blurred(ndimage.binary_fill_holes(mask).astype(np.float32), 0.012) > 0.5
    return gray_image(PAPER - (PAPER - INK) * _centered(mask))


def _middle_weight(shape: tuple[int, ...]) -> Floats:
    down, across = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape[:2])
    return np.exp(-(down[:, None] ** 2 + across[None, :] ** 2))


def _otsu(values: Floats) -> float:
    """Return the threshold that separates two groups of values best."""
    counts, edges = np.histogram(values, 64)
    below = np.cumsum(counts)[:-1].astype(np.float64)
    sums = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    above = counts.sum() - below
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(edges[1 + int(np.nanargmax(between))])


def _centered(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Move a mask to the middle and scale it to the area that every silhouette has."""
    if not mask.any():
        return mask
    shape = np.array(mask.shape)
    zoom = float(np.clip(np.sqrt(_AREA / mask.mean()), *_ZOOM))
    center = np.array(ndimage.center_of_mass(mask))
    moved = ndimage.affine_transform(
        mask.astype(np.float32), np.eye(2) / zoom, center - (shape - 1) / 2 / zoom, order=1
    )
    return np.asarray(moved > 0.5)


def texture_collage(image: Image, rng: np.random.Generator) -> Image:
    """Paste gray crops of an eighth of the side, from the middle of the image, at random places."""
    tile = max(4, round(TILE * side_of(image)))
    return _texture(collage(_middle(image), _shape(image), tile, rng))


def random_phase(image: Image, rng: np.random.Generator) -> Image:
    """Draw a texture with the spectrum of the middle of the image and random phases.

    Source: Galerne, Gousseau, Morel 2011 (IEEE TIP 20:257), with a smooth window in the place of their periodic part.
    Waves longer than a quarter of the side are left out: they show layout.
    """
    height, width = _shape(image)
    patch = _middle(image)
    window = np.outer(*(np.hanning(length + 2)[1:-1] for length in patch.shape))
    size = np.abs(np.fft.rfft2((patch - patch.mean()) * window, s=(height, width)))
    down, across = np.fft.fftfreq(height) * height, np.fft.rfftfreq(width) * width
    size[np.hypot(down[:, None], across[None, :]) < 4] = 0
    return _texture(np.fft.irfft2(size * np.exp(1j * np.angle(np.fft.rfft2(rng.normal(size=(height, width)))))))


def quilt(image: Image, rng: np.random.Generator) -> Image:
    """Synthesize a gray texture by image quilting of tiles of the middle of the image.

    Source: Efros and Freeman 2001 (SIGGRAPH): each tile is the best of 12 random ones in its overlap with what is
    there, and is joined along the cheapest path through it.
    """
    source, (height, width) = _middle(image), _shape(image)
    tile = max(6, round(1.5 * TILE * side_of(image)))
    overlap = max(2, tile // 4)
    step = tile - overlap
    down, across = -(-(height - overlap) // step), -(-(width - overlap) // step)
    canvas = np.zeros((down * step + overlap, across * step + overlap), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(source, (tile, tile))
    for row in range(down):
        for column in range(across):
            there = canvas[row * step : row * step + tile, column * step : column * step + tile]
            tops, lefts = (rng.integers(limit, size=12) for limit in windows.shape[:2])
            choices = windows[tops, lefts]
            new = np.zeros((tile, tile), dtype=bool)
            error = (choices - there) ** 2
            costs = (column > 0) * error[:, :, :overlap].sum((1, 2)) + (row > 0) * error[:, :overlap].sum((1, 2))
            best = int(np.argmin(costs))
            if column:
                new[:, :overlap] |= _left_of_cut(error[best, :, :overlap])
            if row:
                new[:overlap] |= _left_of_cut(error[best, :overlap].T).T
            there[~new] = choices[best][~new]
    return _texture(canvas[:height, :width])


def _left_of_cut(error: Floats) -> NDArray[np.bool_]:
    """Return what lies left of the cheapest path from the top to the bottom of (H, W) errors."""
    cost = np.pad(error, ((0, 0), (1, 1)), constant_values=np.inf)
    for above, row in itertools.pairwise(cost):
        row[1:-1] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    # Plain lists: rows of some ten numbers are shorter than what a call of NumPy costs.
    rows = cost.tolist()
    path = [rows[-1].index(min(rows[-1]))]
    for row in reversed(rows[:-1]):
        near = row[path[-1] - 1 : path[-1] + 2]
        path.append(path[-1] - 1 + near.index(min(near)))
    return np.arange(error.shape[1])[None, :] < np.array(path[::-1])[:, None] - 1


def _middle(image: Image) -> Floats:
    """Return the lightness of the middle of an image."""
    height, width = _shape(image)
    top, left = (round((1 - _MIDDLE) / 2 * length) for length in (height, width))
    return np.ascontiguousarray(lightness(image)[top : height - top, left : width - left])


def _texture(values: NDArray[np.floating]) -> Image:
    """Return gray values with the mean and contrast that all textures have."""
    return gray_image(0.5 + _CONTRAST * (values - values.mean()) / max(float(values.std()), 1e-3))


def _shape(image: Image) -> tuple[int, int]:
    return image.shape[0], image.shape[1]


def flat_color(image: Image, rng: np.random.Generator) -> Image:  # noqa: ARG001 - one signature for all
    """Fill the image with its mean hue and chroma, the middle counting more, at one lightness."""
    colors = lab(image)
    weight = _middle_weight(colors.shape)[..., None]
    mean = (colors * weight).sum((0, 1)) / weight.sum()
    return rgb(np.broadcast_to(np.array([_FLAT, mean[1], mean[2]], dtype=np.float32), colors.shape))


def palette_blobs(image: Image, rng: np.random.Generator) -> Image:
    """Fill random cells with the five colors of an image, each as often as it is there.

    Lightness is dealt to the colors at random, so that it tells nothing.
    """
    colors, share = palette(image, 5, rng)
    colors[:, 0] = rng.permutation(np.linspace(_LOWEST, _HIGHEST, len(colors)))
    return blobs(image.shape, colors, share, rng)


def palette(image: Image, count: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.float64]]:
    """Return at most this many typical colors of an image in L*a*b*, and the share of the pixels near each."""
    points = blurred(lab(image), 0.01).reshape(-1, 3)
    centers = k_means(points, count, rng)
    return centers, np.bincount(nearest(points, centers), minlength=len(centers)) / len(points)


def blobs(
    shape: tuple[int, ...], colors: Floats, share: NDArray[np.float64], rng: np.random.Generator, count: int = 60
) -> Image:
    """Fill Voronoi cells with colors in L*a*b*, as many cells of each as its share says."""
    cell, _ = cells(shape, count, rng)
    dealt = np.searchsorted(np.cumsum(share), (np.arange(count) + rng.random()) / count).clip(0, len(share) - 1)
    return rgb(colors[rng.permutation(dealt)][cell])


def shuffled_pixels(image: Image, rng: np.random.Generator) -> Image:
    """Put the pixels in random order; lightness keeps its order among them and is spread evenly."""
    points = lab(image).reshape(-1, 3)
    rank = np.argsort(np.argsort(points[:, 0] + rng.random(len(points)) * 1e-3))
    points[:, 0] = _LOWEST + (_HIGHEST - _LOWEST) * rank / len(points)
    return rgb(points[rng.permutation(len(points))].reshape(image.shape))


class SingleCue(NamedTuple):
    """A way to leave one cue.

    Attributes:
        cue: The only answer that is right.
        maker: What makes an image.
    """

    cue: CueVerdict
    maker: Maker


SETS: dict[str, SingleCue] = {
    "lines": SingleCue(CueVerdict.SHAPE, line_drawing),
    "edges": SingleCue(CueVerdict.SHAPE, edge_map),
    "silhouettes": SingleCue(CueVerdict.SHAPE, silhouette),
    "collage": SingleCue(CueVerdict.TEXTURE, texture_collage),
    "quilt": SingleCue(CueVerdict.TEXTURE, quilt),
    "phase": SingleCue(CueVerdict.TEXTURE, random_phase),
    "flat": SingleCue(CueVerdict.COLOR, flat_color),
    "palette": SingleCue(CueVerdict.COLOR, palette_blobs),
    "pixels": SingleCue(CueVerdict.COLOR, shuffled_pixels),
}
