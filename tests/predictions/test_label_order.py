"""What is said, and when a run stops, where classes seem to have each other's names."""

import numpy as np
import pytest

from cuesense.errors import DatasetError
from cuesense.predictions.label_order import check_labels, check_runs
from cuesense.predictions.predictions import ClassMap

ANIMALS = ("cat", "dog", "owl", "bee", "ant")


def said(counts, outputs=None, names=ANIMALS, output_names=None, who=None):
    """Return what is said about counts of (class, output)."""
    counts = np.asarray(counts)
    outputs = outputs or tuple(range(len(counts)))
    classes = ClassMap(names[: len(counts)], output_names or [f"output {n}" for n in range(counts.shape[1])], outputs)
    rows, columns = np.nonzero(counts)
    times = counts[rows, columns]
    return check_labels(np.repeat(rows, times), np.repeat(columns, times), classes, who)


def stopped(*arguments, **more):
    with pytest.raises(DatasetError) as caught:
        said(*arguments, **more)
    text = str(caught.value)
    assert text.startswith("Expected the class names to be in the order of the model's outputs, but got ")
    assert "\n" not in text
    return text


def test_a_right_order_says_nothing():
    assert said(np.diag([20] * 5)) == []
    assert said(np.diag([8] * 5) + 3) == []


def test_two_exchanged_names_of_a_good_network_are_a_warning_that_names_both():
    counts = np.diag([20] * 5)[[1, 0, 2, 3, 4]]
    (text,) = said(counts)
    assert text == (
        "Clean accuracy is 60.0%, but it would be 100.0% with the classes in another order: the names of 'cat' "
        "(output 0) and 'dog' (output 1) are probably exchanged (20 of 20 images of 'cat' (output 0) are predicted as "
        "'dog' (output 1); 20 of 20 images of 'dog' (output 1) are predicted as 'cat' (output 0)). Check that the "
        "class names are in the order of the model's outputs (folders are sorted as strings: 1, 10, 100, 2), and the "
        "labels of these images."
    )
    assert said(counts, who="'a.pt'") == [f"In 'a.pt': {text}"]


def test_classes_numbered_from_1_stop_below_chance_and_the_cause_is_named():
    counts = np.zeros((4, 8), int)
    counts[range(4), [0, 2, 4, 6]] = 12
    colors = ["red", "x1", "green", "x3", "blue", "x5", "yellow", "x7"]
    text = stopped(counts, (1, 3, 5, 7), ("x1", "x3", "x5", "x7"), colors)
    assert "a clean accuracy of 0.0%, below chance (25.0%), while the outputs one lower explain every image" in text
    assert "12 of 12 images of 'x1' (output 1) are predicted as 'red' (output 0)" in text
    assert "and 1 more. The classes seem to be numbered from 1" in text
    counts[0, :2] = 11, 1
    assert "the outputs one lower explain 97.9% of the images" in stopped(counts, (1, 3, 5, 7), colors[1::2], colors)


@pytest.mark.parametrize(("shift", "words"), [(1, "one higher"), (2, "2 higher"), (-2, "2 lower")])
def test_other_shifts(shift, words):
    counts = np.zeros((5, 9), int)
    counts[range(5), np.arange(2, 7) + shift] = 12
    text = stopped(counts, tuple(range(2, 7)))
    assert f"the outputs {words} explain every image" in text
    assert ("a class more before the first" in text) == (shift == 1)
    assert "in 'b.pt'" in stopped(counts, tuple(range(2, 7)), who="'b.pt'")


def test_exchanged_names_stop_where_accuracy_is_below_chance():
    assert "a clean accuracy of 0.0%, below chance (50.0%)" in stopped(np.diag([20, 20])[::-1])
    assert "below chance (33.3%)" in stopped(np.diag([20, 20, 16])[[1, 0, 2]])


def test_many_classes_are_counted():
    order = [1, 2, 0, 4, 3]
    text = stopped(np.diag([20] * 5)[order])
    assert "5 classes are probably under other names (" in text
    assert "; and 2 more)" in text


def test_names_are_printed_composed():
    names = ("cafe\u0301", "the\u0301", "x")
    (text,) = said(np.diag([20] * 3 + [40] * 2)[[1, 0, 2, 3, 4]], names=(*names, "y", "z"))
    assert "'caf\u00e9' (output 0) and 'th\u00e9' (output 1)" in text


class TestGuessing:
    def test_predictions_that_do_not_depend_on_the_image_are_a_warning(self):
        (text,) = said(np.full((5, 5), 8))
        assert text.startswith("Clean accuracy is 20.0%, no better than")
        assert "(20.0%): what follows measures nothing" in text
        constant = np.zeros((5, 5), int)
        constant[:, 2] = 40
        (text,) = said(constant)
        assert text.startswith("Clean accuracy is 20.0%, because all 200 images are predicted as 'owl' (output 2)")

    def test_a_weak_network_is_not_guessing(self):
        assert said(np.full((5, 5), 20) + 10 * np.eye(5, dtype=int)) == []

    @pytest.mark.parametrize(("classes", "images"), [(2, 1), (12, 4), (5, 6), (2, 200)])
    def test_one_constant_prediction_is_a_warning_with_any_number_of_images(self, classes, images):
        counts = np.zeros((classes, classes), int)
        counts[:, 0] = images
        (text,) = said(counts, names=[f"x{n}" for n in range(classes)])
        assert f"all {classes * images} images are predicted as 'x0' (output 0), whatever they show" in text
        counts[0, 0] += 1
        counts[1, :2] = images - 1, 1
        assert "whatever they show" not in "".join(said(counts, names=[f"x{n}" for n in range(classes)]))

    @pytest.mark.parametrize(("right", "warned"), [(0, 1), (1, 1), (2, 1), (3, 0)])
    def test_few_images_are_a_warning_where_accuracy_is_no_higher_than_chance(self, right, warned):
        """Of two classes of four images each; half of the second is right, as of the first by chance."""
        assert len(said([[right, 4 - right], [2, 2]])) == warned

    @pytest.mark.parametrize(("rare", "warned"), [(3, 0), (4, 1)])
    def test_a_rare_class_of_a_few_images_proves_nothing(self, rare, warned):
        assert len(said([[39, 1], [rare, 0]])) == warned

    @pytest.mark.parametrize(("images", "warned"), [(14, 0), (15, 1)])
    def test_from_30_images_on_an_accuracy_must_be_beyond_that_of_guessing(self, images, warned):
        """One image more is right than by chance."""
        assert len(said([[8, images - 8], [7, images - 7]])) == warned

    @pytest.mark.parametrize(
        "counts", [[[0, 1]], [[0, 40], [0, 0]], [[0, 2], [2, 0]], [[0, 2, 1], [1, 0, 2], [2, 1, 0]]]
    )
    def test_no_image_right_is_a_warning_with_any_number_of_images(self, counts):
        (text,) = said(counts)
        total = int(np.sum(counts))
        assert text.startswith(f"Clean accuracy is 0.0% (none of {total} image")
        assert "nothing can be measured" in text

    def test_no_image_at_all_says_nothing(self):
        assert said(np.zeros((2, 2), int)) == []

    def test_one_class_has_nothing_to_be_confused_with(self):
        assert said(np.array([[1, 39], [0, 0]])) == []
        assert said(np.array([[40, 0], [1, 2]])) == []


class TestFewImagesUnderEachOthersNames:
    @pytest.mark.parametrize("images", [5, 6])
    def test_two_classes_stop_from_five_images_on(self, images):
        text = stopped(np.diag([images] * 2)[::-1])
        assert "the names of 'cat' (output 0) and 'dog' (output 1) are probably exchanged" in text

    def test_four_images_are_a_warning_that_names_both(self):
        (text,) = said(np.diag([4] * 2)[::-1])
        assert "Clean accuracy is 0.0%, but it would be 100.0%" in text
        (text,) = said(np.diag([4] * 3)[[1, 0, 2]])
        assert "Clean accuracy is 33.3%, but it would be 100.0%" in text
        assert "'cat' (output 0) and 'dog' (output 1) are probably exchanged (4 of 4 images of 'cat'" in text

    def test_a_cycle_of_three_classes_stops(self):
        assert "3 classes are probably under other names" in stopped(np.diag([4] * 3)[[1, 2, 0]])


def test_one_network_that_knows_the_classes_shows_that_their_order_is_right():
    labels = np.repeat([0, 1, 2], 20)
    other, classes = (labels + 1) % 3, ClassMap(ANIMALS[:3], ANIMALS[:3], (0, 1, 2))
    assert check_runs({"'a'": (labels, labels)}, classes) == []
    (said,) = check_runs({"'a'": (labels, labels), "'b'": (labels, other)}, classes)
    assert "a clean accuracy of 0.0% in 'b', below chance" in said
    with pytest.raises(DatasetError, match=r"0.0% in 'a'"):
        check_runs({"'a'": (labels, other), "'b'": (labels, other)}, classes)
