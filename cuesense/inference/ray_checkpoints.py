"""Share the checkpoints of a sweep among the workers of a Ray cluster, one checkpoint a worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from cuesense.errors import naming
from cuesense.inference.one_checkpoint import CheckpointResult, Checkpoints, store_folder
from cuesense.predictions.shards import OF_CONDITIONS, OF_IMAGES, OutcomeStore, Shard
from cuesense.types import Progress

_WHOLE = ("images", *OF_IMAGES, *OF_CONDITIONS)


class WorkersResult(NamedTuple):
    """What a worker finds out about a checkpoint.

    Attributes:
        result: What it predicts.
        settings: What decides that (``LoadedCheckpoint.settings``).
        new: Its predictions that were not kept before.
    """

    result: CheckpointResult
    settings: Mapping[str, Any]
    new: list[Shard]


def results_on_ray(
    checkpoints: Checkpoints,
    kept: Path | None,
    store_of: Callable[[Mapping[str, Any]], OutcomeStore],
    progress: Progress,
) -> Generator[CheckpointResult]:
    """Yield the result of every checkpoint in their order, and keep what each predicts as soon as it has ended.

    Args:
        checkpoints: The checkpoints; their options say which workers there are.
        kept: The output folder with predictions that need not be repeated; None repeats all. Workers read it where
            their machine has it.
        store_of: Returns where predictions with some settings are kept.
        progress: Called with (images done, images in all) after every checkpoint.

    Raises:
        CuesenseError: As for ``Checkpoints.load`` and ``LoadedCheckpoint.result``; the workers cannot be started, or
            end again and again.
    """
    from cuesense.inference.ray_pool import Pool

    options = checkpoints.options
    if options.run.ray is None:
        raise ValueError("checkpoints without workers of Ray")
    # An environment variable of this process may forbid programs; workers have others.
    trust = replace(options.trust, weights_only=options.trust.strict)
    sent = replace(checkpoints, options=replace(options, run=replace(options.run, ray=None), trust=trust))
    count, images = len(checkpoints.runs.models), len(checkpoints.dataset)
    early: dict[int, CheckpointResult] = {}
    following = 0
    progress(0, count * images)
    with closing(Pool(partial(CheckpointWorker, sent, kept), options.run.ray)) as pool:
        for done, (number, found) in enumerate(pool.results(range(count)), 1):
            store = store_of(found.settings)
            for shard in found.new:
                store.write(shard)
            progress(done * images, count * images)
            early[number] = found.result
            while following in early:
                yield early.pop(following)
                following += 1


class CheckpointWorker:
    """Loads checkpoints in a worker and lets them predict the images."""

    def __init__(self, checkpoints: Checkpoints, kept: Path | None) -> None:
        """Begin without a network.

        Args:
            checkpoints: The checkpoints; the options are the worker's.
            kept: As for ``results_on_ray``.
        """
        self._checkpoints, self._kept = checkpoints, kept

    def __call__(self, number: int) -> WorkersResult:
        """Return what the checkpoint of a number predicts.

        Raises:
            CuesenseError: As for ``Checkpoints.load`` and ``LoadedCheckpoint.result``.
        """
        run = self._checkpoints.options.run
        # Files, because images are known by their content only where predictions are kept on disk.
        with naming(self._checkpoints.runs.models[number]), TemporaryDirectory(prefix="cuesense-") as folder:
            loaded = self._checkpoints.load(number)
            settings = loaded.settings(run)
            store = OutcomeStore.open(store_folder(Path(folder), settings), settings)
            known = _copied(self._kept, settings, store)
            result = loaded.result(self._checkpoints.dataset, store, run)
            new = [store.read(name, _WHOLE) for name in store.names if name not in known]
        return WorkersResult(result, settings, new)


def _copied(kept: Path | None, settings: Mapping[str, Any], store: OutcomeStore) -> set[str]:
    """Copy the predictions that an output folder holds into a store, and return their names."""
    if kept is None:
        return set()
    view = OutcomeStore.view(store_folder(kept, settings), settings)
    for name in view.names:
        store.write(view.read(name, _WHOLE))
    return set(view.names)
