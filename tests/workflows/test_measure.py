"""What a profile says of a measurement."""

from __future__ import annotations

from cuesense.workflows.measure import causes_first
from cuesense.workflows.readings import WRONG_WAY


def test_a_wrong_preparation_comes_before_what_may_come_from_it() -> None:
    order, cause, other = "Classes are exchanged.", f"{WRONG_WAY}: 60 of 64.", "1 image was left out."
    assert causes_first([order], [other]) == [order, other]
    first, second, third = causes_first([order], [other, cause])
    assert (first, third) == (cause, other)
    assert second.startswith(f"{order} This may come from how the images are prepared")
    assert causes_first([], [other, cause]) == [cause, other]
