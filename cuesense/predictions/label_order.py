"""Whether the classes have the outputs that their images are predicted as: an error, a warning, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Ints
from cuesense.datasets.names import composed
from cuesense.errors import DatasetError, expected, listed
from cuesense.predictions.predictions import ClassMap, Predictions
from cuesense.stats.label_order import Kind, Order, accuracy_and_chance, find_order

# Classes that a message names before it counts the rest.
_LISTED = 3
# Below chance nothing can be measured. What stops a run is another order that explains half of the images more, or
# four times as many and twice what guessing would. Chosen by hand.
_MUCH_BETTER = 0.5
_TIMES = 4
_TIMES_CHANCE = 2
# One-sided level of 5 %: an accuracy below this many standard deviations over that of guessing may be guessing.
BEYOND_CHANCE = 1.645
# With fewer images, or fewer outside of the largest class, a sound network may be within that of guessing: an accuracy
# that is no higher than that of guessing is a warning all the same, from so many outside of the largest class on (all
# of them are wrong in 1 % of networks of accuracy 0.7). Chosen by hand.
_IMAGES = 30
_IMAGES_OUTSIDE = 5
_FEWEST_OUTSIDE = 4
# Above the rounding of the two shares that are compared.
_EQUAL = 1e-9
_CHECK = "Check the weights, the preprocessing (size, mean, standard deviation), labels and the order of class names."
_DO = (
    "Check that the class names are in the order of the model's outputs (folders are sorted as strings: 1, 10, 100, 2)"
)


def check_order(found: Predictions) -> list[str]:
    """Check the clean condition of a network's predictions; see ``check_labels``."""
    clean, classes = found.per_condition[0], ClassMap(found.class_names, found.output_names, found.outputs)
    return check_labels(clean.labels, clean.predicted, classes)


def check_labels(
    labels: NDArray[np.integer],
    predicted: NDArray[np.integer],
    classes: ClassMap,
    who: str | None = None,
    *,
    guesses: bool = True,
) -> list[str]:
    """Find out whether another order of the classes explains the clean predictions better.

    Args:
        labels: Class of each clean image, (N,).
        predicted: Output that was predicted for it, (N,).
        classes: The C classes, the K outputs and which output stands for which class.
        who: What predicted, where there are several, such as ``"'a.pt'"``; it begins a warning.
        guesses: Whether it is said, too, that predictions are no better than guesses.

    Returns:
        A sentence where classes seem to have each other's names, or where predictions are no better than guesses; else
        nothing.

    Raises:
        DatasetError: Accuracy is below chance and another order explains the images: nothing could be measured.
    """
    confusion = np.zeros((len(classes.outputs), len(classes.output_names)), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    found = find_order(confusion, classes.outputs)
    before = "" if who is None else f"In {who}: "
    if found is None:
        return [before + text for text in _guessing(confusion, classes)] if guesses else []
    chance = 1 / np.count_nonzero(confusion.sum(axis=1))
    if _stops(found, chance):
        of = f"a clean accuracy of {found.accuracy:.1%}{'' if who is None else f' in {who}'}"
        got = f"{of}, below chance ({chance:.1%}), while {_explained(found, confusion, classes)}"
        what = "the class names"
        raise DatasetError(expected(what, "in the order of the model's outputs", got, _advice(found)))
    text = f"Clean accuracy is {found.accuracy:.1%}, but {_explained(found, confusion, classes)}. {_advice(found)}."
    return [before + text]


def check_runs(runs: Mapping[str, tuple[Ints, Ints]], classes: ClassMap) -> list[str]:
    """Check networks that share classes and outputs: one that recognizes the classes shows that their order is right.

    Args:
        runs: The label and the predicted output of each clean image, (N,) each, by what to call the network.
        classes: The classes and outputs of all of them.

    Returns:
        What ``check_labels`` says about each of them.

    Raises:
        DatasetError: Below chance another order explains the images for all of them.
    """
    said: list[str] = []
    errors: list[DatasetError] = []
    for who, (labels, predicted) in runs.items():
        try:
            said += check_labels(labels, predicted, classes, who)
        except DatasetError as error:
            errors.append(error)
    if errors and len(errors) == len(runs):
        raise errors[0]
    return [*(error.for_command_line for error in errors), *said]


def _stops(found: Order, chance: float) -> bool:
    many = found.explained >= max(_TIMES * found.accuracy, _TIMES_CHANCE * chance)
    much = many or found.explained - found.accuracy >= _MUCH_BETTER
    return found.certain and bool(found.accuracy < chance) and much


def _explained(found: Order, confusion: Ints, classes: ClassMap) -> str:
    """Return a clause: what the other order is and how many images it explains."""
    shown = [_move(row, int(found.better[row]), confusion, classes) for row in found.moved]
    if found.kind is Kind.SHIFT:
        places = {1: "one"}.get(abs(found.shift), str(abs(found.shift)))
        where = f"the outputs {places} {'higher' if found.shift > 0 else 'lower'}"
        share = "every image" if found.explained >= 1 else f"{found.explained:.1%} of the images"
        return f"{where} explain {share}: {listed(shown, _LISTED)}"
    would = f"it would be {found.explained:.1%} with the classes in another order"
    if len(shown) == 2 and _swapped(found, classes):
        return f"{would}: the names of {' and '.join(_named(row, classes) for row in sorted(found.moved))} " + (
            f"are probably exchanged ({'; '.join(shown)})"
        )
    return f"{would}: {len(shown)} classes are probably under other names ({'; '.join(shown[:_LISTED])}" + (
        f"; and {len(shown) - _LISTED} more)" if len(shown) > _LISTED else ")"
    )


def _swapped(found: Order, classes: ClassMap) -> bool:
    one, other = (int(row) for row in found.moved)
    return (int(found.better[one]), int(found.better[other])) == (classes.outputs[other], classes.outputs[one])


def _move(row: int, output: int, confusion: Ints, classes: ClassMap) -> str:
    there, images = int(confusion[row, output]), int(confusion[row].sum())
    return f"{there} of {images} images of {_named(row, classes)} are predicted as {_output(output, classes)}"


def _named(row: int, classes: ClassMap) -> str:
    return f"'{composed(classes.class_names[row])}' (output {classes.outputs[row]})"


def _output(output: int, classes: ClassMap) -> str:
    owner = {int(of): name for of, name in zip(classes.outputs, classes.class_names, strict=True)}
    return f"'{composed(owner.get(output, classes.output_names[output]))}' (output {output})"


def _advice(found: Order) -> str:
    """Return what to do, without a full stop; where the shift has a usual cause, with that."""
    if found.kind is Kind.SHIFT and found.shift == -1:
        cause = "The classes seem to be numbered from 1, and outputs are counted from 0: number them from 0, or name"
        return f"{cause} the outputs with --class-names"
    if found.kind is Kind.SHIFT and found.shift == 1:
        cause = "The outputs seem to have a class more before the first, such as a background: name all of"
        return f"{cause} them with --class-names"
    return f"{_DO}, and the labels of these images"


def _guessing(confusion: Ints, classes: ClassMap) -> list[str]:
    """Return a sentence where no image is recognized, or the predictions are no better than without a look at it."""
    images, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    total, outside = int(images.sum()), int(images.sum() - images.max())
    if total and not confusion[np.arange(len(images)), list(classes.outputs)].any():
        return [
            f"Clean accuracy is 0.0% (none of {_counted(total)}), and nothing can be measured: every cue and every "
            f"budget rests on images that are recognized clean. {_CHECK}"
        ]
    if not outside:
        return []
    accuracy, by_chance, deviation = accuracy_and_chance(confusion, classes.outputs)
    constant = int(predicted.argmax())
    if predicted[constant] == total:
        return [
            f"Clean accuracy is {accuracy:.1%}, because all {total} images are predicted as "
            f"{_output(constant, classes)}, whatever they show: what follows measures nothing. {_CHECK}"
        ]
    many = total >= _IMAGES and outside >= _IMAGES_OUTSIDE
    if outside < _FEWEST_OUTSIDE or accuracy > by_chance + (BEYOND_CHANCE * deviation if many else _EQUAL):
        return []
    means = "what follows measures nothing" if many else "what follows may measure nothing, or images are too few"
    return [
        f"Clean accuracy is {accuracy:.1%}, no better than with the same predictions dealt out to the images at random "
        f"({by_chance:.1%}): {means}. {_CHECK}"
    ]


def _counted(images: int) -> str:
    return "1 image" if images == 1 else f"{images} images"
