"""Find out from a few labeled images how a network wants its images, where its weights do not say it.

Clean accuracy is compared between readings: plausible sizes, normalizations and orders of the color channels. A coarse
grid crosses them, since a wrong one hides that the others are right; then each is improved in turn, the size first, and
all once more, from the best of the grid and from the best of small images with another normalization (``_Search``). A
reading that is no better than the best so far on the first 16 images is left at that, so that all cost about ten passes
over 64 images of the largest size. What is found is a choice made on these images, so it must be far better than what
was taken before anything is said, and a choice among many readings is confirmed by images that it was not made on.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cuesense.datasets.images import resize_and_crop, to_rgb
from cuesense.datasets.own_size import LARGEST_OWN
from cuesense.errors import CuesenseError, DatasetError, ModelError, UnreadableImageError, expected
from cuesense.inference import reading_candidates as candidates
from cuesense.inference.forward import forward, placed
from cuesense.inference.one_image import undisturbed
from cuesense.inference.options import RunOptions
from cuesense.inference.output_kind import add_up, as_logits
from cuesense.inference.tried_readings import (
    FAR,
    LEVEL,
    OTHER_ORDER,
    Tried,
    far_better,
    in_another_order,
    p_of_guessing,
    rank,
    rank_of_both,
    together,
)
from cuesense.models.preprocessing import IMAGENET
from cuesense.types import Classifier, Dataset, Notify, OutputKind, Preprocessing

# Images that readings are tried on, those that tell at once which one is no better, and at most so many more that the
# best one is confirmed with; fewer where images are large, for a pass over 64 of 224 pixels through a ResNet-18 takes
# six seconds on one core. Chosen by hand.
IMAGES, FIRST_IMAGES, MORE_IMAGES, MORE_LARGE_IMAGES = 64, 16, 128, 48
# Fewer further images confirm nothing. Chosen by hand.
_FEWEST_MORE = 16
# The best readings of the search, which are compared on further images; fewer of large images.
_FINALISTS, _LARGE_FINALISTS = 6, 3
# Each property is improved once, and once more after the others have changed.
_ROUNDS = 2
# What a search tries, about: with images so few that no signed ranks are certain over so many, none is made.
_USUAL_TESTS = 30
# A picture of a camera is shrunk by whole factors to about this side before it is resized to all the sizes that are
# tried, of which the largest is half of it. Chosen by hand.
_LARGEST = 1024
# A search takes about ten times as long as the first pass; below so many seconds a pass nothing is said of it.
_SHORT = 1.0
_SEARCHED = (
    "{} of {} images are recognized as they are prepared: other sizes, normalizations and orders of channels are "
    "tried, which takes as long as some 1,000 images."
)


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
        other_order: How many images would be recognized with the classes in another order, where that is far more than
            under any reading; else 0.
        hint: A reading that recognizes a tenth of the images more, of too few to tell it from chance; else None.
    """

    current: Tried
    tried: tuple[Tried, ...]
    best: Tried
    better: Tried | None
    classes: int
    confirmed: tuple[int, int, int] | None = None
    hint: Tried | None = None
    other_order: int = 0

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.current.right)

    @property
    def most(self) -> Tried:
        """The reading that recognizes most, of those that were tried on all images."""
        return max((tried for tried in self.tried if len(tried.right) == self.images), key=lambda tried: tried.count)

    @property
    def runner_up(self) -> Tried | None:
        """The reading that recognizes most of all images, where that is more than the best one does; else None."""
        return self.most if self.most.count > self.best.count else None

    @property
    def at_chance(self) -> bool:
        """Whether no reading recognizes more images than guessing may, by an exact test over all readings."""
        return min(p_of_guessing(tried, self.classes) for tried in self.tried) * len(self.tried) > LEVEL


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
        self.batch_size = classifier.fixed_batch or min(options.batch_size, FIRST_IMAGES)
        self.resized: tuple[object, dict[int, NDArray[np.uint8]]] = (None, {})

    def __call__(self, reading: Preprocessing, images: list[Image.Image], truth: NDArray[np.int64]) -> Tried:
        """Try the network on N images; a failure is a result, too."""
        try:
            logits = self._logits(reading, images)
        except CuesenseError as error:
            usual = self.classifier.fixed_batch or self.options.batch_size
            if self.batch_size != usual:
                # Some traced networks take no other batch than --batch-size gives.
                self.batch_size = usual
                return self(reading, images, truth)
            return Tried(reading, np.zeros(len(images), np.bool_), failed=str(error))
        usable = torch.isfinite(logits).all(dim=1).numpy() & (truth < logits.shape[1])
        predicted = logits.argmax(dim=1).numpy()
        right = (predicted == truth) & usable
        losses = _losses(logits, torch.from_numpy(truth)) if usable.all() else np.zeros(0)
        return Tried(reading, right, losses, predicted=predicted)

    def _logits(self, reading: Preprocessing, images: list[Image.Image]) -> Tensor:
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (reading.mean, reading.std))
        outputs = []
        turned = reading.channels != self.classifier.preprocessing.channels
        for part in torch.split(self._pixels(reading, images), self.batch_size):
            batch = (part.float() / 255 - mean) / std
            batch = batch.flip(1) if turned else batch
            # Every batch is full, as in an analysis: the last image is repeated, and its copies' outputs are dropped.
            full = torch.cat([batch, batch[-1:].expand(self.batch_size - len(batch), -1, -1, -1)])
            given = full.to(self.options.device).contiguous(memory_format=torch.channels_last)
            outputs.append(forward(self.network, given, self.options)[: len(part)].float().cpu())
        found = torch.cat(outputs)
        if found.shape[1] == 1:
            # What one output says of two classes is found out before the search goes on.
            raise ModelError(expected("the outputs", "one for each class", "one", "Adapt the network first"))
        probabilities = bool(torch.isfinite(found).all()) and add_up(found) is not None
        return as_logits(found, OutputKind.PROBABILITIES) if probabilities else found

    def _pixels(self, reading: Preprocessing, images: list[Image.Image]) -> Tensor:
        """Return the resized images, (N, 3, H, W), uint8; those of the last size are kept for other normalizations."""
        key = reading.image_size, reading.resize
        if self.resized[0] != key:
            self.resized = key, {}
        known = self.resized[1]
        for image in images:
            # All images are kept for the whole search, so that no other one comes to have the id of one.
            if id(image) not in known:
                known[id(image)] = resize_and_crop(image, reading)
        pixels = [known[id(image)] for image in images]
        if len({each.shape for each in pixels}) > 1:
            raise DatasetError(expected("all images", "of one size", "several", "Give --image-size and --resize"))
        return torch.from_numpy(np.stack(pixels))


# Temperatures that logits are divided by; networks are surer of their answers on other images than they are trained on.
_TEMPERATURES = tuple(2.0**power for power in range(-3, 8))


def _losses(logits: Tensor, truth: Tensor) -> NDArray[np.float64]:
    scaled = (logits.detach().double() / temperature for temperature in _TEMPERATURES)
    losses = (torch.nn.functional.cross_entropy(each, truth, reduction="none") for each in scaled)
    return np.asarray(min(losses, key=lambda each: float(each.mean())).numpy())


@dataclass
class _Search:
    """A search that improves one property of the reading after the other."""

    runner: _Runner
    images: list[Image.Image]
    truth: NDArray[np.int64]
    classes: int
    tried: dict[Preprocessing, Tried] = field(default_factory=dict)

    def first_that_runs(self, classifier: Classifier, free: frozenset[str]) -> Tried:
        """Return the reading that is taken so far; where the network takes no such size, one of the usual size."""
        start = classifier.preprocessing
        first = self.tried[start] = self._whole(start)
        if first.failed is None or "image_size" not in free:
            return first
        for size in dict.fromkeys(filter(None, (classifier.usual_size, IMAGENET.image_size))):
            resized = replace(start, image_size=size, resize=round(min(size) / candidates.USUAL_CROP))
            found = self.tried[resized] = self._whole(resized)
            if found.failed is None:
                return found
        return first

    def improved(self, start: Tried, axes: frozenset[str], usual: Sequence[tuple[int, int]]) -> Tried:
        """Return the best reading that differs from another in some properties only."""
        best = self._best_of(start, candidates.coarse(start.reading, axes), coarse=True)
        if self._no_better_than_guessing(best):
            best = self._best_of(best, candidates.turned(start.reading, axes), coarse=True)
        if self._no_better_than_guessing(best):
            return best
        starts = [best, *self._of_another_normalization(best)]
        return max((self._one_after_the_other(each, axes, usual) for each in starts), key=rank)

    def _of_another_normalization(self, best: Tried) -> list[Tried]:
        """Return the best other start, if any: what looks better at a wrong size may have a wrong normalization.

        Large images are no other start: from 224 pixels that took 17 of 58 and 24 of 71 seconds through a ResNet-18.
        """
        tried = (one for one in self.tried.values() if not _is_large(one.reading))
        others = [one for one in tried if len(one.losses) and not candidates.alike(one.reading, best.reading)]
        second = min(others, key=lambda one: one.losses[:FIRST_IMAGES].mean(), default=None)
        if second is None or self._no_better_than_guessing(second):
            return []
        whole = self.tried[second.reading] = self._whole(second.reading)
        return [whole]

    def _one_after_the_other(self, best: Tried, axes: frozenset[str], usual: Sequence[tuple[int, int]]) -> Tried:
        for _ in range(_ROUNDS):
            before = best
            if "image_size" in axes:
                best = self._best_of(best, candidates.sizes(best.reading, usual))
            if "resize" in axes:
                best = self._best_of(best, candidates.crops(best.reading))
            if "mean" in axes:
                best = self._best_of(best, candidates.normalizations(best.reading))
            if "channels" in axes:
                best = self._best_of(best, candidates.channel_orders(best.reading))
            if best is before:
                break
        return best

    def whole(self) -> list[Tried]:
        """Return what was tried on all images, the best last."""
        return sorted((tried for tried in self.tried.values() if len(tried.right) == len(self.images)), key=rank)

    def _best_of(self, best: Tried, readings: Iterable[Preprocessing], *, coarse: bool = False) -> Tried:
        """Return the best of a reading and others; on equal terms the first stays."""
        for given in readings:
            reading = self._as_tried(given)
            tried = self.tried[reading] = self._tried(reading, best, coarse=coarse)
            if len(tried.right) == len(best.right) and rank(tried) > rank(best):
                best = tried
        return best

    def _as_tried(self, reading: Preprocessing) -> Preprocessing:
        """Return the reading that was tried already and gives the same pixels, where there is one, else the reading.

        Square images are the same whether they are resized whole or their whole shorter side is cropped.
        """
        size = reading.image_size
        if size is None or len({*size}) > 1 or any(image.width != image.height for image in self.images):
            return reading
        if reading.resize not in (None, size[0]):
            return reading
        same = (replace(reading, resize=resize) for resize in (None, size[0]))
        return next((other for other in same if other in self.tried), reading)

    def _tried(self, reading: Preprocessing, best: Tried, *, coarse: bool) -> Tried:
        """Try a reading on the first images, and on the others where it may be better than the best so far.

        Of a coarse grid, in which the right one differs much from the others, more than a standard error is asked for.
        """
        known = self.tried.get(reading)
        first = known or self.runner(reading, self.images[:FIRST_IMAGES], self.truth[:FIRST_IMAGES])
        if len(first.right) == len(self.images):
            return first
        if not len(first.losses):
            # A network that fails, or gives no numbers, does so for all.
            return first
        if len(best.losses):
            more = first.losses - best.losses[:FIRST_IMAGES]
            if more.mean() > (-more.std(ddof=1) / math.sqrt(len(more)) if coarse else 0):
                return first
        return self._whole(reading)

    def _whole(self, reading: Preprocessing) -> Tried:
        return self.runner(reading, self.images, self.truth)

    def _no_better_than_guessing(self, tried: Tried) -> bool:
        # Of one test only, and also by the losses: what may be a trace of the right reading is followed.
        above = math.log(self.classes) - tried.losses
        sure = len(above) > 1 and above.mean() > 2 * above.std(ddof=1) / math.sqrt(len(above))
        return not sure and p_of_guessing(tried, self.classes) > 2 * LEVEL


@dataclass
class _Contest:
    """Decides whether the best reading of a search is far better, with images that the search has not seen."""

    search: _Search
    pool: _Images
    more: tuple[list[Image.Image], NDArray[np.int64]] | None = None
    hint: Tried | None = None

    def winner(self, current: Tried, best: Tried) -> tuple[Tried, tuple[int, int, int] | None]:
        """Return the better one of the current reading and the finalists, with the further images' counts."""
        if best is current:
            return current, None
        large = any(_is_large(tried.reading) for tried in (current, best))
        if self.more is None:
            self.more = self.pool.take(MORE_LARGE_IMAGES if large else MORE_IMAGES)
        if len(self.more[0]) < _FEWEST_MORE:
            certain = far_better(current, best, len(self.search.tried))
            return self._decided(current, best, certain=certain), None
        runner = self.search.runner
        before = runner(current.reading, *self.more)
        finalists = self.search.whole()[-(_LARGE_FINALISTS if large else _FINALISTS) :]
        again = [(tried, runner(tried.reading, *self.more)) for tried in reversed(finalists)]
        chosen, run = max(again, key=lambda pair: rank_of_both(*pair))
        # On the images that the choice was not made on, or on all, as one of all that were tried.
        on_all = far_better(together(current, before), together(chosen, run), len(self.search.tried))
        certain = on_all or far_better(before, run, len(finalists))
        winner = self._decided(current, chosen, certain=certain)
        return winner, (len(run.right), before.count, run.count) if certain else None

    def _decided(self, current: Tried, best: Tried, *, certain: bool) -> Tried:
        """Return the best reading where it is certain, and keep as a hint what seems to be far better."""
        if not certain and best.count - current.count >= FAR * len(current.right):
            self.hint = best
        return best if certain else current


def find_readings(
    classifier: Classifier,
    dataset: Dataset,
    outputs: Sequence[int],
    options: RunOptions,
    *,
    thorough: bool = False,
    notify: Notify | None = None,
) -> Readings | None:
    """Compare how well a network recognizes up to 64 images under the plausible readings.

    Args:
        classifier: The network, how its images are prepared so far, and what of it was guessed.
        dataset: The images; those tried are the same whatever the order of the files, and of all classes alike.
        outputs: The network's output of each class.
        options: Device, batch size and precision.
        thorough: Search also where no other reading could be far better.
        notify: Called with a sentence before a search that takes long.

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
        search = _Search(runner, images, truth, len(dataset.class_names))
        start = time.perf_counter()
        current = search.first_that_runs(classifier, free)
        passed = time.perf_counter() - start
        if current.failed is not None:
            return None
        found = Readings(current, tuple(search.tried.values()), current, None, len(dataset.class_names))
        if not thorough and (
            not _can_be_improved(current)
            # All of it is somebody's word: only what cannot be right is doubted.
            or (not free and not found.at_chance)
        ):
            return found
        if notify is not None and passed > _SHORT:
            notify(_SEARCHED.format(current.count, len(images)))
        contest = _Contest(search, pool)
        best, confirmed = contest.winner(current, search.improved(current, free, usual))
        better, more = (best, None) if free == _AXES else contest.winner(best, search.improved(best, _AXES, usual))
    found = replace(found, tried=tuple(search.tried.values()))
    other_order = in_another_order(current, truth, outputs)
    if other_order >= OTHER_ORDER * max(better.count, 1):
        # The classes have each other's outputs, which no reading mends.
        return replace(found, other_order=other_order)
    if found.at_chance:
        # What is best of nothing is no choice.
        return found
    if better is best:
        return replace(found, best=best, confirmed=confirmed, hint=contest.hint)
    return replace(found, best=best, better=better, confirmed=more)


def _can_be_improved(current: Tried) -> bool:
    """Return whether any reading could be far better: enough images are not recognized, and there are enough of all."""
    wrong, images = len(current.right) - current.count, len(current.right)
    return wrong >= FAR * images and _USUAL_TESTS * 0.5**images <= LEVEL


def _shared_size(images: list[Image.Image]) -> tuple[int, int] | None:
    """Return height and width where all images share them, and a network may have been trained on them as they are."""
    sizes = {(image.height, image.width) for image in images}
    return size if len(sizes) == 1 and max(size := next(iter(sizes))) <= LARGEST_OWN else None


def _is_large(reading: Preprocessing) -> bool:
    return reading.image_size is None or max(reading.image_size) > candidates.LARGE


def _axes(fields: frozenset[str]) -> frozenset[str]:
    """Return which properties of a reading may be searched, where some of its fields may be changed."""
    wanted = {"image_size": {"image_size"}, "resize": {"resize"}, "mean": {"mean", "std"}, "channels": {"channels"}}
    return frozenset(axis for axis, names in wanted.items() if names & fields)


_AXES = frozenset({"image_size", "resize", "mean", "channels"})
