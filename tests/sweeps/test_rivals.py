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


def test_three_rivals_are_listed() -> None:
    found = per_image()
    found.predicted[2:, 15:20], found.predicted[2:, 20:24] = 2, 3
    assert [entry.rival for entry in find_rivals(found, 0, [0, 1], [2, 3], None)] == [1, 2, 4]


@pytest.mark.parametrize(("images", "named"), [(1, False), (2, True)])
def test_a_rival_takes_half_a_percent_or_more(images: int, named: bool) -> None:
    """Of 400 images of one class."""
    predicted = np.zeros((2, 400), dtype=np.int32)
    predicted[1, :images] = 1
    found = find_rivals(PerImagePredictions(np.zeros(400, dtype=np.int64), predicted, ("a", "b")), 0, [0], [1], None)
    assert [entry.rival for entry in found] == [1] * named


@pytest.mark.parametrize(("both", "either", "found"), [(2, 4, "ambiguous"), (2, 5, "co-occurring")])
def test_ambiguous_is_half_of_the_images_of_either(both: int, either: int, found: str) -> None:
    """Images of class 0 with label 0 alone or with both."""
    accepted = np.zeros((either, 2), dtype=bool)
    accepted[:, 0], accepted[:both, 1] = True, True
    images = PerImagePredictions(
        np.zeros(either, dtype=np.int64), np.zeros((1, either), np.int32), ("a", "b"), accepted
    )
    assert rival_kind(images, 0, 1, None) == found


@pytest.mark.parametrize(("images", "found"), [(4, None), (5, "co-occurring")])
def test_co_occurring_is_five_percent_of_the_class(images: int, found: str | None) -> None:
    accepted = np.zeros((100, 2), dtype=bool)
    accepted[:, 0], accepted[:images, 1] = True, True
    of = PerImagePredictions(np.zeros(100, dtype=np.int64), np.zeros((1, 100), np.int32), ("a", "b"), accepted)
    assert rival_kind(of, 0, 1, None) == found


@pytest.mark.parametrize(("rank", "found"), [(188, "unrelated"), (189, "fine-grained"), (209, "fine-grained")])
def test_fine_grained_is_the_most_similar_tenth_of_all_pairs(rank: int, found: str) -> None:
    """21 outputs have 210 pairs, of which 21 are above the quantile of 90 %."""
    first, second = np.triu_indices(21, 1)
    similarity = np.eye(21)
    similarity[first, second] = similarity[second, first] = np.linspace(0.3, 0.9, 210)
    assert rival_kind(per_image(), int(first[rank]), int(second[rank]), similarity) == found


@pytest.mark.parametrize(("cosine", "found"), [(0.19, "unrelated"), (0.2, "fine-grained")])
def test_fine_grained_has_a_cosine_of_a_fifth_or_more(cosine: float, found: str) -> None:
    similarity = np.eye(5)
    similarity[0, 1] = similarity[1, 0] = cosine
    assert rival_kind(per_image(), 0, 1, similarity) == found
