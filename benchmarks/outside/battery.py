"""Manipulations of ordinary photographs that the analysis does not use, to check its graded answers against.

A manipulation is a function of an image, (H, W, 3) uint8, a random generator and a donor, which is another image of any
class; it returns an image of the same shape.
"""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.outside.pixels import (
    Floats,
    Image,
    blurred,
    bytes_of,
    cells,
    collage,
    gray_image,
    lab,
    lightness,
    mean_of_regions,
    regions,
    rgb,
    side_of,
)
from benchmarks.outside.single import TILE, blobs, palette

Manipulation = Callable[[Image, np.random.Generator, Image], Image]

# Chosen by eye on contact sheets, not tuned on an answer: about as many cells as a 4 x 4 grid has tiles, regions that
# leave objects recognizable, and the blur below which detail counts as texture (of 6 px at 224).
_CELLS, _REGIONS, _DETAIL = 16, 40, 0.027


def voronoi_mosaic(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001 - one signature
    """Fill every Voronoi cell with the surroundings of another cell's seed; the image is mirrored at its border."""
    cell, seeds = cells(image.shape, _CELLS, rng)
    # One cycle through all cells, so that none is filled with itself.
    order = rng.permutation(_CELLS)
    source = np.empty_like(seeds)
    source[order] = seeds[np.roll(order, 1)]
    shift = (source - seeds)[cell]
    place = np.stack(np.mgrid[: image.shape[0], : image.shape[1]], axis=-1) + shift
    rows, columns = (_mirrored(place[..., axis], image.shape[axis]) for axis in (0, 1))
    return image[rows, columns]


def _mirrored(place: np.ndarray, length: int) -> np.ndarray:
    folded = place % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)


def collage_of_quarters(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Paste crops of a quarter of the side (56 px at 224) at random places."""
    return _collage(image, rng, 2 * TILE)


def collage_of_eighths(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Paste crops of an eighth of the side (28 px at 224) at random places."""
    return _collage(image, rng, TILE)


def _collage(image: Image, rng: np.random.Generator, part: float) -> Image:
    return collage(image, (image.shape[0], image.shape[1]), max(4, round(part * side_of(image))), rng)


def flattened(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Give every region of like color its mean color, with sharp borders."""
    return bytes_of(_flat(image, rng))


def texture_of_another(image: Image, rng: np.random.Generator, donor: Image) -> Image:
    """Give every region of like color its mean color, and add the fine detail of another image, in mixed pieces.

    In one piece, the detail would show the outlines of the other image.
    """
    values = lightness(donor)
    detail = collage(values - blurred(values, _DETAIL), values.shape, max(4, round(TILE * side_of(image))), rng)
    return bytes_of(_flat(image, rng) + detail[..., None])


def _flat(image: Image, rng: np.random.Generator) -> Floats:
    return mean_of_regions(image.astype(np.float32) / 255, regions(image, _REGIONS, rng, nearness=70))


def other_hues(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Turn all hues by one angle of 60 to 300 degrees in L*a*b*; lightness and chroma stay."""
    colors, angle = lab(image), np.deg2rad(rng.uniform(60, 300))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
    colors[..., 1:] = colors[..., 1:] @ turn.T
    return rgb(colors)


def one_tint(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Color the whole image with one random hue of moderate chroma; lightness stays."""
    colors, angle = lab(image), rng.uniform(0, 2 * np.pi)
    colors[..., 1:] = 25 * np.array([np.cos(angle), np.sin(angle)])
    return rgb(colors)


def colors_of_another(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Give every pixel the color that another image has where it is about as light, relative to its own pixels."""
    colors, others = lab(image), lab(donor).reshape(-1, 3)
    order = np.argsort(others[:, 0], kind="stable")
    bins = np.array_split(others[order, 1:], 16)
    means = np.stack([part.mean(axis=0) for part in bins])
    edges = np.quantile(colors[..., 0], np.linspace(0, 1, 17)[1:-1])
    colors[..., 1:] = means[np.searchsorted(edges, colors[..., 0])]
    return rgb(colors)


def gray_flattened(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Give every region of like color its mean lightness, in gray."""
    region = regions(image, _REGIONS, rng, nearness=70)
    return gray_image(mean_of_regions(lightness(image)[..., None], region)[..., 0])


def gray_collage(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Paste gray crops of an eighth of the side at random places."""
    return gray_image(lightness(_collage(image, rng, TILE)))


def palette_mosaic(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Fill random cells with eight typical colors of the image, as they are."""
    return blobs(image.shape, *palette(image, 8, rng), rng)


def any_order(image: Image, rng: np.random.Generator, donor: Image) -> Image:  # noqa: ARG001
    """Put the pixels in random order."""
    return rng.permutation(image.reshape(-1, 3)).reshape(image.shape)


# By the column of a graded answer (cuesense.perturbations.ablations.COLUMNS) that each is to be compared with.
BATTERY: Mapping[str, Mapping[str, Manipulation]] = {
    "without_shape": {
        "voronoi": voronoi_mosaic,
        "collage_4": collage_of_quarters,
        "collage_8": collage_of_eighths,
    },
    "without_texture": {"flattened": flattened, "texture_of_another": texture_of_another},
    "without_color": {"other_hues": other_hues, "one_tint": one_tint, "colors_of_another": colors_of_another},
    "shape_alone": {"gray_flattened": gray_flattened},
    "texture_alone": {"gray_collage": gray_collage},
    "color_alone": {"palette_mosaic": palette_mosaic},
}
MANIPULATIONS: Mapping[str, Manipulation] = {name: made for part in BATTERY.values() for name, made in part.items()}
# What images with one cue are changed by once more, to see whether a network relies on that cue as it should:
# nothing larger than 28 px at 224 is left, or nothing but color.
CHECKS: Mapping[str, Manipulation] = {"collage_8": collage_of_eighths, "any_order": any_order}
