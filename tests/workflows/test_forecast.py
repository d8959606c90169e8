"""Forecasts from trainings and refitted heads, on a small planted world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.datasets.load import DatasetOptions
from cuesense.errors import CuesenseError, DatasetError, ModelError, SettingsError
from cuesense.inference.ray_cluster import RayEngine
from cuesense.models.compact import build
from cuesense.policies.expected_losses import expected_losses
from cuesense.policies.policy import uniform
from cuesense.policies.profile_budgets import budgets_of
from cuesense.policies.recommend import recommend
from cuesense.schemas.profile import Profile
from cuesense.schemas.profile_provenance import FROM_TABLE
from cuesense.stats.training_loss import Forecast
from cuesense.training.setup import Experiment
from cuesense.training.trials import Trial
from cuesense.workflows import forecast as forecasts
from cuesense.workflows.forecast import FOLDER, AnalyzedModel, forecast
from tests.helpers.kept_files import trials_in
from tests.helpers.profiles_with_forecasts import CROP, JITTER
from tests.helpers.training_setups import TEST, TRAIN, profile

WORLD = "planted:0,size=32,color=2,shape=0,texture=1,redundant=0,mixed=0,context=0,null=0"
TRAINING: dict[str, Any] = {"train": TRAIN, "dataset": TEST, "epochs": 1, "device": "cpu"}
BOTH = (CROP, JITTER)


def factory() -> nn.Module:
    """The analyzed model."""
    torch.manual_seed(0)
    return build(3, 32)


MODEL = "python:tests.workflows.test_forecast:factory"
IMAGES = f"{WORLD},images=5"
HERE: dict[str, Any] = {"model": MODEL, "dataset": IMAGES, "device": "cpu"}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[Forecast]:
    """Leave trainings alone, without what is expected without training; return what was left out."""
    left_out: list[Forecast] = []

    def first(trained: Forecast, expected: Forecast) -> Forecast:
        left_out.append(expected)
        return trained

    monkeypatch.setattr(forecasts, "weighted", first)
    return left_out


def test_trainings_count_together_with_what_is_expected_without_training(alone: list[Forecast]) -> None:
    forecast(profile(), augmentations=BOTH, **TRAINING)
    expected = expected_losses(profile(), BOTH).losses
    for left_out, name in zip(alone, BOTH, strict=True):
        np.testing.assert_array_equal(left_out.loss, expected[name].loss)
        np.testing.assert_array_equal(left_out.spread, expected[name].spread)


@pytest.mark.usefixtures("alone")
def test_losses_are_counted_on_the_test_images_against_the_same_training() -> None:
    steps: list[tuple[int, int]] = []
    found = forecast(
        profile(), augmentations=BOTH, progress=lambda done, total: steps.append((done, total)), **TRAINING
    ).forecast
    assert found is not None
    assert (found.method, found.runs, found.probability) == ("trained", 2, 0.8)
    assert found.train is not None
    assert found.train.images == 24
    assert found.recipe["epochs"] == 1
    assert list(found.augmentations) == [CROP, JITTER]
    crop = found.augmentations[CROP]
    assert crop.values == [0.7, 0.4, 0.2, 0.08]
    assert np.shape(crop.loss) == np.shape(crop.low) == np.shape(crop.flags) == np.shape(crop.risk) == (4, 3)
    risk = crop.to_forecast().risk(profile().policy.tolerance)
    for row, expected in zip(crop.risk, risk, strict=True):
        assert all(one is None or one == pytest.approx(own, abs=1e-3) for one, own in zip(row, expected, strict=True))
    scale = np.array(crop.loss)[-1]
    assert np.linalg.matrix_rank(np.array(crop.loss), tol=1e-4) <= 1
    assert (np.abs(np.array(crop.loss)) <= np.abs(scale) + 1e-6).all()
    assert all(
        accuracy is not None and (10 * accuracy) % 1 == pytest.approx(0, abs=1e-3) for accuracy in found.accuracy
    )
    assert len(crop.augmented) == 3
    assert steps[0][0] == 0
    assert steps[-1] == (6, 6)


def test_the_strongest_value_of_each_augmentation_is_trained_and_kept(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(profile().to_json())
    first = forecast(tmp_path, augmentations=[CROP], **TRAINING)
    assert len(list((tmp_path / FOLDER).rglob("trial-*.npz"))) == 4
    done: list[int] = []
    again = forecast(tmp_path, augmentations=BOTH, progress=lambda d, _: done.append(d), **TRAINING)
    assert done[0] == 4
    assert len(list((tmp_path / FOLDER).rglob("trial-*.npz"))) == 6
    assert first.forecast is not None
    assert again.forecast is not None
    policy, store = uniform({JITTER: 0.8}, TRAIN.class_names), trials_in(next((tmp_path / FOLDER).iterdir()))
    trials = [Trial(policy, seed, (replace(policy, probability=1.0),)) for seed in (1000, 1001)]
    probed = np.stack([store.read(trial).probed[0] for trial in trials])
    labels = np.array(TEST.labels)
    expected = [(probed[:, labels == index] == index).mean() for index in range(3)]
    assert again.forecast.augmentations[JITTER].augmented == pytest.approx(expected, abs=1e-6)
    assert first.forecast.augmentations[CROP] == again.forecast.augmentations[CROP]


def test_workers_do_the_trainings_that_an_engine_is_named_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engines: list[RayEngine | None] = []

    @contextmanager
    def shared(experiment: Experiment, engine: RayEngine | None) -> Iterator[Experiment]:
        engines.append(engine)
        yield experiment

    monkeypatch.setattr(forecasts, "trained_on_ray", shared)
    forecast(profile(), augmentations=[CROP], seeds=1, engine="ray", ray_address="auto", **TRAINING)
    assert engines == [RayEngine("auto", None, 0.0)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"engine": "ray", "head": True}, "options of training to be given with train"),
        ({"engine": "dask", "train": TRAIN}, "engine to be local or ray, but got 'dask'"),
        ({"ray_workers": 2, "train": TRAIN}, "ray_workers to be given with engine ray"),
    ],
)
def test_engines_that_do_not_fit_are_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        forecast(profile(), **given)


def test_heads_are_refitted_for_every_value() -> None:
    seen: list[tuple[int, int]] = []
    found = forecast(
        profile(), head=True, augmentations=BOTH, progress=lambda d, t: seen.append((d, t)), **HERE
    ).forecast
    assert found is not None
    assert (found.method, found.train, found.recipe) == ("head", None, {})
    assert seen == [(done, 8) for done in range(1, 9)]
    assert np.array(found.augmentations[JITTER].loss).shape == (4, 3)
    assert found.augmentations[JITTER].leaks == []


@pytest.mark.parametrize(
    ("given", "taken"),
    [({}, "ema"), ({"weights_key": "raw"}, "raw"), ({"model": MODEL}, None)],
)
def test_heads_are_refitted_on_the_weights_that_were_analyzed(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], taken: str | None
) -> None:
    def load(*_: Any, weights_key: str | None, **__: Any) -> None:
        raise ModelError(f"loaded {weights_key}")

    monkeypatch.setattr(forecasts, "load_classifier", load)
    analyzed = profile()
    model = analyzed.provenance.model.model_copy(update={"spec": "some.pt", "weights_key": "ema"})
    analyzed = analyzed.model_copy(update={"provenance": analyzed.provenance.model_copy(update={"model": model})})
    with pytest.raises(ModelError, match=f"loaded {taken}"):
        forecast(analyzed, head=True, dataset=IMAGES, **given)


@pytest.mark.usefixtures("alone")
def test_trainings_and_heads_are_combined_and_the_file_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(profile().to_json())
    train = f"{WORLD},split=train,images=8"
    found = forecast(tmp_path, train=train, head=True, epochs=1, augmentations=BOTH, **HERE)
    assert found == Profile.read(tmp_path)
    assert found.forecast is not None
    assert found.forecast.method == "trained and head"
    heads = forecast(profile(), head=True, augmentations=BOTH, **HERE).forecast
    alone = forecast(profile(), augmentations=BOTH, **TRAINING).forecast
    assert heads is not None
    assert alone is not None
    expected = 0.8 * np.array(alone.augmentations[CROP].loss) + 0.2 * np.array(heads.augmentations[CROP].loss)
    assert found.forecast.augmentations[CROP].loss == pytest.approx(expected, abs=2e-6)
    assert len(list((tmp_path / FOLDER).rglob("trial-*.npz"))) == 6
    with pytest.raises(SettingsError, match="Give train as well"):
        forecast(tmp_path, head=True, augmentations=BOTH, **HERE)
    budget = found.forecast.budgets[TRAIN.class_names[0]][CROP]
    assert list(budget.alternatives) == ["confidence_0.8", "confidence_0.55", "test_time"]
    assert budget.alternatives["test_time"] == found.classes[0].budgets[CROP].value
    assert budget.value == budgets_of(found)[CROP][0].value
    recommend(found, augmentations=[CROP])
    with pytest.raises(SettingsError, match="one that was forecast, but got 'horizontal_flip'"):
        recommend(found, augmentations=["horizontal_flip"])


@pytest.mark.parametrize(
    "arguments",
    [{}, {"epochs": 1}, {"head": True, "epochs": 1}, {"head": True, "start": MODEL}, {"head": True, "image_size": 64}],
)
def test_options_of_trainings_need_training_images(arguments: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="Add train DATASET"):
        forecast(profile(), **arguments)


def test_a_mistake_leaves_the_profile_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(profile().to_json())
    before = file.read_bytes()
    with pytest.raises(DatasetError, match="train"):
        forecast(file, train="planted:0,size=32", dataset=IMAGES)
    with pytest.raises(CuesenseError):
        forecast(file, head=True, model="python:tests.workflows.test_forecast:missing", dataset=IMAGES)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seeds": 0}, "seeds"),
        ({"augmentations": ["hue"]}, "one that the profile measured, but got 'hue'"),
        ({"probability": 0.0}, "Expected probability to be in"),
    ],
)
def test_wrong_settings_are_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        forecast(profile(), **TRAINING, **arguments)  # type: ignore[arg-type]


def test_images_and_a_model_that_were_in_memory_are_asked_for() -> None:
    known = profile()
    where = known.provenance.model_copy(
        update={
            "dataset": known.provenance.dataset.model_copy(update={"spec": "TensorDataset"}),
            "model": known.provenance.model.model_copy(update={"spec": "python:Sequential"}),
        }
    )
    gone = known.model_copy(update={"provenance": where})
    with pytest.raises(SettingsError, match="Expected dataset to be the analyzed images, but got nothing"):
        forecast(gone, train="planted:0,size=32")
    with pytest.raises(SettingsError, match="Expected model to be the analyzed model, but got nothing"):
        forecast(gone, head=True)


def test_a_profile_of_a_table_asks_for_the_model_and_the_images_by_their_options() -> None:
    known = profile()
    model = known.provenance.model.model_copy(update={"architecture": FROM_TABLE, "spec": "predictions.csv"})
    scored = known.model_copy(update={"provenance": known.provenance.model_copy(update={"model": model})})
    of_table = "the profile is of the predictions in"
    with pytest.raises(
        SettingsError, match=f"Expected model to be the analyzed model, but got nothing, and {of_table}"
    ):
        forecast(scored, head=True)
    images = f"Expected dataset to be the analyzed images, but got nothing, and {of_table}"
    with pytest.raises(SettingsError, match=images):
        forecast(scored, train="planted:0,size=32")
    with pytest.raises(SettingsError, match=images):
        forecast(scored, head=True, model="python:tests.helpers.planted_profiles:analyzed_network")


@pytest.mark.parametrize("head", [False, True])
def test_seeds_without_training_images_are_refused_as_epochs_are(head: bool) -> None:
    for options in ({"seeds": 3}, {"epochs": 3}):
        with pytest.raises(SettingsError, match="Expected options of training to be given with train"):
            forecast(profile(), head=head, **options)


def test_the_analyzed_part_of_a_dataset_is_taken_again() -> None:
    known = profile()
    dataset = known.provenance.dataset.model_copy(update={"split": "val"})
    known = known.model_copy(update={"provenance": known.provenance.model_copy(update={"dataset": dataset})})
    assert dataset.named == f"{dataset.spec} (val)"
    assert AnalyzedModel().part_of(known) == DatasetOptions(split="val")
    assert AnalyzedModel(images=DatasetOptions("root", "test")).part_of(known) == DatasetOptions("root", "test")
    # Images that are named anew may have no such part.
    assert AnalyzedModel(dataset="photos").part_of(known) == DatasetOptions()
