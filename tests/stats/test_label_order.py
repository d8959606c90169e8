"""Another order of the classes is found where it explains the predictions, and confusions are not taken for one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.stats.label_order import Kind, accuracy_and_chance, find_order


def table(order, per_class=20, right=18, outputs=None, elsewhere=None):
    """Return counts where class i is predicted ``right`` times as output order[i], and else as the next outputs."""
    outputs = outputs or max(order) + 1
    counts = np.zeros((len(order), outputs), dtype=np.int64)
    for row, column in enumerate(order):
        counts[row, column] += right
        for number in range(per_class - right):
            counts[row, (column + 1 + number) % outputs if elsewhere is None else elsewhere] += 1
    return counts


def draw(rng, classes, outputs, images, noise, moved=0.0, groups=1):
    """Return counts of a nearest-prototype network, and the output of each class.

    The images of a class lie around its prototype (24 values), with noise, and with a displacement of their own, as of
    another domain, ``moved`` times as long as a prototype; ``groups`` prototypes each are similar.
    """
    centers = rng.normal(size=(max(1, outputs // groups), 24))
    known = rng.normal(size=(outputs, 24)) + (centers[rng.integers(len(centers), size=outputs)] if groups > 1 else 0)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    chosen = np.sort(rng.choice(outputs, classes, replace=False))
    counts = np.zeros((classes, outputs), dtype=np.int64)
    for row, output in enumerate(chosen):
        shift = rng.normal(size=24) * moved / np.sqrt(24)
        features = known[output] + shift + rng.normal(size=(images, 24)) * noise / np.sqrt(24)
        np.add.at(counts[row], (features @ known.T).argmax(axis=1), 1)
    return counts, chosen


class TestShift:
    @pytest.mark.parametrize("shift", [-3, -1, 1, 2])
    def test_outputs_a_constant_number_of_places_away(self, shift):
        owned = np.array([3, 5, 9])
        found = find_order(table(owned + shift, outputs=14), owned)
        assert (found.kind, found.shift) == (Kind.SHIFT, shift)
        assert found.better.tolist() == (owned + shift).tolist()
        assert sorted(found.moved) == [0, 1, 2]
        assert found.explained == 0.9

    def test_a_weak_network_shows_it_too(self):
        rng = np.random.default_rng(0)
        counts, owned = draw(rng, 40, 42, 20, 3.0)
        assert 0.2 < counts[np.arange(40), owned].sum() / counts.sum() < 0.6
        found = find_order(np.insert(counts, 0, 0, axis=1), owned)
        assert (found.kind, found.shift) == (Kind.SHIFT, 1)

    def test_one_constant_prediction_is_no_shift(self):
        for column in range(4):
            assert find_order(table([column] * 3, outputs=4), (0, 1, 2)) is None

    @pytest.mark.parametrize(("follow", "found"), [(1, False), (2, True)])
    def test_half_of_the_classes_must_follow(self, follow, found):
        counts = np.zeros((3, 4), dtype=np.int64)
        counts[np.arange(follow), np.arange(follow) + 1] = 40
        counts[np.arange(follow, 3), np.arange(follow, 3)] = 5
        order = find_order(counts, (0, 1, 2))
        assert (order is not None and order.kind is Kind.SHIFT) == found

    @pytest.mark.parametrize(("own", "found"), [(10, True), (11, False)])
    def test_four_times_as_many_images(self, own, found):
        counts = np.zeros((5, 7), dtype=np.int64)
        counts[np.arange(5), np.arange(5) + 1] = 40
        counts[np.arange(5), np.arange(5)] = own
        assert (find_order(counts, range(5)) is not None) == found


class TestExchange:
    @pytest.mark.parametrize("accuracy", [8, 12, 16, 20])
    def test_two_names_of_a_network_of_any_accuracy(self, accuracy):
        counts = np.eye(10, 30, dtype=np.int64)[[1, 0, *range(2, 10)]] * accuracy
        counts[:, 10 : 30 - accuracy] = 1
        found = find_order(counts, range(10))
        assert found.kind is Kind.EXCHANGE
        assert sorted(found.moved) == [0, 1]
        assert found.better.tolist() == [1, 0, *range(2, 10)]
        assert found.accuracy == pytest.approx(0.8 * accuracy / 20)
        assert found.explained == pytest.approx(accuracy / 20)

    @pytest.mark.parametrize("images", [10, 20, 50])
    @pytest.mark.parametrize("classes", [2, 3, 10, 100, 300])
    def test_two_names_among_any_number_of_classes(self, classes, images):
        if classes > 10 and images == 50:
            pytest.skip("slow, and easier than 20 images")
        order = list(range(classes))
        order[0], order[-1] = order[-1], order[0]
        found = find_order(table(order, images, images), range(classes))
        assert sorted(found.moved) == [0, classes - 1]

    @pytest.mark.parametrize("order", [(1, 2, 0, 3, 4, 5), (1, 0, 3, 2, 4, 5), (1, 2, 3, 4, 0, 5)])
    def test_several(self, order):
        found = find_order(table(order), range(6))
        assert found.better.tolist() == list(order)

    def test_the_classes_that_gain_most_come_first(self):
        counts = np.diag([20, 20, 40, 40, 30])[[1, 0, 3, 2, 4]]
        assert find_order(counts, range(5)).moved.tolist() == [2, 3, 0, 1]

    def test_half_of_the_classes_permuted_of_a_middling_network(self):
        rng = np.random.default_rng(1)
        counts, owned = draw(rng, 60, 60, 30, 2.0)
        order = owned.copy()
        order[:30] = owned[np.roll(np.arange(30), 1)]
        found = find_order(counts, order)
        assert set(found.moved) <= set(range(30))
        assert len(found.moved) >= 24

    def test_half_permuted_where_other_outputs_are_no_classes_of_the_dataset(self):
        owned = np.arange(12) * 7
        order = owned.copy()
        order[:6] += 3
        assert sorted(find_order(table(owned, outputs=100), order).moved) == list(range(6))
        order[3:] = owned[3:]
        assert find_order(table(owned, outputs=100), order) is None

    def test_classes_without_images_take_no_part(self):
        counts = np.insert(table([1, 0, 2], outputs=4), 0, 0, axis=0)
        found = find_order(counts, (3, 0, 1, 2))
        assert sorted(found.moved) == [1, 2]
        assert found.better.tolist() == [3, 1, 0, 2]

    @given(st.permutations(range(6)), st.integers(12, 40))
    def test_any_permutation_of_a_good_network_is_found_and_a_right_order_is_not(self, order, images):
        found = find_order(table(order, images, images - 1, outputs=8), range(6))
        if list(order) == list(range(6)):
            assert found is None
        elif found.kind is Kind.SHIFT:
            assert [place for place in range(6) if order[place] == place + found.shift] == sorted(found.moved)
        else:
            assert found.better.tolist() == list(order)


class TestConfusionsAreNoExchange:
    @pytest.mark.parametrize("images", [10, 50, 500, 50_000])
    @pytest.mark.parametrize("share", [0.5, 0.6])
    def test_classes_that_are_mistaken_for_each_other(self, share, images):
        rng = np.random.default_rng(0)
        for _ in range(20):
            counts = np.diag([images] * 10)
            for row, other in ((0, 1), (1, 0)):
                counts[row, other] = rng.binomial(images, share)
                counts[row, row] = images - counts[row, other]
            assert find_order(counts, range(10)) is None

    @pytest.mark.parametrize(("own", "found"), [(20, True), (21, False)])
    def test_each_must_be_taken_for_the_other_four_times_as_often(self, own, found):
        counts = np.diag([100] * 5)
        counts[:2, :2] = [[own, 80], [0, 100]]
        counts[1, :2] = [80, 20]
        assert (find_order(counts, range(5)) is not None) == found

    def test_a_class_that_falls_into_another(self):
        counts = np.diag([50] * 5)
        counts[0] = [0, 50, 0, 0, 0]
        assert find_order(counts, range(5)) is None
        counts[1] = [20, 30, 0, 0, 0]
        assert find_order(counts, range(5)) is None

    def test_a_chain_of_two_classes(self):
        counts = np.diag([50] * 10)
        counts[0, :3], counts[1, :3] = [0, 50, 0], [0, 0, 50]
        assert find_order(counts, range(10)) is None

    def test_one_class_that_falls_into_an_output_outside_of_the_dataset(self):
        counts = np.eye(12, 1000, dtype=np.int64) * 50
        counts[0] = np.eye(1, 1000, 500, dtype=np.int64) * 50
        assert find_order(counts, range(12)) is None

    @pytest.mark.parametrize("column", [0, 3])
    def test_a_sink(self, column):
        for right in (0, 2, 10):
            counts = table(range(10), 20, right, outputs=10, elsewhere=column)
            assert find_order(counts, range(10)) is None

    def test_few_images(self):
        assert find_order(np.array([[0, 3], [3, 0]]), (0, 1)) is None
        assert find_order(np.diag([4] * 10)[[1, 0, *range(2, 10)]], range(10)) is None

    @pytest.mark.parametrize(("classes", "images"), [(2, 15), (3, 10), (5, 6), (20, 5), (100, 5), (10, 200)])
    def test_guesses(self, classes, images):
        rng = np.random.default_rng(classes)
        tables = (rng.multinomial(images, np.full(classes, 1 / classes), size=classes) for _ in range(100))
        assert sum(find_order(counts, range(classes)) is not None for counts in tables) <= 1

    @pytest.mark.parametrize(
        ("classes", "outputs", "images"), [(2, 2, 15), (5, 5, 30), (10, 10, 20), (12, 200, 50), (50, 50, 20)]
    )
    def test_sound_networks_weak_and_strong_in_their_own_domain_and_near_it(self, classes, outputs, images):
        rng = np.random.default_rng(classes + outputs)
        for noise, moved, groups in itertools.product((0.5, 2.0, 6.0), (0.0, 0.7), (1, 5)):
            for _ in range(3):
                assert find_order(*draw(rng, classes, outputs, images, noise, moved, groups)) is None

    def test_nothing_to_compare(self):
        assert find_order(np.zeros((3, 3), dtype=np.int64), (0, 1, 2)) is None
        assert find_order(np.array([[0, 50], [0, 0]]), (0, 1)) is None
        assert find_order(np.array([[0, 50]]), (0,)) is None


class TestWholeCycles:
    """Every image of all of its classes is at the other output: few images show it."""

    @staticmethod
    def exchanged(images, classes, pairs=1):
        order = list(range(classes))
        for first in range(0, 2 * pairs, 2):
            order[first], order[first + 1] = first + 1, first
        return find_order(np.diag([images] * classes)[order], range(classes))

    @pytest.mark.parametrize(("images", "certain"), [(3, None), (4, False), (5, True)])
    def test_two_classes(self, images, certain):
        """2^-6 is above 0.01, 2^-8 below, and 2^-10 below 0.001."""
        found = self.exchanged(images, 2)
        assert (found and found.certain) == certain

    @pytest.mark.parametrize(
        ("images", "classes", "found"), [(4, 3, True), (4, 5, True), (4, 6, False), (5, 21, True), (5, 22, False)]
    )
    def test_the_more_classes_the_more_images(self, images, classes, found):
        order = self.exchanged(images, classes)
        assert (order is not None) == found
        assert order is None or (order.moved.tolist(), order.certain) == ([0, 1], False)

    @pytest.mark.parametrize(("pairs", "certain"), [(1, None), (2, True), (5, True)])
    def test_several_are_judged_together(self, pairs, certain):
        found = self.exchanged(4, 10, pairs)
        assert (found and (found.certain, len(found.moved))) == (certain and (certain, 2 * pairs))

    def test_one_image_at_its_own_output_or_at_a_third_is_not_whole(self):
        for row in ([1, 3, 0], [0, 3, 1]):
            assert find_order(np.array([row, [4, 0, 0], [0, 0, 4]]), range(3)) is None

    def test_a_cycle_of_three(self):
        found = find_order(np.diag([4] * 5)[[1, 2, 0, 3, 4]], range(5))
        assert (found.better.tolist(), found.certain) == ([1, 2, 0, 3, 4], True)

    def test_classes_that_a_network_cannot_tell_apart_seldom_look_so(self):
        """All of ten classes are alike in pairs; the level is one in a hundred."""
        rng, alarms = np.random.default_rng(0), 0
        for _ in range(300):
            counts = np.zeros((10, 10), np.int64)
            for row in range(10):
                own = rng.binomial(5, 0.5)
                counts[row, [row, row ^ 1]] = own, 5 - own
            alarms += find_order(counts, range(10)) is not None
        assert alarms <= 6


class TestNearChance:
    """All classes together are judged, where each alone has too few images to show its output."""

    # No constant shift: the most common one is that of three classes.
    TEN = (7, 3, 9, 0, 8, 1, 4, 2, 5, 6)
    FIVE = (3, 0, 4, 1, 2)

    @staticmethod
    def found(order, images, right):
        """Return what is found when so many images of each class are at the output, and one each at others."""
        counts = np.zeros((len(order), len(order) + 20), dtype=np.int64)
        counts[range(len(order)), order] = right
        counts[:, len(order) : len(order) + images - right] = 1
        return find_order(counts, range(len(order)))

    @pytest.mark.parametrize(("images", "found"), [(4, False), (5, True)])
    def test_five_images_a_class_at_least(self, images, found):
        assert (self.found(self.TEN, images, 3) is not None) == found

    @pytest.mark.parametrize(("images", "right", "found"), [(5, 3, False), (6, 4, True)])
    def test_thirty_images_at_least(self, images, right, found):
        assert (self.found(self.FIVE, images, right) is not None) == found

    @pytest.mark.parametrize(("right", "found"), [(2, False), (3, True)])
    def test_another_order_must_explain_half_of_the_images_more(self, right, found):
        order = self.found(self.TEN, 5, right)
        assert (order is not None) == found
        assert order is None or (order.kind, order.better.tolist()) == (Kind.PERMUTATION, list(self.TEN))

    @pytest.mark.parametrize(("right", "found"), [(2, True), (3, False)])
    def test_accuracy_must_be_within_15_points_of_chance(self, right, found):
        """So many of ten classes are right; the others are each other's, with too few images to show it alone."""
        others = {2: (4, 6, 3, 8, 9, 5, 7, 2), 3: (6, 8, 4, 9, 3, 5, 7)}[right]
        counts = np.zeros((10, 11), dtype=np.int64)
        counts[range(right), range(right)] = 5
        counts[range(right, 10), others] = 4
        counts[right:, 10] = 1
        assert (find_order(counts, range(10)) is not None) == found

    @pytest.mark.parametrize(("largest", "found"), [(20, True), (36, False)])
    def test_another_order_must_explain_15_points_more_than_the_largest_class(self, largest, found):
        counts = np.zeros((3, 12), dtype=np.int64)
        counts[0, 2], counts[1, 0], counts[2, 1] = largest, 3, 3
        counts[1:, 3:5] = 1
        assert (counts.sum() >= 30, largest + 6 >= (largest / counts.sum() + 0.15) * counts.sum()) == (True, found)
        assert (find_order(counts, range(3)) is not None) == found


@given(st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=3, max_size=3))
def test_any_counts_give_a_consistent_answer(rows):
    counts = np.array(rows)
    found = find_order(counts, (2, 0, 3))
    if found is not None:
        right = counts[np.arange(3), [2, 0, 3]].sum() / counts.sum()
        other = sum(counts[row, output] for row, output in enumerate(found.better) if output >= 0) / counts.sum()
        assert (found.accuracy, found.explained) == (pytest.approx(right), pytest.approx(other))
        assert found.explained > found.accuracy


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=2))
def test_chance_is_that_of_predictions_dealt_out_at_random(rows):
    counts = np.array(rows)
    labels = [row for row in range(2) for _ in range(counts[row].sum())]
    predicted = [column for row in range(2) for column in range(3) for _ in range(counts[row, column])]
    if not 2 <= len(labels) <= 6:
        return
    every = [
        np.mean([(1, 2)[label] == output for label, output in zip(labels, dealt, strict=True)])
        for dealt in itertools.permutations(predicted)
    ]
    accuracy, mean, deviation = accuracy_and_chance(counts, (1, 2))
    assert accuracy == pytest.approx((counts[0, 1] + counts[1, 2]) / len(labels))
    assert mean == pytest.approx(np.mean(every))
    assert deviation == pytest.approx(np.std(every), abs=1e-9)
