"""Find out from a few labeled images how a network wants its images, where its weights do not say it.

Clean accuracy is compared between readings: plausible sizes, normalizations and orders of the color channels. Each is
improved in turn, the size first, and all once more (``_Search``), so that some thirty readings are tried and not all
combinations. What is found is a choice made on these images, so it must be far better than what was taken before
anything is said, and a choice among many readings is confirmed by images that it was not made on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cuesense.datasets.images import prepare, to_rgb
from cuesense.datasets.own_size import LARGEST_OWN
from cuesense.errors import CuesenseError, DatasetError, UnreadableImageError, expected
from cuesense.inference import reading_candidates as candidates
from cuesense.inference.forward import forward, placed
from cuesense.inference.one_image import undisturbed
from cuesense.inference.options import RunOptions
from cuesense.inference.output_kind import add_up, as_logits
from cuesense.models.preprocessing import IMAGENET
from cuesense.stats.intervals import sign_test
from cuesense.types import Classifier, Dataset, OutputKind, Preprocessing

# Images that all readings are tried on, and at most so many more that the best one is confirmed with.
IMAGES, MORE_IMAGES = 64, 128
# A reading is far better where it recognizes a tenth of the images more, and an exact test says that this is no chance:
# over all readings that were tried on the first images, or over the finalists on further ones. Each of the two tests
# has half of the usual level of 5 %. Chosen by hand; not tuned.
_FAR, _LEVEL = 0.1, 0.025
# Fewer further images confirm nothing. Chosen by hand.
_FEWEST_MORE = 16
# The best readings of the search, which are compared on further images.
_FINALISTS = 6
# Each property is improved once, and once more after the others have changed.
_ROUNDS = 2
# What a search tries at most, about; a network that too few images are left to improve for is not searched.
_USUAL_TESTS = 30
# A picture of a camera is shrunk by whole factors to about this side before it is resized to all the sizes that are
# tried, of which the largest is half of it. Chosen by hand.
_LARGEST = 1024


@dataclass(frozen=True)
class Tried:
    """What a network makes of the images under one reading.

    Attributes:
        reading: How the images were prepared.
        right: Which of the images are recognized, (N,); none where the network fails on such input.
        surprise: Mean of -log p of the right class, at the best temperature; what tells readings apart that recognize
            equally many images.
        failed: What the network said where it fails on such input.
    """

    reading: Preprocessing
    right: NDArray[np.bool_]
    surprise: float = float("inf")
    failed: str | None = None

    @property
    def count(self) -> int:
        """How many images are recognized."""
        return int(self.right.sum())


@dataclass(frozen=True)
class Readings:
    """What was found.

    Attributes:
        current: The reading that is taken so far.
        tried: Every reading that was tried, the current one first.
        best: The best of those that change only what was guessed; the current one where none is far better.
        better: A reading that changes more than what was guessed and is far better than the best; None where none is.
        classes: Number of classes of the images, for the accuracy of guessing.
        confirmed: Of the images that the choice was not made on: how many there are, and how many the current reading
            and the chosen one recognize; None where there was no choice, or no such images.
        hint: A reading that recognizes a tenth of the images more, of too few to tell it from chance; else None.
    """

    current: Tried
    tried: tuple[Tried, ...]
    best: Tried
    better: Tried | None
    classes: int
    confirmed: tuple[int, int, int] | None = None
    hint: Tried | None = None

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.current.right)

    @property
    def at_chance(self) -> bool:
        """Whether no reading recognizes more images than guessing may, by an exact test over all readings."""
        from scipy.stats import binom

        most = max(tried.count for tried in self.tried)
        return bool(binom.sf(most - 1, self.images, 1 / self.classes) * len(self.tried) > _LEVEL)


def far_better(one: NDArray[np.bool_], other: NDArray[np.bool_], tests: int = 1) -> bool:
    """Return whether the second of two readings recognizes far more of the same images.

    Args:
        one: Which images the first recognizes, (N,).
        other: Which the second does.
        tests: How many readings the second was chosen from (Bonferroni).
    """
    gain = int(other.sum()) - int(one.sum())
    if gain < _FAR * len(one) or not len(one):
        return False
    p = float(sign_test(int((other & ~one).sum()), int((one & ~other).sum())))
    return p * max(tests, 1) <= _LEVEL


class _Images:
    """The labeled images of a search, decoded once, in an order in which the classes take turns."""

    def __init__(self, dataset: Dataset, outputs: Sequence[int]) -> None:
        self.dataset, self.outputs = dataset, outputs
        self.order = spread_over_classes(dataset)
        self.next = 0

    def take(self, count: int) -> tuple[list[Image.Image], NDArray[np.int64]]:
        """Return the next readable images and the output of the class of each."""
        images: list[Image.Image] = []
        truth = []
        while len(images) < count and self.next < len(self.order):
            index = self.order[self.next]
            self.next += 1
            try:
                sample = self.dataset[index]
                image = Image.fromarray(sample.image) if isinstance(sample.image, np.ndarray) else sample.image
                images.append(_shrunk(to_rgb(image)))
            except UnreadableImageError:
                continue
            truth.append(self.outputs[self.dataset.labels[index]])
        return images, np.array(truth, np.int64)


def spread_over_classes(dataset: Dataset) -> list[int]:
    """Return all places of a dataset so that each class comes once before any comes twice.

    The order within a class, and of the classes, is that of hashes of the ids: the same whatever the order of files.
    """
    members: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    for index, (name, label) in enumerate(zip(dataset.sample_ids, dataset.labels, strict=True)):
        members[label].append((hashlib.blake2b(name.encode(), digest_size=8).digest(), index))
    ranked = [(rank, *entry) for entries in members.values() for rank, entry in enumerate(sorted(entries))]
    return [index for _, _, index in sorted(ranked)]


def _shrunk(image: Image.Image) -> Image.Image:
    factor = min(image.size) // (_LARGEST // 2) if min(image.size) > _LARGEST else 1
    return image.reduce(factor) if factor > 1 else image


class _Runner:
    """A network that is tried under one reading after another."""

    def __init__(self, classifier: Classifier, options: RunOptions) -> None:
        self.classifier, self.options = classifier, options
        self.network = placed(classifier.network, options.device)
        self.batch_size = classifier.fixed_batch or options.batch_size
        self.resized: tuple[object, Tensor] | None = None

    def __call__(self, reading: Preprocessing, images: list[Image.Image], truth: NDArray[np.int64]) -> Tried:
        """Try the network on N images; a failure is a result, too."""
        try:
            logits = self._logits(reading, images)
        except CuesenseError as error:
            return Tried(reading, np.zeros(len(images), np.bool_), failed=str(error))
        usable = torch.isfinite(logits).all(dim=1).numpy() & (truth < logits.shape[1])
        right = (logits.argmax(dim=1).numpy() == truth) & usable
        if not usable.all():
            return Tried(reading, right)
        return Tried(reading, right, _surprise(logits, torch.from_numpy(truth)))

    def _logits(self, reading: Preprocessing, images: list[Image.Image]) -> Tensor:
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (reading.mean, reading.std))
        outputs = []
        turned = reading.channels != self.classifier.preprocessing.channels
        for part in torch.split(self._pixels(reading, images), self.batch_size):
            batch = (part.float() / 255 - mean) / std
            batch = batch.flip(1) if turned else batch
            # As in an analysis every batch is full: the last image is repeated, and its copies' outputs are dropped.
            full = torch.cat([batch, batch[-1:].expand(self.batch_size - len(batch), -1, -1, -1)])
            given = full.to(self.options.device).contiguous(memory_format=torch.channels_last)
            outputs.append(forward(self.network, given, self.options)[: len(part)].float().cpu())
        found = torch.cat(outputs)
        probabilities = bool(torch.isfinite(found).all()) and add_up(found) is not None
        return as_logits(found, OutputKind.PROBABILITIES) if probabilities else found

    def _pixels(self, reading: Preprocessing, images: list[Image.Image]) -> Tensor:
        """Return the resized images, (N, 3, H, W), uint8; those of the last size are kept for other normalizations."""
        key = reading.image_size, reading.resize, len(images), id(images)
        if self.resized is None or self.resized[0] != key:
            pixels = [prepare(image, reading).pixels for image in images]
            if len({each.shape for each in pixels}) > 1:
                raise DatasetError(expected("all images", "of one size", "several", "Give --image-size and --resize"))
            self.resized = key, torch.from_numpy(np.stack(pixels))
        return self.resized[1]


# Temperatures that logits are divided by; networks are surer of their answers on other images than they are trained on.
_TEMPERATURES = tuple(2.0**power for power in range(-3, 8))


def _surprise(logits: Tensor, truth: Tensor) -> float:
    scaled = (logits.double() / temperature for temperature in _TEMPERATURES)
    return min(float(torch.nn.functional.cross_entropy(each, truth).detach()) for each in scaled)


@dataclass
class _Search:
    """A search that improves one property of the reading after the other."""

    run: Callable[[Preprocessing], Tried]
    tried: dict[Preprocessing, Tried] = field(default_factory=dict)

    def first_that_runs(self, classifier: Classifier, free: frozenset[str]) -> Tried:
        """Return the reading that is taken so far; where the network takes no such size, one of the usual size."""
        start = classifier.preprocessing
        first = self.tried[start] = self.run(start)
        if first.failed is None or "image_size" not in free:
            return first
        for size in dict.fromkeys(filter(None, (classifier.usual_size, IMAGENET.image_size))):
            resized = replace(start, image_size=size, resize=round(min(size) / candidates.USUAL_CROP))
            found = self.tried[resized] = self.run(resized)
            if found.failed is None:
                return found
        return first

    def best_of(self, best: Tried, readings: Iterable[Preprocessing]) -> Tried:
        """Return the best of a reading and others; on equal terms the first stays."""
        for reading in readings:
            if reading not in self.tried:
                self.tried[reading] = self.run(reading)
            if _rank(self.tried[reading]) > _rank(best):
                best = self.tried[reading]
        return best

    def improved(self, start: Tried, axes: frozenset[str], usual: Sequence[tuple[int, int]]) -> Tried:
        """Return the best reading that differs from another in some properties only."""
        start = self.best_of(
            start, candidates.coarse(start.reading, size="image_size" in axes, normalization="mean" in axes)
        )
        best = start
        for _ in range(_ROUNDS):
            before = best
            if "image_size" in axes:
                best = self.best_of(best, candidates.sizes(best.reading, usual))
            elif "resize" in axes:
                best = self.best_of(best, candidates.crops(best.reading))
            if "mean" in axes:
                best = self.best_of(best, candidates.normalizations(best.reading))
            if "channels" in axes:
                best = self.best_of(best, candidates.channel_orders(best.reading))
            if best is before:
                break
        return best


@dataclass
class _Contest:
    """Decides whether the best reading of a search is far better, with images that the search has not seen."""

    runner: _Runner
    search: _Search
    pool: _Images
    more: tuple[list[Image.Image], NDArray[np.int64]] | None = None
    hint: Tried | None = None

    def winner(self, current: Tried, best: Tried) -> tuple[Tried, tuple[int, int, int] | None]:
        """Return the better one of the current reading and the finalists, with the further images' counts."""
        if best is current:
            return current, None
        certain = far_better(current.right, best.right, len(self.search.tried))
        if self.more is None:
            self.more = self.pool.take(MORE_IMAGES)
        if len(self.more[0]) < _FEWEST_MORE:
            if not certain and best.count - current.count >= _FAR * len(current.right):
                self.hint = best
            return (best if certain else current), None
        before = self.runner(current.reading, *self.more)
        finalists = sorted(self.search.tried.values(), key=_rank)[-_FINALISTS:]
        again = [(tried, self.runner(tried.reading, *self.more)) for tried in reversed(finalists)]
        chosen, run = max(again, key=lambda pair: _rank_of_both(*pair))
        if not certain and not far_better(before.right, run.right, len(finalists)):
            return current, None
        return chosen, (len(run.right), before.count, run.count)


def find_readings(
    classifier: Classifier,
    dataset: Dataset,
    outputs: Sequence[int],
    options: RunOptions,
    *,
    thorough: bool = False,
) -> Readings | None:
    """Compare how well a network recognizes up to 64 images under the plausible readings.

    Args:
        classifier: The network, how its images are prepared so far, and what of it was guessed.
        dataset: The images; those tried are the same whatever the order of the files, and of all classes alike.
        outputs: The network's output of each class.
        options: Device, batch size and precision.
        thorough: Search also where no other reading could be far better.

    Returns:
        What was found; None where no image can be read, or the network fails on all that it may be given.
    """
    pool = _Images(dataset, outputs)
    images, truth = pool.take(IMAGES)
    if not images:
        return None
    free = _axes(classifier.guessed)
    usual = tuple(filter(None, (classifier.usual_size, _shared_size(images))))
    with undisturbed(classifier.network, torch.device(options.device)):
        runner = _Runner(classifier, options)
        search = _Search(lambda reading: runner(reading, images, truth))
        current = search.first_that_runs(classifier, free)
        if current.failed is not None:
            return None
        found = Readings(current, tuple(search.tried.values()), current, None, len(dataset.class_names))
        if not thorough and not far_better(current.right, np.ones_like(current.right), _USUAL_TESTS):
            return found
        contest = _Contest(runner, search, pool)
        best, confirmed = contest.winner(current, search.improved(current, free, usual))
        better, more = (best, None) if free == _AXES else contest.winner(best, search.improved(best, _AXES, usual))
    tried = tuple(search.tried.values())
    if better is best:
        return replace(found, tried=tried, best=best, confirmed=confirmed, hint=contest.hint)
    return replace(found, tried=tried, best=best, better=better, confirmed=more)


def _shared_size(images: list[Image.Image]) -> tuple[int, int] | None:
    """Return height and width where all images share them, and a network may have been trained on them as they are."""
    sizes = {(image.height, image.width) for image in images}
    return size if len(sizes) == 1 and max(size := next(iter(sizes))) <= LARGEST_OWN else None


def _axes(fields: frozenset[str]) -> frozenset[str]:
    """Return which properties of a reading may be searched, where some of its fields may be changed."""
    wanted = {"image_size": {"image_size"}, "resize": {"resize"}, "mean": {"mean", "std"}, "channels": {"channels"}}
    return frozenset(axis for axis, names in wanted.items() if names & fields)


_AXES = frozenset({"image_size", "resize", "mean", "channels"})


def _rank(tried: Tried) -> tuple[float, float]:
    # Mean log p tells neighboring sizes apart where the number of recognized images does not: among the networks of
    # benchmarks/readings.py it named the training's own reading first where the number named a neighbor.
    return -tried.surprise, tried.count


def _rank_of_both(one: Tried, other: Tried) -> tuple[float, float]:
    """Return the rank of a reading over two sets of images."""
    weight = len(one.right), len(other.right)
    return -float(np.average([one.surprise, other.surprise], weights=weight)), one.count + other.count
