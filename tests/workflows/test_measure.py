"""What a profile says of a measurement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cuesense.workflows.measure import _stages, causes_first
from cuesense.workflows.readings import WRONG_WAY


def test_a_wrong_preparation_comes_before_what_may_come_from_it() -> None:
    order, cause, other = "Classes are exchanged.", f"{WRONG_WAY}: 60 of 64.", "1 image was left out."
    assert causes_first([order], [other]) == [order, other]
    first, second, third = causes_first([order], [other, cause])
    assert (first, third) == (cause, other)
    assert second.startswith(f"{order} This may come from how the images are prepared")
    assert causes_first([], [other, cause]) == [cause, other]


@pytest.mark.parametrize(("more", "half"), [(0, 100), (20, 50), (10, 67)])
def test_progress_counts_an_image_under_all_conditions_of_both_stages(more: int, half: int) -> None:
    def planned(conditions: int) -> SimpleNamespace:
        return SimpleNamespace(config=SimpleNamespace(conditions=lambda: [None] * conditions))

    analysis = SimpleNamespace(config=planned(20).config, pipeline=planned(more) if more else None)
    seen: list[tuple[int, int]] = []
    first, second = _stages(analysis, lambda *step: seen.append(step))  # type: ignore[arg-type]
    for stage in (first, second) if more else (first,):
        for done in (0, 100):
            stage(done, 100)
    assert seen == [(0, 100), (half, 100), *([(half, 100), (100, 100)] if more else [])]
