"""Find the Ray cluster that a user asks for, or start one on this machine, and share a run's units of work there."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from cuesense.errors import SettingsError, expected, first_line
from cuesense.inference.devices import cores, gpus
from cuesense.inference.options import RayWorkers, RunOptions, usual_batch
from cuesense.inference.units import Identities, Run, Unit, finer
from cuesense.models.common import optional_library
from cuesense.predictions.shards import Shard
from cuesense.validation import is_number, whole_number

ENGINES = ("local", "ray")
# What Ray calls a cluster that it starts.
_NEW = "local"
# A worker decodes the images of one unit while its network works on those of another.
_UNITS_AT_A_TIME = 2
# Before it is said that an address does not answer. Chosen by hand.
_ANSWER_SECONDS = 10.0
# Read when Ray is imported and started: it reports nothing to its makers, prints nothing about workers among a
# command's results, and does not warn of what a later version will do.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayEngine:
    """The Ray cluster that a user asks for.

    Attributes:
        address: Where it is, as for ``ray.init``; None takes what RAY_ADDRESS says, else starts one on this machine for
            the time of the run.
        workers: How many processes run the network; None takes as many as the cluster has GPUs or cores for.
        gpus: GPUs of each, 0 for the CPU; None takes one where the cluster has any.
    """

    address: str | None = None
    workers: int | None = None
    gpus: float | None = None


def ray_engine(
    engine: str, address: str | None, workers: int | None, gpus_per_worker: float | None, device: str
) -> RayEngine | None:
    """Return the Ray cluster that a user's options ask for, None for this process.

    Args:
        engine: ``"local"`` or ``"ray"``.
        address: As for RayEngine.
        workers: Likewise.
        gpus_per_worker: Likewise; 0.5 lets two workers share a GPU.
        device: As the user named it: ``"cpu"`` asks for no GPU.

    Raises:
        SettingsError: One of these is out of range, or does not fit the engine.
        ModelError: Ray is not installed.
    """
    if engine not in ENGINES:
        raise SettingsError(expected("--engine", "local or ray", f"'{engine}'", "Choose one of the two"))
    if engine == "local":
        given = {"--ray-address": address, "--ray-workers": workers, "--gpus-per-worker": gpus_per_worker}
        for flag in (flag for flag, value in given.items() if value is not None):
            raise SettingsError(expected(flag, "given with --engine ray", "--engine local", "Add --engine ray"))
        return None
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    optional_library("ray", "ray", "the workers of --engine ray")
    if workers is not None:
        whole_number(workers, "--ray-workers")
    _check_gpus(gpus_per_worker, device)
    asked = 0.0 if device == "cpu" else 1.0 if device != "auto" and gpus_per_worker is None else gpus_per_worker
    return RayEngine(address, workers, asked)


def device_here(engine: RayEngine | None, device: str) -> str:
    """Return where this process runs networks itself, where a Ray cluster does the rest.

    Args:
        engine: The cluster, or None.
        device: As the user named it. The machine that starts a run on a cluster's GPUs may have none.
    """
    return device if engine is None or device == "cpu" else "auto"


def _check_gpus(gpus: float | None, device: str) -> None:
    if gpus is None:
        return
    if not is_number(gpus) or gpus < 0 or (gpus > 1 and gpus != int(gpus)):
        do = "Give 1, or 0.5 for two workers on a GPU"
        raise SettingsError(expected("--gpus-per-worker", "a whole number or a fraction below 1", repr(gpus), do))
    if (gpus > 0) == (device == "cpu") and device != "auto":
        got = f"{gpus:g} with --device {device}"
        raise SettingsError(expected("--gpus-per-worker", "above 0 for GPUs alone", got, "Leave one of the two out"))


@contextmanager
def connected(engine: RayEngine | None, options: RunOptions, *, default_batch: bool) -> Iterator[RunOptions]:
    """Connect to a Ray cluster for the time of a run, and start one on this machine where there is none.

    Args:
        engine: The cluster; None changes nothing.
        options: How this process runs networks.
        default_batch: Whether the batch size is the usual one, which is another one on GPUs.

    Yields:
        How the workers run them.

    Raises:
        SettingsError: The cluster cannot be reached, or has no room for a worker.
    """
    if engine is None:
        yield options
        return
    with workers_of(engine) as workers:
        yield _of_workers(options, workers, default_batch=default_batch)


@contextmanager
def workers_of(engine: RayEngine) -> Iterator[RayWorkers]:
    """Connect to a Ray cluster for the time of a context, and start one on this machine where there is none.

    Args:
        engine: The cluster.

    Yields:
        How many workers there are to be, and what each takes.

    Raises:
        SettingsError: The cluster cannot be reached, or has no room for a worker.
    """
    ray: Any = import_module("ray")
    ours = not ray.is_initialized()
    try:
        if ours:
            _connect(ray, _address(engine))
        workers = _fitting(engine, [node["Resources"] for node in ray.nodes() if node["Alive"]])
        _LOG.info("%d Ray workers of %d cores and %g GPUs", workers.count, workers.cpus, workers.gpus)
        yield workers
    finally:
        if ours:
            ray.shutdown()


def expected_options(engine: RayEngine | None, options: RunOptions, *, default_batch: bool) -> RunOptions:
    """Return what ``connected`` will yield; what this machine has is known without starting a cluster on it.

    Args:
        engine: As for ``connected``.
        options: Likewise.
        default_batch: Likewise.

    Raises:
        SettingsError: The cluster cannot be reached, or has no room for a worker.
    """
    if engine is None:
        return options
    if _address(engine) != _NEW or import_module("ray").is_initialized():
        with connected(engine, options, default_batch=default_batch) as found:
            return found
    room = _fitting(replace(engine, workers=None), [{"CPU": cores(), "GPU": gpus()}])
    # Others would wait until there is room for them.
    count = min(room.count, engine.workers or room.count)
    return _of_workers(options, replace(room, count=count), default_batch=default_batch)


def _of_workers(options: RunOptions, workers: RayWorkers, *, default_batch: bool) -> RunOptions:
    batch = usual_batch(workers.device) if default_batch else options.batch_size
    return replace(options, device=workers.device, batch_size=batch, workers=workers.cpus, ray=workers)


def _address(engine: RayEngine) -> str:
    # Not None: Ray would take a cluster that anybody has started on this machine, also one that has ended since.
    return engine.address or os.environ.get("RAY_ADDRESS") or _NEW


def _connect(ray: Any, address: str) -> None:
    """Call ``ray.init`` without what it prints, reports and changes besides."""
    try:
        _knock(address)
        with _uninterrupted():
            ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:  # connection, version and value errors of several kinds
        where = "a new one on this machine" if address == _NEW else f"'{address}'"
        got = f"{where}: {first_line(error)}"
        do = "Check the address, RAY_AUTH_MODE=token where it wants a token, and that Python and Ray are the same there"
        raise SettingsError(expected("--ray-address", "a Ray cluster that can be used", got, do)) from error


def _knock(address: str) -> None:
    """Raise OSError where nothing answers at HOST:PORT, which Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let SIGINT and SIGTERM come after Ray has started, which would leave processes behind.

    Ray sets a handler of its own for SIGTERM, which is the program's matter.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    except SystemExit:
        # Of Ray's handler.
        came.append(signal.SIGTERM)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _fitting(engine: RayEngine, nodes: Sequence[dict[str, float]]) -> RayWorkers:
    """Return how many workers there are and what each takes.

    Args:
        engine: What the user asked for.
        nodes: The resources of each machine.
    """
    gpus = engine.gpus if engine.gpus is not None else float(any(node.get("GPU") for node in nodes))
    if not gpus:
        count = engine.workers or int(sum(node.get("CPU", 0) for node in nodes))
        return _some(RayWorkers(count), "cores")
    # A fraction such as 0.1 is no binary number: 1 / 0.1 must be 10.
    rooms = [(int(node.get("GPU", 0) / gpus + 1e-6), int(node.get("CPU", 0))) for node in nodes]
    count = engine.workers or sum(room for room, _ in rooms)
    # Cores decode for the GPU: each worker gets its share of those of its machine.
    cpus = min((cpus // room for room, cpus in rooms if room), default=1)
    return _some(RayWorkers(count, max(1, cpus), gpus), "GPUs")


def _some(workers: RayWorkers, what: str) -> RayWorkers:
    if not workers.count:
        do = "Start its machines first, or give --ray-workers where it starts them when they are asked for"
        raise SettingsError(expected("the Ray cluster", f"one with {what}", "none", do))
    return workers


def shards(
    run: Run, identities: Identities, work: Sequence[Unit], advance: Callable[[int, int], None]
) -> Generator[Shard]:
    """Yield the shard of every unit of work as the workers finish them.

    Args:
        run: The network, the images and the conditions; its options say which workers there are.
        identities: Those of the run's images; they learn what the workers learn.
        work: The units.
        advance: Called with the number of conditions and of images after every unit.

    Raises:
        CuesenseError: As for ``Runner.shard``; the workers cannot be started, or end again and again.
    """
    from cuesense.inference.ray_pool import Pool
    from cuesense.inference.ray_worker import Units

    workers = run.options.ray
    if workers is None:
        raise ValueError("a run without workers of Ray")
    images = sum(unit.forwards for unit in work) // workers.count
    prepare = partial(Units, replace(run, options=replace(run.options, ray=None)), identities, images)
    with closing(Pool(prepare, workers, _UNITS_AT_A_TIME)) as pool:
        for unit, (shard, learned) in pool.results(finer(work, workers.count)):
            identities.learn(learned)
            advance(len(unit.conditions), len(unit.images))
            yield shard
