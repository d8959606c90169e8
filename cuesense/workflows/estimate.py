"""Say what an analysis will take, and what would be cheaper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cuesense.config import presets
from cuesense.datasets.subset import subset
from cuesense.inference.pace import Pace
from cuesense.schemas.cost import CostEstimate, CostRow
from cuesense.workflows.cost import Stage, pace_of, seconds_of
from cuesense.workflows.measure import Analysis, stages_of
from cuesense.workflows.parts import text_of

# Images of each class that are offered where a class has more: 100 show a loss of 5 points, and below 25 little is
# decided. Chosen by hand.
_FEWER_IMAGES = (100, 50, 25)


def cost_of(analysis: Analysis, folder: Path | None, *, restart: bool) -> CostEstimate:
    """Return what an analysis would take, and what others would.

    Args:
        analysis: The analysis.
        folder: Where predictions are kept; only looked at.
        restart: Whether those that are in the folder do not count.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: The images' sizes differ where none was given.
        OutputError: The folder holds predictions of other settings, or cannot be read.
    """
    planned = stages_of(analysis, folder, restart=restart)
    configs = list(_other_configs(analysis, planned))
    pace = pace_of(planned, *(stages[0] for _, stages in configs))
    rows = [_row(name, None, stages, pace) for name, stages in configs]
    rows += [_row(analysis.config.name, count, stages, pace) for count, stages in _fewer_images(analysis, planned)]
    row = _row(analysis.config.name, None, planned, pace)
    part = analysis.run.part
    return CostEstimate(
        model=analysis.classifier.spec,
        dataset=analysis.dataset.spec,
        device=analysis.run.device,
        part=text_of(part),
        workers=None if analysis.run.ray is None else analysis.run.ray.count,
        planned=row,
        done=row.images * row.conditions - sum(unit.forwards for stage in planned for unit in stage.missing),
        memory_bytes=None if pace is None else pace.memory,
        device_memory_bytes=None if pace is None else pace.device_memory,
        others=rows,
        adaptive=analysis.adaptive,
    )


def _other_configs(analysis: Analysis, planned: Sequence[Stage]) -> Iterator[tuple[str, list[Stage]]]:
    """Yield the presets that were not chosen, the one with the fewest conditions first."""
    others = [config for name, config in presets().items() if name != analysis.config.name]
    for config in sorted(others, key=lambda config: len(config.conditions())):
        first = replace(planned[0].run, conditions=tuple(config.conditions()))
        yield config.name, [Stage(first, planned[0].store), *planned[1:]]


def _fewer_images(analysis: Analysis, planned: Sequence[Stage]) -> Iterator[tuple[int, list[Stage]]]:
    most = int(np.bincount(analysis.dataset.labels).max())
    for count in _FEWER_IMAGES:
        if count < most:
            dataset = subset(analysis.dataset, count)
            yield count, [Stage(replace(stage.run, dataset=dataset), stage.store) for stage in planned]


def _row(config: str, images_per_class: int | None, stages: Sequence[Stage], pace: Pace | None) -> CostRow:
    return CostRow(
        config=config,
        images_per_class=images_per_class,
        images=len(stages[0].run.dataset),
        conditions=sum(len(stage.run.conditions) for stage in stages),
        forward_passes=sum(stage.forwards for stage in stages),
        seconds=seconds_of(stages, pace),
    )
