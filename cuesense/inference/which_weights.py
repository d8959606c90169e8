"""Decide between several weights of one network in a file by a few clean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from cuesense.datasets.images import resize_and_crop
from cuesense.errors import UnreadableImageError
from cuesense.types import Classifier, Dataset

# Images that decide, and the share of them that other weights must recognize more: four standard deviations of the
# difference of two shares of 64, so that chance does not decide. Chosen by hand; not tuned.
IMAGES = 64
FEWEST = 16
SHARE = 0.25
# A file holds a few sets of weights; each is run on all images.
_MOST_COMPARED = 4


def better_weights(
    classifier: Classifier, load: Callable[[str], Classifier], dataset: Dataset, outputs: Sequence[int]
) -> Classifier:
    """Return the classifier with the weights that recognize far more images, if the file holds such.

    An average over a training that was never updated is no better than an untrained network, and nothing in the file
    says so.

    Args:
        classifier: The network with the weights that come first.
        load: Returns it with the weights under another path of the file.
        dataset: The images; up to 64 of them, spread over the ids, are classified.
        outputs: The output of each class.

    Returns:
        The classifier, with a sentence on the numbers of images where others were taken.
    """
    sized = classifier.preprocessing.image_size is not None and classifier.fixed_batch is None
    pixels, labels = _some_images(classifier, dataset) if classifier.other_weights and sized else ([], [])
    if len(pixels) < FEWEST:
        return classifier
    wanted = torch.tensor([outputs[label] for label in labels])
    images = torch.from_numpy(np.stack(pixels)).float().div_(255)
    tried = {classifier.weights_key: classifier}
    tried |= {key: load(key) for key in classifier.other_weights[: _MOST_COMPARED - 1]}
    right = {key: _recognized(one, images, wanted) for key, one in tried.items()}
    best = max(right, key=lambda key: right[key])
    first = classifier.weights_key
    if right[best] - right[first] < SHARE * len(wanted):
        return classifier
    said = (
        f"Of {len(wanted)} images, the weights under '{first}' recognize {right[first]} and those under '{best}' "
        f"{right[best]}: '{best}' was taken; --weights-key takes another."
    )
    others = tuple(key for key in tried if key != best)
    taken = tried[best]
    return replace(taken, warnings=(*taken.warnings, said), weights_key=best, other_weights=others)


def _some_images(classifier: Classifier, dataset: Dataset) -> tuple[list[np.ndarray], list[int]]:
    order = sorted(range(len(dataset)), key=lambda index: dataset.sample_ids[index])
    places = np.linspace(0, len(order) - 1, min(len(order), IMAGES)).round().astype(int)
    pixels, labels = [], []
    for place in dict.fromkeys(places.tolist()):
        try:
            sample = dataset[order[place]]
            pixels.append(resize_and_crop(sample.image, classifier.preprocessing))
        except UnreadableImageError:
            continue
        labels.append(sample.label)
    return pixels, labels


def _recognized(classifier: Classifier, images: torch.Tensor, wanted: torch.Tensor) -> int:
    """Return how many images get the output of their class; none for a network that does not run so."""
    mean = torch.tensor(classifier.preprocessing.mean)[:, None, None]
    std = torch.tensor(classifier.preprocessing.std)[:, None, None]
    try:
        with torch.inference_mode():
            logits = torch.cat([classifier.network(part) for part in torch.split((images - mean) / std, 16)])
        return int((logits.argmax(1) == wanted).sum())
    # What is wrong with the network is said where it is probed.
    except Exception:
        return 0
