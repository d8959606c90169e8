"""What trainings start from and what they are made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cuesense.datasets.in_memory import wrap
from cuesense.datasets.load import DatasetOptions
from cuesense.errors import DatasetError, ModelError, OutputError, SettingsError, SplitError
from cuesense.models.compact import build
from cuesense.planted.world import PlantedWorld
from cuesense.policies.policy import uniform
from cuesense.schemas.profile import Profile
from cuesense.training.setup import (
    FINE_TUNING,
    SCRATCH,
    Experiment,
    TrainingOptions,
    _without_guesses,
    prepare_training,
    profile_preprocessing,
)
from cuesense.training.trials import Trial
from cuesense.types import Classifier, Preprocessing, no_progress
from tests.helpers.training_setups import COUNTS, TEST, TRAIN, profile


def prepared(of: Profile | None = None, **options: Any) -> Experiment:
    """Return trainings on the world's images, kept in memory."""
    return prepare_training(of or profile(), TrainingOptions(TRAIN, TEST, **options), None)


def factory() -> nn.Module:
    """A user's checkpoint with seven outputs."""
    torch.manual_seed(3)
    return build(7, 32)


class Told(nn.Module):
    """Knows the right class of every training image, in their order."""

    def __init__(self, labels: tuple[int, ...]) -> None:
        super().__init__()
        self.labels, self.scale = labels, nn.Parameter(torch.tensor(9.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        labels = torch.tensor(self.labels[: len(images)])
        return self.scale * nn.functional.one_hot(labels, 3).float()


KNOWN = nn.Sequential()


def known() -> nn.Module:
    return KNOWN


def headless() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 7, 32), nn.Flatten())


def test_a_compact_network_is_trained_from_the_seed_alone(tmp_path: Path) -> None:
    found = prepare_training(profile(), TrainingOptions(TRAIN, TEST), tmp_path / "trials")
    assert found.recipe == SCRATCH
    assert (len(found.train), len(found.test)) == (24, 15)
    assert found.train.std == (0.25, 0.25, 0.25)
    first, again, other = (next(found.start(seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    quick = prepared(epochs=0.5)
    steps: list[tuple[int, int]] = []
    trials = [Trial(None, 0), Trial(uniform({"hue": 0.1}, TRAIN.class_names), 0)]
    quick.run(trials, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (2, 2)
    assert quick.predictions(trials[0]).predicted.shape == (15,)


def test_images_are_prepared_as_the_profile_says() -> None:
    said = {"image_size": [48, 40], "resize": 56, "mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic"}
    known = Preprocessing((48, 40), 56, (0.5,) * 3, (0.25,) * 3, "bicubic")
    assert profile_preprocessing(profile(said)) == known
    more: dict[str, Any] = {"channels": "bgr", "crop": "down", "resizer": "torchvision"}
    assert profile_preprocessing(profile(said | more)) == replace(known, **more)


def test_the_side_is_the_profiles_or_the_users_a_multiple_of_32() -> None:
    sizes = {"image_size": [48, 48], "resize": 56, "mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear"}
    assert prepared(of=profile(sizes)).train.pixels.shape[2:] == (32, 32)
    assert prepared(image_size=64).train.pixels.shape[2:] == (
        64,
        64,
    )
    unknown = {"image_size": None, "resize": None, "mean": None, "std": None}
    assert prepared(of=profile(unknown)).train.pixels.shape[2:] == (32, 32)
    with pytest.raises(SettingsError, match="from 32 to 4096, but got 16"):
        prepared(image_size=16)


def test_a_checkpoint_keeps_its_weights_and_gets_a_head_for_the_classes() -> None:
    spec = "python:tests.training.test_setup:factory"
    found = prepared(start=spec, image_size=32)
    assert found.recipe == FINE_TUNING
    network = found.start(1)
    assert network[-1].out_features == 3  # type: ignore[index]
    assert torch.equal(next(network.parameters()), next(factory().parameters()))
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert torch.equal(network[-1].weight, found.start(1)[-1].weight)  # type: ignore[index]
    assert not torch.equal(network[-1].weight, found.start(2)[-1].weight)  # type: ignore[index]
    with pytest.raises(ModelError, match="a network whose head can be replaced"):
        prepare_training(
            profile(),
            TrainingOptions(TRAIN, TEST, start="python:tests.training.test_setup:headless", image_size=32),
            None,
        )


def test_a_checkpoint_of_several_weights_starts_from_the_ones_that_are_named(tmp_path: Path) -> None:
    first, second = factory().state_dict(), {key: value * 2 for key, value in factory().state_dict().items()}
    torch.save({"model": first, "other": second}, tmp_path / "both.pt")
    where: dict[str, Any] = {"start": str(tmp_path / "both.pt"), "arch": "python:tests.training.test_setup:factory"}

    def prepare(key: str) -> Experiment:
        options = TrainingOptions(TRAIN, TEST, image_size=32, epochs=0.1, weights_key=key, **where)
        return prepare_training(profile(), options, tmp_path / "kept")

    found = prepare("other")
    name, value = next(iter(found.start(1).named_parameters()))
    assert torch.equal(value, second[name])
    found.run([Trial(None, 0)], lambda *_: None)
    with pytest.raises(OutputError, match="other weights_key"):
        prepare("model")
    torch.save({"model": first}, tmp_path / "both.pt")
    with pytest.raises(ModelError, match="weights_key to be one of 'model', but got 'other'"):
        prepare("other")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_head_that_already_tells_the_classes_apart_is_kept_in_their_order_alone(
    order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = nn.Linear(3, 3)
    known.weight = nn.Parameter(torch.eye(3)[list(order)])
    network = nn.Sequential(Told(TRAIN.labels), known)
    monkeypatch.setattr("tests.training.test_setup.KNOWN", network)
    # It knows images by their place, so that it is no function of one image.
    start = prepared(start="python:tests.training.test_setup:known", allow_nondeterministic=True).start
    assert torch.equal(start(0)[1].weight, known.weight) == (order == (0, 1, 2))  # type: ignore[index]


@pytest.mark.parametrize("epochs", [0, -1, 1001])
def test_epochs_have_limits(epochs: float) -> None:
    with pytest.raises(SettingsError, match="epochs"):
        prepared(epochs=epochs)


def test_other_classes_and_other_settings_are_refused(tmp_path: Path) -> None:
    other = PlantedWorld(0, "train", 4, 32, counts=COUNTS | {"shape": 1})
    with pytest.raises(DatasetError, match="train to be a dataset of the same 3 classes"):
        prepare_training(profile(), TrainingOptions(other, TEST), None)
    with pytest.raises(DatasetError, match="test to be a dataset of the same 3 classes"):
        prepare_training(profile(), TrainingOptions(TRAIN, other), None)
    quick = prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=0.1), tmp_path / "trials")
    prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=2), tmp_path / "trials")
    quick = prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=0.1), tmp_path / "trials")
    quick.run([Trial(None, 0)], lambda *_: None)
    with pytest.raises(OutputError, match="other recipe"):
        prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=2), tmp_path / "trials")
    prepare_training(profile(), TrainingOptions(TRAIN, TEST, epochs=2), tmp_path / "trials", restart=True)


def test_fewer_images_of_each_class() -> None:
    found = prepared(images_per_class=2)
    assert found.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert len(found.test) == 15


def test_an_exported_checkpoint_cannot_be_trained(model_file: Path) -> None:
    with pytest.raises(ModelError, match="Give its weights as a state dict"):
        prepared(start=str(model_file), image_size=32)


ANALYZED = Preprocessing((64, 64), 72, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bicubic")
CARRIED = Preprocessing((96, 96), 120, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bilinear")


def checkpoint(*guessed: str, **changes: Any) -> Classifier:
    """Return a checkpoint whose weights carry all of the preprocessing but what was guessed."""
    return Classifier("mine", "mine", nn.Identity(), replace(CARRIED, **changes), guessed=frozenset(guessed))


def test_a_checkpoint_that_carries_everything_keeps_it() -> None:
    assert _without_guesses(checkpoint(), ANALYZED) == CARRIED
    assert _without_guesses(checkpoint("class_names"), ANALYZED) == CARRIED


@pytest.mark.parametrize("guess", ["image_size", "mean", "std", "interpolation"])
def test_a_guess_about_one_setting_leaves_the_others_that_the_weights_carry(guess: str) -> None:
    found = _without_guesses(checkpoint(guess), ANALYZED)
    assert found == replace(CARRIED, **{guess: getattr(ANALYZED, guess)})


def test_a_guessed_resize_is_the_analyzed_models_in_proportion() -> None:
    assert _without_guesses(checkpoint("resize"), ANALYZED) == replace(CARRIED, resize=108)
    assert _without_guesses(checkpoint("resize"), replace(ANALYZED, resize=None)).resize is None
    both = _without_guesses(checkpoint("image_size", "resize"), ANALYZED)
    assert both == replace(CARRIED, image_size=(64, 64), resize=72)


def test_where_all_is_guessed_all_is_the_analyzed_models() -> None:
    assert _without_guesses(checkpoint(*vars(CARRIED)), ANALYZED) == ANALYZED


def test_a_start_without_preprocessing_is_trained_as_the_analyzed_model_was_prepared() -> None:
    found = prepared(start="python:tests.training.test_setup:factory")
    assert (found.train.mean, found.train.std) == ((0.5,) * 3, (0.25,) * 3)
    assert found.train.pixels.shape[2:] == (32, 32)


def test_a_few_shared_images_and_copies_are_said() -> None:
    """One of fifteen test images is trained on, and another one stands in the test twice."""
    world = [(np.asarray(TRAIN[index].image), TRAIN[index].label) for index in range(len(TRAIN))]
    tested = [(np.asarray(TEST[index].image), TEST[index].label) for index in range(len(TEST))]
    train = wrap([*world, tested[3]], class_names=TRAIN.class_names)
    test = wrap([*tested, tested[0]], class_names=TRAIN.class_names)
    found = prepare_training(profile(), TrainingOptions(train, test), None)
    copies, shared = found.remarks
    assert copies.startswith("--test: 1 of 16 images is a copy of another")
    assert shared.startswith("1 image of 15 of --test is also among the training images: '000000003'.")
    assert (len(found.train), len(found.test)) == (25, 15)
    assert prepare_training(profile(), TrainingOptions(TRAIN, TEST), None).remarks == ()


def test_trainings_of_changed_files_are_refused_by_name(tmp_path: Path) -> None:
    for name, world in (("train", TRAIN), ("test", TEST)):
        for index in range(len(world)):
            sample = world[index]
            path = tmp_path / name / TRAIN.class_names[sample.label] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(sample.image)).save(path)
    options = TrainingOptions(tmp_path / "train", tmp_path / "test", epochs=0.1)
    experiment = prepare_training(profile(), options, tmp_path / "trials")
    experiment.run([Trial(None, 0)], no_progress)
    prepare_training(profile(), options, tmp_path / "trials")
    Image.fromarray(np.asarray(TRAIN[0].image) // 2).save(tmp_path / "test" / TRAIN.class_names[0] / "0.png")
    with pytest.raises(OutputError, match=rf"1 of 15 with another content since then \('{TRAIN.class_names[0]}/0.png'"):
        prepare_training(profile(), options, tmp_path / "trials")
    prepare_training(profile(), options, tmp_path / "trials", restart=True)


def test_a_folder_of_parts_is_trained_on_in_one_and_tested_on_in_another(tmp_path: Path) -> None:
    for name, world in (("train", TRAIN), ("val", TEST)):
        for index in range(len(world)):
            sample = world[index]
            path = tmp_path / name / TRAIN.class_names[sample.label] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(sample.image)).save(path)
    found = prepare_training(profile(), TrainingOptions(tmp_path, tmp_path), None)
    assert found.source.split == "train"
    assert (len(found.train), len(found.test)) == (len(TRAIN), len(TEST))
    assert found.remarks == (
        "--test: Of the dataset's parts, 'val' is used. Its parts are 'val', 'train': choose another with --split.",
    )
    # With the part given, the test images are those of it, and the training images still those of train.
    with pytest.raises(DatasetError, match="24 of 24 images that are among those of"):
        prepare_training(profile(), TrainingOptions(tmp_path, tmp_path, images=DatasetOptions(split="train")), None)
    with pytest.raises(SplitError, match="a dataset in memory"):
        prepare_training(profile(), TrainingOptions(TRAIN, TEST, images=DatasetOptions(split="val")), None)
