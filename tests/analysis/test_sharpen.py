"""What would sharpen an order: the number of images that is promised tells the two classes apart, and no fewer do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from cuesense.analysis.graded import EXCEEDS, GradedCue, grade
from cuesense.analysis.sharpen import Sharpening, sharpenings
from cuesense.perturbations.ablations import COLUMNS
from cuesense.stats.shrinkage import Shrunken
from cuesense.types import Cue
from tests.helpers.graded_predictions import sampled

SEEN, NOISE, SPREAD = np.array([0.6, 0.5, 0.1]), 0.004, 0.2


def cue(images_times: float = 1.0, seen: np.ndarray = SEEN, *, alike: bool = False) -> GradedCue:
    """Return an answer with a known spread, whose noise falls with the images."""
    noise = np.full(3, NOISE / images_times)
    drawn = noise / (noise + SPREAD**2)
    found = (1 - drawn) * seen + drawn * seen.mean()
    own = (1 - drawn) * noise
    reliance = Shrunken(found, own, own, own, SPREAD, 1.0, float(seen.mean()), 0.0)
    none = np.zeros(3, dtype=np.int64)
    return GradedCue(Cue.COLOR, seen, noise, reliance, none, none, 2, np.zeros(3), 0.9, SPREAD, alike, 1.96)


def chance(found: GradedCue) -> float:
    value, own = found.reliance.value, found.reliance.own
    return float(ndtr((value[0] - value[1]) / np.sqrt(own[0] + own[1])))


def test_the_images_that_are_named_tell_the_neighbors_apart_and_fewer_do_not() -> None:
    (found,) = sharpenings([cue()], np.array([50, 50, 50]))
    assert (found.cue, found.first, found.second) == (Cue.COLOR, 0, 1)
    assert chance(cue()) < EXCEEDS
    assert chance(cue((50 + found.more_images) / 50)) >= EXCEEDS
    assert chance(cue((50 + found.more_images - 1) / 50)) < EXCEEDS


def test_neighbors_that_are_told_apart_need_nothing() -> None:
    assert sharpenings([cue(seen=np.array([0.9, 0.5, 0.1]))], np.array([50, 50, 50])) == []


@pytest.mark.parametrize(("likely", "known"), [(0.851, True), (0.849, False), (0.6, False)])
def test_neighbors_that_may_well_be_equal_get_no_advice(likely: float, known: bool) -> None:
    gaps = np.linspace(0.001, 0.3, 3000)
    gap = next(gap for gap in gaps if chance(cue(seen=np.array([0.5 + gap, 0.5, 0.1]))) >= likely)
    found = sharpenings([cue(seen=np.array([0.5 + gap, 0.5, 0.1]))], np.array([50, 50, 50]))
    assert bool(found) == known


def test_classes_that_are_alike_or_equal_get_no_advice() -> None:
    assert sharpenings([cue(alike=True)], np.array([50, 50, 50])) == []
    assert sharpenings([cue(seen=np.array([0.5, 0.5, 0.1]))], np.array([50, 50, 50])) == []
    assert sharpenings([cue(seen=np.array([0.5 + 1e-16, 0.5, 0.1]))], np.array([50, 50, 50])) == []
    assert sharpenings([], np.array([50])) == []


def test_the_cheapest_pair_of_each_cue_comes_in_order_of_its_images() -> None:
    dear = replace(cue(seen=np.array([0.5985, 0.5, 0.1])), cue=Cue.SHAPE)
    found = sharpenings([dear, cue()], np.array([50, 50, 50]))
    assert [entry.cue for entry in found] == [Cue.COLOR, Cue.SHAPE]
    assert found[0].more_images < found[1].more_images


def test_as_many_images_do_it_on_planted_classes() -> None:
    shares = {
        ablation: np.array([0.9, 0.8, 0.2, 0.1])[:: 1 if column.alone else -1]
        for column in COLUMNS
        for ablation in column.mechanisms
    }
    answer = grade(sampled(shares, 20, np.random.default_rng(0)), 0.95)
    found: list[Sharpening] = sharpenings(list(answer.cues.values()), np.full(4, 20))
    assert found
    assert all(entry.more_images >= 1 and entry.first != entry.second for entry in found)
    assert {entry.cue for entry in found} <= set(answer.cues)
