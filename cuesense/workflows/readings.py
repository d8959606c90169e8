"""How the images of a model are prepared: settled before an analysis, or shown as a table (``analyze --probe``)."""

from __future__ import annotations

from dataclasses import replace

from cuesense.errors import ModelError, expected
from cuesense.inference.class_outputs import named, settle
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import count_outputs, probe
from cuesense.inference.reading_candidates import described, options_for
from cuesense.inference.readings import Readings, find_readings
from cuesense.inference.tried_readings import Tried
from cuesense.models.channels import in_order
from cuesense.models.preprocessing import without_guesses
from cuesense.schemas.readings import ReadingRow, ReadingTable
from cuesense.types import Classifier, Dataset, Notify, Preprocessing

WRONG_WAY = "Images may be prepared in the wrong way"
"""What a warning begins with that explains others: images that are prepared wrongly make classes look exchanged."""
_FIELDS = ("image_size", "resize", "mean", "std", "channels")


def settled(classifier: Classifier, readings: Readings | None) -> Classifier:
    """Return a classifier whose images are prepared in the best way that nobody's word stands against.

    Args:
        classifier: The network, and what of its preprocessing was guessed.
        readings: What a few images showed; None where nothing could be tried.

    Returns:
        The classifier: only what was guessed is changed, with a warning that gives the options to settle it. What the
        user or the weights say stays, with a warning where another reading is far better.
    """
    if readings is None:
        return classifier
    best = readings.best.reading
    turned = best.channels != classifier.preprocessing.channels
    network = in_order(classifier.network, best.channels) if turned else classifier.network
    known = classifier.warnings if best == classifier.preprocessing else without_guesses(classifier.warnings)
    return replace(
        classifier,
        network=network,
        preprocessing=best,
        warnings=(*known, *remarks(classifier, readings)),
        assumptions=(*classifier.assumptions, *_assumed(classifier, readings)),
    )


def remarks(classifier: Classifier, readings: Readings) -> list[str]:
    """Return what a user should know of what was tried, in sentences.

    Args:
        classifier: The network as it was before.
        readings: What was found.
    """
    if readings.other_order:
        return [
            f"With the classes in another order {_of(readings.other_order, readings.images)} would be recognized, "
            f"while under {len(readings.tried)} ways to prepare them at most {readings.most.count} are: "
            f"the class names or labels are probably not in the order of the outputs. "
            f"Name the outputs in their order (--class-names)."
        ]
    if readings.at_chance and len(readings.tried) > 1:
        return [
            f"No reading of the images is better than guessing: at most {_counted(readings.most, readings)} are "
            f"recognized under {len(readings.tried)} sizes, normalizations and orders of channels. The weights may "
            f"be untrained or another network's, or the classes in another order."
        ]
    parts = (_of_taken(classifier, readings), _of_better(readings), _of_hint(readings))
    return [sentence for sentence in parts if sentence is not None]


def _of_taken(classifier: Classifier, readings: Readings) -> str | None:
    best, before = readings.best, classifier.preprocessing
    if best.reading == before:
        return None
    changed = _differing(best.reading, before)
    fields = classifier.guessed & set(_FIELDS) if best.reading.channels == "bgr" else classifier.guessed - {"channels"}
    first = readings.tried[0]
    why = (
        f"the model fails on {described(before)} ({first.failed.rstrip('.')})"
        if first.failed is not None
        else f"{_counted(best, readings)} are then recognized, {first.count} with {described(before)}"
    )
    what = " and ".join(changed)
    return (
        f"Nothing says the {what}, and images are prepared as {described(best.reading)}: {why}"
        f"{_confirmed(readings) if readings.better is None else ''}. Give `{options_for(best.reading, fields)}` to "
        f"settle it."
    )


def _of_better(readings: Readings) -> str | None:
    if readings.better is None:
        return None
    options = options_for(readings.better.reading, _changed(readings.better.reading, readings.best.reading))
    return (
        f"{WRONG_WAY}: {_now(readings, ', as an option or the weights say')}; with `{options}`, "
        f"{_of(readings.better.count, readings.images)}{_confirmed(readings)}."
    )


def _of_hint(readings: Readings) -> str | None:
    if readings.hint is None or readings.better is not None:
        return None
    options = options_for(readings.hint.reading, _changed(readings.hint.reading, readings.best.reading))
    return (
        f"{WRONG_WAY}: {_now(readings)}; with `{options}`, {_of(readings.hint.count, readings.images)}. Of so few "
        "images this may be chance."
    )


def _assumed(classifier: Classifier, readings: Readings) -> list[str]:
    if readings.best.reading != classifier.preprocessing or readings.better or readings.hint:
        return []
    if readings.at_chance or readings.other_order:
        return []
    # The usual order of the channels goes without saying: of it alone there is no sentence that this one would follow.
    if not classifier.guessed & set(_FIELDS) - {"channels"}:
        return []
    return [f"{_of(readings.best.count, readings.images)} are recognized when prepared so{_compared(readings)}."]


def _compared(readings: Readings) -> str:
    """Return a clause about the other readings; that more images are recognized under one of them is never hidden."""
    others, most = len(readings.tried) - 1, readings.runner_up
    if not others:
        return ""
    if most is None:
        return f", no more in {others} other ways"
    options = options_for(most.reading, _changed(most.reading, readings.best.reading))
    return f"; of {others} other ways the best recognizes {most.count} (`{options}`): so few more may be chance"


def _counted(tried: Tried, readings: Readings) -> str:
    return _of(tried.count, readings.images)


def _now(readings: Readings, because: str = "") -> str:
    """Return how many images are recognized as they are prepared now."""
    best = readings.best
    return f"prepared as now ({described(best.reading)}{because}), {_of(best.count, readings.images)} are recognized"


def _of(count: int, images: int) -> str:
    return f"{count} of {images} images"


def _confirmed(readings: Readings) -> str:
    if readings.confirmed is None:
        return ""
    more, before, after = readings.confirmed
    return f" (of {more} further images {after} and {before})"


def _differing(one: Preprocessing, other: Preprocessing) -> list[str]:
    changed = _changed(one, other)
    words = (
        ({"image_size", "resize"}, "size"),
        ({"mean", "std"}, "normalization"),
        ({"channels"}, "order of channels"),
    )
    return [word for names, word in words if names & changed]


def _changed(one: Preprocessing, other: Preprocessing) -> frozenset[str]:
    return frozenset(name for name in _FIELDS if getattr(one, name) != getattr(other, name))


def try_readings(
    classifier: Classifier, dataset: Dataset, outputs: tuple[int, ...], run: RunOptions, notify: Notify | None = None
) -> ReadingTable:
    """Return how well a network recognizes a few images under every plausible reading.

    Args:
        classifier: The network, matched to the dataset.
        dataset: The images, of C classes.
        outputs: The output of each class, length C.
        run: Device, batch size and precision.
        notify: Called with a sentence where it takes long.

    Returns:
        The table, best readings first.

    Raises:
        CuesenseError: The model fails on the images however they are prepared, or its outputs do not fit the classes.
    """
    count = count_outputs(classifier, dataset, run)
    classifier, outputs = named(classifier, dataset, outputs, count)
    readings = find_readings(classifier, dataset, outputs, run, thorough=True, notify=notify)
    if readings is None:
        # What is wrong with the model or the images; or how it takes its images after all.
        classifier = probe(classifier, dataset, run).applied(classifier)
        readings = find_readings(classifier, dataset, outputs, run, thorough=True, notify=notify)
    if readings is None:
        name = f"'{classifier.spec}'"
        raise ModelError(expected(name, "able to run on some images", "failures on all", "Check --image-size"))
    chosen = settled(classifier, readings)
    ordered, order = settle(chosen, dataset, outputs, count, run)
    if order != outputs:
        # What was tried with the outputs in another order is worth nothing.
        readings = find_readings(classifier, dataset, order, run, thorough=True, notify=notify) or readings
    ranked = sorted(
        readings.tried,
        key=lambda tried: (tried.failed is not None, len(tried.right) < readings.images, -tried.count, tried.surprise),
    )
    return ReadingTable(
        model=classifier.spec,
        dataset=dataset.spec,
        images=readings.images,
        classes=readings.classes,
        readings=[_row(tried, readings) for tried in ranked],
        remarks=[*ordered.assumptions[len(chosen.assumptions) :], *remarks(classifier, readings)],
    )


def _row(tried: Tried, readings: Readings) -> ReadingRow:
    reading = tried.reading
    return ReadingRow(
        reading=described(reading),
        recognized=tried.count,
        images=len(tried.right),
        log_loss=None if tried.surprise == float("inf") else tried.surprise,
        failed=tried.failed,
        options=options_for(reading, frozenset(_FIELDS) if reading.channels == "bgr" else frozenset(_FIELDS[:4])),
        taken=tried is readings.best,
    )
