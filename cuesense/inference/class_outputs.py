"""Which output stands for which class, once a few images have shown how many outputs a network has.

Where neither the weights nor an option name the outputs, they are taken for the dataset's classes in order. That is not
the only order in three cases: a network with ImageNet's 1,000 outputs and some of its classes; folders that are
indices of more outputs than there are folders; and folders that are numbers, which torchvision's ImageFolder sorts as
text (0, 1, 10, 2) and other programs as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cuesense.datasets.classes import match_classes, read_class_names
from cuesense.datasets.names import composed, loose_key
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError, ModelError, expected, listed
from cuesense.inference.engine import predict
from cuesense.inference.forward import check_count
from cuesense.inference.options import RunOptions
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier, ClassNames, Condition, Dataset, no_progress

# Clean images that decide between two orders. Of the images that one order explains and the other does not, a network
# of accuracy a explains a share of about a in the right order and a / C in the other: with 200 images even an accuracy
# of 0.15 decides. Chosen by hand; not tuned.
_IMAGES = 200
# Two-sided level of the exact sign test between the orders. Chosen by hand.
_LEVEL = 0.01
_NUMBER_BEFORE = re.compile(r"(?P<number>[0-9]{1,9})(?P<word>(?:[-._ ].*)?)")
_NUMBER_BEHIND = re.compile(r"(?P<word>[^0-9]*)(?P<number>[0-9]{1,9})")
# Folders that a sentence names.
_SHOWN = 3
_SAY = "To say it yourself, name the outputs in their order (--class-names)"


def settle(
    classifier: Classifier, dataset: Dataset, outputs: tuple[int, ...], count: int | None, options: RunOptions
) -> tuple[Classifier, tuple[int, ...]]:
    """Return a classifier whose outputs' names were assumed with the order that its outputs show, and say it.

    Args:
        classifier: The network; where its outputs' names are known, all stays as it is.
        dataset: The images, of C classes.
        outputs: The output of each class as it was assumed, length C.
        count: How many outputs the network has; None where it could not be tried.
        options: How networks run.

    Returns:
        The classifier, its outputs named and the choice among its assumptions, and the output of each class.

    Raises:
        ModelError: As for ``named``.
    """
    classifier, outputs = named(classifier, dataset, outputs, count)
    names = dataset.class_names
    # Labels of a table or in memory are sorted as numbers already: they are indices.
    if count is None or "class_names" not in classifier.guessed or list(names) != sorted(names):
        return classifier, outputs
    return _ordered(classifier, dataset, outputs, options) if orders_differ(names) else (classifier, outputs)


def named(
    classifier: Classifier, dataset: Dataset, outputs: tuple[int, ...], count: int | None
) -> tuple[Classifier, tuple[int, ...]]:
    """Return a classifier with the names that the number of its outputs shows, where they were assumed.

    Args:
        classifier: The network.
        dataset: The images, of C classes.
        outputs: The output of each class as it was assumed, length C.
        count: How many outputs the network has; None where it is not known, and all stays as it is.

    Returns:
        The classifier, the choice among its assumptions, and the output of each class.

    Raises:
        ModelError: The number of outputs fits neither the names nor the classes; the sentence says so where it is that
            of the class folders with images, of the folders in them, or of classes that are spelled in several ways.
    """
    assumed, names = classifier.class_names, dataset.class_names
    if count is None or assumed is None:
        return classifier, outputs
    if "class_names" in classifier.guessed and count != len(names):
        for known in (_imagenet(names, count), _indices(names, count)):
            if known is not None:
                found, said = known
                guessed = classifier.guessed - {"class_names"}
                classifier = replace(_say(classifier, said), class_names=found, guessed=guessed)
                return classifier, match_classes(names, found)
        _refuse_empty(dataset, count)
        _refuse_inner(dataset, count)
        _refuse_spellings(names, count)
    check_count(count, len(assumed.names))
    return classifier, outputs


def orders_differ(names: Sequence[str]) -> bool:
    """Return whether names that are numbered are sorted in one order as text and in another by their numbers."""
    numbers = _numbers(names)
    return numbers is not None and sorted(names, key=numbers.__getitem__) != sorted(names)


def _numbers(names: Sequence[str]) -> dict[str, int] | None:
    """Return the number of each name, where all have one of their own: "10", "10_rose", "10.Rose", "class10"."""
    for form in (_NUMBER_BEFORE, _NUMBER_BEHIND):
        found = [form.fullmatch(name) for name in names]
        words = {match["word"] for match in found if match}
        numbers = {name: int(match["number"]) for name, match in zip(names, found, strict=True) if match}
        if len(set(numbers.values())) == len(names) and (form is _NUMBER_BEFORE or len(words) == 1):
            return numbers
    return None


def _ordered(
    classifier: Classifier, dataset: Dataset, outputs: tuple[int, ...], options: RunOptions
) -> tuple[Classifier, tuple[int, ...]]:
    """Return the order of numbered folders in which a network recognizes clearly more of a few clean images."""
    names = list(map(composed, dataset.class_names))
    from scipy.stats import binomtest

    numbers_of = _numbers(names) or {}
    as_text, as_numbers = sorted(names), sorted(names, key=numbers_of.__getitem__)
    of_text, of_numbers = (np.array([order.index(name) for name in names]) for order in (as_text, as_numbers))
    tried = _predicted(classifier, dataset, outputs, options)
    what = f"The class folders are numbered ({', '.join(as_text[:_SHOWN])}, ... as text)"
    if tried is None:
        said = f"{what}: the outputs were taken to be in the order of text, as torchvision's ImageFolder sorts folders"
        return _say(classifier, f"{said}. {_SAY}."), outputs
    labels, predicted = tried
    text, numbers = predicted == of_text[labels], predicted == of_numbers[labels]
    only_text, only_numbers = int((text & ~numbers).sum()), int((numbers & ~text).sum())
    shares = f"{numbers.mean():.1%} of {len(labels)} clean images are recognized in the order of the numbers"
    shares += f" and {text.mean():.1%} in that of text"
    decided = only_text + only_numbers and binomtest(only_text, only_text + only_numbers).pvalue < _LEVEL
    taken, order = (of_numbers, as_numbers) if decided and only_numbers > only_text else (of_text, as_text)
    called = "of the numbers" if order is as_numbers else "of text, as torchvision's ImageFolder sorts folders"
    said = f"{what}, and {shares}: the outputs were taken to be in the order {called}"
    classifier = _say(replace(classifier, class_names=ClassNames(tuple(order))), f"{said}. {_SAY}.")
    if not decided:
        doubt = f"{what}, and the order of the outputs is not certain: {shares}. That of text was taken. {_SAY}."
        classifier = replace(classifier, warnings=(*classifier.warnings, doubt))
    return classifier, tuple(taken.tolist())


def _say(classifier: Classifier, sentence: str) -> Classifier:
    return replace(classifier, assumptions=(*classifier.assumptions, sentence))


def _predicted(
    classifier: Classifier, dataset: Dataset, outputs: tuple[int, ...], options: RunOptions
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the labels of a few clean images and the outputs that are predicted; None where many are unreadable."""
    store = OutcomeStore()
    few = subset(dataset, max(1, _IMAGES // len(dataset.class_names)))
    try:
        outcomes = predict(classifier, few, outputs, [Condition()], store, options, no_progress)
    except DatasetError:
        return None
    (found,) = outcomes.conditions([0])
    return outcomes.images.labels, found.predicted.astype(np.int64)


def _imagenet(names: Sequence[str], count: int) -> tuple[ClassNames, str] | None:
    """Return ImageNet's names where a network has its 1,000 outputs and the classes are some of them."""
    known = read_class_names("imagenet")
    if count != len(known.names):
        return None
    try:
        match_classes(names, known)
    except DatasetError:
        return None
    if all(name.isdigit() for name in names):
        return None
    said = (
        f"The model has {count:,} outputs, and the {len(names)} classes are ImageNet's: the outputs were taken for "
        f"ImageNet's classes in their usual order (--class-names imagenet)."
    )
    return known, said


def _indices(names: Sequence[str], count: int) -> tuple[ClassNames, str] | None:
    """Return the outputs' indices as names where the folders are some of them."""
    numbers = [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 10]
    if len(numbers) < len(names) or len(set(numbers)) < len(names) or max(numbers) >= count:
        return None
    spelled = {int(name): name for name in names}
    said = (
        f"The model has {count:,} outputs, and the {len(names)} class folders are numbers from {min(numbers)} to "
        f"{max(numbers)}: each was taken for the output of its number, counted from 0. {_SAY}."
    )
    return ClassNames(tuple(spelled.get(index, str(index)) for index in range(count))), said


def _refuse_empty(dataset: Dataset, count: int) -> None:
    """Refuse empty class folders where the model has as many outputs as there are others."""
    names, labels = dataset.class_names, set(dataset.labels)
    empty = [composed(name) for index, name in enumerate(names) if index not in labels]
    if empty and count == len(names) - len(empty):
        shown = listed([f"'{name}'" for name in empty], _SHOWN)
        hold = "folder without an image" if len(empty) == 1 else "folders without an image"
        got = f"{count}, as many as without the {len(empty)} {hold}: {shown}"
        do = f"Remove {'it' if len(empty) == 1 else 'them'}, or name the outputs with --class-names"
        to_be = f"{len(names)}, one for each class folder"
        raise ModelError(expected("the number of the model's outputs", to_be, got, do))


def _refuse_inner(dataset: Dataset, count: int) -> None:
    """Refuse groups of classes, where the folders in the class folders are as many as the model's outputs."""
    inner = sorted({"/".join(name.split("/")[:2]) for name in dataset.sample_ids if name.count("/") > 1})
    if len(inner) == count:
        shown = listed([f"'{name}'" for name in inner], _SHOWN)
        got = f"{count}, as many as there are folders of their own inside the class folders: {shown}"
        do = "If these are the classes, put them into one folder"
        to_be = f"{len(dataset.class_names)}, one for each class folder"
        raise ModelError(expected("the number of the model's outputs", to_be, got, do))


def _refuse_spellings(names: Sequence[str], count: int) -> None:
    """Refuse classes that come in several spellings, where the model has as many outputs as there are without them."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(loose_key(name), []).append(f"'{composed(name)}'")
    if len(alike) == count < len(names):
        shown = listed([" and ".join(forms) for forms in alike.values() if len(forms) > 1], _SHOWN)
        got = f"{count}, as many as there are where names that differ in case or blanks alone are one class: {shown}"
        to_be = f"{len(names)}, one for each class"
        do = "Spell each class in one way"
        raise ModelError(expected("the number of the model's outputs", to_be, got, do))
