import numpy as np
import pytest

from cuesense.adaptive.looks import FIRST_LOOK, next_number, number_of_looks, places

LABELS = np.array([0, 1, 0, 1, 0, 0])
KEYS = ["a", "b", "c", "d", "e", "f"]


def test_every_class_has_all_places_once() -> None:
    found = places(KEYS, LABELS)
    assert sorted(found[LABELS == 0]) == [0, 1, 2, 3]
    assert sorted(found[LABELS == 1]) == [0, 1]


def test_places_depend_on_keys_alone() -> None:
    order = np.array([5, 3, 1, 0, 2, 4])
    shuffled = places([KEYS[image] for image in order], LABELS[order])
    assert shuffled.tolist() == places(KEYS, LABELS)[order].tolist()


def test_further_images_leave_the_order_of_the_others() -> None:
    labels = np.zeros(100, dtype=np.int64)
    keys = [f"{number}.jpg" for number in range(100)]
    every, some = places(keys, labels), places(keys[:40], labels[:40])
    assert np.argsort(some).tolist() == [image for image in np.argsort(every).tolist() if image < 40]
    assert every.tolist() != list(range(100))


@pytest.mark.parametrize(
    ("images", "numbers"),
    [(0, []), (7, [7]), (10, [10]), (11, [10, 11]), (80, [10, 20, 40, 80]), (50, [10, 20, 40, 50])],
)
def test_looks_double(images: int, numbers: list[int]) -> None:
    seen, found = np.array([0]), []
    while seen[0] < images:
        seen = next_number(seen, np.array([images]))
        found.append(int(seen[0]))
    assert found == numbers
    assert number_of_looks(np.array([images, 0])) == len(numbers)
    assert FIRST_LOOK == 10
