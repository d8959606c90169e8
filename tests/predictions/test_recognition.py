"""From where on networks recognize more images than guessing would."""

import numpy as np
import pytest

from cuesense.predictions.recognition import recognition


def networks(right: int, images: int = 480, classes: int = 12, runs: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions of networks that recognize so many images, as many of each class, and the labels."""
    labels = np.repeat(np.arange(classes), images // classes)
    predicted = (labels + 1) % classes
    rows = np.arange(images).reshape(classes, -1).T.ravel()[:right]
    predicted[rows] = labels[rows]
    return np.tile(predicted, (runs, 1)), labels


@pytest.mark.parametrize(
    ("right", "images", "guessing"),
    # 8.3 % are right by chance: a twentieth of the rest besides makes 12.9 %, and of 48 images five times over the
    # deviation of chance is 1.8 points, 1.645 of which are less; of them once it is 4 points.
    [(40, 480, True), (61, 480, True), (63, 480, False), (6, 48, True), (7, 48, False)],
)
def test_a_twentieth_more_than_guessing_is_asked_for(right: int, images: int, guessing: bool) -> None:
    predicted, labels = networks(right, images)
    found = recognition(predicted, labels, 12)
    assert found.accuracy == pytest.approx(right / images)
    assert found.by_chance == pytest.approx(1 / 12, abs=1e-3)
    assert found.is_guessing is guessing


def test_few_images_must_be_told_from_chance() -> None:
    """Of 48 images 1.645 deviations are 6.6 points: 14.9 % in all, with one network; five networks tell more."""
    predicted, labels = networks(7, 48)
    assert recognition(predicted[:1], labels, 12).is_guessing
    assert not recognition(predicted, labels, 12).is_guessing
    predicted, labels = networks(8, 48)
    assert not recognition(predicted[:1], labels, 12).is_guessing


def test_naming_the_most_frequent_class_is_guessing_whatever_its_share() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    always = recognition(np.zeros((3, 100), int), labels, 2)
    assert (always.accuracy, always.by_chance, always.is_guessing) == pytest.approx((0.9, 0.9, True))
    assert not recognition(np.tile(labels, (3, 1)), labels, 2).is_guessing


def test_an_output_that_is_no_class_is_wrong() -> None:
    labels = np.arange(40) % 4
    found = recognition(np.where(labels == 0, 7, labels)[None], labels, 4)
    assert found.accuracy == pytest.approx(0.75)
