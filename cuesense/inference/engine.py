"""Run a network over every image under every condition; the only module that does.

Every image is decoded once; a batch stays on the device while all conditions pass over it; outcomes are kept in shards.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cuesense.datasets.images import Prepared, prepare
from cuesense.errors import DatasetError, UnreadableImageError, expected
from cuesense.inference.batches import BatchMaker
from cuesense.inference.changed_images import refuse_changed_in_memory
from cuesense.inference.forward import check_count, check_finite, forward, placed
from cuesense.inference.options import RunOptions
from cuesense.inference.output_kind import as_logits
from cuesense.predictions.shards import KEPT_SCORES, SHARD_SIZE, OutcomeStore, Shard
from cuesense.types import Classifier, Condition, Dataset, Progress, no_progress

# A few damaged files are usual in large folders; with more missing the accuracies would be of another dataset.
# Chosen by hand; not tuned.
UNREADABLE_LIMIT = 0.05

_LOG = logging.getLogger(__name__)

Decoded = list[tuple[int, Prepared | str]]
Columns = dict[str, Any]


def predict(
    classifier: Classifier,
    dataset: Dataset,
    outputs: Sequence[int],
    conditions: Sequence[Condition],
    store: OutcomeStore,
    options: RunOptions,
    progress: Progress = no_progress,
) -> int:
    """Run the network over every image under every condition and keep the outcomes.

    Samples are taken in the order of their ids, whatever the dataset's order. Shards that the store already holds
    are not computed again.

    Args:
        classifier: The network and how it wants its images.
        dataset: The images.
        outputs: The network's output of each of the dataset's classes, length C. Where the classifier names its
            outputs, the network must have just as many.
        conditions: What to do to every image; the clean condition comes first.
        store: Where the outcomes go.
        options: Device, batch size, precision, workers and seed.
        progress: Called with (images done, images in all) after every batch.

    Returns:
        The number of shards.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
        DatasetError: More than 5 % of the images cannot be decoded, their sizes differ where none was given, or images
            in memory are others than those of the stored shards.
        OutputError: The store cannot be written.
    """
    order = sorted(range(len(dataset)), key=lambda index: dataset.sample_ids[index])
    runner = _Runner(classifier, outputs, conditions, options)
    numbers = range(-(-len(order) // SHARD_SIZE))
    missing = [number for number in numbers if number not in store]
    finished = [number for number in numbers if number in store]
    refuse_changed_in_memory(dataset, order, store, finished, classifier.preprocessing, options.workers)
    skipped = [entry for number in finished for entry in store.skipped_in(number)]
    done = _images(order, numbers) - _images(order, missing)
    _LOG.info(
        "%d images under %d conditions on %s; %d images done before", len(order), len(conditions), options.device, done
    )
    progress(done, len(order))
    for number, decoded in _decoded_shards(classifier, dataset, order, missing, options.workers):
        start = number * SHARD_SIZE

        def advance(images: int, before: int = done) -> None:
            progress(before + images, len(order))

        shard = runner.shard(dataset, start, decoded, advance)
        skipped += shard.skipped
        _refuse_unreadable(skipped, len(order))
        store.write(number, shard)
        done += len(decoded)
        progress(done, len(order))
    return len(numbers)


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


def _images(order: Sequence[int], numbers: Sequence[int]) -> int:
    return sum(len(order[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]) for number in numbers)


def _decoded_shards(
    classifier: Classifier, dataset: Dataset, order: Sequence[int], numbers: Sequence[int], workers: int
) -> Iterator[tuple[int, Decoded]]:
    """Yield shard number and images, decoding the next shard while the caller works on this one."""

    def decode(index: int) -> tuple[int, Prepared | str]:
        try:
            return index, prepare(dataset[index].image, classifier.preprocessing)
        except UnreadableImageError as error:
            return index, error.reason

    # Threads are enough: decoders release the interpreter's lock, and processes would have to copy every image.
    with ThreadPoolExecutor(workers) as pool:

        def submit(number: int) -> list[Future[tuple[int, Prepared | str]]]:
            return [pool.submit(decode, index) for index in order[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]]

        try:
            ahead = [submit(number) for number in numbers[:1]]
            for number, following in zip_longest(numbers, numbers[1:]):
                current = ahead.pop()
                if following is not None:
                    ahead.append(submit(following))
                yield number, [future.result() for future in current]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _refuse_unreadable(skipped: Sequence[tuple[str, str]], total: int) -> None:
    if len(skipped) > UNREADABLE_LIMIT * total:
        name, reason = skipped[0]
        raise DatasetError(
            expected(
                "at least 95 % of the images",
                "readable",
                f"{len(skipped)} of {total} that are not, the first of them {name} ({reason})",
                "Remove or replace these files",
            )
        )


class _Name(NamedTuple):
    """What an image is called in messages, and the key that its random draws depend on."""

    sample_id: str
    key: str


class _Runner:
    """A network on its device, with what turns one decoded shard into outcomes."""

    def __init__(
        self, classifier: Classifier, outputs: Sequence[int], conditions: Sequence[Condition], options: RunOptions
    ) -> None:
        self.network = placed(classifier.network, options.device)
        self.output_kind = classifier.output_kind
        self.conditions = conditions
        self.engine = options
        self.batch_size = classifier.fixed_batch or options.batch_size
        self.outputs = torch.tensor(outputs, device=options.device)
        self.output_count = len(classifier.class_names.names) if classifier.class_names else None
        # Half the bytes of a shard are scores and classes: wide numbers only where classes need them.
        self.class_type = torch.int16 if len(outputs) <= torch.iinfo(torch.int16).max + 1 else torch.int32
        self.maker = BatchMaker(classifier.preprocessing, self.batch_size, options.device, options.seed)

    def shard(self, dataset: Dataset, start: int, decoded: Decoded, advance: Callable[[int], None]) -> Shard:
        readable = [
            (start + offset, index, image)
            for offset, (index, image) in enumerate(decoded)
            if not isinstance(image, str)
        ]
        skipped = tuple((dataset.sample_ids[index], image) for index, image in decoded if isinstance(image, str))
        labels = np.array([dataset.labels[index] for _, index, _ in readable], dtype=np.int64)
        names = [_Name(dataset.sample_ids[index], image.key) for _, index, image in readable]
        columns = [
            self._batch(images, names[begin : begin + self.batch_size], labels[begin : begin + self.batch_size])
            for begin, images in self._batches([image.pixels for _, _, image in readable], advance)
        ]
        return Shard(
            labels=labels,
            positions=np.array([position for position, _, _ in readable], dtype=np.int64),
            digests=np.array([image.digest for _, _, image in readable], dtype=np.uint64),
            largest=np.array([image.values.largest for _, _, image in readable], dtype=np.float64),
            white=np.array([image.values.white for _, _, image in readable], dtype=np.float64),
            skipped=skipped,
            **(_joined(columns) if columns else self._nothing()),
        )

    def _batches(
        self, images: list[NDArray[np.uint8]], advance: Callable[[int], None]
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        # A batch is one tensor. Images are of one size already where the classifier knows its image size.
        shapes = {image.shape for image in images}
        if len(shapes) > 1:
            raise DatasetError(
                expected("all images", "of one size", f"sizes {sorted(shapes)[:2]}", "Give --image-size and --resize")
            )
        for begin in range(0, len(images), self.batch_size):
            yield begin, np.stack(images[begin : begin + self.batch_size])
            advance(min(begin + self.batch_size, len(images)))

    def _batch(self, images: NDArray[np.uint8], names: list[_Name], labels: NDArray[np.int64]) -> dict[str, Tensor]:
        with torch.inference_mode():
            pixels = torch.from_numpy(images).to(self.engine.device).float().div_(255)
            truth = self.outputs[torch.from_numpy(labels).to(self.engine.device)]
            rows = [self._outcome(condition, pixels, names, truth) for condition in self.conditions]
        return {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}

    def _outcome(self, condition: Condition, pixels: Tensor, names: list[_Name], truth: Tensor) -> dict[str, Tensor]:
        logits = self._logits(condition, pixels, names)
        true_logit = logits.gather(1, truth[:, None])
        log_p = logits.log_softmax(dim=1)
        scores, classes = _best(log_p[:, self.outputs])
        others = logits.scatter(1, truth[:, None], -torch.inf).amax(dim=1)
        return {
            "predicted": logits.argmax(dim=1).int(),
            "p_true": log_p.gather(1, truth[:, None])[:, 0].exp(),
            "margin": true_logit[:, 0] - others if logits.shape[1] > 1 else true_logit[:, 0],
            "scores": scores,
            "classes": classes.to(self.class_type),
        }

    def _logits(self, condition: Condition, pixels: Tensor, names: list[_Name]) -> Tensor:
        batch = self.maker.batch_of(condition, pixels, [name.key for name in names])
        outputs = forward(self.network, batch, self.engine)
        check_count(outputs.shape[1], self.output_count or int(self.outputs.max()) + 1)
        # Only what is kept is checked: beyond the images the batch is filled with copies.
        outputs = outputs[: len(pixels)]
        logits = as_logits(outputs, self.output_kind)
        check_finite(logits, outputs, [name.sample_id for name in names], condition)
        return logits

    def _nothing(self) -> Columns:
        conditions, kept = len(self.conditions), min(len(self.outputs), KEPT_SCORES)
        flat, deep = (conditions, 0), (conditions, 0, kept)
        return {
            "predicted": np.empty(flat, np.int32),
            "p_true": np.empty(flat, np.float32),
            "margin": np.empty(flat, np.float32),
            "scores": np.empty(deep, np.float32),
            "classes": torch.empty(deep, dtype=self.class_type).numpy(),
        }


def _joined(columns: list[dict[str, Tensor]]) -> Columns:
    return {name: torch.cat([column[name] for column in columns], dim=1).numpy() for name in columns[0]}


def _best(log_p: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best KEPT_SCORES scores and their classes; all of them, in class order, where there are no more."""
    if log_p.shape[1] <= KEPT_SCORES:
        return log_p, torch.arange(log_p.shape[1], device=log_p.device).expand_as(log_p)
    best = log_p.topk(KEPT_SCORES, dim=1)
    return best.values, best.indices
