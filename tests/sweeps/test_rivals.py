"""Who takes a class's images, and what it is to it, on planted confusions."""

import numpy as np
import pytest

from cuesense.sweeps.rivals import cosines, find_rivals, rival_kind
from cuesense.sweeps.sweep import PerImagePredictions

NAMES = ("cat", "lynx", "sofa", "car", "outside")
LABELS = np.repeat(np.arange(4), 50)


def per_image(accepted: np.ndarray | None = None) -> PerImagePredictions:
    """Runs 0 and 1 are right; runs 2 and 3 take ten of the cats for lynxes and five for something outside."""
    predicted = np.tile(LABELS, (4, 1)).astype(np.int32)
    predicted[2:, :10], predicted[2:, 10:15] = 1, 4
    return PerImagePredictions(LABELS, predicted, NAMES, accepted)


def alike(first: int, second: int) -> np.ndarray:
    found = np.eye(5)
    found[first, second] = found[second, first] = 0.9
    return found


def test_rivals_take_what_is_lost_strongest_first() -> None:
    found = find_rivals(per_image(), 0, [0, 1], [2, 3], alike(0, 1))
    assert [(entry.rival, entry.share, entry.kind) for entry in found] == [
        (1, pytest.approx(0.2), "fine-grained"),
        (4, pytest.approx(0.1), "unrelated"),
    ]
    assert found[0].similarity == 0.9
    assert find_rivals(per_image(), 1, [0, 1], [2, 3], None) == []
    assert find_rivals(per_image(), 0, [2, 3], [0, 1], None) == []


def test_what_a_rival_took_before_does_not_count() -> None:
    before = per_image()
    before.predicted[:, 20:30] = 2
    assert [entry.rival for entry in find_rivals(before, 0, [0, 1], [2, 3], None)] == [1, 4]


def accepted(**also: list[int]) -> np.ndarray:
    """Every image's own label, and for a class by name further images' places."""
    found = np.eye(5, dtype=bool)[LABELS]
    for name, images in also.items():
        found[images, NAMES.index(name)] = True
    return found


def test_kinds_follow_the_annotations_and_then_the_likeness() -> None:
    cats = list(range(50))
    lynxes = list(range(50, 100))
    both = accepted(lynx=cats[:40], cat=lynxes[:40])
    assert rival_kind(per_image(both), 0, 1, None) == "ambiguous"
    assert rival_kind(per_image(accepted(sofa=cats[:3])), 0, 2, None) == "co-occurring"
    assert rival_kind(per_image(accepted(sofa=cats[:2])), 0, 2, None) is None
    assert rival_kind(per_image(accepted(sofa=cats[:2])), 0, 2, alike(0, 2)) == "fine-grained"
    assert rival_kind(per_image(accepted()), 0, 3, alike(0, 2)) == "unrelated"
    assert rival_kind(per_image(), 0, 3, None) is None
    faint = 0.1 * alike(0, 2)
    assert rival_kind(per_image(), 0, 2, faint) == "unrelated"


def test_annotations_say_how_often_the_rival_is_right_too() -> None:
    found = find_rivals(per_image(accepted(lynx=list(range(5)))), 0, [0, 1], [2, 3], None)
    assert found[0].both == pytest.approx(0.1)
    assert found[0].similarity is None


def test_cosines_are_taken_around_the_mean() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 4)) + 5
    centered = rows - rows.mean(axis=0)
    found = cosines(rows)
    for first in range(6):
        for second in range(6):
            expected = centered[first] @ centered[second]
            expected /= np.linalg.norm(centered[first]) * np.linalg.norm(centered[second])
            assert found[first, second] == pytest.approx(expected)
