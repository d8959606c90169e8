"""Decode images ahead of the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cuesense.datasets.images import Prepared, prepare
from cuesense.errors import UnreadableImageError
from cuesense.types import Dataset, Preprocessing

# Batches that are decoded while the network works on one: one may be late without a wait. Chosen by hand; not tuned.
AHEAD = 2


def decoded(dataset: Dataset, index: int, preprocessing: Preprocessing) -> Prepared | str:
    """Return an image as a network sees it, or why it cannot be decoded."""
    try:
        return prepare(dataset[index].image, preprocessing)
    except UnreadableImageError as error:
        return error.reason


def stream(
    dataset: Dataset, batches: Iterable[Sequence[int]], preprocessing: Preprocessing, workers: int
) -> Iterator[list[Prepared | str]]:
    """Yield batches of images, decoding the next ones while the caller works on one.

    Args:
        dataset: The images.
        batches: Indices of the images of each batch.
        preprocessing: How the network wants its images.
        workers: Threads that decode.

    Yields:
        The images of each batch, or why they cannot be decoded.
    """
    # Threads are enough: decoders release the interpreter's lock, and processes would have to copy every image.
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[list[Future[Prepared | str]]] = deque()
        try:
            for batch in batches:
                waiting.append([pool.submit(decoded, dataset, index, preprocessing) for index in batch])
                if len(waiting) > AHEAD:
                    yield [future.result() for future in waiting.popleft()]
            while waiting:
                yield [future.result() for future in waiting.popleft()]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
