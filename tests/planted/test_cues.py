"""The cues, read without a network: each is there, each can be removed alone, and nothing else identifies a class.

Four classes, so guessing gives 0.25; 96 images, so 0.45 is more than four standard errors above it.
"""

import numpy as np
import pytest

from cuesense.planted.scene import LUMA
from tests.helpers.cue_readers import (
    brightness,
    chroma,
    detail,
    gray,
    images_of,
    median,
    nearest_mean,
    outline_class,
    shuffle,
)

GUESSING = 0.5
MANIPULATIONS = {"clean": lambda images: images, "gray": gray, "shuffle": shuffle, "median": median}


def read(cue, images, seed=0):
    if cue == "shape":
        return outline_class(images, seed)
    features = {"color": chroma, "texture": detail}[cue]
    train, labels = images_of(cue, "train", seed)
    return nearest_mean(features(images), features(train), labels)


def accuracy(cue, manipulation, seed=0):
    images, labels = images_of(cue, "test", seed)
    return np.mean(read(cue, MANIPULATIONS[manipulation](images), seed) == labels)


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("cue", ["color", "shape", "texture"])
def test_every_cue_identifies_its_classes(cue, seed):
    assert accuracy(cue, "clean", seed) >= 0.95


@pytest.mark.parametrize(
    ("cue", "manipulation"),
    [
        ("color", "shuffle"),
        ("color", "median"),
        ("shape", "gray"),
        ("shape", "median"),
        ("texture", "gray"),
        ("texture", "shuffle"),
    ],
)
def test_a_manipulation_spares_the_other_cues(cue, manipulation):
    assert accuracy(cue, manipulation) >= 0.9


@pytest.mark.parametrize(("cue", "manipulation"), [("color", "gray"), ("shape", "shuffle")])
def test_a_manipulation_removes_its_cue(cue, manipulation):
    assert accuracy(cue, manipulation) <= GUESSING


def test_a_median_removes_most_of_the_texture():
    assert accuracy("texture", "median") <= 0.55


@pytest.mark.parametrize("seed", [0, 3])
def test_brightness_does_not_tell_a_color_class(seed):
    images, labels = images_of("color", "test", seed)
    train, train_labels = images_of("color", "train", seed)
    assert np.mean(nearest_mean(brightness(images), brightness(train), train_labels) == labels) <= GUESSING


@pytest.mark.parametrize("cue", ["shape", "texture"])
def test_color_does_not_identify_the_other_classes(cue):
    images, labels = images_of(cue)
    train, train_labels = images_of(cue, "train")
    assert np.mean(nearest_mean(chroma(images), chroma(train), train_labels) == labels) <= GUESSING


@pytest.mark.parametrize("cue", ["color", "texture"])
def test_outlines_do_not_identify_the_other_classes(cue):
    images, labels = images_of(cue)
    assert np.mean(outline_class(images) == labels) <= GUESSING


@pytest.mark.parametrize("cue", ["color", "shape"])
def test_textures_do_not_identify_the_other_classes(cue):
    images, labels = images_of(cue)
    train, train_labels = images_of(cue, "train")
    assert np.mean(nearest_mean(detail(images), detail(train), train_labels) == labels) <= GUESSING


def test_another_seed_shows_other_outlines():
    images, labels = images_of("shape", seed=3)
    assert np.mean(outline_class(images, seed=3) == labels) >= 0.95
    assert np.mean(outline_class(images, seed=0) == labels) <= 0.6


def test_the_center_always_stands_out_from_the_border():
    for cue in ("color", "shape", "texture"):
        images = images_of(cue)[0] @ LUMA
        assert np.abs(images[:, 28:36, 28:36].mean(axis=(1, 2)) - np.median(images[:, 0], axis=1)).min() > 0.12
