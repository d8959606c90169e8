"""The main job in reading order: load, match, predict, count, answer, write."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.analysis.groups import read_groups
from cuesense.config import Config, load_config
from cuesense.datasets.classes import order_warning
from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.subset import subset
from cuesense.errors import OutputError, SettingsError, UnreadableImageError, expected
from cuesense.inference.engine import Engine, Progress, predict, weights_digest
from cuesense.inference.loading import dataset_of, described, engine_of, load_matched
from cuesense.perturbations.apply import perturb
from cuesense.predictions.predictions import ClassMap, Predictions, from_outcomes
from cuesense.predictions.shards import FOLDER, OutcomeStore
from cuesense.predictions.write_table import write
from cuesense.reports.html.gallery import Gallery, Tile, encode
from cuesense.schemas.profile import DatasetInfo, ModelInfo, Profile, Provenance
from cuesense.types import Classifier, ClassNames, Condition, Dataset
from cuesense.validation import LARGEST_SIDE, check_channels, check_fraction, whole_number
from cuesense.workflows.profile_files import write_outputs

_VERSIONS = ("torch", "torchvision", "kornia", "numpy")
_GALLERIES = 3


@dataclass(frozen=True)
class _Job:
    """A model, a dataset and what to measure, matched to each other."""

    classifier: Classifier
    dataset: Dataset
    config: Config
    outputs: tuple[int, ...]
    class_names: tuple[str, ...]
    groups: dict[str, list[int]]
    engine: Engine


def analyze(
    model: str | Path | nn.Module | Classifier,
    dataset: Any,
    *,
    arch: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    config: str | Path | Config = "standard",
    output: str | Path | None = None,
    image_size: int | None = None,
    resize: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    images_per_class: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device = "auto",
    precision: str = "float32",
    workers: int | None = None,
    seed: int = 0,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    data_root: str | Path | None = None,
    groups: str | Path | None = None,
    restart: bool = False,
    progress: Progress | None = None,
) -> Profile:
    """Measure what a classifier relies on, class by class, and how far each class may be augmented.

    Args:
        model: A model spec or file (see ``cuesense analyze --help``), an ``nn.Module`` that maps normalized
            (N, 3, H, W) to logits (N, K), or a Classifier.
        dataset: A dataset spec, or any torch dataset that gives (image, label) with pixels in [0, 1] or 0 to 255.
        arch: Architecture of a file that holds weights only, for instance ``"torchvision:resnet18"``.
        class_names: Names of the model's outputs in their order: ``"imagenet"``, a file, or the names themselves;
            None takes the dataset's classes in their order (or ImageNet's, for 1,000 outputs and synset folders).
        config: Preset name, TOML file or Config.
        output: Folder for profile.json, report.html, classes.csv, curves.csv, predictions.parquet and outcomes/; None
            keeps all in memory.
        image_size: Side of the network's input in pixels; default: what the weights carry.
        resize: Shorter side before the center crop, in pixels; default: what the weights carry.
        mean: Normalization mean, RGB in [0, 1] units; default: what the weights carry.
        std: Normalization standard deviation, likewise.
        images_per_class: Take this many images of each class, chosen by a hash of their ids.
        batch_size: Images a forward pass, up to 128.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        precision: ``"float32"`` or ``"bfloat16"``.
        workers: Threads that decode images.
        seed: Seed of every draw.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).
        data_root: Where ``imagenet`` lies; default: the environment variable CUESENSE_DATA.
        groups: A CSV file with the columns class and group, for answers about classes together.
        restart: Throw away an earlier run in the output folder instead of resuming it.
        progress: Called with (images done, images in all).

    Returns:
        The profile, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do. Nothing half-written is left; whole
            shards are, and the same call goes on from there. (The model is taken as the same where its weights and
            class are: pass restart=True after a change of its code.)
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "confidence", low=0.5)
    _check_sizes(image_size, resize)
    mean, std = check_channels(mean, "--mean"), check_channels(std, "--std")
    engine = engine_of(device, batch_size, precision, workers, seed)
    data = dataset if isinstance(dataset, Dataset) else dataset_of(dataset, data_root)
    data = data if images_per_class is None else subset(data, whole_number(images_per_class, "--images-per-class"))
    classifier, outputs, shown = load_matched(
        model,
        data,
        arch=arch,
        class_names=class_names,
        image_size=image_size,
        resize=resize,
        mean=mean,
        std=std,
    )
    together = {} if groups is None else read_groups(Path(groups), shown)
    job = _Job(classifier, data, _config(config), outputs, shown, together, engine)
    folder = None if output is None else _output(Path(output), data)
    fresh = folder is not None and not folder.exists()
    try:
        return _run(job, folder, tolerance, confidence, restart=restart, progress=progress)
    except Exception:
        if fresh and folder is not None and not any(folder.glob("outcomes/shard-*.npz")):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(
    job: _Job,
    folder: Path | None,
    tolerance: float,
    confidence: float,
    *,
    restart: bool,
    progress: Progress | None,
) -> Profile:
    digest = job.classifier.sha256 or weights_digest(job.classifier.network)
    store = _store(job, digest, folder, restart=restart)
    conditions = job.config.conditions()
    shards = predict(
        job.classifier, job.dataset, job.outputs, conditions, store, job.engine, progress or (lambda *_: None)
    )
    predictions = _predictions(job, store, shards, conditions)
    verdict = analyze_predictions(predictions, tolerance=tolerance, confidence=confidence, groups=job.groups)
    profile = build_profile(
        _provenance(job, digest),
        job.class_names,
        verdict,
        tolerance=tolerance,
        confidence=confidence,
        side=predictions.side,
        warnings=_warnings(job, predictions, verdict.counts.sinks, store, shards),
    )
    if folder is not None:
        profile = _with_trainings(profile, folder)
        write_outputs(profile, folder, galleries(job, profile))
        write(predictions, folder / "predictions.parquet")
    return profile


def _with_trainings(profile: Profile, folder: Path) -> Profile:
    """Keep the forecast and the verification of an earlier profile of the same model, images and configuration."""
    try:
        earlier = Profile.read(folder)
    except SettingsError:
        return profile
    old, new = earlier.provenance, profile.provenance
    same = (old.model.sha256, old.dataset, old.config) == (new.model.sha256, new.dataset, new.config)
    kept = {"forecast": earlier.forecast, "verified": earlier.verified}
    return profile.model_copy(update=kept) if same else profile


def _predictions(job: _Job, store: OutcomeStore, shards: int, conditions: Sequence[Condition]) -> Predictions:
    names = job.classifier.class_names.names if job.classifier.class_names else job.class_names
    size = job.classifier.preprocessing.image_size
    return from_outcomes(
        store,
        shards,
        job.config.perturbations,
        conditions,
        ClassMap(job.class_names, names, job.outputs),
        sorted(job.dataset.sample_ids),
        min(size) if size else None,
    )


def galleries(job: _Job, profile: Profile) -> list[Gallery]:
    """Return an example image under every condition, for the first class of up to three different labels."""
    first_of_label = {entry.cue: entry.index for entry in reversed(profile.classes) if entry.images}
    found = (_gallery(job, index) for index in sorted(first_of_label.values())[:_GALLERIES])
    return [gallery for gallery in found if gallery is not None]


def _gallery(job: _Job, class_index: int) -> Gallery | None:
    members = [place for place, label in enumerate(job.dataset.labels) if label == class_index]
    for place in sorted(members, key=lambda place: job.dataset.sample_ids[place]):
        try:
            image = resize_and_crop(job.dataset[place].image, job.classifier.preprocessing)
        except UnreadableImageError:
            continue
        sample_id = job.dataset.sample_ids[place]
        pixels = torch.from_numpy(image)[None].float().div_(255)
        tiles = [_tile(pixels, sample_id, condition, job.engine.seed) for condition in job.config.conditions()]
        return Gallery(job.class_names[class_index], sample_id, tuple(tiles))
    return None


def _tile(pixels: torch.Tensor, sample_id: str, condition: Condition, seed: int) -> Tile:
    perturbation = condition.perturbation
    if perturbation is None:
        return Tile(None, "clean", "", "", 0, 0.0, _encoded(pixels))
    changed = perturb(perturbation, pixels, [sample_id], condition.value, seed=seed, repeat=condition.repeat)
    role, parameter, unit = perturbation.role.value, perturbation.parameter, perturbation.unit
    return Tile(perturbation.name, role, parameter, unit, condition.severity, condition.value, _encoded(changed))


def _encoded(pixels: torch.Tensor) -> bytes:
    return encode(pixels[0].mul(255).round().byte().permute(1, 2, 0).contiguous().numpy())


def _output(folder: Path, data: Dataset) -> Path:
    root = Path(data.spec)
    if root.is_dir() and folder.resolve().is_relative_to(root.resolve()):
        to_be = f"outside of the dataset '{root}', where it would become a class"
        raise OutputError(expected("--output", to_be, f"'{folder}'", "Give another folder"))
    if folder.exists() and not folder.is_dir():
        raise OutputError(expected("--output", "a folder", f"the file '{folder}'", "Give another name"))
    return folder


def _check_sizes(image_size: int | None, resize: int | None) -> None:
    for size, option in ((image_size, "--image-size"), (resize, "--resize")):
        if size is not None:
            whole_number(size, option, highest=LARGEST_SIDE)


def _config(config: str | Path | Config) -> Config:
    if isinstance(config, Config):
        return config
    if not isinstance(config, (str, Path)):
        raise SettingsError(expected("config", "a preset, a TOML file or a Config", repr(config), "Pass one of these"))
    return load_config(config)


def _store(job: _Job, digest: str | None, folder: Path | None, *, restart: bool) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    return OutcomeStore.open(folder / FOLDER, _settings(job, digest), restart=restart)


def _settings(job: _Job, digest: str | None) -> dict[str, Any]:
    """Return all that decides the outcomes; what only changes their rounding is left out."""
    return {
        "cuesense": version("cuesense"),
        "model": job.classifier.spec,
        "architecture": job.classifier.architecture,
        "weights": digest,
        "preprocessing": described(job.classifier),
        "dataset": job.dataset.fingerprint,
        "images": len(job.dataset),
        "outputs": list(job.outputs),
        "config": job.config.to_dict(),
        "precision": job.engine.precision,
        "seed": job.engine.seed,
    }


def _provenance(job: _Job, digest: str | None) -> Provenance:
    return Provenance(
        cuesense=version("cuesense"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=ModelInfo(
            spec=job.classifier.spec,
            sha256=digest,
            architecture=job.classifier.architecture,
            preprocessing=described(job.classifier),
        ),
        dataset=DatasetInfo(
            spec=job.dataset.spec,
            images=len(job.dataset),
            classes=len(job.dataset.class_names),
            fingerprint=job.dataset.fingerprint,
        ),
        config=job.config.to_dict() | {"precision": job.engine.precision},
        seed=job.engine.seed,
        device=job.engine.device,
        versions={name: version(name) for name in _VERSIONS},
    )


def _warnings(
    job: _Job, predictions: Predictions, sinks: dict[str, np.ndarray], store: OutcomeStore, shards: int
) -> list[str]:
    clean = predictions.per_condition[0]
    images = np.bincount(clean.labels, minlength=len(job.outputs)).tolist()
    skipped = [entry for number in range(shards) for entry in store.skipped_in(number)]
    warnings = data_warnings(job.classifier.warnings, job.class_names, images, skipped, sinks)
    confusion = np.zeros((len(job.outputs), len(predictions.output_names)), dtype=np.int64)
    np.add.at(confusion, (clean.labels, clean.predicted), 1)
    order = order_warning(confusion, job.outputs)
    return warnings if order is None else [order, *warnings]
