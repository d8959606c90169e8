"""Analyze a classifier: load model and images, run the network, find each class's cue and budgets, write results."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.analysis.expectations import Plan, expected_from_clean, expected_from_images
from cuesense.analysis.groups import read_groups
from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.config import Config, load_config, with_more
from cuesense.datasets.contents import refuse_changed, remember
from cuesense.datasets.images import prepare
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions
from cuesense.datasets.splits import split_of
from cuesense.datasets.subset import subset
from cuesense.errors import OutputError, SettingsError, UnreadableImageError, expected
from cuesense.inference.engine import predict, weights_digest
from cuesense.inference.loading import guesses, images_for, load_matched, preprocessing_values
from cuesense.inference.options import RunOptions, run_options
from cuesense.inference.probe import kind_settings
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import Trust
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.libraries import confirm
from cuesense.pipelines.perturbations import Plan as PipelinePlan
from cuesense.pipelines.source import find
from cuesense.policies.budgets import Levels
from cuesense.predictions.label_order import check_order
from cuesense.predictions.predictions import ClassMap, Predictions, from_outcomes
from cuesense.predictions.shards import FOLDER, SHARD_VERSION, OutcomeStore
from cuesense.reports.html.gallery import Gallery, Tile, encode
from cuesense.schemas.profile import DatasetInfo, ModelInfo, PipelineModel, Profile, Provenance
from cuesense.stores.lock import locked
from cuesense.types import RISK, Classifier, ClassNames, Condition, Dataset, Notify, Progress, no_progress
from cuesense.validation import check_fraction, check_risk, whole_number
from cuesense.workflows import pipeline as pipelines
from cuesense.workflows.clean_trial import try_clean
from cuesense.workflows.plugin_files import changing_code, load_plugin
from cuesense.workflows.prepared import prepared
from cuesense.workflows.profile_files import FILES, earlier_profile, write_outputs

# Their versions decide what pixels and logits come out.
_VERSIONS = ("torch", "torchvision", "kornia", "numpy")
# Examples of three classes keep the page near a megabyte at 224 pixels. Chosen by hand; not tuned.
_GALLERIES = 3


@dataclass(frozen=True)
class _Analysis:
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


def analyze(
    model: str | Path | nn.Module | Classifier,
    dataset: Any,
    *,
    arch: str | None = None,
    weights_key: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    config: str | Path | Config = "standard",
    augmentations: Sequence[str] = (),
    plugin: str | Path | None = None,
    output: str | Path | None = None,
    image_size: int | None = None,
    resize: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    channels: str | None = None,
    images_per_class: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device = "auto",
    precision: str = "float32",
    workers: int | None = None,
    seed: int = 0,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    risk: float = RISK,
    data_root: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    groups: str | Path | None = None,
    pipeline: Any = None,
    timm_args: str | None = None,
    torchvision_args: str | None = None,
    weights_only: bool = False,
    allow_nondeterministic: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
    notify: Notify | None = None,
) -> Profile:
    """Measure what a classifier relies on, class by class, and how far each class may be augmented.

    Args:
        model: A model spec or file (see ``cuesense analyze --help``), an ``nn.Module`` that maps normalized
            (N, 3, H, W) to logits (N, K), or a Classifier.
        dataset: A dataset spec, or any torch dataset that gives (image, label) with pixels in [0, 1] or 0 to 255.
        arch: Architecture of a file that holds weights only, for instance ``"torchvision:resnet18"``.
        weights_key: Where in a checkpoint the weights lie, as a dotted path such as ``"model_ema"``; None takes the
            first that fit, or others that recognize far more of a few images, and says so.
        class_names: Names of the model's outputs in their order: ``"imagenet"``, a file, or the names themselves;
            None takes the dataset's classes in their order (or ImageNet's, for 1,000 outputs and synset folders).
        config: Preset name, TOML file or Config.
        augmentations: Names of augmentations to measure beside those of the configuration, with their own ladders.
        plugin: A Python file that registers perturbations of one's own (docs/augmentations.md); it is run.
        output: Folder for profile.json, report.html, classes.csv, curves.csv, predictions.parquet and outcomes/; None
            keeps all in memory.
        image_size: Side of the network's input in pixels; default: what the weights say, else what a few images show
            to be best (``docs/models.md``). Images of an ``nn.Module`` stay as they come.
        resize: Shorter side before the center crop, in pixels, 0 for resizing whole; default: likewise.
        mean: Normalization mean, RGB in [0, 1] units; default: likewise.
        std: Normalization standard deviation, likewise.
        channels: The order in which the network takes the color channels, ``"rgb"`` or ``"bgr"``; default: likewise.
        images_per_class: Take this many images of each class, chosen by a hash of their ids.
        batch_size: Images a forward pass, up to 128.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        precision: ``"float32"`` or ``"bfloat16"``.
        workers: Threads that decode images.
        seed: Seed of every draw.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1).
        confidence: Level of intervals and certificates, in (0.5, 1).
        risk: The largest chance that a class loses more than the tolerance under its budget, in (0, 0.5].
        data_root: Where ``imagenet`` lies; default: the environment variable CUESENSE_DATA.
        split: The part of the dataset, such as ``"val"``; None takes ``val``, else ``test``, where it has parts.
        download: Fetch a named dataset that is not on disk.
        groups: A CSV file with the columns class and group, for results of several classes together.
        pipeline: The transform of your training images, to learn what each of its steps costs every class: a
            ``Compose``, list or function (torchvision, timm, albumentations, kornia, your own), its place
            ``"train.py:transform"``, or Ultralytics' ``"args.yaml"``.
        timm_args: The same as flags of timm's training script, for instance ``"--aa rand-m9 --reprob 0.25"``.
        torchvision_args: The same as flags of torchvision's reference scripts.
        weights_only: Read tensors alone, and refuse every program: TorchScript, ``.pt2``, ``python:``, whole modules.
            The environment variable CUESENSE_WEIGHTS_ONLY=1 says the same for all calls.
        allow_nondeterministic: Also analyze a model that is no function of one image (dropout left on, batch
            statistics, random numbers), and say so in the profile.
        restart: Throw away an earlier run in the output folder instead of resuming it.
        progress: Called with (images done, images in all).
        notify: Called with sentences on what so many images can decide: before the network is run, and once it has
            classified up to 20 clean images of each class, which happens only where this is given.

    Returns:
        The profile, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do. Nothing half-written is left; whole
            shards are, and the same call goes on from there. (The model is taken as the same where its weights and
            class are: pass restart=True after a change of its code.)
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    check_risk(risk)
    images = ImageOptions(image_size, resize, mean, std, channels)
    run = run_options(device, batch_size, precision, workers, seed, allow_nondeterministic)
    trust = Trust(weights_only=weights_only)
    # Before the model is loaded: its own mistakes are found in a second.
    load_plugin(plugin, trust)
    chosen = _config(config, augmentations)
    where = DatasetOptions(data_root, split, download)
    data = images_for(model, dataset, where, arch=arch, class_names=class_names, trust=trust)
    data = data if images_per_class is None else subset(data, whole_number(images_per_class, "--images-per-class"))
    # Before the model is loaded and tried, which may take minutes.
    folder = None if output is None else _output(Path(output), data)
    source = find(pipeline, timm_args, torchvision_args, trust)
    classifier, outputs, shown = load_matched(
        model, data, arch=arch, class_names=class_names, images=images, trust=trust, weights_key=weights_key
    )
    together = {} if groups is None else read_groups(Path(groups), shown)
    analysis = _Analysis(classifier, data, chosen, outputs, shown, together, run, risk)
    images_of_class = np.bincount(data.labels, minlength=len(outputs))
    plan = Plan(shown, images_of_class, analysis.config.perturbations, tolerance, confidence)
    if notify:
        for sentence in expected_from_images(plan):
            notify(sentence)
    # Before anything is measured or written: an accuracy of a network with dropout is no accuracy of it.
    classifier, outputs = prepared(model, classifier, data, outputs, run, notify)
    analysis = replace(analysis, classifier=classifier, outputs=outputs)
    if source is not None:
        analysis = replace(analysis, pipeline=pipelines.read_for(source, classifier))
    if notify:
        for sentence in classifier.warnings:
            notify(sentence)
    with locked(folder) as fresh:
        try:
            return _run(analysis, folder, plan, restart=restart, progress=progress or no_progress, notify=notify)
        except BaseException:
            # A folder of a first run that failed or was interrupted is no result. With whole shards in it, it is one
            # to go on from.
            if fresh and folder is not None and not any(folder.glob(f"{FOLDER}/shard-*.npz")):
                shutil.rmtree(folder / FOLDER, ignore_errors=True)
            raise


def _run(
    analysis: _Analysis,
    folder: Path | None,
    plan: Plan,
    *,
    restart: bool,
    progress: Progress,
    notify: Notify | None,
) -> Profile:
    digest = analysis.classifier.sha256 or weights_digest(analysis.classifier.network)
    store = _store(analysis, digest, folder, restart=restart)
    conditions = analysis.config.conditions()
    # A run that goes on has said it before.
    if notify and 0 not in store:
        _notify_of_clean(analysis, plan, conditions[0], progress, notify)
    shards = predict(analysis.classifier, analysis.dataset, analysis.outputs, conditions, store, analysis.run, progress)
    predictions = _predictions(analysis, store, shards, conditions)
    order = check_order(predictions)
    levels = Levels(plan.tolerance, plan.confidence, analysis.risk)
    result = analyze_predictions(predictions, levels=levels, groups=analysis.groups)
    profile = build_profile(
        _provenance(analysis, digest),
        analysis.class_names,
        result,
        levels=levels,
        side=predictions.side,
        warnings=[*order, *_warnings(analysis, predictions, result.counts.sinks, store, shards)],
    )
    if folder is not None:
        earlier = earlier_profile(profile, folder)
        if earlier is not None:
            # What later commands added to it.
            added = ("forecast", "verified", "pipeline")
            profile = profile.model_copy(update={name: getattr(earlier, name) for name in added})
    if analysis.pipeline is not None:
        costs = _pipeline(analysis, profile, _settings(analysis, digest), folder, restart=restart, progress=progress)
        profile = profile.model_copy(update={"pipeline": costs})
    if folder is not None:
        write_outputs(profile, folder, galleries(analysis, profile), predictions)
    return profile


def _notify_of_clean(analysis: _Analysis, plan: Plan, clean: Condition, progress: Progress, notify: Notify) -> None:
    """Say what the images can decide for this network, from a few clean ones."""
    found = try_clean(analysis.classifier, analysis.dataset, analysis.outputs, clean, analysis.run, progress)
    for sentence in () if found is None else expected_from_clean(plan, *found):
        notify(sentence)


def _pipeline(
    analysis: _Analysis,
    profile: Profile,
    settings: dict[str, Any],
    folder: Path | None,
    *,
    restart: bool,
    progress: Progress,
) -> PipelineModel | None:
    """Return what the user's training transform costs; the profile is that of the same images."""
    planned = analysis.pipeline
    if planned is None:
        return None
    store = pipelines.open_store(folder, settings, planned, restart=restart)
    conditions = planned.config.conditions()
    problems: list[str] = []
    try:
        shards = predict(
            analysis.classifier, analysis.dataset, analysis.outputs, conditions, store, analysis.run, progress
        )
    finally:
        # An interrupted run goes on from what it has measured, and from these counts.
        problems += pipelines.failed(planned, folder, settings)
    predictions = _predictions(replace(analysis, config=planned.config), store, shards, conditions)
    return pipeline_costs(pipelines.measured(planned, problems), predictions, profile)


def _predictions(analysis: _Analysis, store: OutcomeStore, shards: int, conditions: Sequence[Condition]) -> Predictions:
    names = analysis.classifier.class_names.names if analysis.classifier.class_names else analysis.class_names
    size = analysis.classifier.preprocessing.image_size
    return from_outcomes(
        store,
        shards,
        analysis.config.perturbations,
        conditions,
        ClassMap(analysis.class_names, names, analysis.outputs),
        sorted(analysis.dataset.sample_ids),
        min(size) if size else None,
    )


def galleries(analysis: _Analysis, profile: Profile) -> list[Gallery]:
    """Return an example image under every condition, for the first class of up to three different cues."""
    first_of_cue = {entry.cue: entry.index for entry in reversed(profile.classes) if entry.images}
    found = (_gallery(analysis, index) for index in sorted(first_of_cue.values())[:_GALLERIES])
    return [gallery for gallery in found if gallery is not None]


def _gallery(analysis: _Analysis, class_index: int) -> Gallery | None:
    members = [index for index, label in enumerate(analysis.dataset.labels) if label == class_index]
    for index in sorted(members, key=lambda index: analysis.dataset.sample_ids[index]):
        try:
            image = prepare(analysis.dataset[index].image, analysis.classifier.preprocessing)
        except UnreadableImageError:
            continue
        pixels = torch.from_numpy(image.pixels)[None].float().div_(255)
        shown = [condition for condition in analysis.config.conditions() if not condition.repeat]
        tiles = [_tile(pixels, image.key, condition, analysis.run.seed) for condition in shown]
        return Gallery(analysis.class_names[class_index], analysis.dataset.sample_ids[index], tuple(tiles))
    return None


def _tile(pixels: torch.Tensor, key: str, condition: Condition, seed: int) -> Tile:
    perturbation = condition.perturbation
    if perturbation is None:
        return Tile(None, "clean", "", "", 0, 0.0, _encoded(pixels))
    changed = perturb(perturbation, pixels, [key], condition.value, seed=seed, repeat=condition.repeat)
    role, parameter, unit = perturbation.role.value, perturbation.parameter, perturbation.unit
    return Tile(perturbation.name, role, parameter, unit, condition.severity, condition.value, _encoded(changed))


def _encoded(pixels: torch.Tensor) -> bytes:
    return encode(pixels[0].mul(255).round().byte().permute(1, 2, 0).contiguous().numpy())


def _output(folder: Path, data: Dataset) -> Path:
    root = Path(data.spec)
    # Of a table in the folder no class comes about.
    of_folders = len(data) > 0 and (root / data.class_names[data.labels[0]]).is_dir()
    if of_folders and folder.resolve().is_relative_to(root.resolve()):
        to_be = f"outside of the dataset '{root}', where it would become a class"
        raise OutputError(expected("--output", to_be, f"'{folder}'", "Give another folder"))
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.exists() and not there.is_dir():
        raise OutputError(expected("--output", "a folder", f"the file '{there}'", "Give another name"))
    return folder


def _config(config: str | Path | Config, augmentations: Sequence[str]) -> Config:
    if not isinstance(config, (str, Path, Config)):
        raise SettingsError(expected("config", "a preset, a TOML file or a Config", repr(config), "Pass one of these"))
    found = with_more(config if isinstance(config, Config) else load_config(config), augmentations)
    for perturbation in found.perturbations:
        confirm(perturbation)
    return found


def _store(analysis: _Analysis, digest: str | None, folder: Path | None, *, restart: bool) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    kept = folder / FOLDER
    if not restart and any(kept.glob("shard-*.npz")):
        refuse_changed(kept, analysis.dataset)
    store = OutcomeStore.open(kept, _settings(analysis, digest), restart=restart, made_of_it=FILES)
    remember(kept, analysis.dataset)
    return store


def _settings(analysis: _Analysis, digest: str | None) -> dict[str, Any]:
    """Return all that decides the outcomes; what only changes their rounding is left out."""
    return {
        "cuesense": version("cuesense"),
        "shard version": SHARD_VERSION,
        "model": analysis.classifier.spec,
        "architecture": analysis.classifier.architecture,
        "weights": digest,
        "preprocessing": preprocessing_values(analysis.classifier),
        "dataset": analysis.dataset.fingerprint,
        "images": len(analysis.dataset),
        "outputs": list(analysis.outputs),
        "config": analysis.config.to_dict() | changing_code(analysis.config),
        "precision": analysis.run.precision,
        "seed": analysis.run.seed,
    } | kind_settings(analysis.classifier)


def _provenance(analysis: _Analysis, digest: str | None) -> Provenance:
    return Provenance(
        cuesense=version("cuesense"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=ModelInfo(
            spec=analysis.classifier.spec,
            sha256=digest,
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
    )


def _warnings(
    analysis: _Analysis, predictions: Predictions, sinks: dict[str, np.ndarray], store: OutcomeStore, shards: int
) -> list[str]:
    clean = predictions.per_condition[0]
    images = np.bincount(clean.labels, minlength=len(analysis.outputs)).tolist()
    skipped = [entry for number in range(shards) for entry in store.skipped_in(number)]
    known = (*analysis.classifier.warnings, *remarks_of(analysis.dataset), *predictions.remarks)
    return data_warnings(known, analysis.class_names, images, skipped, sinks)
