"""Trainings side by side: one start, one recipe, one order of images, one policy after another; answers are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cuesense.atomic_files import claim, read_arrays, write_arrays
from cuesense.errors import ModelError, first_line
from cuesense.policies.policy import Policy
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from cuesense.types import Progress, no_progress

_PATTERN = "trial-*.npz"
_PROBE_SEED = 1


@dataclass(frozen=True)
class Trial:
    """One training.

    Attributes:
        policy: What is done to the images; None leaves them clean.
        seed: Seed of the first weights, the order of the images and the augmentation.
        probes: Policies under which the trained network is asked again.
    """

    policy: Policy | None
    seed: int
    probes: tuple[Policy, ...] = ()

    @property
    def key(self) -> str:
        """A name that is the same for the same training and no other."""
        content = [_content(self.policy), self.seed, [_content(probe) for probe in self.probes]]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class TrialPredictions:
    """What a trained network says about the N test images.

    Attributes:
        predicted: The output with the largest logit, (N,).
        p_true: Probability of the right output, (N,).
        probed: The output under each of P probes, (P, N).
    """

    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    probed: NDArray[np.int32]


@dataclass
class TrialStore:
    """The answers of trainings in a folder, or in memory where there is none.

    Attributes:
        folder: Where the files are, or None.
    """

    folder: Path | None = None
    _memory: dict[str, TrialPredictions] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any], *, restart: bool = False) -> TrialStore:
        """Open or create a folder of trainings.

        Args:
            folder: Where they are; created where missing.
            settings: Everything (JSON values) but the trials that decides their answers.
            restart: Throw away what is there.

        Returns:
            The store.

        Raises:
            OutputError: The folder holds trainings of other settings, or cannot be written.
        """
        claim(folder, settings, _PATTERN, restart=restart)
        return cls(folder)

    def __contains__(self, trial: Trial) -> bool:
        """Return whether a training's answers are there."""
        return trial.key in self._memory if self.folder is None else self._path(self.folder, trial).is_file()

    def write(self, trial: Trial, answers: TrialPredictions) -> None:
        """Keep a training's answers.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.folder is None:
            self._memory[trial.key] = answers
        else:
            write_arrays(self._path(self.folder, trial), vars(answers))

    def read(self, trial: Trial) -> TrialPredictions:
        """Return a training's answers.

        Raises:
            OutputError: The file is damaged.
        """
        if self.folder is None:
            return self._memory[trial.key]
        return TrialPredictions(**read_arrays(self._path(self.folder, trial), ("predicted", "p_true", "probed")))

    @staticmethod
    def _path(folder: Path, trial: Trial) -> Path:
        return folder / f"trial-{trial.key}.npz"


def run(
    trials: Sequence[Trial],
    start: Callable[[int], nn.Module],
    recipe: Recipe,
    train: Images,
    test: Images,
    store: TrialStore,
    *,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> None:
    """Train every network whose answers are not there yet, and keep its answers.

    Args:
        trials: What to train; trials that are equal are trained once.
        start: Gives the untrained (or the user's) network for a seed.
        recipe: How to train.
        train: The images to train on.
        test: The images to ask about.
        store: Where the answers go.
        device: Where to train.
        progress: Called with (steps done, steps in all).

    Raises:
        ModelError: The network cannot be trained.
        OutputError: The answers cannot be written.
    """
    wanted = {trial.key: trial for trial in trials}
    steps = recipe.steps(len(train))
    done = steps * sum(trial in store for trial in wanted.values())
    progress(done, steps * len(wanted))
    for trial in wanted.values():
        if trial in store:
            continue

        def advance(step: int, _: int, before: int = done) -> None:
            progress(before + step, steps * len(wanted))

        augment = None if trial.policy is None else PolicyAugmentation(trial.policy)
        with _training():
            network = fit(start(trial.seed), train, recipe, augment, seed=trial.seed, device=device, progress=advance)
            answers = _ask(network, test, trial.probes, device)
        store.write(trial, answers)
        done += steps


@contextmanager
def _training() -> Iterator[None]:
    """Say in one sentence why a user's network cannot be trained."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise ModelError("The device ran out of memory in training. Give a smaller --train-size.") from None
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        do = "Check --train-size, and --from if you gave it"
        raise ModelError(f"The network cannot be trained: {first_line(error)}. {do}.") from None


def _ask(network: nn.Module, test: Images, probes: Sequence[Policy], device: str) -> TrialPredictions:
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


def _content(policy: Policy | None) -> object:
    if policy is None or not policy.names:
        return None
    doses = [dict(sorted(policy.of_class(index).items())) for index in range(len(policy.class_names) or 1)]
    return [policy.probability, doses[:1] if all(entry == doses[0] for entry in doses) else doses]
