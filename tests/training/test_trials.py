"""Trainings side by side: each once, each kept, each resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.errors import ModelError, OutputError
from cuesense.policies.policy import Policy, uniform
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import Recipe, fit, log_probabilities
from cuesense.training.trials import TrainingTask, Trial, TrialPredictions, TrialStore, run, train_and_predict
from tests.helpers.small_networks import Meanest
from tests.helpers.training_images import small_network, training_images

RECIPE = Recipe(epochs=1, rate=0.01, batch_size=20)
NAMES = ("a", "b", "c")
FLIP, GRAY = uniform({"horizontal_flip": 1.0}, NAMES), uniform({"random_grayscale": 1.0}, NAMES, probability=1)


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TrialStore:
    return TrialStore() if request.param == "memory" else TrialStore.open(tmp_path / "trials", {"rate": 1})


class Starts:
    """Records the seeds of the networks that are started."""

    def __init__(self) -> None:
        self.seeds = list[int]()

    def __call__(self, seed: int) -> nn.Module:
        self.seeds.append(seed)
        return small_network()


def task(start: Callable[[int], nn.Module]) -> TrainingTask:
    return TrainingTask(start, RECIPE, training_images(), training_images())


def test_predictions_are_those_of_the_training_alone(store: TrialStore) -> None:
    data, test = training_images(), training_images(90).take(range(60, 90))
    trial = Trial(GRAY, 3)
    run([trial], TrainingTask(Starts(), RECIPE, data, test), store)
    alone = log_probabilities(fit(small_network(), data, RECIPE, PolicyAugmentation(GRAY), seed=3), test)
    found = store.read(trial)
    assert np.array_equal(found.predicted, alone.argmax(axis=1))
    assert found.p_true == pytest.approx(np.exp(alone)[np.arange(30), test.labels])
    assert found.probed.shape == (0, 30)


def test_every_training_is_done_once_and_the_same_policy_is_one_training(store: TrialStore) -> None:
    starts, steps = Starts(), list[tuple[int, int]]()
    apart = Policy("per_class", 0.8, NAMES, (0, 1, 2), ({}, {"horizontal_flip": 1.0}, {}))
    moved = Policy("per_class", 0.8, NAMES, (2, 0, 1), ({"horizontal_flip": 1.0}, {}, {}))
    nothing = uniform({}, NAMES)
    trials = [Trial(None, 0), Trial(nothing, 0), Trial(FLIP, 0), Trial(FLIP, 1), Trial(apart, 0), Trial(moved, 0)]
    run(trials, task(starts), store, progress=lambda done, total: steps.append((done, total)))
    assert starts.seeds == [0, 0, 1, 0]
    assert steps[0] == (0, 12)
    assert steps[-1] == (12, 12)
    run([*trials, Trial(GRAY, 0)], task(starts), store)
    assert starts.seeds == [0, 0, 1, 0, 0]


def test_policies_that_differ_are_trainings_that_differ() -> None:
    milder, rarer = uniform({"random_rotation": 10.0}, NAMES), uniform({"random_rotation": 30.0}, NAMES, 0.5)
    trials = [
        Trial(None, 0),
        Trial(None, 1),
        Trial(milder, 0),
        Trial(uniform({"random_rotation": 30.0}, NAMES), 0),
        Trial(rarer, 0),
        Trial(rarer, 0, (milder,)),
    ]
    assert len({trial.key for trial in trials}) == len(trials)
    assert (
        Trial(uniform({"hue": 0.1, "contrast": 0.2}, NAMES), 0).key
        == Trial(uniform({"contrast": 0.2, "hue": 0.1}, NAMES), 0).key
    )


def test_an_interruption_keeps_the_trainings_that_are_done(tmp_path: Path) -> None:
    store = TrialStore.open(tmp_path / "trials", {})

    def stop(done: int, _: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    trials = [Trial(None, 0), Trial(FLIP, 0)]
    with pytest.raises(KeyboardInterrupt):
        run(trials, task(Starts()), store, progress=stop)
    again, starts = TrialStore.open(tmp_path / "trials", {}), Starts()
    assert [trial in again for trial in trials] == [True, False]
    run(trials, task(starts), again)
    assert starts.seeds == [0]
    assert all(trial in again for trial in trials)
    with pytest.raises(OutputError, match="other rate"):
        TrialStore.open(tmp_path / "trials", {"rate": 2})


class OtherWorkers:
    """A pool whose workers end with the last training first."""

    def __init__(self, shared: TrainingTask) -> None:
        self.task, self.given = shared, list[Trial]()

    def results(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, TrialPredictions]]:
        for trial in reversed(trials):
            self.given.append(trial)
            yield trial, train_and_predict(trial, self.task)


def test_what_workers_have_trained_is_kept_at_once_and_not_trained_again(tmp_path: Path) -> None:
    shared, store = task(Starts()), TrialStore.open(tmp_path / "trials", {})
    pool, trials, seen = OtherWorkers(shared), [Trial(None, 0), Trial(FLIP, 0), Trial(None, 0)], list[tuple[int, int]]()

    def stop(*pair: int) -> None:
        seen.append(pair)  # type: ignore[arg-type]
        if pair[0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trials, shared, store, pool=pool, progress=stop)  # type: ignore[arg-type]
    assert [trial in TrialStore.open(tmp_path / "trials", {}) for trial in trials[:2]] == [False, True]
    run(trials, shared, store, pool=pool, progress=lambda *pair: seen.append(pair))  # type: ignore[arg-type]
    assert pool.given == [Trial(FLIP, 0), Trial(None, 0)]
    assert seen == [(0, 6), (3, 6), (3, 6), (6, 6)]
    alone = TrialStore()
    run(trials, shared, alone)
    for trial in trials:
        assert np.array_equal(store.read(trial).p_true, alone.read(trial).p_true)


def test_a_probe_predicts_the_test_images_as_a_policy_changes_them(store: TrialStore) -> None:
    """In a gray image no channel is the brightest."""
    trial = Trial(None, 0, (uniform({}, NAMES), GRAY))
    still = Recipe(epochs=0.1, rate=1e-12, cycle=False)
    before = torch.random.get_rng_state()
    run([trial], TrainingTask(lambda _: Meanest(), still, training_images(), training_images()), store)
    found = store.read(trial)
    assert np.array_equal(found.probed[0], found.predicted)
    assert (found.predicted == training_images().labels.numpy()).all()
    assert (found.probed[1] == training_images().labels.numpy()).mean() < 0.7
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_damaged_file_is_named_and_trained_again(tmp_path: Path) -> None:
    store = TrialStore.open(tmp_path / "trials", {})
    trial = Trial(None, 0)
    run([trial], task(Starts()), store)
    (path,) = (tmp_path / "trials").glob("trial-*.npz")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(OutputError, match=f"{path.name}.*Run the same command again"):
        store.read(trial)
    assert trial not in TrialStore.open(tmp_path / "trials", {})


def test_a_policy_by_class_that_is_the_same_for_all_is_the_policy_for_all() -> None:
    apart = Policy("per_class", 0.8, NAMES, (0, 1, 2), ({"horizontal_flip": 1.0},) * 3)
    assert Trial(apart, 0).key == Trial(FLIP, 0).key
    other = Policy("per_class", 0.8, NAMES, (0, 1, 2), ({"horizontal_flip": 1.0},) * 2 + ({},))
    assert Trial(other, 0).key != Trial(FLIP, 0).key


class Failing(nn.Module):
    """A network that raises what a user's network or a full device may raise."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.weight = error, nn.Parameter(torch.zeros(2, 2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        raise self.error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (torch.OutOfMemoryError("CUDA"), r"^The device ran out of memory in training\. Give a smaller image_size\.$"),
        (
            RuntimeError("shapes 3\nand 4"),
            r"^The network cannot be trained: shapes 3\. Check image_size, and start",
        ),
        (AttributeError("no head"), "cannot be trained: no head"),
    ],
)
def test_a_network_that_cannot_be_trained_is_one_sentence(error: Exception, sentence: str) -> None:
    store = TrialStore()
    with pytest.raises(ModelError, match=sentence):
        run([Trial(None, 0)], task(lambda _: Failing(error)), store)
    assert Trial(None, 0) not in store


def test_progress_counts_stored_trainings_as_done(store: TrialStore) -> None:
    run([Trial(None, 0)], task(Starts()), store)
    seen = list[tuple[int, int]]()
    run([Trial(None, 0), Trial(FLIP, 0)], task(Starts()), store, progress=lambda *pair: seen.append(pair))
    assert seen == [(done, 6) for done in (3, 4, 5, 6)]


def test_class_weights_reach_the_training_and_its_key(store: TrialStore) -> None:
    data, plain = training_images(), uniform({}, NAMES)
    favored = replace(plain, class_weights=(0.5, 0.5, 2.0))
    run([Trial(plain, 3), Trial(favored, 3)], TrainingTask(lambda _: small_network(), RECIPE, data, data), store)
    alone = log_probabilities(fit(small_network(), data.weighted((0.5, 0.5, 2.0)), RECIPE, seed=3), data)
    found = store.read(Trial(favored, 3))
    assert found.p_true == pytest.approx(np.exp(alone)[np.arange(60), data.labels], abs=1e-6)
    of_the_third = data.labels.numpy() == 2
    assert (found.p_true - store.read(Trial(plain, 3)).p_true)[of_the_third].min() > 0


def test_keys_without_class_weights_are_those_of_trainings_kept_before_there_were_any() -> None:
    """A folder of trainings goes on under a newer version: these keys were computed before class weights came."""
    by_class = Policy("per_class", 0.5, NAMES, (0, 1, 1), ({"hue": 0.1}, {"contrast": 0.2}))
    assert Trial(None, 0).key == Trial(uniform({}, NAMES), 0).key == "51cb8f6b7b82b0a8407955d0"
    assert Trial(FLIP, 2000).key == "e6b6753c77a8dcc5cdecf735"
    assert Trial(by_class, 1, (GRAY,)).key == "dcf584c6a80ef5aca40a40ab"
    weighted = {
        Trial(replace(policy, class_weights=weights), 0).key
        for policy in (uniform({}, NAMES), FLIP, by_class)
        for weights in ((), (0.5, 1.0, 1.5), (1.5, 1.0, 0.5))
    }
    assert len(weighted) == 9
