"""A process of a Ray cluster that runs a network on units of work. Imports Ray: only where it is asked for."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.metadata import version
from itertools import chain, islice
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray import cloudpickle

from cuesense.errors import ModelError, expected, first_line
from cuesense.inference.decoding import stream
from cuesense.inference.malloc import keep_freed_memory
from cuesense.inference.runner import Runner
from cuesense.inference.units import Identities, Run, Unit
from cuesense.models.exported import script_content, script_of
from cuesense.predictions.shards import Shard

# Their versions decide what pixels and logits come out.
_DECIDING = ("cuesense", "torch", "torchvision", "kornia", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return the versions in this process of what decides the results, by package; torch's for any kind of GPU."""
    return {name: version(name).partition("+")[0] for name in _DECIDING}


class _Pickler(cloudpickle.CloudPickler):
    """Sends also TorchScript, which Python cannot pickle."""

    def reducer_override(self, found: Any) -> Any:
        if isinstance(found, torch.jit.ScriptModule):
            return script_of, (script_content(found),)
        reduced: Any = super().reducer_override
        return reduced(found)


def packed(run: Run, identities: Identities, images: int = 0) -> NDArray[np.uint8]:
    """Return all that a worker needs, as bytes.

    Args:
        run: The network and the images; the options are the worker's.
        identities: Those of the run's images.
        images: How many the worker's network will be shown, as for Runner.

    Raises:
        ModelError: The network or the dataset cannot be sent to another process.
    """
    content = io.BytesIO()
    make: Any = _Pickler
    send_code: Any = cloudpickle.register_pickle_by_value
    for module in _without_import(run):
        send_code(module)
    try:
        make(content).dump((run, identities, images))
    except Exception as error:  # whatever a user's class raises
        to_be = "objects that can be sent to the workers of Ray"
        do = "Share the work with --part, which works with every model and dataset"
        raise ModelError(expected("the model and the images", to_be, first_line(error), do)) from error
    return np.frombuffer(content.getbuffer(), dtype=np.uint8)


def _without_import(run: Run) -> list[ModuleType]:
    """Return the modules of a run's perturbations that no import finds: files of the user's own."""
    functions = [condition.perturbation.apply for condition in run.conditions if condition.perturbation is not None]
    names = {getattr(function, "__module__", "") for function in functions} - {"__main__"}
    return [sys.modules[name] for name in names if name in sys.modules and not _is_found(name)]


def _is_found(module: str) -> bool:
    return PathFinder.find_spec(module.partition(".")[0]) is not None


class Worker:
    """Runs units of work; the network is loaded with the first of them."""

    def __init__(self, folder: str) -> None:
        """Begin without a network.

        Args:
            folder: The folder that paths start from and a user's modules lie in, if this machine has it, too.
        """
        with suppress(OSError):
            os.chdir(folder)
        sys.path.append(folder)
        keep_freed_memory()
        self._runner: Runner | None = None
        self._turn = Lock()

    def ready(self) -> dict[str, str]:
        """Return ``versions``: the worker has started."""
        return versions()

    def shard(self, content: NDArray[np.uint8], unit: Unit) -> tuple[Shard, dict[int, str]]:
        """Return the outcomes of a unit of work, and what was learned of its images (``Identities.learned``).

        A second call decodes its first images while the network works on those of the first call.

        Args:
            content: What ``packed`` returned; read where no call came before, as after a loss of the process.
            unit: Its images and conditions.

        Raises:
            CuesenseError: As for ``Runner.shard``, or the model and the images cannot be loaded here.
        """
        with self._turn:
            runner = self._loaded(content)
        run = runner.run
        size = run.batch_size
        batches = (unit.images[start : start + size] for start in range(0, len(unit.images), size))
        images = stream(run.dataset, batches, run.classifier.preprocessing, run.options.workers)
        first = list(islice(images, 1))
        with self._turn:
            shard = runner.shard(unit, chain(first, images), _ignore)
        return shard, runner.identities.learned(unit.images)

    def _loaded(self, content: NDArray[np.uint8]) -> Runner:
        if self._runner is None:
            load: Any = cloudpickle.loads
            try:
                run, identities, images = load(content)
            except Exception as error:  # a module of the user's that is not there, or another version of it
                to_be = "loaded by every worker of Ray"
                do = "Install their code on every machine, or share the work with --part"
                raise ModelError(expected("the model and the images", to_be, first_line(error), do)) from None
            self._runner = Runner(run, identities, images)
        return self._runner


def _ignore(_images: int) -> None:
    """Take no notice of progress: the driver counts whole units."""
