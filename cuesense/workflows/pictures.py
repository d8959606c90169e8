"""Draw example images of every class under the perturbations, with what the model answered to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from cuesense.analysis.examples import Example, examples
from cuesense.datasets.images import Prepared, prepare
from cuesense.errors import UnreadableImageError
from cuesense.perturbations.apply import perturb
from cuesense.predictions.outcomes import ConditionOutcomes, Outcomes
from cuesense.predictions.predictions import Predictions
from cuesense.reports.pictures import Answer, Picture, Strip, encode
from cuesense.types import Classifier, Condition, Dataset

# What the pictures of a page may take, so that a page of 1,000 classes and 40 conditions stays below 8 MB: its numbers
# take 2.7 MB, and base64 makes 4 bytes of 3.
_BYTES = 3_600_000
# Whole ladders of more than ten perturbations: more pictures of one class nobody looks at. Chosen by hand.
_MOST_TILES = 48
# Softmax probabilities of one output, once of its score and once by the margin, differ by the rounding of float32.
_ROUNDING = 1e-4

_Answers = Mapping[tuple[int, int], Answer]


@dataclass(frozen=True)
class _Look:
    """How large pictures are, and how many bytes one takes.

    The bytes are those of 50 photographs of 20 ImageNet classes as WebP, 1.7 and .72 kB, and a third for the noise and
    the seams of perturbed ones.
    """

    side: int
    quality: int
    bytes_each: int


_LARGE, _SMALL = _Look(96, 60, 2_300), _Look(64, 40, 960)


@dataclass
class _Drawing:
    """What pictures are drawn from; the images of one class are decoded once, and then let go.

    Attributes:
        classifier: The model, for how its images are prepared.
        dataset: The images.
        predictions: The predictions, whose images are indexed.
        seed: The seed of the draws.
        look: How large pictures are.
    """

    classifier: Classifier
    dataset: Dataset
    predictions: Predictions
    seed: int
    look: _Look
    _places: dict[str, int] = field(init=False)
    _prepared: dict[int, Prepared | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {name: at for at, name in enumerate(self.dataset.sample_ids)}

    def strips(self, examples: Sequence[Example], answers: _Answers) -> list[Strip]:
        """Return the examples of one class as pictures, without those whose image cannot be read any more."""
        # Kept for all classes, large images of a thousand would take hundreds of megabytes.
        self._prepared.clear()
        return [strip for example in examples if (strip := self.strip(example, answers)) is not None]

    def strip(self, example: Example, answers: _Answers) -> Strip | None:
        """Return an example as pictures; None where the image cannot be read any more."""
        image = self._image(example.image)
        if image is None:
            return None
        clean, *tiles = (self._picture(example.image, image, row, answers) for row in (0, *example.rows))
        return Strip(example.perturbation, clean, tuple(tiles))

    def _image(self, at: int) -> Prepared | None:
        if at not in self._prepared:
            place = self._places[self.predictions.sample_ids[at]]
            try:
                self._prepared[at] = prepare(self.dataset[place].image, self.classifier.preprocessing)
            except UnreadableImageError:
                self._prepared[at] = None
        return self._prepared[at]

    def _picture(self, at: int, image: Prepared, row: int, answers: _Answers) -> Picture:
        condition = self.predictions.conditions[row]
        pixels = self._changed(image, condition)[0].mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
        drawn = encode(pixels, self.look.side, self.look.quality)
        return Picture(self.predictions.sample_ids[at], condition.severity, condition.value, drawn, answers[row, at])

    def _changed(self, image: Prepared, condition: Condition) -> torch.Tensor:
        pixels = torch.from_numpy(image.pixels)[None].float().div_(255)
        if condition.perturbation is None:
            return pixels
        return perturb(
            condition.perturbation, pixels, [image.key], condition.value, seed=self.seed, repeat=condition.repeat
        )


def pictures(
    classifier: Classifier, dataset: Dataset, predictions: Predictions, outcomes: Outcomes, seed: int
) -> dict[int, list[Strip]]:
    """Return example images of every class that has images, as many as fit on a page.

    Where there are many classes, pictures are smaller, fewer perturbations are shown, and of each only the severity at
    which the image is lost.

    Args:
        classifier: The model, for how its images are prepared.
        dataset: The images.
        predictions: The model's predictions of these outcomes.
        outcomes: The outcomes.
        seed: The seed of the draws.

    Returns:
        The strips by class; those of an image that cannot be read any more are left out.
    """
    share = _BYTES / max(1, len(np.unique(predictions.per_condition[0].labels)))
    look = _LARGE if share >= _MOST_TILES / 4 * _LARGE.bytes_each else _SMALL
    tiles = min(_MOST_TILES, int(share / look.bytes_each))
    chosen = examples(predictions, tiles, whole=tiles >= _MOST_TILES // 2)
    answers = _answers(predictions, _stored(dataset, outcomes), outcomes, _shown(chosen.values()))
    drawing = _Drawing(classifier, dataset, predictions, seed, look)
    found = {}
    for label, parts in chosen.items():
        found[label] = _within(drawing.strips(parts, answers), share)
    return {label: strips for label, strips in found.items() if strips}


def _within(strips: Sequence[Strip], size: float) -> list[Strip]:
    """Return the first strips that take so many bytes together; one at least."""
    kept: list[Strip] = []
    counted: set[str] = set()
    for strip in strips:
        size -= sum(len(tile.image) for tile in strip.tiles)
        size -= 0 if strip.clean.sample_id in counted else len(strip.clean.image)
        if kept and size < 0:
            break
        counted.add(strip.clean.sample_id)
        kept.append(strip)
    return kept


def _shown(chosen: Iterable[Sequence[Example]]) -> dict[int, list[int]]:
    """Return the images that are shown under each condition; each is shown clean, too."""
    found: dict[int, set[int]] = defaultdict(set)
    for parts in chosen:
        for part in parts:
            for row in (0, *part.rows):
                found[row].add(part.image)
    return {row: sorted(images) for row, images in sorted(found.items())}


def _stored(dataset: Dataset, outcomes: Outcomes) -> dict[str, int]:
    """Return the place of every image among the outcomes by its id."""
    ids = sorted(dataset.sample_ids)
    return {ids[position]: at for at, position in enumerate(outcomes.images.positions.tolist())}


def _answers(
    predictions: Predictions,
    stored: Mapping[str, int],
    outcomes: Outcomes,
    shown: Mapping[int, Sequence[int]],
) -> dict[tuple[int, int], Answer]:
    """Return what the model answered, by condition and image."""
    labels = predictions.per_condition[0].labels
    return {
        (row, image): _answer(predictions, int(labels[image]), found, stored[predictions.sample_ids[image]])
        for (row, images), found in zip(shown.items(), outcomes.conditions(list(shown)), strict=True)
        for image in images
    }


def _answer(predictions: Predictions, label: int, outcomes: ConditionOutcomes, at: int) -> Answer:
    predicted, of_class = int(outcomes.predicted[at]), float(outcomes.p_true[at])
    # The margin is the logit of the class minus the largest other one: a difference of logits is a ratio of
    # probabilities.
    other = min(1.0, float(of_class * np.exp(-np.float64(outcomes.margin[at]))))
    name = predictions.output_names[predicted]
    if predicted == predictions.outputs[label]:
        return Answer(name, of_class, True, _rival(predictions, label, other, outcomes, at), other)
    return Answer(name, other, False, predictions.class_names[label], of_class)


def _rival(
    predictions: Predictions, label: int, probability: float, outcomes: ConditionOutcomes, at: int
) -> str | None:
    """Return the class with the second largest probability; None where another output than the classes has it."""
    scores = np.where(outcomes.classes[at] == label, -np.inf, outcomes.scores[at])
    best = int(scores.argmax())
    is_it = np.isfinite(scores[best]) and abs(float(np.exp(scores[best])) - probability) <= _ROUNDING
    return predictions.class_names[int(outcomes.classes[at, best])] if is_it else None
