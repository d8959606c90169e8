"""What the makers of images share: CIE L*a*b*, k-means, regions, random crops and masks, in NumPy and SciPy.

Images are (H, W, 3) uint8, sRGB. Lengths are fractions of the shorter side, so that 64 and 224 px look alike.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

# sRGB primaries to CIE XYZ (IEC 61966-2-1), rows divided by the white point D65.
_WHITE = np.array([0.95047, 1.0, 1.08883], dtype=np.float32)
_XYZ = (
    np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]],
        dtype=np.float32,
    )
    / _WHITE[:, None]
)
_BACK = np.linalg.inv(_XYZ).astype(np.float32)
_VALUES = np.arange(256) / 255
_LINEAR = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_DELTA = 6 / 29
# Points that k-means is fitted on, and its steps: enough for regions and palettes; chosen by hand, not tuned.
_POINTS, _STEPS = 2000, 6


def lab(image: Image) -> Floats:
    """Return CIE L*a*b* (L* from 0 to 100) of an sRGB image, (H, W, 3)."""
    ratios = _LINEAR[image] @ _XYZ.T
    roots = np.where(ratios > _DELTA**3, np.cbrt(ratios), ratios / (3 * _DELTA**2) + np.float32(4 / 29))
    x, y, z = np.moveaxis(roots, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def rgb(values: Floats) -> Image:
    """Return the sRGB image of CIE L*a*b* values; colors that a screen cannot show are cut off."""
    y = (values[..., 0] + 16) / 116
    roots = np.stack([y + values[..., 1] / 500, y, y - values[..., 2] / 200], axis=-1)
    ratios = np.where(roots > _DELTA, roots**3, 3 * _DELTA**2 * (roots - np.float32(4 / 29)))
    linear = np.clip(ratios @ _BACK.T, 0, 1)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)
    return bytes_of(shown)


def bytes_of(values: NDArray[np.floating]) -> Image:
    """Return values in [0, 1] as 8 bits; what lies outside is cut off."""
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def lightness(image: Image) -> Floats:
    """Return L* divided by 100, (H, W)."""
    luminance = _LINEAR[image] @ _XYZ[1]
    return (np.where(luminance > _DELTA**3, 1.16 * np.cbrt(luminance) - 0.16, luminance * 9.033)).astype(np.float32)


def gray_image(values: NDArray[np.floating]) -> Image:
    """Return (H, W) in [0, 1] as an image of three equal channels."""
    return np.repeat(bytes_of(values)[..., None], 3, axis=2)


def side_of(image: NDArray[np.generic]) -> int:
    """Return the shorter side in pixels."""
    return min(image.shape[:2])


def blurred(values: Floats, sigma: float) -> Floats:
    """Blur (H, W) or (H, W, C) with a Gaussian, sigma as a fraction of the side."""
    width = sigma * side_of(values)
    return ndimage.gaussian_filter(values, (width, width, 0)[: values.ndim], mode="reflect", truncate=3.0)


def nearest(points: Floats, centers: Floats) -> NDArray[np.intp]:
    """Return the nearest center of each point, (N, D) and (K, D) to (N,)."""
    return np.argmin((centers**2).sum(axis=1) - 2 * (points @ centers.T), axis=1)


def k_means(points: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return the centers of clusters, at most (count, D).

    Lloyd's steps (1982, IEEE Trans. Information Theory 28:129) from centers that are drawn by their squared distance to
    the others (Arthur and Vassilvitskii 2007, SODA). Fewer centers where there are fewer points that differ.
    """
    points = points[rng.choice(len(points), min(_POINTS, len(points)), replace=False)]
    centers = _apart(points, count, rng)
    for _ in range(_STEPS):
        member = nearest(points, centers)
        sizes = np.bincount(member, minlength=len(centers))
        sums = np.stack([np.bincount(member, column, len(centers)) for column in points.T], axis=1)
        centers = (sums[sizes > 0] / sizes[sizes > 0, None]).astype(np.float32)
    return centers


def _apart(points: Floats, count: int, rng: np.random.Generator) -> Floats:
    chosen = [points[rng.integers(len(points))]]
    distance = ((points - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < count and distance.max() > 0:
        reach = np.cumsum(distance, dtype=np.float64)
        chosen.append(points[np.searchsorted(reach, rng.random() * reach[-1], side="right")])
        distance = np.minimum(distance, ((points - chosen[-1]) ** 2).sum(axis=1))
    return np.stack(chosen)


def regions(image: Image, count: int, rng: np.random.Generator, nearness: float) -> NDArray[np.intp]:
    """Cut an image into regions of like color: k-means over the color of a blurred copy, and the place.

    In the spirit of SLIC (Achanta et al. 2012, IEEE TPAMI 34:2274), with centers fitted over the whole image.

    Args:
        image: (H, W, 3).
        count: Largest number of regions.
        rng: Chooses the first centers.
        nearness: Units of L*a*b* that one side of the image counts as; more gives rounder regions.

    Returns:
        The region of every pixel, (H, W).
    """
    height, width = image.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32) * np.float32(nearness / side_of(image))
    points = np.concatenate([blurred(lab(image), 0.012), down[..., None], across[..., None]], axis=2).reshape(-1, 5)
    return nearest(points, k_means(points, count, rng)).reshape(height, width)


def mean_of_regions(values: Floats, region: NDArray[np.intp]) -> Floats:
    """Replace every pixel of (H, W, C) by the mean of its region."""
    flat, sizes = region.ravel(), np.bincount(region.ravel())
    means = [np.bincount(flat, channel.ravel()) / np.maximum(sizes, 1) for channel in np.moveaxis(values, -1, 0)]
    return np.stack(means, axis=-1).astype(np.float32)[region]


def cells(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the Voronoi cell of every pixel, (H, W), and the cells' seeds as rows and columns, (count, 2)."""
    seeds = np.stack([rng.integers(length, size=count) for length in shape[:2]], axis=1)
    places = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1).reshape(-1, 2).astype(np.float32)
    return nearest(places, seeds.astype(np.float32)).reshape(shape[:2]), seeds


def collage(source: NDArray[np.generic], shape: tuple[int, int], tile: int, rng: np.random.Generator) -> NDArray:
    """Paste random square crops of an image at random places until all is covered about four times.

    Args:
        source: (H, W) or (H, W, C); each side has tile pixels or more.
        shape: Height and width of the result.
        tile: Side of a crop in pixels.
        rng: Chooses crops and places.

    Returns:
        Of this shape, and the source's channels and dtype.
    """
    canvas = np.empty((shape[0] + 2 * tile, shape[1] + 2 * tile, *source.shape[2:]), dtype=source.dtype)
    grid = [(top, left) for top in range(0, shape[0] + tile, tile) for left in range(0, shape[1] + tile, tile)]
    loose = rng.integers(0, (shape[0] + tile, shape[1] + tile), size=(3 * len(grid), 2))
    places = [*grid, *map(tuple, loose.tolist())]
    limits = (source.shape[0] - tile + 1, source.shape[1] - tile + 1)
    for (top, left), (row, column) in zip(places, rng.integers(0, limits, size=(len(places), 2)), strict=True):
        canvas[top : top + tile, left : left + tile] = source[row : row + tile, column : column + tile]
    return canvas[tile : tile + shape[0], tile : tile + shape[1]]


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part of a mask."""
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())
    return np.asarray(parts == 1 + np.argmax(sizes[1:]))


def strongest_lines(lines: NDArray[np.bool_], strength: Floats, length: int) -> NDArray[np.bool_]:
    """Keep the connected lines with the largest sum of strength, until they have this many pixels together."""
    parts, count = ndimage.label(lines, structure=np.ones((3, 3)))
    if count == 0:
        return lines
    flat = parts.ravel()
    total = np.bincount(flat, strength.ravel(), count + 1)[1:]
    sizes = np.bincount(flat, minlength=count + 1)[1:]
    order = np.argsort(-total, kind="stable")
    # The line that passes the length still belongs to the drawing, so that no drawing is empty.
    before = np.cumsum(sizes[order]) - sizes[order]
    kept = np.zeros(count + 1, dtype=bool)
    kept[1 + order[before < length]] = True
    return kept[parts]


def thick(lines: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """Widen lines of one pixel to a width given as a fraction of the side."""
    pixels = max(1, round(width * side_of(lines)))
    return lines if pixels == 1 else ndimage.binary_dilation(lines, np.ones((pixels, pixels), dtype=bool))
