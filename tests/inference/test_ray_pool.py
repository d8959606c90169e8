"""The pool of workers with a stand-in for Ray: who gets a task after a loss, and when nobody can."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError, RayTaskError

from cuesense.errors import ModelError, SettingsError
from cuesense.inference.options import RayWorkers
from cuesense.inference.ray_pool import Pool
from cuesense.inference.ray_worker import versions

# Lists have no hash, as policies have none.
WORK = [[place] for place in range(6)]
Task = list[int]


class Call:
    """A call of an actor's function; a plan says what becomes of it."""

    def __init__(self, cluster: Cluster, actor: int, name: str) -> None:
        self.cluster, self.actor, self.name = cluster, actor, name

    def options(self, **_: Any) -> Call:
        return self

    def remote(self, *arguments: Any) -> object:
        call = object()
        task = arguments[-1] if self.name == "do" else None
        self.cluster.open[call] = (self.actor, task)
        self.cluster.calls.append((self.actor, task))
        return call


class Actor:
    """An actor by its number."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.ready, self.do = Call(cluster, number, "ready"), Call(cluster, number, "do")


class Cluster:
    """What a pool uses of Ray. Calls end in their order, as ``outcome`` says; None lets a call go on for ever."""

    def __init__(self, patch: pytest.MonkeyPatch, outcome: Any) -> None:
        self.outcome = outcome
        self.open: dict[object, tuple[int, Task | None]] = {}
        self.calls: deque[tuple[int, Task | None]] = deque()
        self.killed = 0
        self._made = 0
        for name in ("put", "get", "wait", "kill", "remote"):
            patch.setattr(ray, name, getattr(self, name))

    def put(self, content: Any) -> Any:
        return content

    def remote(self, _: type) -> Cluster:
        return self

    def options(self, **_: Any) -> Any:
        def make(*_: Any) -> Actor:
            self._made += 1
            return Actor(self, self._made)

        return type("Maker", (), {"remote": staticmethod(make)})

    def wait(self, calls: list[object], **_: Any) -> tuple[list[object], list[object]]:
        ended = [call for call in calls if self.outcome(*self.open[call]) is not None]
        assert ended, "nothing goes on any more"
        return ended[:1], []

    def get(self, call: object) -> Any:
        found = self.outcome(*self.open.pop(call))
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, dict) else (found, ["it is slow", "it is slow"])

    def kill(self, _: Actor) -> None:
        self.killed += 1


def pool(workers: int, tasks_at_a_time: int = 2) -> Pool:
    return Pool(list, RayWorkers(workers), tasks_at_a_time)


def test_every_task_is_done_once_and_the_actors_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lambda _, task: versions() if task is None else task)
    found = pool(2)
    assert sorted(task for task, _ in found.results(WORK)) == WORK
    assert sorted(task for _, task in cluster.calls if task is not None) == WORK
    assert {actor for actor, _ in cluster.calls} == {1, 2}
    found.close()
    assert cluster.killed == 2


def test_the_last_tasks_go_to_workers_that_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second starts when the first could already take another task, and tasks take longer than that."""

    def outcome(actor: int, task: Task | None) -> Any:
        starting = {other for other, task in cluster.open.values() if task is None}
        if task is None:
            return versions() if actor == 1 or 1 not in starting else None
        return None if starting else task

    cluster = Cluster(monkeypatch, outcome)
    assert len(list(pool(2).results(WORK[:2]))) == 2
    assert [actor for actor, task in cluster.calls if task is not None] == [1, 2]


def test_a_worker_without_a_machine_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has no room at first; the third is lost with its first task, and finds no room again."""
    lost: set[int] = set()

    def outcome(actor: int, task: Task | None) -> Any:
        if task is None:
            return None if actor == 2 or actor in lost else versions()
        if actor == 3:
            lost.add(3)
            return ActorDiedError()
        return task

    cluster = Cluster(monkeypatch, outcome)
    assert sorted(task for task, _ in pool(3).results(WORK)) == WORK
    assert lost
    assert len([task for _, task in cluster.calls if task is not None]) > len(WORK)


def test_a_task_that_ends_every_worker_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, lambda _, task: versions() if task is None else ActorDiedError() if task == WORK[3] else task)
    with pytest.raises(ModelError, match="one that ended again and again"):
        list(pool(2).results(WORK))


def test_workers_that_cannot_start_are_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lambda actor, task: task or (versions() if actor == 1 else ActorDiedError()))
    assert sorted(task for task, _ in pool(2).results(WORK)) == WORK
    cluster.outcome = lambda *_: ActorDiedError()
    with pytest.raises(ModelError, match="the workers of Ray to be alive"):
        list(pool(2).results(WORK))


def test_other_versions_and_missing_packages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lambda *_: versions() | {"torch": "1.0"})
    with pytest.raises(SettingsError, match=r"the version of torch to be .* on every machine, as here, but got 1\.0"):
        list(pool(1).results(WORK))
    cluster.outcome = lambda *_: RayTaskError("ready", "", ModuleNotFoundError("No module named 'cuesense'"))
    with pytest.raises(SettingsError, match=r"able to start.*'No module named 'cuesense''"):
        list(pool(1).results(WORK))


def test_actors_that_have_done_tasks_do_later_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, lambda _, task: versions() if task is None else task)
    found = pool(2, tasks_at_a_time=1)
    assert list(found.results([])) == []
    assert not cluster.calls, "no actor starts for nothing"
    assert sorted(task for task, _ in found.results(WORK[:1])) == WORK[:1]
    assert sorted(result for _, result in found.results(WORK)) == WORK
    assert sum(task is None for _, task in cluster.calls) == 2, "each actor started once"
    assert list(found.results([])) == []


def test_what_workers_warn_of_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    Cluster(monkeypatch, lambda _, task: versions() if task is None else task)
    list(pool(2).results(WORK))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == ["it is slow"]
