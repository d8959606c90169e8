"""Images in memory that changed since a run began: their fingerprint covers only some of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.images import prepare
from cuesense.datasets.in_memory import MemoryDataset
from cuesense.datasets.subset import Subset
from cuesense.errors import DatasetError, UnreadableImageError, expected, listed
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Dataset, Preprocessing

# Images that a sentence names.
_SHOWN = 5


def refuse_changed_in_memory(
    dataset: Dataset,
    order: Sequence[int],
    store: OutcomeStore,
    done: Sequence[int],
    preprocessing: Preprocessing,
    workers: int,
) -> None:
    """Raise DatasetError where images in memory are others than those that finished shards hold predictions for.

    Files are known by their whole content: nothing is read again of them.

    Args:
        dataset: The images.
        order: The dataset's indices in the order of the ids, which stored positions index.
        store: The outcomes.
        done: Numbers of the finished shards.
        preprocessing: How the network wants its images.
        workers: Threads that decode.
    """
    if not _is_in_memory(dataset):
        return

    def digest(index: int) -> int | None:
        try:
            return prepare(dataset[index].image, preprocessing).digest
        except UnreadableImageError:
            return None

    changed: list[str] = []
    with ThreadPoolExecutor(workers) as pool:
        for number in done:
            images = store.images_in(number)
            indices = [order[position] for position in images.positions]
            pairs = zip(indices, pool.map(digest, indices), images.digests.tolist(), strict=True)
            changed += [f"'{dataset.sample_ids[index]}'" for index, now, before in pairs if now != before]
    if changed:
        got = f"{len(changed)} others ({listed(changed, _SHOWN)})"
        do = "Give the same images in the same order and without random changes, or --restart"
        raise DatasetError(expected("the dataset", "of the images that the run began with", got, do))


def _is_in_memory(dataset: Dataset) -> bool:
    if isinstance(dataset, Subset | CachedDataset):
        return _is_in_memory(dataset.source)
    return isinstance(dataset, MemoryDataset)
