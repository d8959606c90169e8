"""Analyze a classifier: load model and images, run the network, find each class's cue and budgets, write results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
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
from cuesense.inference.options import WHOLE, Part, run_options
from cuesense.inference.ray_cluster import connected, ray_engine
from cuesense.models.preprocessing import ImageOptions, without_guesses
from cuesense.models.trust import Trust
from cuesense.perturbations.libraries import confirm
from cuesense.pipelines.source import find
from cuesense.predictions.shards import FOLDER
from cuesense.stores.lock import locked
from cuesense.types import RISK, Classifier, ClassNames, Dataset, Notify, ProgressOption
from cuesense.validation import check_fraction, check_risk, names_of, path_of, whole_number
from cuesense.workflows.caller import warn_of, watched
from cuesense.workflows.parts import part_of
from cuesense.workflows.plugin_files import load_plugin

if TYPE_CHECKING:
    from cuesense.analysis.expectations import Plan
    from cuesense.schemas.cost import CostEstimate
    from cuesense.schemas.profile import Profile


class _KnownError(Exception):
    """The cost is known, and nothing else was wanted."""


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
    compile: bool | None = None,
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
    engine: str = "local",
    ray_address: str | None = None,
    ray_workers: int | None = None,
    gpus_per_worker: float | None = None,
    part: str | None = None,
    restart: bool = False,
    progress: ProgressOption = None,
    notify: Notify | None = None,
    phase: Notify | None = None,
    confirm: Notify | None = None,
    estimated: Callable[[CostEstimate], None] | None = None,
) -> Profile:
    """Measure what a classifier relies on, class by class, and how far each class may be augmented.

    Args:
        model: A model spec or file (see ``cuesense analyze --help``), an ``nn.Module`` that maps normalized
            (N, 3, H, W) to logits (N, K), or a Classifier.
        dataset: A dataset spec, or any torch dataset that gives (image, label) with pixels in [0, 1] or 0 to 255, the
            same each time: random transforms are refused.
        arch: Architecture of a file that holds weights only, for instance ``"torchvision:resnet18"``.
        weights_key: Where in a checkpoint the weights lie, as a dotted path such as ``"model_ema"``; None takes the
            first that fit, or others that recognize far more of a few images, and says so.
        class_names: Names of the model's outputs in their order: ``"imagenet"``, a file, or the names themselves;
            None takes the dataset's classes in their order (or ImageNet's, for 1,000 outputs and synset folders). Of a
            dataset in memory without names of its own, label i is output i.
        config: Preset name, TOML file or Config.
        augmentations: Names of augmentations (or one name) to measure beside those of the configuration, with their
            own ladders.
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
        batch_size: Images a forward pass, up to 1,024; where the device's memory is too small, fewer.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        precision: ``"float32"`` or ``"bfloat16"``.
        compile: Whether the network is compiled (``torch.compile``), which changes results by rounding only and takes
            half a minute on a GPU, minutes on a CPU; where it fails, the network runs as it is. None compiles on a GPU
            where a run has 1.5 million images times conditions or more, after which it has paid.
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
        engine: ``"local"`` runs the network in this process, ``"ray"`` in the workers of a Ray cluster, or of one that
            is started on this machine for the time of the run (``docs/scale.md``).
        ray_address: Where the cluster is, as for ``ray.init``; None takes RAY_ADDRESS, else starts one here.
        ray_workers: How many workers run the network; None takes as many as there are GPUs, or cores.
        gpus_per_worker: GPUs of each worker, 0.5 for two workers on a GPU; None takes one where there are any.
        part: ``"K/N"``: do the K-th of N shares of the work, into the output folder that all parts share; the part
            that finds the work of all others done builds the profile (``docs/scale.md``).
        restart: Throw away an earlier run in the output folder instead of resuming it.
        progress: Called with (images done, images in all); None shows a bar in a terminal and a notebook, False none.
        notify: Called with sentences on what so many images can decide: before the network is run, and once it has
            classified up to 20 clean images of each class, which happens only where this is given.
        phase: Called with what begins, such as ``"loading model"``, until there are images to count.
        confirm: Called with one sentence where no class has enough images for a cue and none for a budget, before the
            network is run; it may raise to stop the analysis.
        estimated: Called with what the analysis will take (``estimate_cost``), before anything is measured or written;
            it may raise to stop the analysis.

    Returns:
        The profile, also written to the output folder.

    Raises:
        UnfinishedError: A part is done, and others are not.
        CuesenseError: Something given is wrong; the sentence says what to do. Nothing half-written is left; whole
            shards are, and the same call goes on from there. (The model is taken as the same where its weights and
            class are: pass restart=True after a change of its code.)
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    check_risk(risk)
    images = ImageOptions(image_size, resize, mean, std, channels)
    cluster = ray_engine(engine, ray_address, ray_workers, gpus_per_worker, str(device))
    # This process only tries the model; the machine that starts a run on a cluster's GPUs may have none.
    here = device if cluster is None or str(device) == "cpu" else "auto"
    share = _part(part, output, restart=restart)
    run = run_options(here, batch_size, precision, workers, seed, allow_nondeterministic)
    run = replace(run, part=share, compile=compile)
    trust = Trust(weights_only=weights_only)
    # Before the model is loaded: its own mistakes are found in a second.
    load_plugin(plugin, trust)
    chosen = _config(config, augmentations)
    where = DatasetOptions(data_root, split, download)
    begin = phase or _ignore
    begin("finding images")
    data = images_for(model, dataset, where, arch=arch, class_names=class_names, trust=trust)
    data = data if images_per_class is None else subset(data, whole_number(images_per_class, "--images-per-class"))
    # Before the model is loaded and tried, which may take minutes.
    folder = None if output is None else _output(path_of(output, "--output"), data)
    source = find(pipeline, timm_args, torchvision_args, trust)
    if source is not None and cluster is not None:
        do = "Share the work with --part, or leave the transform out"
        raise SettingsError(expected("--engine", "local where a training transform is measured", "ray", do))
    begin("loading model")
    classifier, outputs, shown = load_matched(
        model, data, arch=arch, class_names=class_names, images=images, trust=trust, weights_key=weights_key
    )
    # What only the measuring needs takes a second to import: a mistake above is answered without it.
    from cuesense.analysis.expectations import Plan
    from cuesense.analysis.groups import read_groups
    from cuesense.workflows.measure import Analysis, measure
    from cuesense.workflows.prepared import prepared

    together = {} if groups is None else read_groups(Path(groups), shown)
    analysis = Analysis(classifier, data, chosen, outputs, shown, together, run, risk)
    images_of_class = np.bincount(data.labels, minlength=len(outputs))
    plan = Plan(shown, images_of_class, analysis.config.perturbations, tolerance, confidence)
    _say_what_images_decide(plan, notify, confirm)
    begin("trying model on a few images")
    # Before anything is measured or written: an accuracy of a network with dropout is no accuracy of it.
    classifier, outputs = prepared(model, classifier, data, outputs, run, notify)
    analysis = replace(analysis, classifier=classifier, outputs=outputs)
    if source is not None:
        from cuesense.workflows.pipeline import read_for

        analysis = replace(analysis, pipeline=read_for(source, classifier))
    if notify:
        for sentence in classifier.warnings:
            notify(sentence)
    # A program hears of model and images now, and of what the predictions show at the end.
    known = (*classifier.warnings, *remarks_of(data))
    warn_of([*guesses(classifier), *classifier.assumptions, *without_guesses(known)])
    if estimated:
        from cuesense.workflows.estimate import cost_of

        estimated(cost_of(analysis, folder, restart=restart))
    with locked(_locked_folder(folder, share)) as fresh, watched(progress, "analyzing") as advance:
        begin("trying model on clean images" if notify else f"reading {len(data):,} images")
        try:
            with connected(cluster, run, default_batch=batch_size is None) as shared:
                analysis = replace(analysis, run=shared)
                profile = measure(analysis, folder, plan, restart=restart, progress=advance, notify=notify)
        except BaseException:
            # A folder of a first run that failed or was interrupted is no result. With whole shards in it, it is one
            # to go on from.
            if fresh and share == WHOLE and folder is not None and not any(folder.glob(f"{FOLDER}/shard-*.npz")):
                shutil.rmtree(folder / FOLDER, ignore_errors=True)
            raise
    warn_of(warning for warning in profile.warnings_to_repeat if warning not in known)
    return profile


def estimate_cost(model: Any, dataset: Any, **options: Any) -> CostEstimate:
    """Say what an analysis would take: forward passes, time and memory; nothing is measured or written.

    A batch of clean images, and one or two images under each perturbation, are tried: seconds at 224 pixels on a CPU.

    Args:
        model: As for ``analyze``.
        dataset: Likewise.
        options: Other arguments of ``analyze``, by name. What the output folder holds already counts as done.

    Returns:
        The cost of the analysis, and of other presets and fewer images.

    Raises:
        CuesenseError: As for ``analyze``.
    """
    found: list[CostEstimate] = []

    def keep(cost: CostEstimate) -> None:
        found.append(cost)
        raise _KnownError

    with suppress(_KnownError):
        analyze(model, dataset, **options, estimated=keep)
    return found[0]


def _say_what_images_decide(plan: Plan, notify: Notify | None, confirm: Notify | None) -> None:
    """Call back with what the numbers of images can decide, and once more where that is nothing."""
    from cuesense.analysis.expectations import decides_nothing, expected_from_images

    if notify:
        for sentence in expected_from_images(plan):
            notify(sentence)
    too_few = decides_nothing(plan)
    if confirm and too_few:
        confirm(too_few)


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


def _locked_folder(folder: Path | None, part: Part) -> Path | None:
    """Return the folder that one run at a time may use: of a run in parts, each part has its own."""
    return folder if folder is None or part.of == 1 else folder / f".part-{part.number}-of-{part.of}"


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
