"""A matched model, tried before an analysis: how it takes its images, what it gives, and in which order."""

from __future__ import annotations

from torch import nn

from cuesense.inference.class_outputs import named, settle
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import count_outputs, probe
from cuesense.inference.readings import find_readings
from cuesense.types import Classifier, Dataset, Notify
from cuesense.workflows.readings import settled


def try_model(
    model: object,
    classifier: Classifier,
    data: Dataset,
    outputs: tuple[int, ...],
    run: RunOptions,
    notify: Notify | None = None,
) -> tuple[Classifier, tuple[int, ...]]:
    """Return a classifier that was tried, its images prepared as they are recognized best where nobody says how.

    Args:
        model: What the user gave; a module is the user's own, a Classifier is all its maker's word.
        classifier: The network, matched to the dataset.
        data: The images, of C classes.
        outputs: The output of each class, length C.
        run: How networks run.
        notify: Called with a sentence where it takes long.

    Returns:
        The classifier, with warnings and assumptions, and the output of each class.

    Raises:
        ModelError: The network fails, or is no function of one image and may not be run.
    """
    # Before a search, which may take a minute and must know what the outputs are: their number may fit no classes.
    classifier, outputs = named(classifier, data, outputs, count_outputs(classifier, data, run))
    # A library's own weights are of one training.
    guessed = bool(classifier.guessed - {"class_names"})
    own = classifier.sha256 is not None or isinstance(model, nn.Module) or guessed
    found, order = _tried(classifier, data, outputs, run, notify, own=own)
    if own and order != outputs:
        # What was searched with the outputs in another order is worth nothing.
        found, order = _tried(classifier, data, order, run, notify, own=own)
    return found, order


def _tried(
    classifier: Classifier,
    data: Dataset,
    outputs: tuple[int, ...],
    run: RunOptions,
    notify: Notify | None,
    *,
    own: bool,
) -> tuple[Classifier, tuple[int, ...]]:
    readings = find_readings(classifier, data, outputs, run, notify=notify) if own else None
    classifier = settled(classifier, readings)
    tried = probe(classifier, data, run)
    classifier = tried.applied(classifier)
    if own and readings is None:
        # The trial may have found out how the network takes its images.
        classifier = settled(classifier, find_readings(classifier, data, outputs, run, notify=notify))
    return settle(classifier, data, outputs, tried.output_count, run)
