"""Which of several copies of an image are counted, and what is said of them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.predictions.copies import copy_remarks, counted_once, trained_on, trained_remark

NAMES = ("cat", "dog", "owl")
PICTURES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=30)


def columns(pictures: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return digests far apart (some above 2**63), labels and ids."""
    digests = np.array([2**64 - 1 - 2**61 * picture for picture, _ in pictures], dtype=np.uint64)
    labels = np.array([label for _, label in pictures], dtype=np.int64)
    return digests, labels, [f"i{row}" for row in range(len(pictures))]


@settings(max_examples=100)
@given(pictures=PICTURES)
def test_each_label_keeps_the_first_of_each_picture(pictures: list[tuple[int, int]]) -> None:
    digests, labels, _ = columns(pictures)
    wanted = [pictures.index(picture) == row for row, picture in enumerate(pictures)]
    assert counted_once(digests, labels).tolist() == wanted


@settings(max_examples=100)
@given(pictures=PICTURES)
def test_the_numbers_are_those_of_a_plain_count(pictures: list[tuple[int, int]]) -> None:
    digests, labels, ids = columns(pictures)
    remarks = copy_remarks(digests, labels, ids, NAMES)
    distinct = len(set(pictures))
    copies = len(pictures) - distinct
    labels_of = {picture: {label for other, label in pictures if other == picture} for picture, _ in pictures}
    several = sum(len(found) > 1 for found in labels_of.values())
    assert len(remarks) == bool(copies) + bool(several)
    if copies:
        assert remarks[0].startswith(f"{copies} of {len(pictures)} images ")
        assert f"counts {distinct} distinct images" in remarks[0]
    if several:
        assert remarks[-1].startswith(f"{several} picture")


def test_different_images_raise_no_alarm() -> None:
    assert copy_remarks(*columns([(0, 0), (1, 0), (2, 1)]), NAMES) == ()


def test_one_accidental_copy_is_mentioned_plainly() -> None:
    (remark,) = copy_remarks(*columns([(0, 0), (1, 0), (0, 0)]), NAMES)
    assert remark.startswith("1 of 3 images is a copy of another")
    assert "'i0' and 'i2'" in remark


def test_a_picture_under_several_labels_is_named_with_all_of_them() -> None:
    (remark,) = copy_remarks(*columns([(0, 2), (1, 0), (0, 1), (0, 0)]), NAMES)
    assert remark.startswith("1 picture stands under more than one label: 'i0' (owl) and 'i2' (dog) and 'i3' (cat)")


def test_many_such_pictures_are_counted_after_the_first() -> None:
    pictures = [(picture, label) for picture in range(5) for label in range(2)]
    (remark,) = copy_remarks(*columns(pictures), NAMES)
    assert "5 pictures stand" in remark
    assert "; and 2 more." in remark


def test_images_that_are_trained_on_are_counted_and_named() -> None:
    digests, _, ids = columns([(0, 0), (1, 0), (2, 1), (0, 1)])
    shared = trained_on(digests, {int(digests[0])})
    assert shared.tolist() == [True, False, False, True]
    (remark,) = trained_remark(shared, ids, "--test")
    assert remark.startswith("2 images of 4 of --test are also among the training images: 'i0', 'i3'.")
    assert trained_remark(np.zeros(4, dtype=bool), ids, "--test") == ()
