"""Readers of one cue, made without any network, and the three manipulations that should silence them."""

from functools import cache

import numpy as np
from scipy.ndimage import median_filter, uniform_filter

from cuesense.planted.scene import LUMA
from cuesense.planted.world import PlantedWorld, class_cues

IMAGES_PER_CLASS = 24
FAINT = 1000.0
TURNS = np.linspace(0, 2 * np.pi, 72, endpoint=False)


@cache
def images_of(cue, split="test", seed=0):
    """The images (N, 64, 64, 3) in [0, 1] of a cue's four classes, and their labels 0..3."""
    world = PlantedWorld(seed=seed, split=split, images_per_class=IMAGES_PER_CLASS)
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


def median(images, window=7):
    return median_filter(images, size=(1, window, window, 1))


def nearest_mean(features, train_features, train_labels):
    means = np.stack([train_features[train_labels == label].mean(axis=0) for label in range(4)])
    return ((features[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)


def chroma(images):
    """The mean direction of color, (N, 3): blind to luma by construction."""
    difference = (images - (images @ LUMA)[..., None])[:, 16:48, 16:48].mean(axis=(1, 2))
    return difference / np.maximum(np.linalg.norm(difference, axis=1, keepdims=True), 1e-3)


def brightness(images):
    """A histogram of luma and its moments, (N, 18): blind to color by construction."""
    luma = (images @ LUMA).reshape(len(images), -1)
    bins = np.stack([np.histogram(one, 16, (0, 1), density=True)[0] / 16 for one in luma])
    return np.column_stack([bins, luma.mean(axis=1), luma.std(axis=1)])


def symmetry(images):
    """How far the fine detail in 16-pixel tiles repeats at 1, 2 and 3 equal angles, (N, 3): blind to color and form.

    Detail as faint as that of a class without texture reads as none.
    """
    tiles = (images @ LUMA).reshape(-1, 4, 16, 4, 16).swapaxes(2, 3).reshape(-1, 16, 16, 16)
    detail = (tiles - uniform_filter(tiles, (1, 1, 7, 7))) * np.hanning(18)[1:-1, None] * np.hanning(18)[1:-1]
    power = (np.abs(np.fft.fft2(detail, (32, 32))) ** 2).sum(axis=1)
    frequency = np.fft.fftfreq(32)
    x, y = frequency[None, :], frequency[:, None]
    power *= (np.hypot(x, y) > 0.12) & (np.hypot(x, y) < 0.3)
    angle = np.arctan2(y, x)
    waves = np.stack([np.abs((power * np.exp(2j * m * angle)).sum(axis=(1, 2))) for m in (1, 2, 3)], axis=1)
    return waves / (power.sum(axis=(1, 2))[:, None] + FAINT)


def outline_class(images, seed=0):
    """The class whose outline, at a small turn, fits the silhouette's radii best, (N,): blind to color and detail."""
    outlines = [cues.outline for cues in class_cues(seed).values() if cues.outline]
    shapes = np.stack(
        [outline.radius(TURNS[None] + turn) for outline in outlines for turn in np.arange(-0.6, 0.7, 0.1)]
    )
    shapes = (shapes / shapes.mean(axis=-1, keepdims=True))[:, 0]
    radii = np.stack([_radii(image) for image in images @ LUMA])
    distances = ((radii[:, None] - shapes) ** 2).sum(axis=-1).reshape(len(images), 4, -1)
    return distances.min(axis=-1).argmin(axis=1)


def _radii(luma):
    """Square roots of the silhouette's area in 72 directions around its center, relative to their mean, (72,)."""
    border = np.median(np.concatenate([luma[:2].ravel(), luma[-2:].ravel(), luma[:, :2].ravel(), luma[:, -2:].ravel()]))
    fine = np.kron(np.abs(luma - border) > 0.17, np.ones((4, 4)))
    rows, columns = np.nonzero(fine)
    angle = np.arctan2(rows - rows.mean(), columns - columns.mean()) % (2 * np.pi)
    radii = np.sqrt(np.bincount(np.rint(angle / (2 * np.pi) * 72).astype(int) % 72, minlength=72) + 1e-9)
    return radii / radii.mean()
