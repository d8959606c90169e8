"""Whole runs of the engine on the device, JPEG files to outcomes, and what bfloat16 changes in them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.gpu_parts.setting import Setting, kernel_seconds, natural_images, network_of, tried
from cuesense import package_files
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.inference.engine import predict
from cuesense.inference.options import run_options
from cuesense.models.compact import MEAN, STD
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.planted.world import PlantedWorld
from cuesense.predictions.outcomes import Outcomes
from cuesense.predictions.shards import OutcomeStore
from cuesense.schemas.profile import Profile
from cuesense.types import Classifier, ClassNames, Condition, Dataset
from cuesense.workflows import demo
from cuesense.workflows.analyze import analyze

_OUTPUTS = (0, 999)
_PRECISIONS = ("bfloat16", "float32")
# Photographs that a CPU predicts, too; it takes seconds for each network.
_ON_CPU = 16


def engine(setting: Setting, results: dict[str, Any]) -> None:
    """Run the preset over JPEG photographs with every network in both precisions; outcomes stay in memory."""
    with tempfile.TemporaryDirectory() as folder:
        _photographs(Path(folder), setting.images)
        dataset = load_dataset(folder)
        conditions = setting.conditions()
        results |= {"images": len(dataset), "conditions": len(conditions), "preset": setting.preset}
        for name in setting.networks:
            found = results.setdefault(name, {})
            tried(found, "runs", lambda n=name, f=found: _both(setting, n, dataset, conditions, f))
        first, batches = next(iter(setting.networks)), (1,) if setting.small else (32, 256, 1024)
        for batch in batches:
            tried(
                results.setdefault(f"{first} bfloat16 by batch size", {}),
                str(batch),
                lambda b=batch: _run(setting, _classifier(setting, first), dataset, conditions, "bfloat16", b)[1],
            )


def cues(setting: Setting, results: dict[str, Any]) -> None:
    """Analyze the demo's network on the device in both precisions, and in float32 on the CPU, and compare cues."""
    images = 4 if setting.small else demo.IMAGES_PER_CLASS
    world = replace(demo.WORLD, split="test", images_per_class=images)
    profiles: dict[str, Profile] = {}
    for precision in _PRECISIONS:
        tried(
            results,
            f"{setting.device} {precision}",
            lambda p=precision: _analyzed(world, setting.device, p, profiles, setting.preset),
        )
    if setting.on_gpu:
        tried(results, "cpu float32", lambda: _analyzed(world, "cpu", "float32", profiles, setting.preset))
    reference = f"{setting.device} float32"
    for other in profiles.keys() - {reference}:
        if reference in profiles:
            results[f"{other} against {reference}"] = _agreement(profiles[other], profiles[reference])


def _photographs(folder: Path, count: int) -> None:
    """Write JPEG photographs of 500 x 375 pixels in two class folders."""
    sources = natural_images(min(16, count), 427, 640)
    for index in range(count):
        place = folder / f"class-{index % 2}"
        place.mkdir(parents=True, exist_ok=True)
        left, top = 3 * index % 140, 5 * index % 52
        source = Image.fromarray(sources[index % len(sources)])
        source.crop((left, top, left + 500, top + 375)).save(place / f"{index:05d}.jpg", quality=90)


def _classifier(setting: Setting, name: str) -> Classifier:
    return Classifier(name, name, network_of(setting, name), setting.preprocessing)


def _run(
    setting: Setting,
    classifier: Classifier,
    dataset: Dataset,
    conditions: list[Condition],
    precision: str,
    batch_size: int | None = None,
) -> tuple[OutcomeStore, dict[str, Any]]:
    """Run the engine once; the time includes decoding the photographs."""
    # Batches are filled with copies to their size: on a CPU the default would compute many times what is needed.
    options = run_options(setting.device, batch_size or (setting.batch if setting.small else None), precision)
    store = OutcomeStore()
    start = time.perf_counter()
    outcomes = predict(classifier, dataset, _OUTPUTS, conditions, store, options)
    seconds = time.perf_counter() - start
    passes = len(dataset) * len(conditions)
    return outcomes, {
        "seconds": seconds,
        "seconds a forward pass of one image": seconds / passes,
        "forward passes a second": passes / seconds,
        "batch size": options.batch_size,
        "threads that decode": options.workers,
    }


def _both(
    setting: Setting, name: str, dataset: Dataset, conditions: list[Condition], found: dict[str, Any]
) -> dict[str, Any]:
    classifier = _classifier(setting, name)
    stores = {}
    few = subset(dataset, max(1, min(len(dataset), 128) // 2))
    for precision in _PRECISIONS:
        # The first run is the warm-up and tells how long the device itself was at work.
        busy = kernel_seconds(setting, lambda p=precision: _run(setting, classifier, few, conditions, p))
        stores[precision], figures = _run(setting, classifier, dataset, conditions, precision)
        found[precision] = figures | _idle(busy, len(dataset) / len(few), figures["seconds"])
    same = _same(stores["bfloat16"], stores["float32"], conditions)
    agreement: dict[str, Any] = {"bfloat16 against float32": same}
    if setting.on_gpu:
        some = subset(dataset, _ON_CPU // 2)
        tried(agreement, "float32 against the CPU", lambda: _against_cpu(setting, classifier, some, conditions))
    return agreement


def _idle(busy: dict[str, float], larger: float, seconds: float) -> dict[str, float]:
    """Return the share of a run in which the device did nothing, from what it did for some of the images."""
    if not busy:
        return {}
    kernels, copies = larger * busy["kernels"], larger * busy["copies"]
    return {"kernel seconds": kernels, "copy seconds": copies, "idle share": 1 - (kernels + copies) / seconds}


def _same(one: Outcomes, other: Outcomes, conditions: list[Condition]) -> dict[str, float]:
    """Return the share of equal predictions, of all conditions and of the clean one alone."""
    wanted = range(len(conditions))
    pairs = zip(one.conditions(wanted), other.conditions(wanted), strict=True)
    shares = [float((a.predicted == b.predicted).mean()) for a, b in pairs]
    return {"all conditions": float(np.mean(shares)), "clean": shares[0]}


def _against_cpu(
    setting: Setting, classifier: Classifier, some: Dataset, conditions: list[Condition]
) -> dict[str, float]:
    few = conditions[:: max(1, len(conditions) // 8)]
    here, _ = _run(setting, classifier, some, few, "float32")
    there, _ = _run(replace(setting, device="cpu"), classifier, some, few, "float32")
    return _same(here, there, few)


def _analyzed(
    world: PlantedWorld, device: str, precision: str, profiles: dict[str, Profile], preset: str
) -> dict[str, Any]:
    classifier = load_classifier(
        str(package_files.folder("assets") / demo.WEIGHTS),
        arch="python:cuesense.models.compact:build",
        class_names=ClassNames(world.class_names),
        images=ImageOptions(world.size, world.size, MEAN, STD),
    )
    start = time.perf_counter()
    profile = analyze(classifier, world, config=preset, device=device, precision=precision)
    profiles[f"{device} {precision}"] = profile
    right = sum(entry.cue == truth for entry, truth in zip(profile.classes, world.truth, strict=True))
    return {"seconds": time.perf_counter() - start, "cues as planted": right, "classes": len(profile.classes)}


def _agreement(one: Profile, other: Profile) -> dict[str, Any]:
    """Return how many classes have the same cue, and how many budgets are equal, in two profiles."""
    pairs = list(zip(one.classes, other.classes, strict=True))
    budgets = [(a.budgets[name].value, b.budgets[name].value) for a, b in pairs for name in a.budgets]
    accuracies = [profile.summary.clean_accuracy or 0.0 for profile in (one, other)]
    return {
        "equal cues": sum(a.cue == b.cue for a, b in pairs),
        "classes": len(pairs),
        "equal budgets": sum(a == b for a, b in budgets),
        "budgets": len(budgets),
        "difference of clean accuracy": accuracies[0] - accuracies[1],
    }
