from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.adaptive.unseen import _donors, simulated
from tests.helpers.full_runs import full_run

RUN = full_run(20, each=1)
LABELS = RUN.per_condition[0].labels


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def part(number: int) -> np.ndarray:
    """The first so many images of every class."""
    return np.arange(len(LABELS)) % 20 < number


def test_with_all_images_seen_a_simulated_run_is_the_run() -> None:
    found = simulated(RUN, part(20), rng())
    for given_, new in zip(RUN.per_condition, found.per_condition, strict=True):
        assert np.array_equal(given_.predicted, new.predicted)
        assert np.array_equal(given_.corrected, new.corrected)


def test_what_was_seen_and_the_clean_condition_stay() -> None:
    found, seen = simulated(RUN, part(6), rng()), part(6)
    assert np.array_equal(found.per_condition[0].predicted, RUN.per_condition[0].predicted)
    for given_, new in zip(RUN.per_condition, found.per_condition, strict=True):
        assert np.array_equal(given_.predicted[seen], new.predicted[seen])


def test_what_was_not_seen_does_not_matter() -> None:
    seen = part(6)
    blank = [
        replace(given_, predicted=np.where(seen, given_.predicted, -1), corrected=np.where(seen, given_.corrected, -1))
        for given_ in RUN.per_condition[1:]
    ]
    hidden = replace(RUN, per_condition=(RUN.per_condition[0], *blank))
    for one, other in zip(
        simulated(RUN, seen, rng()).per_condition, simulated(hidden, seen, rng()).per_condition, strict=True
    ):
        assert np.array_equal(one.predicted, other.predicted)
        assert np.array_equal(one.corrected, other.corrected)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(1, 5))
def test_donors_are_seen_and_of_the_same_class_and_where_there_are_some_as_well_recognized(
    seed: int, number: int
) -> None:
    draws = rng(seed)
    labels = np.sort(draws.integers(0, 4, 40))
    right = draws.random(40) < 0.7
    seen = np.zeros(40, dtype=bool)
    for label in set(labels.tolist()):
        seen[draws.permutation(np.flatnonzero(labels == label))[:number]] = True
    donors = _donors(labels, right, seen, draws)
    assert seen[donors].all()
    assert np.array_equal(labels[donors], labels)
    assert np.array_equal(donors[seen], np.flatnonzero(seen))
    for image, donor in enumerate(donors.tolist()):
        alike = seen & (labels == labels[image]) & (right == right[image])
        assert alike[donor] or not alike.any()


def kept_in_simulations(run: object, condition: int, seen: np.ndarray, runs: int = 400) -> np.ndarray:
    draws = rng(1)
    return np.array([simulated(run, seen, draws).right(condition)[LABELS == 0].mean() for _ in range(runs)])


def test_simulated_shares_are_as_wide_as_what_the_part_leaves_open() -> None:
    """Of 10 of 20 images, none of them lost: the other ten are lost with a chance of Beta(1, 11), mean 1/12."""
    labels = RUN.per_condition[0].labels
    kept_all = replace(RUN.per_condition[0], predicted=labels, corrected=labels)
    run = replace(RUN, per_condition=(kept_all,) * len(RUN.conditions))
    kept = kept_in_simulations(run, 1, part(10))
    assert kept.max() == 1
    assert np.isclose(kept.mean(), 1 - 0.5 / 12, atol=0.01)
    # Beta-binomial: variance of a share of ten, halved as the other half is known.
    expected = 0.5 * np.sqrt((1 / 12) * (11 / 12) / 10 * (1 + 9 / 13))
    assert np.isclose(kept.std(), expected, rtol=0.15)
    assert kept_in_simulations(run, 1, part(20), 5).tolist() == [1] * 5
