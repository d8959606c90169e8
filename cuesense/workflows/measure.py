"""Measure a model on images: run the network, find each class's cue and budgets, write profile, report and tables."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.analysis.expectations import Plan, expected_from_clean
from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.config import Config
from cuesense.datasets.contents import added_since, changed_remark, remember
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.splits import split_of
from cuesense.errors import UnfinishedError
from cuesense.inference.engine import carry_out, weights_digest
from cuesense.inference.loading import guesses, preprocessing_values
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import kind_settings
from cuesense.inference.units import Identities, Run
from cuesense.pipelines.perturbations import Plan as PipelinePlan
from cuesense.policies.budgets import Levels
from cuesense.predictions.label_order import check_order
from cuesense.predictions.outcomes import Outcomes
from cuesense.predictions.predictions import ClassMap, Predictions, from_outcomes
from cuesense.predictions.shards import FOLDER, SHARD_VERSION, OutcomeStore
from cuesense.reports.pictures import read_pictures
from cuesense.schemas.profile import AdaptiveInfo, DatasetInfo, ModelInfo, PipelineModel, Profile, Provenance
from cuesense.types import Classifier, Condition, Dataset, Notify, Progress
from cuesense.workflows import pipeline as pipelines
from cuesense.workflows.adaptive import predict_adaptively
from cuesense.workflows.caller import warn_of
from cuesense.workflows.clean_trial import try_clean
from cuesense.workflows.cost import Stage, say_cost
from cuesense.workflows.pictures import pictures
from cuesense.workflows.plugin_files import changing_code
from cuesense.workflows.profile_files import FILES, earlier_profile, write_outputs
from cuesense.workflows.readings import WRONG_WAY
from cuesense.workflows.stages import Stages

# Their versions decide what pixels and logits come out.
_VERSIONS = ("torch", "torchvision", "kornia", "numpy")


@dataclass(frozen=True)
class Analysis:
    """A model, a dataset and what to measure, matched to each other."""

    classifier: Classifier
    dataset: Dataset
    config: Config
    outputs: tuple[int, ...]
    class_names: tuple[str, ...]
    groups: dict[str, list[int]]
    run: RunOptions
    risk: float
    pipeline: PipelinePlan | None = None
    adaptive: bool = False

    @cached_property
    def tensors(self) -> str | None:
        """Digest of the network's tensors; hashing large networks takes a second, so it is done once."""
        return weights_digest(self.classifier.network)

    @property
    def weights(self) -> str | None:
        """Digest of the weights: of their file where there is one, else of the tensors."""
        return self.classifier.sha256 or self.tensors


def measure(
    analysis: Analysis,
    folder: Path | None,
    plan: Plan,
    *,
    restart: bool,
    progress: Progress,
    notify: Notify | None,
) -> Profile:
    """Run a network on images as far as that was not done before, and return its profile.

    Args:
        analysis: What is measured.
        folder: Where predictions are kept and files are written; None keeps all in memory.
        plan: The tolerance and confidence.
        restart: Throw away an earlier run in the folder.
        progress: Called with (images done, images in all), over all stages (``Stages``).
        notify: Called with what a few clean images can decide; None runs none for it.

    Returns:
        The profile, also written to the folder.

    Raises:
        UnfinishedError: A part is done, and others are not.
        CuesenseError: The earlier run is of other settings, the images cannot be read, or a file cannot be written.
    """
    store = _store(analysis, folder, restart=restart)
    _remember_images(folder, analysis, notify)
    # How much of the rest an adaptive run that goes on still wants, nobody knows before it has decided.
    if notify and not (analysis.adaptive and store.names):
        say_cost(stages_of(analysis, folder, store, restart=restart), notify, adaptive=analysis.adaptive)
    conditions = analysis.config.conditions()
    planned = 0 if analysis.pipeline is None else len(analysis.pipeline.config.conditions())
    stages = Stages(len(analysis.dataset), len(conditions), planned, progress)
    # A run that goes on has said it before.
    if notify and not store.names and analysis.run.part.of == 1:
        _notify_of_clean(analysis, plan, conditions[0], stages.clean, notify)
    levels = Levels(plan.tolerance, plan.confidence, analysis.risk)
    outcomes, adaptive = _predicted(analysis, levels, store, stages.measured)
    if notify and adaptive is not None:
        notify(adaptive.sentence)
    transform = _Transform(analysis, folder, _settings(analysis), stages.under_transform, restart=restart)
    if outcomes.unfinished:
        # This part's share under the transform does not wait for the others.
        transform.predict()
    _refuse_unfinished(analysis, outcomes, folder)
    predictions = _predictions(analysis, outcomes, conditions)
    order = check_order(predictions)
    result = analyze_predictions(predictions, levels=levels, groups=analysis.groups)
    profile = build_profile(
        _provenance(analysis, adaptive),
        analysis.class_names,
        result,
        levels=levels,
        side=predictions.side,
        warnings=causes_first(order, _warnings(analysis, predictions, result.counts.sinks, outcomes)),
    )
    profile = _with_additions(profile, folder)
    if analysis.pipeline is not None:
        profile = profile.model_copy(update={"pipeline": transform.costs(profile)})
    if folder is not None:
        # Those of an earlier run of the same predictions are the same, and no image is decoded again for them.
        shown = read_pictures(folder, profile) or pictures(
            analysis.classifier, analysis.dataset, predictions, outcomes, seed=analysis.run.seed
        )
        write_outputs(profile, folder, shown, predictions)
    return profile


def _predicted(
    analysis: Analysis, levels: Levels, store: OutcomeStore, progress: Progress
) -> tuple[Outcomes, AdaptiveInfo | None]:
    """Predict the images under the configuration: all of them, or growing parts until the answers are settled."""
    run = _run(analysis, analysis.config)
    if analysis.adaptive:
        return predict_adaptively(run, analysis.config.perturbations, store, levels, progress)
    return carry_out(run, Identities(run, store), store, progress), None


def _run(analysis: Analysis, config: Config) -> Run:
    return Run(analysis.classifier, analysis.dataset, analysis.outputs, tuple(config.conditions()), analysis.run)


def stages_of(
    analysis: Analysis, folder: Path | None, store: OutcomeStore | None = None, *, restart: bool
) -> list[Stage]:
    """Return what is measured: the configuration, and then the user's transform where there is one.

    Args:
        analysis: What is measured.
        folder: Where predictions are kept; only looked at.
        store: Predictions under the configuration; None looks for them in the folder.
        restart: Whether those that are in the folder do not count.

    Raises:
        OutputError: The folder holds predictions of other settings, or cannot be read.
    """
    there = None if restart else folder
    settings = _settings(analysis)
    if store is None and there is not None:
        store = OutcomeStore.view(there / FOLDER, settings, changing_code(analysis.config))

    def stage(config: Config, store: OutcomeStore) -> Stage:
        return Stage(_run(analysis, config), store)

    found = [stage(analysis.config, store or OutcomeStore())]
    if analysis.pipeline is not None:
        under = pipelines.view_store(there, settings, analysis.pipeline)
        found.append(stage(analysis.pipeline.config, under))
    return found


def causes_first(order: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return all warnings, those about images that are prepared wrongly before what may come from that.

    Args:
        order: Warnings that another order of the classes explains the predictions better.
        others: All others.
    """
    causes = [text for text in others if text.startswith(WRONG_WAY)]
    doubt = " This may come from how the images are prepared, which the warning above is about." if causes else ""
    return [*causes, *(text + doubt for text in order), *(text for text in others if text not in causes)]


def _notify_of_clean(analysis: Analysis, plan: Plan, clean: Condition, progress: Progress, notify: Notify) -> None:
    """Say what the images can decide for this network, from a few clean ones."""
    found = try_clean(analysis.classifier, analysis.dataset, analysis.outputs, clean, analysis.run.here, progress)
    for sentence in () if found is None else expected_from_clean(plan, *found):
        notify(sentence)


def _with_additions(profile: Profile, folder: Path | None) -> Profile:
    """Return a profile with what later commands have added to that of an earlier run in the folder."""
    earlier = None if folder is None else earlier_profile(profile, folder)
    if earlier is None:
        return profile
    # What a transform costs is said of one tolerance and confidence.
    added = ("forecast", "verified", "pipeline") if _same_levels(earlier, profile) else ("forecast", "verified")
    return profile.model_copy(update={name: getattr(earlier, name) for name in added})


def _same_levels(one: Profile, other: Profile) -> bool:
    return all(getattr(one.policy, name) == getattr(other.policy, name) for name in ("tolerance", "confidence", "risk"))


def _refuse_unfinished(analysis: Analysis, outcomes: Outcomes, folder: Path | None) -> None:
    if outcomes.unfinished:
        part = analysis.run.part
        added = [] if folder is None else added_since(folder / FOLDER, analysis.dataset)
        raise UnfinishedError(part.number, part.of, outcomes.unfinished, added)


class _Transform:
    """Measures the user's training transform on the images of an analysis."""

    def __init__(
        self, analysis: Analysis, folder: Path | None, settings: dict[str, Any], progress: Progress, *, restart: bool
    ) -> None:
        self.planned, self.folder, self.settings = analysis.pipeline, folder, settings
        self.analysis, self.progress, self.restart = analysis, progress, restart

    def predict(self) -> tuple[PipelinePlan, Outcomes, list[str]] | None:
        """Run the network on what was not measured before; return also what went wrong, in sentences."""
        planned, analysis = self.planned, self.analysis
        if planned is None:
            return None
        part = analysis.run.part
        store = pipelines.open_store(self.folder, self.settings, planned, restart=self.restart, shared=part.of > 1)
        problems: list[str] = []
        run = _run(analysis, planned.config)
        try:
            outcomes = carry_out(run, Identities(run, store), store, self.progress)
        finally:
            # An interrupted run goes on from what it has measured, and from these counts.
            problems += pipelines.failed(planned, self.folder, self.settings)
        return planned, outcomes, problems

    def costs(self, profile: Profile) -> PipelineModel | None:
        """Return what the transform costs; the profile is that of the same images."""
        found = self.predict()
        if found is None:
            return None
        planned, outcomes, problems = found
        _refuse_unfinished(self.analysis, outcomes, self.folder)
        conditions = planned.config.conditions()
        predictions = _predictions(replace(self.analysis, config=planned.config), outcomes, conditions)
        return pipeline_costs(pipelines.measured(planned, problems), predictions, profile)


def _predictions(analysis: Analysis, outcomes: Outcomes, conditions: Sequence[Condition]) -> Predictions:
    names = analysis.classifier.class_names.names if analysis.classifier.class_names else analysis.class_names
    size = analysis.classifier.preprocessing.image_size
    found = from_outcomes(
        outcomes,
        analysis.config.perturbations,
        conditions,
        ClassMap(analysis.class_names, names, analysis.outputs),
        sorted(analysis.dataset.sample_ids),
        min(size) if size else None,
    )
    return replace(found, fingerprint=analysis.dataset.fingerprint)


def _store(analysis: Analysis, folder: Path | None, *, restart: bool) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    return OutcomeStore.open(
        folder / FOLDER,
        _settings(analysis),
        code=changing_code(analysis.config),
        of_one_dataset=True,
        shared=analysis.run.part.of > 1,
        restart=restart,
        made_of_it=FILES,
    )


def _remember_images(folder: Path | None, analysis: Analysis, notify: Notify | None) -> None:
    """Say which images have changed since they were measured, and write down what they hold now."""
    if folder is None:
        return
    kept, dataset = folder / FOLDER, analysis.dataset
    said = changed_remark(kept, dataset)
    if said and notify:
        notify(said)
    elif said:
        warn_of([said])
    # Merging measures none of them: what the parts found stays known.
    if analysis.run.part.number:
        remember(kept, dataset)


def _settings(analysis: Analysis) -> dict[str, Any]:
    """Return all that decides what is predicted for an image under a condition, apart from rounding."""
    return {
        "cuesense": version("cuesense"),
        "shard version": SHARD_VERSION,
        # A file is known by what it holds, however its path is spelled.
        "model": analysis.classifier.spec if analysis.classifier.sha256 is None else "",
        "architecture": analysis.classifier.architecture,
        "weights": analysis.weights,
        # What class names make of a zero-shot model is in no file.
        "tensors": analysis.tensors,
        "preprocessing": preprocessing_values(analysis.classifier),
        "precision": analysis.run.precision,
        "seed": analysis.run.seed,
    } | kind_settings(analysis.classifier)


def _provenance(analysis: Analysis, adaptive: AdaptiveInfo | None) -> Provenance:
    return Provenance(
        cuesense=version("cuesense"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=ModelInfo(
            spec=analysis.classifier.spec,
            sha256=analysis.weights,
            architecture=analysis.classifier.architecture,
            preprocessing=preprocessing_values(analysis.classifier),
            weights_key=analysis.classifier.weights_key,
        ),
        dataset=DatasetInfo(
            spec=analysis.dataset.spec,
            images=len(analysis.dataset),
            classes=len(analysis.dataset.class_names),
            fingerprint=analysis.dataset.fingerprint,
            split=split_of(analysis.dataset),
        ),
        config=analysis.config.to_dict() | {"precision": analysis.run.precision},
        seed=analysis.run.seed,
        device=analysis.run.device,
        versions={name: version(name) for name in _VERSIONS},
        assumptions=[*guesses(analysis.classifier), *analysis.classifier.assumptions],
        adaptive=adaptive,
    )


def _warnings(
    analysis: Analysis, predictions: Predictions, sinks: dict[str, np.ndarray], outcomes: Outcomes
) -> list[str]:
    clean = predictions.per_condition[0]
    images = np.bincount(clean.labels, minlength=len(analysis.outputs)).tolist()
    known = (*analysis.classifier.warnings, *remarks_of(analysis.dataset), *predictions.remarks)
    return data_warnings(known, analysis.class_names, images, outcomes.skipped, sinks)
