"""Share independent tasks among the workers of a Ray cluster. Imports Ray: only where it is asked for."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import ray

from cuesense.errors import ModelError, SettingsError, expected, first_line
from cuesense.inference.options import RayWorkers
from cuesense.inference.ray_worker import Worker, packed, versions

# A task whose worker ended so often ends every worker, for instance because its images do not fit into memory; workers
# of machines that are taken away are lost now and then. Chosen by hand; not tuned.
_MOST_LOSSES = 5
# Before it is said that the cluster has no room. Chosen by hand.
_PATIENCE_SECONDS = 60.0

_LOG = logging.getLogger(__name__)

Task = TypeVar("Task")
# The position of a task among those that are being done.
_Place = int


class Pool:
    """Ray's actors, each with what does tasks, and what they work on.

    Ray starts a lost actor again, anywhere in the cluster. Its tasks go to whichever actor is free: one that finds no
    machine any more would keep them to the end.
    """

    def __init__(
        self, prepare: Callable[[], Callable[[Any], Any]], workers: RayWorkers, tasks_at_a_time: int = 1
    ) -> None:
        """Send what does the tasks to the cluster; no actor starts before there is a task.

        Args:
            prepare: Called once in each worker, where it returns the function that does a task.
            workers: How many actors there are, and what each takes.
            tasks_at_a_time: Tasks that an actor does side by side, in threads of its own.

        Raises:
            ModelError: It cannot be sent to another process.
        """
        self._workers, self._tasks_at_a_time = workers, tasks_at_a_time
        self._versions = versions()
        # With every call: an actor that was started again knows nothing.
        self._content = ray.put(packed(prepare))
        self._actors: list[Any] = []
        self._losses: Counter[_Place] = Counter()
        self._warnings: set[str] = set()
        self._idle: list[Any] = []
        # What each unanswered call is about: the actor, and its task, or None while the actor starts.
        self._calls: dict[Any, tuple[Any, _Place | None]] = {}

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Any]]:
        """Yield every task with its result, in the order in which they end.

        Args:
            tasks: What the function of ``prepare`` is called with, one at a time.

        Raises:
            CuesenseError: What a task raised; the workers cannot be started, or end again and again.
        """
        waiting, left = deque(range(len(tasks))), len(tasks)
        self._losses.clear()
        if tasks and not self._actors:
            self._start_all()
        while left:
            self._give(waiting, tasks)
            place, found = self._next(waiting)
            if place is not None:
                left -= 1
                # Before the result is looked at, so that its worker does not wait for that.
                self._give(waiting, tasks)
                yield tasks[place], found

    def close(self) -> None:
        """End the actors."""
        for actor in self._actors:
            ray.kill(actor)

    def _start_all(self) -> None:
        actor: Any = ray.remote(Worker).options(
            num_cpus=self._workers.cpus,
            num_gpus=self._workers.gpus,
            max_restarts=-1,
            max_concurrency=self._tasks_at_a_time,
        )
        self._actors = [actor.remote(str(Path.cwd())) for _ in range(self._workers.count)]
        for started in self._actors * self._tasks_at_a_time:
            self._start(started)

    def _start(self, actor: Any) -> None:
        self._calls[actor.ready.options(max_task_retries=-1).remote()] = actor, None

    def _give(self, waiting: deque[_Place], tasks: Sequence[Any]) -> None:
        """Give tasks to actors, a second one only while there are enough: at the end it would wait beside idle ones."""
        for actor in tuple(self._idle):
            busy = any(actor is other and place is not None for other, place in self._calls.values())
            if waiting and (not busy or len(waiting) > len(self._actors)):
                self._idle.remove(actor)
                place = waiting.popleft()
                self._calls[actor.do.remote(self._content, tasks[place])] = actor, place

    def _next(self, waiting: deque[_Place]) -> tuple[_Place | None, Any]:
        """Wait for a call to end; return its task and result, or None where an actor has started or was lost."""
        call = self._ended_call()
        actor, place = self._calls.pop(call)
        try:
            found = ray.get(call)
        except ray.exceptions.RayTaskError as error:
            raise _cause(error, place) from error
        except ray.exceptions.RayError as error:
            self._lose(actor, place, error)
            waiting.extendleft([] if place is None else [place])
            return None, None
        self._idle.append(actor)
        if place is None:
            self._refuse_other_versions(found)
            return None, None
        result, warnings = found
        self._warn(warnings)
        return place, result

    def _ended_call(self) -> Any:
        while True:
            ended, _ = ray.wait(list(self._calls), timeout=_PATIENCE_SECONDS)
            if ended:
                return ended[0]
            if all(place is None for _, place in self._calls.values()) and not self._idle:
                _LOG.warning("no machine of the Ray cluster is free for a worker yet: waiting for one")

    def _lose(self, actor: Any, place: _Place | None, error: Exception) -> None:
        """Take note of a lost actor, and raise ModelError where there is none to go on with, or no sense in it."""
        reason = first_line(error)
        if place is not None:
            _LOG.info("a Ray worker ended; what it did is given to another: %s", reason)
            self._losses[place] += 1
            self._start(actor)
        if place is not None and self._losses[place] < _MOST_LOSSES:
            return
        if place is None and (self._calls or self._idle):
            return
        do = "Give fewer --ray-workers where memory is short"
        raise ModelError(expected("the workers of Ray", "alive", f"one that ended again and again: {reason}", do))

    def _warn(self, warnings: Sequence[str]) -> None:
        """Say once what workers warn of: each of them says it."""
        for text in dict.fromkeys(warnings):
            if text not in self._warnings:
                self._warnings.add(text)
                _LOG.warning("%s", text)

    def _refuse_other_versions(self, found: dict[str, str]) -> None:
        other = {name: value for name, value in found.items() if value != self._versions[name]}
        if other:
            name, value = next(iter(other.items()))
            to_be = f"{self._versions[name]} on every machine, as here"
            raise SettingsError(expected(f"the version of {name}", to_be, f"{value} on one", "Install the same"))


def _cause(error: Any, place: _Place | None) -> Exception:
    """Return what a worker raised."""
    if place is None:
        to_be = "able to start, with cuesense installed on every machine"
        return SettingsError(expected("the workers of Ray", to_be, f"'{first_line(error.cause)}'", "Install it there"))
    cause = error.cause
    return cause if isinstance(cause, Exception) else error
