"""Profiles of the networks of ``value.py``: trained without augmentation, analyzed, with and without a forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from budget_worlds import joined
from torch import nn
from value_training import CHOICE_SEEDS, RECIPE, STRONGEST, Trainings
from value_worlds import ANALYZED, more_to_analyze, network

from cuesense import analyze
from cuesense.config import Config
from cuesense.models.compact import MEAN, STD
from cuesense.perturbations.ablations import COLUMNS
from cuesense.policies.policy import augmentation
from cuesense.schemas.profile import DatasetInfo, Profile
from cuesense.training.fit import Images, fit
from cuesense.training.setup import Experiment
from cuesense.training.trials import Trial, TrialPredictions, TrialStore
from cuesense.types import Perturbation
from cuesense.workflows.forecast import AugmentationChoice, forecast_trained

# The augmentations of the trainings, flips at no more than 1/2 as everywhere in practice.
FORECAST = tuple(name for values in STRONGEST for name in values)
LADDERS = {
    "random_resized_crop": augmentation("random_resized_crop").ladder,
    "color_jitter": augmentation("color_jitter").ladder,
    "horizontal_flip": (0.5,),
    "random_erasing": augmentation("random_erasing").ladder,
    "random_rotation": augmentation("random_rotation").ladder,
}


@dataclass(frozen=True)
class Listed:
    """Images as a torch dataset of (image, label)."""

    images: Images
    classes: tuple[str, ...]

    @property
    def targets(self) -> list[int]:
        """The label of every image."""
        labels: list[int] = self.images.labels.tolist()
        return labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.images.pixels[index], int(self.images.labels[index])


def profile(own: Trainings, images: int = ANALYZED) -> Profile:
    """Return the profile of a world's network on so many images of every class; analyzed once, then read back."""
    path = own.place / ("profile.json" if images == ANALYZED else f"profile-{images}.json")
    if not path.exists():
        path.write_text(analyzed(own, _to_analyze(own, images)).to_json())
    return Profile.read(path)


def _to_analyze(own: Trainings, images: int) -> Images:
    """Return the first analyzed images of every class; where more than these are asked for, further ones as well."""
    if images <= ANALYZED:
        return own.images[1].take(first_rows(own.images[1], images))
    return joined(own.images[1], more_to_analyze(own.name, images - ANALYZED, own.photos))


def analyzed(own: Trainings, images: Images, config: Config | None = None) -> Profile:
    """Return the profile of a world's network on some images; by default of what recommendations read."""
    return analyze(
        plain_network(own),
        Listed(images, own.names),
        class_names=own.names,
        config=config or _config(),
        mean=MEAN,
        std=STD,
        image_size=images.pixels.shape[-1],
        resize=images.pixels.shape[-1],
        workers=1,
    )


def _config() -> Config:
    """Return what recommendations read: the augmentations, and the conditions of every class's leans."""
    wanted: dict[str, set[float]] = {}
    for column in COLUMNS:
        for ablation in column.mechanisms:
            wanted.setdefault(ablation.perturbation, set()).add(ablation.value)
    # The sham of everything that cuts the image into tiles.
    wanted["tile_jitter"] = {0.036}
    ladders = {name: tuple(sorted(values)) for name, values in wanted.items()} | LADDERS
    return Config("value", "Augmentations and leans.", tuple(_on(name, ladder) for name, ladder in ladders.items()))


def _on(name: str, ladder: tuple[float, ...]) -> Perturbation:
    return replace(augmentation(name), ladder=ladder)


def plain_network(own: Trainings) -> nn.Module:
    """Return the network trained without augmentation with the first seed; its weights are kept."""
    path = own.place / "plain.pt"
    start = network(len(own.names), CHOICE_SEEDS[0])
    if not path.exists():
        torch.save(fit(start, own.images[0], RECIPE, seed=CHOICE_SEEDS[0]).state_dict(), path)
    start.load_state_dict(torch.load(path))
    return start.eval()


def with_forecast(profile: Profile, own: Trainings, images: int) -> Profile:
    """Return a profile with the forecast of ``recommend --train``, from the trainings that are there.

    Args:
        profile: The profile, of the first images of every class.
        own: The trainings, with both seeds for choosing.
        images: How many images of every class the losses are counted on.
    """
    train, analyzed_images = own.images[:2]
    rows = first_rows(analyzed_images, images)
    experiment = Experiment(
        start=lambda seed: network(len(own.names), seed),
        recipe=RECIPE,
        train=train,
        test=analyzed_images.take(rows),
        origin="compact network",
        source=DatasetInfo(spec=own.name, images=len(train), classes=len(own.names), fingerprint=own.name),
        tested=own.name,
        store=_Kept(own.store, rows),
        device="cpu",
    )
    return forecast_trained(profile, experiment, AugmentationChoice(FORECAST), len(CHOICE_SEEDS))


def first_rows(images: Images, count: int) -> torch.Tensor:
    """Return the rows of the first images of every class."""
    classes = range(int(images.labels.max()) + 1)
    return torch.cat([torch.where(images.labels == label)[0][:count] for label in classes])


class _Kept(TrialStore):
    """The trainings that are there, as a forecast wants them: the predictions of some analyzed images."""

    def __init__(self, store: TrialStore, rows: torch.Tensor) -> None:
        super().__init__()
        self.store, self.rows = store, rows.numpy()

    def __contains__(self, trial: Trial) -> bool:
        return Trial(trial.policy, trial.seed) in self.store

    def read(self, trial: Trial) -> TrialPredictions:
        """Return a training's predictions; augmented test images, which no recommendation reads, count as clean."""
        found = self.store.read(Trial(trial.policy, trial.seed))
        predicted = found.predicted[self.rows]
        return TrialPredictions(predicted, found.p_true[self.rows], predicted[None].repeat(len(trial.probes), axis=0))
