"""What is taken and said of readings that a few images were tried under."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.inference.options import RunOptions
from cuesense.inference.readings import Readings
from cuesense.inference.tried_readings import Tried
from cuesense.models.preprocessing import IMAGENET
from cuesense.types import Classifier, Preprocessing
from cuesense.workflows import readings as room
from cuesense.workflows.readings import remarks, settled, try_readings
from tests.helpers.small_networks import Colors

CLASSES, IMAGES = 4, 64
GUESSED = frozenset({"image_size", "resize", "mean", "std", "channels"})
SMALL = Preprocessing((64, 64), 64, (0.0,) * 3, (1.0,) * 3)
GUESS = "Nothing says how large the images were: 224 is assumed."
OTHER = "Another warning."


def tried(reading: Preprocessing, count: int, *, images: int = IMAGES, failed: str | None = None) -> Tried:
    return Tried(reading, np.arange(images) < count, np.ones(images), failed)


def classifier(guessed: frozenset[str] = GUESSED) -> Classifier:
    return Classifier("x", "x", nn.Conv2d(3, 1, 1), IMAGENET, guessed=guessed, warnings=(GUESS, OTHER))


def found(best: Tried | None = None, **changes: Any) -> Readings:
    current = tried(IMAGENET, 20)
    best = best or current
    others = (value for value in changes.values() if isinstance(value, Tried))
    return replace(Readings(current, (current, best, *others), best, None, CLASSES), **changes)


def test_without_a_trial_nothing_changes() -> None:
    given = classifier()
    assert settled(given, None) is given


def test_what_nobody_says_is_taken_with_the_options_that_settle_it() -> None:
    result = settled(classifier(), found(tried(SMALL, 60), confirmed=(128, 40, 120)))
    assert result.preprocessing == SMALL
    kept, taken = result.warnings
    assert kept == OTHER
    assert "Nothing says the size and normalization" in taken
    assert "60 of 64 images are then recognized, 20 with center crop of 224 of 256 pixels" in taken
    assert "(of 128 further images 120 and 40)" in taken
    assert "`--image-size 64 --resize 64 --mean 0 --std 1`" in taken
    assert "--channels" not in taken


def test_a_network_of_bgr_images_is_turned_around_and_told_how_to_say_so() -> None:
    given = classifier()
    result = settled(given, found(tried(replace(SMALL, channels="bgr"), 60)))
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(result.network(images), given.network(images.flip(1)))
    assert "--channels bgr`" in result.warnings[-1]


def test_what_somebody_says_stays_and_the_better_reading_is_named() -> None:
    result = settled(classifier(frozenset()), found(better=tried(SMALL, 60)))
    assert result.preprocessing == IMAGENET
    assert result.warnings[:2] == (GUESS, OTHER)
    assert "may be prepared in the wrong way: prepared as now (" in result.warnings[2]
    assert result.warnings[2].endswith("; with `--image-size 64 --resize 64 --mean 0 --std 1`, 60 of 64 images.")


def test_too_few_images_give_a_hint_that_may_be_chance() -> None:
    (said,) = remarks(classifier(), found(hint=tried(replace(IMAGENET, resize=None), 30)))
    assert "may be chance" in said
    assert "`--image-size 224 --resize 0`" in said


def test_chance_under_all_readings_is_said_with_counts_of_all_images_only() -> None:
    current, first = tried(IMAGENET, 15), tried(SMALL, 8, images=16)
    chance = Readings(current, (current, first), current, None, CLASSES)
    (said,) = remarks(classifier(), chance)
    assert said.startswith("No reading of the images is better than guessing: at most 15 of 64")
    assert "under 2 sizes" in said
    # One reading that no search followed is no evidence against all.
    alone = Readings(current, (current,), current, None, CLASSES)
    assert remarks(classifier(), alone) == []


def test_classes_in_another_order_are_said_and_nothing_else() -> None:
    given = found(tried=(tried(IMAGENET, 20), tried(SMALL, 22)), other_order=44)
    (said,) = remarks(classifier(), given)
    assert said.startswith("With the classes in another order 44 of 64 images would be recognized, while under 2 ways")
    assert "at most 22 are" in said
    assert "--class-names" in said
    assert settled(classifier(), given).assumptions == ()


def test_a_guess_that_holds_is_an_assumption_with_its_count() -> None:
    result = settled(classifier(), found(tried=(tried(IMAGENET, 20), tried(SMALL, 22), tried(SMALL, 16, images=16))))
    assert result.warnings == (GUESS, OTHER)
    assert result.assumptions == (
        "20 of 64 images are recognized when prepared so; of 2 other ways the best recognizes 22 (`--image-size 64 "
        "--resize 64 --mean 0 --std 1`): so few more may be chance.",
    )
    equal = settled(classifier(), found(tried=(tried(IMAGENET, 20), tried(SMALL, 20), tried(SMALL, 16, images=16))))
    assert equal.assumptions == ("20 of 64 images are recognized when prepared so, no more in 2 other ways.",)
    assert settled(classifier(frozenset()), found()).assumptions == ()


def test_a_size_that_fails_gives_way_with_the_reason() -> None:
    failed = tried(IMAGENET, 0, failed="needs 64.")
    best = tried(SMALL, 60)
    (said,) = remarks(classifier(), Readings(best, (failed, best), best, None, CLASSES))
    assert "the model fails on center crop of 224" in said
    assert "(needs 64)" in said


def test_a_table_is_of_the_outputs_in_the_order_that_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def search(_model: Classifier, _data: object, outputs: object, *_: object, **_more: object) -> Readings:
        asked.append(outputs)
        return found()

    def order(model: Classifier, *_: object) -> tuple[Classifier, tuple[int, ...]]:
        return replace(model, assumptions=(*model.assumptions, "by their numbers")), (2, 1, 0)

    monkeypatch.setattr(room, "find_readings", search)
    monkeypatch.setattr(room, "settle", order)
    monkeypatch.setattr(room, "count_outputs", lambda *_: None)
    table = try_readings(classifier(), Colors(), (0, 1, 2), RunOptions())
    assert asked == [(0, 1, 2), (2, 1, 0)]
    assert table.remarks[0] == "by their numbers"
