"""Share the trainings of an experiment among the workers of a Ray cluster, or of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

from cuesense import registry
from cuesense.inference.ray_cluster import RayEngine, workers_of
from cuesense.training.setup import Experiment
from cuesense.training.trials import TrainingTask, Trial, TrialPredictions, train_and_predict
from cuesense.types import Perturbation


@contextmanager
def trained_on_ray(experiment: Experiment, engine: RayEngine | None) -> Iterator[Experiment]:
    """Let the workers of a Ray cluster do an experiment's trainings for the time of a context.

    Each training is done by one worker, which has all images; on the CPU with one thread. This process stores what the
    trained networks predict, as one training ends after the other.

    Args:
        experiment: The trainings.
        engine: The cluster; None changes nothing.

    Yields:
        The experiment, trained there.

    Raises:
        SettingsError: The cluster cannot be reached, or has no room for a worker.
        ModelError: The network that trainings start from cannot be sent to another process.
    """
    if engine is None:
        yield experiment
        return
    with workers_of(engine) as workers:
        from cuesense.inference.ray_pool import Pool

        task = replace(experiment.task, device=workers.device)
        added = tuple(registry.added("perturbations").values())
        with closing(Pool(partial(trainer, task, added), workers)) as pool:
            yield replace(experiment, pool=pool)


def trainer(task: TrainingTask, added: Sequence[Perturbation] = ()) -> Callable[[Trial], TrialPredictions]:
    """Return what does a training in a worker.

    Args:
        task: What the trainings share.
        added: Perturbations that a program has registered, and that policies name.
    """
    for entry in added:
        registry.register(entry)
    return lambda trial: train_and_predict(trial, task)
