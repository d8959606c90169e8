"""Prior correction: a plain loop, sinks that are undone, what it leaves alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from cuesense.stats.prior_correction import _biases, prior_corrected

seeds = st.integers(0, 2**32 - 1)


def every_class(scores):
    return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)


def prior_corrected_loop(scores, classes, prior, weights):
    rows = [
        [(float(s), int(c)) for s, c in zip(row, of, strict=True) if c >= 0 and np.isfinite(s) and prior[c] > 0]
        for row, of in zip(scores, classes, strict=True)
    ]
    bias = [0.0] * len(prior)
    scored = [(row, weight) for row, weight in zip(rows, weights, strict=True) if row]
    total = sum(weight for _, weight in scored)
    for _ in range(50):
        share = [0.0] * len(prior)
        for row, weight in scored:
            top = max(s + bias[c] for s, c in row)
            odds = [math.exp(s + bias[c] - top) for s, c in row]
            for (_, c), part in zip(row, odds, strict=True):
                share[c] += weight * part / sum(odds) / total
        bias = [b + math.log(p / s) if s > 0 else b for b, p, s in zip(bias, prior, share, strict=True)]
    return [min(((-(s + bias[c]), c) for s, c in row), default=(0, -1))[1] for row in rows]


@settings(max_examples=60)
@given(
    seed=seeds,
    images=st.integers(0, 12),
    kept=st.integers(1, 5),
    sureness=st.sampled_from([3, 60]),
    missing=st.sampled_from([0.0, 0.1]),
)
def test_prior_correction_agrees_with_the_loop(seed, images, kept, sureness, missing):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(images, kept)).astype(np.float32) * sureness
    scores[rng.random(scores.shape) < missing] = -np.inf
    classes = rng.integers(-1 if missing else 0, 6, (images, kept))
    prior = rng.dirichlet(np.ones(6)) * (rng.random(6) >= 2 * missing)
    weights = rng.uniform(0.5, 3, images)
    before = scores.copy(), classes.copy()
    answer = prior_corrected(scores, classes, prior, weights)
    assert answer.dtype == np.int64
    assert answer.tolist() == prior_corrected_loop(scores, classes, prior, weights)
    alike = prior_corrected_loop(scores, classes, prior, [1] * images)
    assert prior_corrected(scores, classes, prior).tolist() == alike
    assert np.array_equal(scores, before[0])
    assert np.array_equal(classes, before[1])


def test_planted_sinks_are_undone():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 50)
    scores = rng.normal(size=(400, 8)).astype(np.float32) + 5 * np.eye(8, dtype=np.float32)[labels]
    sunk = scores + np.array([9, 0, 0, 7, 0, 0, 0, 0], dtype=np.float32)
    assert np.mean(sunk.argmax(1) == labels) < 0.3
    assert np.mean(prior_corrected(sunk, every_class(sunk), np.full(8, 1 / 8)) == labels) > 0.98


@settings(max_examples=25)
@given(seed=seeds, shift=st.lists(st.integers(-6, 6), min_size=4, max_size=4))
def test_a_constant_per_class_changes_nothing(seed, shift):
    scores = np.random.default_rng(seed).normal(size=(60, 4)).round(4) * 2
    classes, prior = every_class(scores), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.array_equal(
        prior_corrected(scores, classes, prior),
        prior_corrected(scores + shift, classes, prior),
    )


def test_the_mean_probabilities_become_the_prior():
    scores = np.random.default_rng(3).normal(size=(200, 5)) * 2 + np.arange(5)
    prior = np.array([0.3, 0.1, 0.2, 0.25, 0.15])
    bias = _biases(scores, every_class(scores), prior, np.ones(200))
    np.testing.assert_allclose(softmax(scores + bias, axis=1).mean(0), prior, atol=1e-9)


def test_balanced_scores_keep_their_predictions():
    block = np.random.default_rng(4).normal(size=(20, 5)).astype(np.float32)
    scores = np.concatenate([np.roll(block, step, axis=1) for step in range(5)])
    answer = prior_corrected(scores, every_class(scores), np.full(5, 0.2))
    assert np.array_equal(answer, scores.argmax(1))


def test_uniform_scores_take_the_lowest_likeliest_class():
    scores = np.zeros((3, 4), dtype=np.float32)
    assert prior_corrected(scores, every_class(scores), np.full(4, 0.25)).tolist() == [0, 0, 0]
    assert prior_corrected(scores, every_class(scores)[:, ::-1], np.full(4, 0.25)).tolist() == [
        0,
        0,
        0,
    ]
    assert prior_corrected(scores, every_class(scores), np.array([0.2, 0.4, 0.4, 0])).tolist() == [
        1,
        1,
        1,
    ]


def test_classes_without_prior_and_padding_are_ignored():
    scores = np.array([[9, 1], [9, 1], [np.nan, -np.inf], [5, 4]], dtype=np.float32)
    classes = np.array([[0, 1], [-1, 2], [1, 2], [-1, 0]])
    assert prior_corrected(scores, classes, np.array([0, 0.5, 0.5])).tolist() == [1, 2, -1, -1]
    assert prior_corrected(scores, np.full((4, 2), -1), np.ones(3)).tolist() == [-1] * 4


@pytest.mark.parametrize("first", [0.5, 1 - 1e-9])
def test_fifty_steps_are_made(first):
    """One of four images scores class 0 alone, the others class 1 alone: every step adds log(prior / share)."""
    classes = np.array([[0], [1], [1], [1]])
    bias = _biases(np.zeros((4, 1)), classes, np.array([first, 1 - first]), np.ones(4))
    assert bias == pytest.approx([50 * math.log(first / 0.25), 50 * math.log((1 - first) / 0.75)])


def test_biases_may_be_larger_than_an_exponential_holds():
    """Two classes of which one is e^-700 times as likely for every image are alike once that is made up for."""
    scores, prior = np.tile([[0.0, -700.0], [-40.0, -745.0]], (4, 1)), np.array([0.5, 0.5])
    bias = _biases(scores, every_class(scores), prior, np.ones(8))
    assert bias[1] - bias[0] == pytest.approx(702.5)
    assert prior_corrected(scores, every_class(scores), prior).tolist() == [1, 0] * 4


@settings(max_examples=25)
@given(seed=seeds)
def test_predictions_follow_their_images_and_classes(seed):
    """Images in another order, twice each or with a constant of their own added, and classes of other numbers."""
    rng = np.random.default_rng(seed)
    scores, prior = rng.normal(size=(40, 4)) * 2, rng.dirichlet(np.ones(4) * 5)
    classes = every_class(scores)
    known = prior_corrected(scores, classes, prior)
    shuffle, order = rng.permutation(40), rng.permutation(4)
    assert np.array_equal(prior_corrected(scores[shuffle], classes, prior), known[shuffle])
    twice = prior_corrected(np.tile(scores, (2, 1)), np.tile(classes, (2, 1)), prior)
    assert np.array_equal(twice, np.tile(known, 2))
    moved = scores + rng.normal(size=(40, 1)).round(3)
    assert np.array_equal(prior_corrected(moved, classes, prior), known)
    turned = np.empty(4)
    turned[order] = prior
    assert np.array_equal(prior_corrected(scores, order[classes], turned), order[known])


def test_a_larger_prior_takes_more_predictions():
    scores = np.random.default_rng(5).normal(size=(300, 3))
    shares = []
    for first in (0.05, 0.2, 0.5, 0.8):
        prior = np.array([first, (1 - first) / 2, (1 - first) / 2])
        shares.append(float(np.mean(prior_corrected(scores, every_class(scores), prior) == 0)))
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert shares[-1] > 0.8


def test_scores_beyond_what_an_exponential_holds_are_compared_all_the_same():
    scores = np.array([[2000.0, 0.0], [0.0, 2000.0], [-3000.0, -1000.0], [1500.0, 900.0]])
    assert prior_corrected(scores, every_class(scores), np.array([0.5, 0.5])).tolist() == [0, 1, 1, 0]


def test_an_image_that_stands_for_three_counts_like_three_of_it():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(60, 4)).astype(np.float32) * 2
    number, prior = np.where(scores.argmax(axis=1) == 0, 3, 1), np.array([0.4, 0.3, 0.2, 0.1])
    copies = np.repeat(scores, number, axis=0)
    weighted = prior_corrected(scores, every_class(scores), prior, number.astype(np.float64))
    assert np.repeat(weighted, number).tolist() == prior_corrected(copies, every_class(copies), prior).tolist()
    assert weighted.tolist() != prior_corrected(scores, every_class(scores), prior).tolist()


def test_weights_undo_that_one_class_is_seen_more_than_others():
    """A tenth of the images of all classes but the first: with weights the correction is nearly that of all images."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(4), 500)
    scores = (rng.normal(size=(2000, 4)) * 1.5 + 2 * np.eye(4)[labels] + np.array([2, 0, 0, 1])).astype(np.float32)
    part = (labels == 0) | (np.arange(2000) % 10 == 0)
    counted = np.where(labels[part] == 0, 1.0, 10.0)
    prior = np.full(4, 0.25)
    every = prior_corrected(scores, every_class(scores), prior)[part]
    weighted = prior_corrected(scores[part], every_class(scores[part]), prior, counted)
    plain = prior_corrected(scores[part], every_class(scores[part]), prior)
    assert (weighted == every).mean() > 0.97
    assert (plain == every).mean() < 0.9
