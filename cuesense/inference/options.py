"""How networks are run: device, batch size, precision, workers and seed, as a user gives them and checked once."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from cuesense.errors import SettingsError, expected
from cuesense.inference.devices import device_of
from cuesense.validation import whole_number

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")

# On an H200 a ResNet-50 in bfloat16 takes 8 % less time an image in batches of 512 than of 128, and 1 % less in batches
# of 1,024 (benchmarks/results); what is launched for every condition counts a quarter. The CPU's chosen by hand.
_CPU_BATCH, _GPU_BATCH, _LARGEST_BATCH = 32, 512, 1024
# Every thread holds decoded images, and on large machines decoding is not the bottleneck. Chosen by hand; not tuned.
_MOST_WORKERS = 16


class Part(NamedTuple):
    """A share of a run.

    Attributes:
        number: Which share, from 1.
        of: How many there are.
    """

    number: int = 1
    of: int = 1


WHOLE = Part()


@dataclass(frozen=True)
class RayWorkers:
    """The processes of a Ray cluster that run a network (``inference.ray_cluster``).

    Attributes:
        count: How many there are, where the cluster has room for all.
        cpus: Cores that each of them takes, and threads that each may use.
        gpus: GPUs that each of them takes, 0 where networks run on the CPU.
    """

    count: int
    cpus: int = 1
    gpus: float = 0.0

    @property
    def device(self) -> str:
        """Where each of them runs networks: ``"cuda"`` or ``"cpu"``."""
        return "cuda" if self.gpus else "cpu"


@dataclass(frozen=True)
class RunOptions:
    """How a network is run; nothing here but the seed changes what is computed, apart from rounding.

    Attributes:
        device: ``"cpu"``, ``"cuda"`` or any device torch knows.
        batch_size: Images a forward pass, 1 to 1,024; where the device's memory is too small for them, fewer.
        precision: float32, or bfloat16 through autocast.
        workers: Threads that decode ahead, at least 1.
        seed: Seed of every draw.
        allow_nondeterministic: Whether a network is run whose outputs depend on more than one image.
        part: Which share of the work is done.
        ray: The workers that do it, with this device; None lets this process do it.
        compile: Whether networks are compiled; None compiles where that takes less time in all.
    """

    device: str = "cpu"
    batch_size: int = 32
    precision: Precision = "float32"
    workers: int = 2
    seed: int = 0
    allow_nondeterministic: bool = False
    part: Part = WHOLE
    compile: bool | None = None
    ray: RayWorkers | None = None

    @property
    def here(self) -> RunOptions:
        """How this process runs the network itself, where workers do the rest."""
        if self.ray is None:
            return self
        return replace(self, device=self.device if self.device == "cpu" else device_of("auto"), ray=None)


def run_options(
    device: str | torch.device = "auto",
    batch_size: int | None = None,
    precision: str = "float32",
    workers: int | None = None,
    seed: int = 0,
    allow_nondeterministic: bool = False,
) -> RunOptions:
    """Return how a network is run, from a user's options.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        batch_size: Images a forward pass, up to 1,024; None takes 32, on a GPU 512.
        precision: ``"float32"`` or ``"bfloat16"``.
        workers: Threads that decode; None takes one a core, up to 16.
        seed: Seed of every draw.
        allow_nondeterministic: Run networks whose outputs depend on more than one image, too.

    Raises:
        SettingsError: One of these is out of range.
    """
    if precision not in PRECISIONS:
        raise SettingsError(expected("--precision", "float32 or bfloat16", f"'{precision}'", "Choose one of the two"))
    usable = device_of(device)
    batch = batch_size if batch_size is not None else usual_batch(usable)
    threads = workers if workers is not None else min(_MOST_WORKERS, os.cpu_count() or 1)
    return RunOptions(
        device=usable,
        batch_size=whole_number(batch, "--batch-size", highest=_LARGEST_BATCH),
        precision=precision,
        workers=whole_number(threads, "--workers"),
        seed=whole_number(seed, "--seed", lowest=None),
        allow_nondeterministic=allow_nondeterministic,
    )


def usual_batch(device: str) -> int:
    """Return how many images a forward pass has where nobody says it."""
    return _CPU_BATCH if device == "cpu" else _GPU_BATCH
