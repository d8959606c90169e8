import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.charts.axes import Plot, above, below, known_stretches, scale_limits


def test_unknown_values_leave_a_gap_in_a_line():
    plot = Plot(0, 30, 0, 100, 0.0, 1.0, 4)
    assert plot.line([0.5, None, 0.25, 1.0]) == "M0 50M20 75L30 0"
    assert plot.band([0.0, None, 0.25, 0.5], [0.5, None, 0.5, 1.0]) == "M0 50L0 100ZM20 50L30 0L30 50L20 75Z"
    # A bound without its other one has no area.
    assert plot.band([0.0, 0.1, 0.25, 0.5], [0.5, None, 0.5, 1.0]) == plot.band(
        [0.0, None, 0.25, 0.5], [0.5, None, 0.5, 1.0]
    )
    assert plot.line([None] * 4) == ""
    assert Plot(10, 30, 0, 100, 0.5, 1.0, 2).line([0.5, 0.75]) == "M10 100L30 50"


def test_a_single_strength_stands_at_the_left():
    assert Plot(10, 30, 0, 100, 0.0, 1.0, 1).x(0) == 10
    assert Plot(10, 30, 0, 100, 0.0, 1.0, 3).x(1) == 20


def test_stretches_keep_the_indices_of_their_values():
    assert known_stretches([None, 0.1, 0.2, None, 0.3]) == [[(1, 0.1), (2, 0.2)], [(4, 0.3)]]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.52, 0.78], (0.5, 0.8)),
        ([0.3, 0.6], (0.3, 0.6)),
        ([0.3, 0.61], (0.3, 0.7)),
        ([0.29, 0.6], (0.2, 0.6)),
        ([0.98, 0.99], (0.8, 1.0)),
        ([0.3, None], (0.3, 0.5)),
        ([None], (0.0, 1.0)),
        ([-0.2, 1.3], (0.0, 1.0)),
    ],
)
def test_scales_go_to_tenths_and_never_zoom_too_far(values, wanted):
    assert scale_limits(values) == wanted


@given(st.integers(-50, 50))
def test_multiples_of_a_step_stay_where_they_are(count):
    value = count * 0.1
    assert below(value, 0.1) == pytest.approx(value)
    assert above(value, 0.1) == pytest.approx(value)
    assert below(value + 0.01, 0.1) == pytest.approx(value)
    assert above(value + 0.01, 0.1) == pytest.approx(value + 0.1)
