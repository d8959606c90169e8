"""A process of a Ray cluster that does tasks, such as units of work. Imports Ray: only where it is asked for."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
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

from cuesense import registry
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


def packed(prepare: Callable[[], Callable[[Any], Any]]) -> NDArray[np.uint8]:
    """Return all that a worker needs, as bytes.

    Args:
        prepare: Called once in the worker, where it returns the function that does a task.

    Raises:
        ModelError: It holds what cannot be sent to another process, such as a network with a lock.
    """
    content = io.BytesIO()
    make: Any = _Pickler
    send_code: Any = cloudpickle.register_pickle_by_value
    for module in _without_import():
        send_code(module)
    try:
        make(content).dump(prepare)
    except Exception as error:  # whatever a user's class raises
        to_be = "objects that can be sent to the workers of Ray"
        do = "Leave out --engine ray; an analysis can be shared with --part, which works with every model and dataset"
        raise ModelError(expected("the model and the images", to_be, first_line(error), do)) from error
    return np.frombuffer(content.getbuffer(), dtype=np.uint8)


def _without_import() -> list[ModuleType]:
    """Return the modules of registered perturbations that no import finds: files of the user's own."""
    added = registry.added("perturbations").values()
    names = {getattr(entry.apply, "__module__", "") for entry in added} - {"__main__"}
    return [sys.modules[name] for name in names if name in sys.modules and not _is_found(name)]


def _is_found(module: str) -> bool:
    return PathFinder.find_spec(module.partition(".")[0]) is not None


class Worker:
    """Does tasks; what does them is prepared with the first."""

    def __init__(self, folder: str) -> None:
        """Begin with nothing prepared.

        Args:
            folder: The folder that paths start from and a user's modules lie in, if this machine has it, too.
        """
        with suppress(OSError):
            os.chdir(folder)
        sys.path.append(folder)
        keep_freed_memory()
        self._do: Callable[[Any], Any] | None = None
        self._turn = Lock()
        self._warnings = _Warnings(logging.WARNING)
        logging.getLogger("cuesense").addHandler(self._warnings)

    def ready(self) -> dict[str, str]:
        """Return ``versions``: the worker has started."""
        return versions()

    def do(self, content: NDArray[np.uint8], task: Any) -> tuple[Any, list[str]]:
        """Return the result of a task, and what was logged meanwhile as a warning.

        Args:
            content: What ``packed`` returned; read where no call came before, as after a loss of the process.
            task: What the prepared function is called with.

        Raises:
            CuesenseError: As that function does, or what it needs cannot be loaded here.
        """
        with self._turn:
            if self._do is None:
                self._do = _loaded(content)()
        return self._do(task), self._warnings.taken()


class _Warnings(logging.Handler):
    """Keeps what is logged, for the process that has a user to read it."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())

    def taken(self) -> list[str]:
        """Return what was logged since the last call."""
        found, self._texts = self._texts, []
        return found


def _loaded(content: NDArray[np.uint8]) -> Callable[[], Callable[[Any], Any]]:
    load: Any = cloudpickle.loads
    try:
        found: Callable[[], Callable[[Any], Any]] = load(content)
    except Exception as error:  # a module of the user's that is not there, or another version of it
        to_be = "loaded by every worker of Ray"
        do = "Install their code on every machine, or leave out --engine ray"
        raise ModelError(expected("the model and the images", to_be, first_line(error), do)) from None
    return found


class Units:
    """Does units of work of a run."""

    def __init__(self, run: Run, identities: Identities, images: int = 0) -> None:
        """Bring the network to its device.

        Args:
            run: The network and the images; the options are the worker's.
            identities: Those of the run's images.
            images: How many the worker's network will be shown, as for Runner.
        """
        self._runner = Runner(run, identities, images)
        self._turn = Lock()

    def __call__(self, unit: Unit) -> tuple[Shard, dict[int, str]]:
        """Return the outcomes of a unit of work, and what was learned of its images (``Identities.learned``).

        A second call decodes its first images while the network works on those of the first call.

        Args:
            unit: Its images and conditions.

        Raises:
            CuesenseError: As for ``Runner.shard``.
        """
        run = self._runner.run
        size = run.batch_size
        batches = (unit.images[start : start + size] for start in range(0, len(unit.images), size))
        images = stream(run.dataset, batches, run.classifier.preprocessing, run.options.workers)
        first = list(islice(images, 1))
        with self._turn:
            shard = self._runner.shard(unit, chain(first, images), _ignore)
        return shard, self._runner.identities.learned(unit.images)


def _ignore(_images: int) -> None:
    """Take no notice of progress: the driver counts whole units."""
