"""Trainings that differ in their augmentation policy and seed alone, and the store of what their networks predict.

Start, recipe and the order of the images are shared, so that a difference between two trainings of one seed comes from
the policy. Predictions are kept in files, so that an interrupted series of trainings can be resumed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cuesense.errors import ModelError, first_line
from cuesense.policies.policy import Policy
from cuesense.stores.arrays import ArrayStore
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from cuesense.types import Progress, no_progress

if TYPE_CHECKING:
    from cuesense.inference.ray_pool import Pool

_PATTERN = "trial-*.npz"
_ARRAYS = ("predicted", "p_true", "probed")
# Any fixed seed: all networks of a series then see the same augmented test images. It differs from 0, the usual seed
# of a training, so that these are not the draws of a training's first steps.
_PROBE_SEED = 1


@dataclass(frozen=True)
class Trial:
    """One training.

    Attributes:
        policy: What is done to the images, and how much each class counts in the loss; None leaves them clean and
            alike.
        seed: Seed of the first weights, the order of the images and the augmentation.
        probes: Policies for augmenting the test images, which the trained network then predicts as well.
    """

    policy: Policy | None
    seed: int
    probes: tuple[Policy, ...] = ()

    @property
    def key(self) -> str:
        """A hash of policy, seed and probes (24 hexadecimal digits): equal trainings, and only they, share it."""
        policy = None if self.policy is None else self.policy.content
        content = [policy, self.seed, [probe.content for probe in self.probes]]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class TrialPredictions:
    """What a trained network predicts for the N test images.

    Attributes:
        predicted: The output with the largest logit, (N,).
        p_true: Probability of the output of the image's label, (N,).
        probed: The output with the largest logit on the test images that each of P probes augmented, (P, N).
    """

    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    probed: NDArray[np.int32]


@dataclass
class TrialStore:
    """The predictions of trained networks, in a folder, or in memory where there is none.

    Attributes:
        files: Where the files are, or None.
    """

    files: ArrayStore | None = None
    _memory: dict[str, TrialPredictions] = field(default_factory=dict)

    @classmethod
    def open(
        cls, folder: Path, settings: Mapping[str, Any], *, restart: bool = False, made_of_it: Sequence[str] = ()
    ) -> TrialStore:
        """Open or create a folder of trainings.

        Args:
            folder: Where they are; created where missing.
            settings: Everything (JSON values) but the trials on which the predictions depend.
            restart: Delete what is there.
            made_of_it: Files beside the folder that a restart deletes as well (see ``ArrayStore.open``).

        Returns:
            The store.

        Raises:
            OutputError: The folder holds trainings of other settings, or cannot be written.
        """
        return cls(ArrayStore.open(folder, settings, _PATTERN, _ARRAYS, restart=restart, made_of_it=made_of_it))

    def __contains__(self, trial: Trial) -> bool:
        """Return whether a training's predictions are there."""
        return trial.key in self._memory if self.files is None else _name(trial) in self.files

    def write(self, trial: Trial, predictions: TrialPredictions) -> None:
        """Keep a training's predictions.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.files is None:
            self._memory[trial.key] = predictions
        else:
            self.files.write(_name(trial), vars(predictions))

    def read(self, trial: Trial) -> TrialPredictions:
        """Return a training's predictions.

        Raises:
            OutputError: The file is damaged.
        """
        if self.files is None:
            return self._memory[trial.key]
        return TrialPredictions(**self.files.read(_name(trial), _ARRAYS))


def _name(trial: Trial) -> str:
    return f"trial-{trial.key}.npz"


@dataclass(frozen=True)
class TrainingTask:
    """What all trainings of a series share.

    Attributes:
        start: Returns the network that a training with a seed begins from: untrained, or the user's checkpoint.
        recipe: How long and how fast to train.
        train: The images to train on.
        test: The images that trained networks predict.
        device: ``"cpu"``, ``"cuda"`` or any device torch knows.
    """

    start: Callable[[int], nn.Module]
    recipe: Recipe
    train: Images
    test: Images
    device: str = "cpu"


def run(
    trials: Sequence[Trial],
    task: TrainingTask,
    store: TrialStore,
    *,
    pool: Pool | None = None,
    progress: Progress = no_progress,
) -> None:
    """Train every network whose predictions are not stored yet, and store them.

    Args:
        trials: What to train; trials that are equal are trained once.
        task: What the trainings share.
        store: Where the predictions go.
        pool: Workers of Ray that do ``train_and_predict`` with the same task; None trains here, one after the other.
        progress: Called with (steps done, steps in all); trainings that are stored already count as done. Of workers
            whole trainings are counted.

    Raises:
        ModelError: The network cannot be trained, or the workers end again and again.
        OutputError: The predictions cannot be written.
    """
    wanted = {trial.key: trial for trial in trials}
    new = [trial for trial in wanted.values() if trial not in store]
    steps = task.recipe.steps(len(task.train))
    known, total = steps * (len(wanted) - len(new)), steps * len(wanted)
    progress(known, total)
    if pool is None:
        for number, trial in enumerate(new):
            store.write(trial, train_and_predict(trial, task, _after(known + number * steps, total, progress)))
    else:
        for number, (trial, predictions) in enumerate(pool.results(new), 1):
            store.write(trial, predictions)
            progress(known + number * steps, total)


def _after(before: int, total: int, progress: Progress) -> Progress:
    """Return what reports the steps of one of several trainings."""
    return lambda step, _: progress(before + step, total)


def train_and_predict(trial: Trial, task: TrainingTask, progress: Progress = no_progress) -> TrialPredictions:
    """Train a network and let it predict the test images.

    Args:
        trial: The training.
        task: What it shares with others.
        progress: Called with (steps done, steps in all).

    Raises:
        ModelError: The network cannot be trained.
    """
    policy = trial.policy
    augment = None if policy is None else PolicyAugmentation(policy)
    train = task.train if policy is None else task.train.weighted(policy.class_weights)
    with _errors_explained():
        start = task.start(trial.seed)
        network = fit(start, train, task.recipe, augment, seed=trial.seed, device=task.device, progress=progress)
        return _predict(network, task.test, trial.probes, task.device)


@contextmanager
def _errors_explained() -> Iterator[None]:
    """Turn what a user's network may raise in training into a ModelError of one sentence."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise ModelError("The device ran out of memory in training. Give a smaller --train-size.") from None
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        do = "Check --train-size, and --from if you gave it"
        raise ModelError(f"The network cannot be trained: {first_line(error)}. {do}.") from None


def _predict(network: nn.Module, test: Images, probes: Sequence[Policy], device: str) -> TrialPredictions:
    log_p = log_probabilities(network, test, device)
    probed = [log_probabilities(network, _augmented(test, probe), device).argmax(axis=1) for probe in probes]
    return TrialPredictions(
        predicted=log_p.argmax(axis=1).astype(np.int32),
        p_true=np.exp(log_p[np.arange(len(test)), test.labels.numpy()]),
        probed=np.array(probed, dtype=np.int32).reshape(len(probes), len(test)),
    )


def _augmented(images: Images, policy: Policy, batch_size: int = 128) -> Images:
    """Return the images as a policy changes them; the draws are the same at every call."""
    augment = PolicyAugmentation(policy)
    with torch.random.fork_rng():
        torch.manual_seed(_PROBE_SEED)
        starts = range(0, len(images), batch_size)
        parts = [
            (images.pixels[start : start + batch_size], images.labels[start : start + batch_size]) for start in starts
        ]
        changed = [augment(pixels.float().div(255), labels).mul(255).round().byte() for pixels, labels in parts]
    return Images(torch.cat(changed), images.labels, images.mean, images.std)
