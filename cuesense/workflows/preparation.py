"""Prepare an analysis: check its arguments, find the images, load the model and try it; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cuesense.config import Config, load_config, with_more
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions
from cuesense.datasets.subset import subset
from cuesense.errors import OutputError, SettingsError, expected
from cuesense.inference.loading import guesses, images_for, load_matched
from cuesense.inference.options import WHOLE, Part, RunOptions, run_options
from cuesense.inference.ray_cluster import RayEngine, device_here, ray_engine
from cuesense.models.preprocessing import ImageOptions, without_guesses
from cuesense.models.trust import Trust
from cuesense.perturbations.libraries import confirm
from cuesense.pipelines.source import Source, find
from cuesense.types import Classifier, ClassNames, Dataset, Notify, ProgressOption
from cuesense.validation import check_fraction, check_risk, names_of, path_of, whole_number
from cuesense.workflows.caller import warn_of
from cuesense.workflows.parts import part_of
from cuesense.workflows.plugin_files import load_plugin

if TYPE_CHECKING:
    from cuesense.analysis.expectations import Plan
    from cuesense.workflows.measure import Analysis


@dataclass(frozen=True)
class Arguments:
    """The arguments of ``cuesense.analyze``, which describes them."""

    model: str | Path | nn.Module | Classifier
    dataset: Any
    arch: str | None
    weights_key: str | None
    class_names: str | Path | Sequence[str] | ClassNames | None
    config: str | Path | Config
    augmentations: Sequence[str]
    plugin: str | Path | None
    output: str | Path | None
    image_size: int | None
    resize: int | None
    mean: tuple[float, float, float] | None
    std: tuple[float, float, float] | None
    channels: str | None
    images_per_class: int | None
    batch_size: int | None
    device: str | torch.device
    precision: str
    compile: bool | None
    workers: int | None
    seed: int
    tolerance: float
    confidence: float
    risk: float
    data_root: str | Path | None
    split: str | None
    download: bool
    groups: str | Path | None
    pipeline: Any
    timm_args: str | None
    torchvision_args: str | None
    weights_only: bool
    allow_nondeterministic: bool
    engine: str
    ray_address: str | None
    ray_workers: int | None
    gpus_per_worker: float | None
    part: str | None
    adaptive: bool
    restart: bool
    progress: ProgressOption
    notify: Notify | None
    phase: Notify | None
    confirm: Notify | None


@dataclass(frozen=True)
class Preparation:
    """An analysis that can begin.

    Attributes:
        analysis: The model, tried and matched to the images, and what is measured.
        plan: The tolerance and confidence.
        folder: The output folder, which is not made yet; None keeps all in memory.
        cluster: The Ray cluster that runs the network; None for this process.
        warnings: Those on model and images, which have been said.
    """

    analysis: Analysis
    plan: Plan
    folder: Path | None
    cluster: RayEngine | None
    warnings: tuple[str, ...]


def prepare(given: Arguments) -> Preparation:
    """Check the arguments of an analysis, load its images and model, try the model, and say what was found.

    Args:
        given: The arguments; ``notify``, ``phase`` and ``confirm`` are called as ``analyze`` says.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    check_fraction(given.tolerance, "--tolerance")
    check_fraction(given.confidence, "--confidence", low=0.5)
    check_risk(given.risk)
    images = ImageOptions(given.image_size, given.resize, given.mean, given.std, given.channels)
    cluster = ray_engine(given.engine, given.ray_address, given.ray_workers, given.gpus_per_worker, str(given.device))
    run = _run(given, cluster)
    _check_adaptive(given, run.part, cluster)
    trust = Trust(weights_only=given.weights_only)
    # Before the model is loaded: its own mistakes are found in a second.
    load_plugin(given.plugin, trust)
    config = _config(given.config, given.augmentations)
    begin = given.phase or _ignore
    begin("finding images")
    data = _images(given, trust)
    # Before the model is loaded and tried, which may take minutes.
    folder = None if given.output is None else _output(path_of(given.output, "--output"), data)
    source = _transform(given, trust, cluster)
    begin("loading model")
    classifier, outputs, shown = load_matched(
        given.model,
        data,
        arch=given.arch,
        class_names=given.class_names,
        images=images,
        trust=trust,
        weights_key=given.weights_key,
    )
    # What only the measuring needs takes a second to import: a mistake above is answered without it.
    from cuesense.analysis.expectations import Plan
    from cuesense.analysis.groups import read_groups
    from cuesense.workflows.measure import Analysis
    from cuesense.workflows.model_trial import try_model
    from cuesense.workflows.pipeline import read_for

    together = {} if given.groups is None else read_groups(Path(given.groups), shown)
    images_of_class = np.bincount(data.labels, minlength=len(outputs))
    plan = Plan(shown, images_of_class, config.perturbations, given.tolerance, given.confidence)
    _say_what_images_decide(plan, given.notify, given.confirm)
    begin("trying model on a few images")
    # Before anything is measured or written: an accuracy of a network with dropout is no accuracy of it.
    classifier, outputs = try_model(given.model, classifier, data, outputs, run, given.notify)
    transform = None if source is None else read_for(source, classifier)
    analysis = Analysis(classifier, data, config, outputs, shown, together, run, given.risk, transform, given.adaptive)
    return Preparation(analysis, plan, folder, cluster, _said(classifier, data, given.notify))


def _run(given: Arguments, cluster: RayEngine | None) -> RunOptions:
    here = device_here(cluster, str(given.device))
    part = _part(given.part, given.output, restart=given.restart)
    run = run_options(here, given.batch_size, given.precision, given.workers, given.seed, given.allow_nondeterministic)
    return replace(run, part=part, compile=given.compile)


def _part(text: str | None, output: str | Path | None, *, restart: bool) -> Part:
    """Return which share of the work is done."""
    part = WHOLE if text is None else part_of(text)
    if part.of > 1 and output is None:
        raise SettingsError(expected("--output", "given with --part", "none", "Name the folder that all parts share"))
    if part.of > 1 and restart:
        do = "Delete the folder, or run once with --restart and without --part"
        raise SettingsError(
            expected("--restart", "left out with --part", "given: it would delete the others' work", do)
        )
    return part


def _check_adaptive(given: Arguments, part: Part, cluster: RayEngine | None) -> None:
    """Refuse to decide in several processes what is looked at next: each would have to wait for all."""
    other = f"part {part.number} of {part.of}" if part.of > 1 else "--engine ray" if cluster is not None else None
    if given.adaptive and other is not None:
        do = "Leave one of the two out (--part 1/1 does all of the work)" if part.of > 1 else "Leave one of the two out"
        raise SettingsError(expected("--adaptive", "used in one process that does all of the work", other, do))


def _images(given: Arguments, trust: Trust) -> Dataset:
    where = DatasetOptions(given.data_root, given.split, given.download)
    data = images_for(given.model, given.dataset, where, arch=given.arch, class_names=given.class_names, trust=trust)
    if given.images_per_class is None:
        return data
    return subset(data, whole_number(given.images_per_class, "--images-per-class"))


def _transform(given: Arguments, trust: Trust, cluster: RayEngine | None) -> Source | None:
    source = find(given.pipeline, given.timm_args, given.torchvision_args, trust)
    if source is not None and cluster is not None:
        do = "Share the work with --part, or leave the transform out"
        raise SettingsError(expected("--engine", "local where a training transform is measured", "ray", do))
    return source


def _say_what_images_decide(plan: Plan, notify: Notify | None, confirm: Notify | None) -> None:
    """Call back with what the numbers of images can decide, and once more where that is nothing."""
    from cuesense.analysis.expectations import decides_nothing, expected_from_images

    if notify:
        for sentence in expected_from_images(plan):
            notify(sentence)
    too_few = decides_nothing(plan)
    if confirm and too_few:
        confirm(too_few)


def _said(classifier: Classifier, data: Dataset, notify: Notify | None) -> tuple[str, ...]:
    """Return the warnings on model and images, and say them."""
    if notify:
        for sentence in classifier.warnings:
            notify(sentence)
    # A program hears of model and images now, and of what the predictions show at the end.
    known = (*classifier.warnings, *remarks_of(data))
    warn_of([*guesses(classifier), *classifier.assumptions, *without_guesses(known)])
    return known


def _ignore(_phase: str) -> None:
    """Take no notice of what begins."""


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
    more = names_of(augmentations, "--augmentations")
    found = with_more(config if isinstance(config, Config) else load_config(config), more)
    for perturbation in found.perturbations:
        confirm(perturbation)
    return found
