"""Run a network over every image under every condition, and keep what it predicts.

Every image is decoded once; a batch stays on the device while all conditions pass over it; outcomes are kept in shards.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from cuesense.errors import DatasetError, OutputError, expected
from cuesense.inference.decoding import stream
from cuesense.inference.options import RunOptions
from cuesense.inference.runner import Runner
from cuesense.inference.units import Identities, Run, Unit, together, units
from cuesense.predictions.outcomes import Outcomes
from cuesense.predictions.shards import OutcomeStore, Shard
from cuesense.types import Classifier, Condition, Dataset, Progress, no_progress

# A few damaged files are usual in large folders; with more missing the accuracies would be of another dataset.
# Chosen by hand; not tuned.
UNREADABLE_LIMIT = 0.05

_LOG = logging.getLogger(__name__)


def predict(
    classifier: Classifier,
    dataset: Dataset,
    outputs: Sequence[int],
    conditions: Sequence[Condition],
    store: OutcomeStore,
    options: RunOptions,
    progress: Progress = no_progress,
) -> Outcomes:
    """Run the network over every image under every condition and keep the outcomes.

    Samples are taken in the order of their ids, whatever the dataset's order. What the store already holds, of these
    images under these conditions, is not computed again.

    Args:
        classifier: The network and how it wants its images.
        dataset: The images.
        outputs: The network's output of each of the dataset's classes, length C. Where the classifier names its
            outputs, the network must have just as many.
        conditions: What to do to every image; the clean condition comes first.
        store: Where the outcomes go.
        options: Device, batch size, precision, workers and seed.
        progress: Called with (images done, images in all) after every batch; an image under half of the conditions is
            half an image.

    Returns:
        The outcomes of all images that can be read; of a run in parts, those that are there, and what is unfinished.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: More than 5 % of the images cannot be decoded, or their sizes differ where none was given.
        OutputError: The store cannot be written, or holds results of another dataset.
    """
    run = Run(classifier, dataset, tuple(outputs), tuple(conditions), options)
    return carry_out(run, Identities(run, store), store, progress)


def carry_out(run: Run, identities: Identities, store: OutcomeStore, progress: Progress) -> Outcomes:
    """Predict what of a run the store does not hold, as ``predict`` does.

    Args:
        run: The network, the images, the conditions, and which of them are wanted.
        identities: Those of the run's images.
        store: Where the outcomes go.
        progress: As for ``predict``; of a run that does not want all images under all conditions, an image is counted
            as done as far as it was wanted.

    Returns:
        As for ``predict``.

    Raises:
        CuesenseError: As for ``predict``.
    """
    work = [unit for unit in units(run, store, identities) if unit.part == run.options.part.number]
    counter = _Counter(run, work, progress)
    # By name: an image may lie in several units, with some of the conditions each.
    skipped = dict(_known(store, identities).skipped)
    compute = _shards if run.options.ray is None else _ray_shards
    with closing(compute(run, identities, work, counter.advance)) as shards:
        for shard in shards:
            skipped |= {name: reason for _, name, reason in shard.skipped}
            _refuse_unreadable(skipped, len(run.dataset))
            store.write(shard)
    unfinished = _unfinished(run, store, identities)
    return Outcomes(store, identities.wanted(), unfinished)


def weights_digest(network: Callable[[Tensor], Tensor]) -> str | None:
    """Return the SHA-256 of a module's tensors in the order of their names, or None for other callables."""
    if not isinstance(network, nn.Module):
        return None
    digest = hashlib.sha256()
    # Names are sorted so that the order in which a network's code registers its layers does not matter.
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _unfinished(run: Run, store: OutcomeStore, identities: Identities) -> tuple[int, ...]:
    """Return the parts of a run that lack shards, after a look at what the others have written meanwhile."""
    if run.options.part.of == 1:
        return ()
    store.look()
    identities.complete()
    return tuple(sorted({unit.part for unit in units(run, store, identities)}))


def _known(store: OutcomeStore, identities: Identities) -> Outcomes:
    """Return what is known of a run's images, or raise OutputError where all that is known is of others."""
    known = Outcomes(store, identities.wanted())
    strangers = store.names and not len(known.images.labels) and not known.skipped
    if strangers and store.of_one_dataset and store.files is not None:
        to_be = "empty or of the same dataset"
        got = f"other images, and none of these {len(identities.order):,} with its label"
        do = "Check --dataset and --class-names, give another --output, or --restart to delete them"
        raise OutputError(expected(f"the results in {store.files.folder.parent}", to_be, got, do))
    return known


def _shards(
    run: Run, identities: Identities, work: Sequence[Unit], advance: Callable[[int, int], None]
) -> Generator[Shard]:
    """Yield the shard of every unit of work, while the images of the next ones are decoded."""
    batches = (batch for unit in work for batch in _batches(unit, run.batch_size))
    decoded = stream(run.dataset, batches, run.classifier.preprocessing, run.options.workers)
    runner = Runner(run, identities, sum(unit.forwards for unit in work))
    for group in together(run, work):
        own = islice(decoded, sum(-(-len(unit.images) // run.batch_size) for unit in group))
        if len(group) == 1:
            yield runner.shard(group[0], own, partial(advance, len(group[0].conditions)))
        else:
            yield from runner.together(group, own, advance)


def _ray_shards(
    run: Run, identities: Identities, work: Sequence[Unit], advance: Callable[[int, int], None]
) -> Generator[Shard]:
    from cuesense.inference import ray_cluster

    return ray_cluster.shards(run, identities, work, advance)


def _batches(unit: Unit, size: int) -> Iterator[Sequence[int]]:
    return (unit.images[start : start + size] for start in range(0, len(unit.images), size))


class _Counter:
    """Counts what is done in whole images, from images under some of the conditions."""

    def __init__(self, run: Run, work: Sequence[Unit], progress: Progress) -> None:
        self.images, self.conditions, self.progress = len(run.dataset), len(run.conditions), progress
        wanted = self.images * self.conditions if run.cells is None else int(run.cells.sum())
        self.done = wanted - sum(unit.forwards for unit in work)
        known = self.done // max(1, self.conditions)
        _LOG.info(
            "%d images under %d conditions on %s; %d images done before",
            self.images, self.conditions, run.options.device, known,
        )  # fmt: skip
        progress(known, self.images)

    def advance(self, conditions: int, images: int) -> None:
        self.done += images * conditions
        self.progress(self.done // max(1, self.conditions), self.images)


def _refuse_unreadable(skipped: Mapping[str, str], total: int) -> None:
    if len(skipped) > UNREADABLE_LIMIT * total:
        name, reason = next(iter(skipped.items()))
        raise DatasetError(
            expected(
                "at least 95 % of the images",
                "readable",
                f"{len(skipped)} of {total} that are not, the first of them {name} ({reason})",
                "Remove or replace these files",
            )
        )
