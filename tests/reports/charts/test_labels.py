import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.charts.labels import fitting_ticks, free_place, moved_apart, shortened


@given(st.lists(st.floats(0, 400), max_size=20))
def test_labels_never_overlap_and_keep_their_order(wanted):
    found = moved_apart(wanted, 15, 0, 400)
    order = np.argsort(wanted, kind="stable")
    placed = np.array(found)[order] if found else np.array([])
    assert (np.diff(placed) >= 14.8).all()
    assert all(-0.1 <= position <= 400.1 for position in found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([200.0, 10.0, 100.0], [200.0, 10.0, 100.0]),
        ([100.0, 115.0], [100.0, 115.0]),
        ([100.0, 114.0], [99.5, 114.5]),
        ([100.0, 100.0], [92.5, 107.5]),
        ([0.0, 0.0], [0.0, 15.0]),
        ([400.0, 400.0], [385.0, 400.0]),
        ([], []),
    ],
)
def test_labels_move_only_as_far_as_they_must(wanted, found):
    assert moved_apart(wanted, 15, 0, 400) == found


def test_too_many_labels_go_on_below_the_greatest_position():
    assert moved_apart([0.0, 0.0, 0.0], 15, 0, 20) == [0.0, 15.0, 30.0]


def test_labels_of_an_axis_are_left_out_where_they_would_overlap():
    labels = [f"{index:04d}" for index in range(20)]
    shown = fitting_ticks(labels, 10, 7, [7])
    assert 7 in shown
    assert min(np.diff(shown)) * 10 >= 7 * 5
    assert fitting_ticks(labels, 100, 7, []) == list(range(20))


@pytest.mark.parametrize(("step", "shown"), [(35.0, [0, 1, 2]), (34.9, [0, 2])])
def test_two_labels_keep_two_letters_between_them(step, shown):
    assert fitting_ticks(["0000", "1111", "2222"], step, 7, []) == shown


@pytest.mark.parametrize(("label", "found"), [("abcd", "abcd"), ("abcde", "abc…")])
def test_labels_are_cut_above_their_length(label, found):
    assert shortened(label, 4) == found


ROOM = (0.0, 0.0, 100.0, 100.0)


@pytest.mark.parametrize(
    ("point", "taken", "found"),
    [
        ((50, 50), [], (55, 45, 75, 55)),
        ((50, 50), [(60, 40, 70, 50)], (25, 45, 45, 55)),
        ((90, 50), [], (65, 45, 85, 55)),
        ((50, 50), [(55, 45, 75, 55), (25, 45, 45, 55)], (40, 35, 60, 45)),
        ((50, 50), [(20, 30, 80, 55)], (40, 55, 60, 65)),
        ((50, 50), [(20, 30, 80, 70)], None),
        # Boxes that touch do not overlap.
        ((50, 50), [(75, 40, 80, 50)], (55, 45, 75, 55)),
        ((75, 50), [], (80, 45, 100, 55)),
    ],
)
def test_a_label_takes_the_first_free_place(point, taken, found):
    assert free_place(point, (20, 10), 5, taken, ROOM) == found
