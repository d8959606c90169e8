"""Progress over the stages of an analysis."""

from __future__ import annotations

import pytest

from cuesense.workflows.stages import Stages


@pytest.mark.parametrize(
    ("tried", "pipeline", "ends"),
    [(0, 0, [100]), (0, 20, [50, 100]), (0, 10, [67, 100]), (500, 20, [11, 56, 100]), (20, 0, [1, 100])],
)
def test_an_image_is_done_under_all_conditions_of_all_stages(tried: int, pipeline: int, ends: list[int]) -> None:
    seen: list[tuple[int, int]] = []
    stages = Stages(100, 20, pipeline, lambda done, total: seen.append((done, total)))
    parts = [(stages.clean, tried)] * bool(tried) + [(stages.measured, 100)]
    for stage, images in parts + [(stages.under_transform, 100)] * bool(pipeline):
        stage(0, images)
        stage(images, images)
    assert [done for done, _ in seen] == [0, *(end for end in ends for _ in range(2))][: 2 * len(ends)]
    assert {total for _, total in seen} == {100}
