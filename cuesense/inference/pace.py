"""How fast a network, its perturbations and the decoding of its images are, from a batch and a few images of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from cuesense.datasets.images import Prepared
from cuesense.inference.batches import BatchMaker
from cuesense.inference.decoding import AHEAD, decoded
from cuesense.inference.devices import cores
from cuesense.inference.options import RunOptions
from cuesense.inference.runner import Runner
from cuesense.inference.units import Identities, Run, Unit
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Condition

# Images that are decoded: their sizes differ, and eight of them know the mean within a third. Images that are perturbed
# at a time: on a CPU one a thread, and two at least; on a GPU enough to keep it busy. Seconds that small batches are
# repeated for. Chosen by hand; not tuned.
_DECODED = 8
_ON_CPU, _ON_GPU = 2, 64
_REPEATED_SECONDS, _MOST_REPEATS = 0.3, 10
_KIB = 1024


@dataclass(frozen=True)
class Pace:
    """How long each part of a run takes.

    Attributes:
        decode: Seconds to decode an image in one thread.
        forward: Seconds to classify a clean image, in a full batch.
        perturb: Seconds that a perturbed image takes longer than a clean one, by perturbation and value.
        memory: Bytes that a run takes at its peak; None where the system does not say.
        device_memory: The same on a GPU; None without one.
    """

    decode: float
    forward: float
    perturb: dict[tuple[str, float], float]
    memory: int | None
    device_memory: int | None

    def seconds(self, run: Run, work: Sequence[Unit]) -> float:
        """Return how long units of work take.

        Args:
            run: The run that they are of; each perturbation and value of its conditions was measured.
            work: The units.
        """
        size, compute, decode = run.batch_size, 0.0, 0.0
        extra = [self.perturb[_key(condition)] for condition in run.conditions]
        for unit in work:
            # The last batch is filled up.
            shown = -(-len(unit.images) // size) * size * len(unit.conditions)
            compute += shown * self.forward + len(unit.images) * sum(extra[number] for number in unit.conditions)
            decode += len(unit.images) * self.decode
        having = _resources(run.options)
        # Images are decoded while the network works, on the cores that it leaves.
        in_all = (having.threads * compute + decode) / having.cores
        return max(compute / having.networks, decode / having.decoders, in_all)


class _Resources(NamedTuple):
    """What a run may use at a time.

    Attributes:
        cores: Cores in all.
        threads: Cores on which the network ran when it was measured; 1 on a GPU, which one core keeps busy.
        networks: How many networks run as fast as that at a time, where cores are no limit.
        decoders: How many threads decode.
    """

    cores: int
    threads: int
    networks: float
    decoders: int


def _resources(options: RunOptions) -> _Resources:
    here, workers = cores(), options.ray
    on_cpu = torch.device(options.device).type == "cpu"
    threads = min(here, torch.get_num_threads()) if on_cpu else 1
    if workers is None:
        return _Resources(here, threads, 1.0, min(here, options.workers))
    together = workers.count * workers.cpus
    # Two workers that share a GPU are no faster than one that has it.
    networks = together / threads if on_cpu else workers.count * min(1.0, workers.gpus)
    return _Resources(together, threads, networks, together)


def measure_pace(run: Run, conditions: Iterable[Condition], images: int) -> Pace | None:
    """Try a network on a full batch, and each perturbation and the decoding on a few images.

    Args:
        run: The network, the images and how it is run.
        conditions: All conditions whose time is wanted; repeats of one count once.
        images: How many images the network will be shown in all (``Runner``).

    Returns:
        The pace; None where none of a few images can be read, or where workers have GPUs and this process has none.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: The images' sizes differ where none was given.
    """
    # Where workers do the rest, a few images are tried here.
    device, run = run.options.device, replace(run, options=run.options.here)
    alike = torch.device(device).type == torch.device(run.options.device).type
    found = _decoded(run) if alike else None
    if found is None:
        return None
    prepared, decode = found
    if torch.device(run.options.device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.options.device)
    forward = _forward(run, prepared, images)
    perturb = _perturb(run, prepared, conditions)
    waiting = AHEAD * run.batch_size * prepared[0].pixels.nbytes
    host = _peak_memory()
    return Pace(decode, forward, perturb, None if host is None else host + waiting, _peak_on_device(run))


def _decoded(run: Run) -> tuple[list[Prepared], float] | None:
    """Return a few readable images, spread over the dataset, and the seconds that each took."""
    places = np.linspace(0, len(run.dataset) - 1, min(len(run.dataset), _DECODED)).astype(int).tolist()
    # The first one is decoded twice: it may bring the decoder.
    decoded(run.dataset, places[0], run.classifier.preprocessing)
    started = time.perf_counter()
    tried = [decoded(run.dataset, place, run.classifier.preprocessing) for place in places]
    seconds = (time.perf_counter() - started) / len(places)
    readable = [image for image in tried if not isinstance(image, str)]
    return (readable, seconds) if readable else None


def _forward(run: Run, prepared: list[Prepared], images: int) -> float:
    """Return the seconds a clean image in a full batch, with all that is done to its outputs."""
    runner = Runner(run, Identities(run, OutcomeStore()), images)
    size = run.batch_size
    unit = Unit(tuple(number % len(run.dataset) for number in range(size)), (0,))
    batch: list[Prepared | str] = [prepared[number % len(prepared)] for number in range(size)]

    def step() -> None:
        runner.shard(unit, [batch], lambda _: None)

    step()
    return _median_seconds(run, step) / size


def _perturb(run: Run, prepared: list[Prepared], conditions: Iterable[Condition]) -> dict[tuple[str, float], float]:
    """Return the seconds that each perturbation adds to an image."""
    on_cpu = torch.device(run.options.device).type == "cpu"
    count = max(_ON_CPU, torch.get_num_threads()) if on_cpu else min(run.batch_size, _ON_GPU)
    chosen = [prepared[number % len(prepared)] for number in range(count)]
    pixels = torch.from_numpy(np.stack([image.pixels for image in chosen])).to(run.options.device).float().div_(255)
    keys = [image.key for image in chosen]
    maker = BatchMaker(run.classifier.preprocessing, count, run.options.device, run.options.seed)

    def seconds(condition: Condition) -> float:
        # The first time brings libraries and tables; and what takes milliseconds may wait for another program's turn.
        return min(_seconds(run, lambda: maker.batch_of(condition, pixels, keys)) for _ in range(2))

    clean, found = seconds(Condition()), {_key(Condition()): 0.0}
    for condition in conditions:
        if _key(condition) not in found:
            found[_key(condition)] = max(0.0, seconds(condition) - clean) / count
    return found


def _median_seconds(run: Run, step: Callable[[], object]) -> float:
    """Return how long a step takes, the median of several where it is short."""
    taken: list[float] = []
    while sum(taken) < _REPEATED_SECONDS and len(taken) < _MOST_REPEATS:
        taken.append(_seconds(run, step))
    return median(taken)


def _seconds(run: Run, step: Callable[[], object]) -> float:
    """Return how long a step takes, with all that the device has to do for it."""
    started = time.perf_counter()
    step()
    if torch.device(run.options.device).type == "cuda":
        torch.cuda.synchronize(run.options.device)
    return time.perf_counter() - started


def _key(condition: Condition) -> tuple[str, float]:
    return condition.name, condition.value


def _peak_memory() -> int | None:
    """Return the most memory in bytes that this process has had so far; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB


def _peak_on_device(run: Run) -> int | None:
    if torch.device(run.options.device).type != "cuda":
        return None
    return torch.cuda.max_memory_allocated(run.options.device)
