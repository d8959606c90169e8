"""One checkpoint of a sweep: load it, find out how it is run, and let it predict the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cuesense.arrays import Floats
from cuesense.atomic_files import digest
from cuesense.inference.class_outputs import settle
from cuesense.inference.engine import predict, weights_digest
from cuesense.inference.loading import load_matched, preprocessing_values
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import kind_settings, probe
from cuesense.models.preprocessing import AS_CARRIED, ImageOptions
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.predictions.outcomes import ImageColumns
from cuesense.predictions.shards import SHARD_VERSION, OutcomeStore
from cuesense.sweeps.run_list import Runs
from cuesense.types import Classifier, ClassNames, Condition, Dataset, Progress, no_progress

# The folder's name is part of what users find in an output folder: it stays.
FOLDER = "answers"


def store_folder(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Return where in an output folder the predictions of a checkpoint are kept.

    Args:
        folder: The output folder.
        settings: What decides them (``LoadedCheckpoint.settings``).
    """
    return folder / FOLDER / digest(settings)


@dataclass(frozen=True)
class CheckpointOptions:
    """How all checkpoints of a sweep are loaded and run.

    Attributes:
        run: Device, batch size, precision and workers.
        images: How images are prepared, where the weights should not decide.
        class_names: Names of the models' outputs in their order; None takes the dataset's classes.
        weights_key: Where in every checkpoint the weights lie, as a dotted path; None takes the first that fit.
        trust: Whether programs run that the list of runs names.
        made_of_it: Names of the files in the output folder that are made of the predictions: a restart deletes them.
    """

    run: RunOptions
    images: ImageOptions = AS_CARRIED
    class_names: str | Path | Sequence[str] | ClassNames | None = None
    trust: Trust = OWN_WORD
    weights_key: str | None = None
    made_of_it: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckpointResult:
    """What one checkpoint predicts for the N images that can be read.

    Attributes:
        images: Labels of the images, their positions in the sorted ids of the dataset, and hashes of their pixels.
        predicted: Output that was predicted for it, (N,).
        outputs: The output of each class, length C.
        output_names: Names of the K outputs.
        class_names: Names of the C classes.
        directions: Weights of each output in the last layer, (K, D), or None.
        dependence: What else than one image the network's outputs depend on, in words, or None.
        said: How the order of its outputs was found out, where that was not known, in sentences.
    """

    images: ImageColumns
    predicted: np.ndarray
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    class_names: tuple[str, ...]
    directions: Floats | None
    dependence: str | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint that was tried on a few images.

    Attributes:
        classifier: The network and how it wants its images.
        outputs: The output of each class, length C.
        class_names: Names of the C classes.
        dependence: As for CheckpointResult.
        said: Likewise.
    """

    classifier: Classifier
    outputs: tuple[int, ...]
    class_names: tuple[str, ...]
    dependence: str | None
    said: tuple[str, ...]

    def settings(self, options: RunOptions) -> dict[str, Any]:
        """Return everything (JSON values) that decides what it predicts for an image."""
        classifier = self.classifier
        return {
            "cuesense": version("cuesense"),
            "shard version": SHARD_VERSION,
            "architecture": classifier.architecture,
            "weights": classifier.sha256 or weights_digest(classifier.network),
            "preprocessing": preprocessing_values(classifier),
            "precision": options.precision,
        } | kind_settings(classifier)

    def result(
        self, dataset: Dataset, store: OutcomeStore, options: RunOptions, progress: Progress = no_progress
    ) -> CheckpointResult:
        """Let it predict the images that are not in a store yet.

        Args:
            dataset: The images.
            store: Where its predictions go.
            options: How it is run.
            progress: Called with (images done, images in all).

        Raises:
            CuesenseError: As for ``predict``.
        """
        outcomes = predict(self.classifier, dataset, self.outputs, [Condition()], store, options, progress)
        names = self.classifier.class_names.names if self.classifier.class_names else self.class_names
        return CheckpointResult(
            images=outcomes.images,
            predicted=next(outcomes.conditions([0])).predicted.astype(np.int64),
            outputs=self.outputs,
            output_names=names,
            class_names=self.class_names,
            directions=_directions(self.classifier.network, len(names)),
            dependence=self.dependence,
            said=self.said,
        )


@dataclass(frozen=True)
class Checkpoints:
    """All checkpoints of a sweep, and the images that they are tested on.

    Attributes:
        runs: Which ones, R of them.
        dataset: The images.
        options: How they are read and run.
    """

    runs: Runs
    dataset: Dataset
    options: CheckpointOptions

    def load(self, number: int) -> LoadedCheckpoint:
        """Load one of them and try it on a few images.

        Args:
            number: Which one, in [0, R).

        Raises:
            CuesenseError: It cannot be read, or its outputs do not fit the dataset's classes.
        """
        runs, options, model = self.runs, self.options, self.runs.models[number]
        classifier, outputs, shown = load_matched(
            model,
            self.dataset,
            arch=runs.archs[number] if Path(model).is_file() else None,
            class_names=options.class_names,
            images=options.images,
            trust=options.trust.named_in(runs.listed_in, arch=any(runs.own_archs[number : number + 1])),
            weights_key=options.weights_key,
        )
        tried = probe(classifier, self.dataset, options.run)
        loaded = tried.applied(classifier)
        classifier, outputs = settle(loaded, self.dataset, outputs, tried.output_count, options.run)
        said = tuple(text for text in classifier.assumptions if text not in loaded.assumptions)
        return LoadedCheckpoint(classifier, outputs, shown, tried.dependence, said)


def _directions(network: Callable[..., Any], outputs: int) -> Floats | None:
    """Return the rows of a network's last linear layer, (K, D), None where it has none of as many outputs."""
    if not isinstance(network, nn.Module):
        return None
    linear = [
        module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == outputs
    ]
    return linear[-1].weight.detach().double().cpu().numpy() if linear else None
