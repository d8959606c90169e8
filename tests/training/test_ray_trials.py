"""Trainings in Ray's workers give the networks of one process, also after a loss."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from cuesense import registry
from cuesense.draws import Draws
from cuesense.inference.ray_cluster import RayEngine
from cuesense.policies.policy import uniform
from cuesense.training.ray_trials import trained_on_ray, trainer
from cuesense.training.setup import Experiment, TrainingOptions, prepare_training
from cuesense.training.trials import Trial, TrialStore
from cuesense.types import no_progress
from tests.helpers.training_setups import TEST, TRAIN, profile

CROP = uniform({"random_resized_crop": 0.2}, TRAIN.class_names)


@pytest.fixture
def darker() -> Iterator[str]:
    """An augmentation that this program has registered, by its name."""

    def apply(images: Tensor, value: float, _draws: Draws) -> Tensor:
        return images * (1 - value)

    known = registry.get("perturbations", "random_grayscale")
    yield registry.register(replace(known, name="darker_for_trainings", apply=apply)).name
    del registry._ADDED["perturbations"]["darker_for_trainings"]


def prepared(folder: Path) -> Experiment:
    return prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=1), folder)


@pytest.mark.usefixtures("two_workers")
def test_trainings_are_those_of_one_process_also_after_a_loss(tmp_path: Path, darker: str) -> None:
    own = uniform({darker: 1.0}, TRAIN.class_names)
    trials = [Trial(None, 0), Trial(CROP, 0, (CROP,)), Trial(own, 1), Trial(None, 2)]
    local, shared = prepared(tmp_path / "local"), prepared(tmp_path / "ray")
    local.run(trials, no_progress)
    here, died = os.getpid(), tmp_path / "died"

    def die_once(seed: int) -> nn.Module:
        if os.getpid() != here and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return local.start(seed)

    with trained_on_ray(replace(shared, start=die_once), RayEngine()) as experiment:
        experiment.run(trials[:1], no_progress)
        experiment.run(trials, no_progress)
    assert died.exists()
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("trial-*.npz")} for name in ("local", "ray")
    )
    assert other == one
    assert len({tuple(shared.predictions(trial).p_true) for trial in trials}) == 4


def test_a_worker_knows_what_the_program_has_registered(tmp_path: Path, darker: str) -> None:
    entry, experiment = registry.get("perturbations", darker), prepared(tmp_path)
    trial = Trial(uniform({darker: 1.0}, TRAIN.class_names), 0)
    experiment.run([trial], no_progress)
    del registry._ADDED["perturbations"][darker]
    found = trainer(experiment.task, [entry])(trial)
    assert np.array_equal(found.p_true, experiment.predictions(trial).p_true)


def test_without_a_cluster_nothing_changes(tmp_path: Path) -> None:
    experiment = replace(prepared(tmp_path), store=TrialStore())
    with trained_on_ray(experiment, None) as found:
        assert found is experiment
