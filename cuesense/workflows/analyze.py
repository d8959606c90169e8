"""Analyze a classifier: load model and images, run the network, find each class's cue and budgets, write results."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cuesense.config import Config
from cuesense.inference.options import Part
from cuesense.inference.ray_cluster import connected, expected_options
from cuesense.predictions.shards import FOLDER
from cuesense.stores.lock import locked
from cuesense.types import RISK, Classifier, ClassNames, Notify, ProgressOption
from cuesense.workflows.caller import warn_of, watched
from cuesense.workflows.preparation import Arguments, prepare

if TYPE_CHECKING:
    from cuesense.schemas.cost import CostEstimate
    from cuesense.schemas.profile import Profile


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
    adaptive: bool = False,
    restart: bool = False,
    progress: ProgressOption = None,
    notify: Notify | None = None,
    phase: Notify | None = None,
    confirm: Notify | None = None,
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
        adaptive: Look at growing parts of the images, and stop a class's ablations when its cue is settled and an
            augmentation when its budget is (docs/method.md, "Fewer forwards"). Cues and budgets are those of all images
            with a chance that the documentation gives; deciding takes time of its own, which pays for slow networks.
        restart: Throw away an earlier run in the output folder instead of resuming it.
        progress: Called with (images done, images in all); None shows a bar in a terminal and a notebook, False none.
        notify: Called with sentences on what so many images can decide: before the network is run, and once it has
            classified up to 20 clean images of each class, which happens only where this is given.
        phase: Called with what begins, such as ``"loading model"``, until there are images to count.
        confirm: Called with one sentence where no class has enough images for a cue and none for a budget, before the
            network is run; it may raise to stop the analysis.

    Returns:
        The profile, also written to the output folder.

    Raises:
        UnfinishedError: A part is done, and others are not.
        CuesenseError: Something given is wrong; the sentence says what to do. Nothing half-written is left; whole
            shards are, and the same call goes on from there. (The model is taken as the same where its weights and
            class are: pass restart=True after a change of its code.)
    """
    # Every parameter by its name, and nothing else: no other name is known yet.
    ready = prepare(Arguments(**locals()))
    # What only the measuring needs takes a second to import: a mistake in an argument is answered without it.
    from cuesense.workflows.measure import measure

    analysis, folder, share = ready.analysis, ready.folder, ready.analysis.run.part
    with locked(_locked_folder(folder, share)) as fresh, watched(progress, "analyzing") as advance:
        if phase:
            phase("trying model on clean images" if notify else f"reading {len(analysis.dataset):,} images")
        try:
            with connected(ready.cluster, analysis.run, default_batch=batch_size is None) as run:
                analysis = replace(analysis, run=run)
                profile = measure(analysis, folder, ready.plan, restart=restart, progress=advance, notify=notify)
        except BaseException:
            if folder is not None and fresh and not _is_of_use(folder, share):
                shutil.rmtree(folder / FOLDER, ignore_errors=True)
            raise
    warn_of(warning for warning in profile.warnings_to_repeat if warning not in ready.warnings)
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
    call = signature(analyze).bind(model, dataset, **options)
    call.apply_defaults()
    given = Arguments(**call.arguments)
    ready = prepare(given)
    from cuesense.workflows.estimate import cost_of

    run = expected_options(ready.cluster, ready.analysis.run, default_batch=given.batch_size is None)
    return cost_of(replace(ready.analysis, run=run), ready.folder, restart=given.restart)


def _is_of_use(folder: Path, share: Part) -> bool:
    """Return whether a run that failed or was interrupted leaves whole shards to go on from, or other parts run."""
    others = {*folder.glob(".part-*-of-*")} - {_locked_folder(folder, share)}
    return bool(others) or any(folder.glob(f"{FOLDER}/shard-*.npz"))


def _locked_folder(folder: Path | None, part: Part) -> Path | None:
    """Return the folder that one run at a time may use: of a run in parts, each part has its own."""
    return folder if folder is None or part.of == 1 else folder / f".part-{part.number}-of-{part.of}"
