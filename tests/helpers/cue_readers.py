"""Readers of one cue, made without any network, and the three manipulations that should silence them."""

from functools import cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import median_filter, uniform_filter

from cuesense.planted.outlines import ANGLES
from cuesense.planted.scene import LUMA
from cuesense.planted.world import PlantedWorld
from cuesense.workflows.demo import COUNTS

IMAGES_PER_CLASS = 24
TRAINING_IMAGES = 80
RINGS = np.geomspace(0.05, 0.4, 7)


@cache
def images_of(cue, split="test", seed=0):
    """The images (N, 64, 64, 3) in [0, 1] of a cue's four classes, and their labels 0..3."""
    images = TRAINING_IMAGES if split == "train" else IMAGES_PER_CLASS
    world = PlantedWorld(seed=seed, split=split, images_per_class=images, counts=COUNTS)
    classes = [index for index, label in enumerate(world.truth) if label.value == cue]
    chosen = [index for index, label in enumerate(world.labels) if label in classes]
    pixels = np.stack([world[index].image for index in chosen]) / 255
    return pixels, np.array([world.labels[index] for index in chosen]) - classes[0]


def gray(images):
    return np.repeat((images @ LUMA)[..., None], 3, axis=-1)


def shuffle(images, grid=4):
    rng = np.random.default_rng(0)
    side = images.shape[1] // grid
    result = np.empty_like(images)
    for image, target in zip(images, result, strict=True):
        order = rng.permutation(grid * grid)
        while (order == np.arange(grid * grid)).any():
            order = rng.permutation(grid * grid)
        for to, of in enumerate(order):
            (a, b), (c, d) = divmod(to, grid), divmod(of, grid)
            tile = image[c * side : (c + 1) * side, d * side : (d + 1) * side]
            target[a * side : (a + 1) * side, b * side : (b + 1) * side] = tile
    return result


def median(images, window=9):
    return median_filter(images, size=(1, window, window, 1))


def nearest_mean(features, train_features, train_labels):
    """The class whose mean is nearest, in units of the features' spread within classes."""
    means = np.stack([train_features[train_labels == label].mean(axis=0) for label in range(4)])
    spread = (train_features - means[train_labels]).std(axis=0) + 1e-9
    return (((features[:, None] - means) / spread) ** 2).sum(axis=-1).argmin(axis=1)


def chroma(images):
    """The mean direction of color, (N, 3): blind to luma by construction."""
    difference = (images - (images @ LUMA)[..., None])[:, 16:48, 16:48].mean(axis=(1, 2))
    return difference / np.maximum(np.linalg.norm(difference, axis=1, keepdims=True), 1e-3)


def brightness(images):
    """A histogram of luma and its moments, (N, 18): blind to color by construction."""
    luma = (images @ LUMA).reshape(len(images), -1)
    bins = np.stack([np.histogram(one, 16, (0, 1), density=True)[0] / 16 for one in luma])
    return np.column_stack([bins, luma.mean(axis=1), luma.std(axis=1)])


def detail(images):
    """Symmetry and scale of the fine detail in 16-pixel tiles of the object, (N, 9): blind to color and form.

    How far detail repeats at 1, 2 and 3 equal angles, and its share in six rings of frequency. The object's tiles are
    the four whose luma is nearest to a half.
    """
    tiles = (images @ LUMA).reshape(-1, 4, 16, 4, 16).swapaxes(2, 3).reshape(-1, 16, 16, 16)
    inner = np.abs(tiles.mean(axis=(2, 3)) - 0.5).argsort(axis=1)[:, :4, None, None]
    tiles = np.take_along_axis(tiles, inner, axis=1)
    fine = (tiles - uniform_filter(tiles, (1, 1, 15, 15))) * np.hanning(18)[1:-1, None] * np.hanning(18)[1:-1]
    power = (np.abs(np.fft.fft2(fine, (32, 32))) ** 2).sum(axis=1)
    frequency = np.fft.fftfreq(32)
    x, y = frequency[None, :], frequency[:, None]
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    total = power.sum(axis=(1, 2)) + 1e-9
    waves = [np.abs((power * np.exp(2j * m * angle)).sum(axis=(1, 2))) for m in (1, 2, 3)]
    rings = [power[:, (radius >= low) & (radius < high)].sum(axis=1) for low, high in pairwise(RINGS)]
    return np.stack([*waves, *rings], axis=1) / total[:, None]


def outline_class(images, seed=0):
    """The class whose outline, at a small turn, fits the silhouette's radii best, (N,): blind to color and detail."""
    world = PlantedWorld(seed=seed, counts=COUNTS)
    outlines = [member.cues.outline for member in world.classes if member.cues.outline]
    shapes = np.stack(
        [outline.radius(ANGLES[::4] + turn) for outline in outlines for turn in np.arange(-0.6, 0.7, 0.1)]
    )
    shapes = shapes / shapes.mean(axis=-1, keepdims=True)
    radii = np.stack([_radii(image) for image in images @ LUMA])
    distances = ((radii[:, None] - shapes) ** 2).sum(axis=-1).reshape(len(images), 4, -1)
    return distances.min(axis=-1).argmin(axis=1)


def _radii(luma):
    """Square roots of the silhouette's area in 64 directions around its center, relative to their mean, (64,)."""
    border = np.median(np.concatenate([luma[:2].ravel(), luma[-2:].ravel(), luma[:, :2].ravel(), luma[:, -2:].ravel()]))
    fine = np.kron(np.abs(luma - border) > 0.17, np.ones((4, 4)))
    rows, columns = np.nonzero(fine)
    angle = np.arctan2(rows - rows.mean(), columns - columns.mean()) % (2 * np.pi)
    radii = np.sqrt(np.bincount(np.rint(angle / (2 * np.pi) * 64).astype(int) % 64, minlength=64) + 1e-9)
    return radii / radii.mean()
