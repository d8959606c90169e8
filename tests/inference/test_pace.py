"""How fast the parts of a run are, and how long a run is said to take from that."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.inference import pace
from cuesense.inference.options import RayWorkers, RunOptions
from cuesense.inference.pace import Pace, measure_pace
from cuesense.inference.units import Run, Unit
from cuesense.types import Condition, Sample
from tests.helpers.engine_runs import GRAY, SHUFFLE
from tests.helpers.small_networks import Colors, Meanest, classifier

CONDITIONS = (Condition(), Condition(GRAY, 1), Condition(GRAY, 2), Condition(GRAY, 2, repeat=1))


def run_of(dataset: Colors, network: torch.nn.Module | None = None, **options: object) -> Run:
    settings = RunOptions(**({"batch_size": 8, "workers": 1} | options))  # type: ignore[arg-type]
    return Run(classifier(network), dataset, (0, 1, 2), CONDITIONS, settings)


def known(**changes: float) -> Pace:
    perturb = {("clean", 0.0): 0.0} | {("grayscale", condition.value): 0.01 for condition in CONDITIONS[1:]}
    return replace(Pace(0.0, 1.0, perturb, None, None), **changes)


def on_cores(monkeypatch: pytest.MonkeyPatch, cores: int, threads: int) -> None:
    monkeypatch.setattr(pace, "cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)


def test_a_filled_batch_takes_as_long_as_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    on_cores(monkeypatch, 1, 1)
    run = run_of(Colors(30))
    assert run.batch_size == 8
    whole = [Unit(tuple(range(16)), (0, 1))]
    assert known().seconds(run, whole) == pytest.approx(16 * 2 + 16 * 0.01)
    rest = [Unit(tuple(range(9)), (0,)), Unit((1,), (0, 2, 3))]
    assert known().seconds(run, rest) == pytest.approx(16 + 8 * 3 + 2 * 0.01)
    assert known().seconds(run, []) == 0


@pytest.mark.parametrize(
    ("cores", "threads", "workers", "seconds"),
    [
        # On a core that does all, one after the other.
        (1, 1, 4, 8 + 16),
        # Beside the network, on a core of its own: what takes longer counts.
        (2, 1, 1, 16),
        # A network on all cores leaves none.
        (2, 2, 2, 8 + 16 / 2),
        # More threads than cores decode no faster.
        (4, 1, 16, 8),
    ],
)
def test_images_are_decoded_beside_the_network_on_the_cores_that_it_leaves(
    cores: int, threads: int, workers: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_cores(monkeypatch, cores, threads)
    run = run_of(Colors(30), workers=workers)
    assert known(decode=2.0).seconds(run, [Unit(tuple(range(8)), (0,))]) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("device", "threads", "workers", "seconds"),
    [
        # Four workers of a core each, as fast as the one thread that was measured: 24 s of work.
        ("cpu", 1, RayWorkers(4), (8 + 16) / 4),
        # What two threads did in 8 s takes one 16 s.
        ("cpu", 2, RayWorkers(4), (16 + 16) / 4),
        # With enough cores, four GPUs are the limit.
        ("cuda", 1, RayWorkers(4, 8, 1.0), 8 / 4),
        # A core for each GPU is too few.
        ("cuda", 1, RayWorkers(4, 1, 1.0), (8 + 16) / 4),
        # Four workers on two GPUs.
        ("cuda", 1, RayWorkers(4, 8, 0.5), 8 / 2),
    ],
)
def test_workers_share_the_work(
    device: str, threads: int, workers: RayWorkers, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_cores(monkeypatch, 2, threads)
    run = run_of(Colors(30), device=device, ray=workers)
    assert known(decode=2.0).seconds(run, [Unit(tuple(range(8)), (0,))]) == pytest.approx(seconds)


def test_workers_with_gpus_are_as_fast_as_nothing_on_a_machine_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert measure_pace(run_of(Colors(30), device="cuda", ray=RayWorkers(2, 1, 1.0)), CONDITIONS, 0) is None
    assert measure_pace(run_of(Colors(30), ray=RayWorkers(2)), CONDITIONS, 0) is not None


class Slow(Meanest):
    """Takes 40 ms a batch."""

    def forward(self, images: Tensor) -> Tensor:
        time.sleep(0.04)
        return super().forward(images)


class SlowToDecode(Colors):
    """Takes 5 ms an image."""

    def __getitem__(self, index: int) -> Sample:
        time.sleep(0.005)
        return super().__getitem__(index)


def test_network_decoding_and_perturbations_are_timed_each() -> None:
    calls = []

    def slow(images: Tensor, value: float, _: Draws) -> Tensor:
        calls.append(value)
        time.sleep(0.01 * value * len(images))
        return images

    perturbation = replace(SHUFFLE, name="slow", ladder=(1.0, 2.0), identity=0.0, apply=slow)
    found = measure_pace(run_of(SlowToDecode(30), Slow()), [Condition(perturbation, 1), Condition(perturbation, 2)], 0)
    assert found is not None
    assert 0.04 / 8 <= found.forward < 0.1 / 8
    assert 0.005 <= found.decode < 0.02
    assert found.perturb[("clean", 0.0)] == 0
    assert 0.009 <= found.perturb[("slow", 1.0)] < 0.02 <= found.perturb[("slow", 2.0)] + 0.001 < 0.04
    assert len(calls) == 4 * max(2, torch.get_num_threads())
    assert found.device_memory is None


def test_few_images_are_decoded_and_repeats_are_timed_once() -> None:
    dataset = Colors(200)
    found = measure_pace(run_of(dataset), CONDITIONS, 0)
    assert found is not None
    assert len(dataset.read) <= 9
    assert len(found.perturb) == 3


def test_a_run_takes_as_long_as_is_said() -> None:
    """The estimate comes before the run: half and double leave room for other programs on the same cores."""
    run = run_of(SlowToDecode(64), Slow())
    found = measure_pace(run, CONDITIONS, 0)
    assert found is not None
    said = found.seconds(run, [Unit(tuple(range(64)), (0, 1, 2, 3))])
    assert 0.9 * 32 * 0.04 < said < 2 * 32 * 0.04


def test_images_that_cannot_be_read_tell_nothing() -> None:
    assert measure_pace(run_of(Colors(3, broken=frozenset({0, 1, 2}))), CONDITIONS, 0) is None
    assert measure_pace(run_of(Colors(3, broken=frozenset({0, 1}))), CONDITIONS, 0) is not None


def test_memory_is_that_of_the_process() -> None:
    found = measure_pace(run_of(Colors(30)), CONDITIONS, 0)
    assert found is not None
    assert found.memory is None or 10**8 < found.memory < 10**11
