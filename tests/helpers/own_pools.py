"""A stand-in for Ray's workers in this process, for tests of what is done with their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from ray import cloudpickle

from cuesense.inference import ray_pool
from cuesense.inference.options import RayWorkers
from cuesense.inference.ray_worker import packed


def use_own_pool(patch: pytest.MonkeyPatch) -> list[Any]:
    """Let pools do their tasks here, the last one first, with what was sent to them; return what was done."""
    done: list[Any] = []

    class OwnPool:
        def __init__(self, prepare: Callable[[], Callable[[Any], Any]], _: RayWorkers) -> None:
            self.do = cloudpickle.loads(packed(prepare))()

        def results(self, tasks: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
            for task in reversed(tasks):
                done.append(task)
                yield task, self.do(task)

        def close(self) -> None:
            done.append("closed")

    patch.setattr(ray_pool, "Pool", OwnPool)
    return done
