"""CPU seconds and memory of everything right of inference, for as many classes, images and conditions as ImageNet has.

    PYTHONPATH=. python benchmarks/scale.py
    PYTHONPATH=. python benchmarks/scale.py --classes 100 --images 20 --conditions 62 --folder kept

Synthetic predictions are written as ``analyze`` keeps them, in shards. Every class relies on one cue, on two or on
none; what suppresses its cue costs it most of its images, and augmentations cost some classes much. Strong
perturbations send many images to one sink class. Then ``analysis`` does what ``analyze`` does after the last forward
pass, and ``score`` is the command on the predictions.parquet that came out, its start included. Each is a process of
its own on one thread, whose peak memory is the largest resident size.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.config import Config, load_config, with_more
from cuesense.inference.malloc import keep_freed_memory
from cuesense.policies.budgets import Levels
from cuesense.predictions.label_order import check_order
from cuesense.predictions.outcomes import Outcomes, Wanted
from cuesense.predictions.predictions import ClassMap, from_outcomes
from cuesense.predictions.shards import KEPT_SCORES, SHARD_SIZE, OutcomeStore, Shard, condition_identity
from cuesense.schemas.profile import DatasetInfo, ModelInfo, Provenance
from cuesense.types import Condition, Cue, Role
from cuesense.workflows.profile_files import PREDICTIONS, write_outputs

# Beside the standard preset, 90 conditions in all.
_MORE = ("brightness", "contrast", "saturation", "hue", "random_grayscale", "random_gaussian_blur", "vertical_flip")
# What is asked for 1,000 classes, 50,000 images and 90 conditions, of each of the two processes.
REACH = {"cpu_seconds": 20.0, "peak_gb": 2.0}
SIDE = 224
# Clean accuracies of ImageNet classes run from about .3 to 1.
_ACCURACIES = (0.35, 0.98)
# Classes that are mistaken for each other: wrong predictions fall among these.
_NEIGHBORS = 2 * KEPT_SCORES


def configuration(conditions: int) -> Config:
    """Return the perturbations in their order as far as there is room, with the clean image one of the conditions."""
    every = with_more(load_config("standard"), _MORE)
    kept: list[str] = []
    for perturbation in every.perturbations:
        if len(_of(every, [*kept, perturbation.name]).conditions()) <= conditions:
            kept.append(perturbation.name)
    return _of(every, kept)


def _of(config: Config, names: list[str]) -> Config:
    return replace(config, perturbations=tuple(p for p in config.perturbations if p.name in names))


@dataclass(frozen=True)
class World:
    """Classes that rely on cues, and what a network answers for their images.

    Attributes:
        classes: Number of classes C.
        images: Images of each class.
        config: What was applied.
    """

    classes: int
    images: int
    config: Config

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(f"class {index:05d}" for index in range(self.classes))

    @property
    def ids(self) -> list[str]:
        """The ids of the images, in sorted order, class by class."""
        return [f"{name}/{index:05d}.jpg" for name in self.names for index in range(self.images)]

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.classes * self.images // SHARD_SIZE)

    @property
    def wanted(self) -> Wanted:
        """The run that wants these images; its images are known by their numbers."""
        numbers = np.arange(self.classes * self.images)
        conditions = tuple(condition_identity(condition, {}) for condition in self.config.conditions())
        return Wanted(
            images=numbers.astype(np.uint64),
            labels=numbers // self.images,
            outputs=np.arange(self.classes),
            conditions=conditions,
            chosen_from="the classes",
        )

    def kept(self) -> np.ndarray:
        """Return the share of the recognized images that every class keeps under every condition, (M, C)."""
        random = np.random.default_rng(1)
        relies = random.random((self.classes, len(Cue))) < 0.4
        fragile = random.uniform(0.02, 0.5, self.classes)
        return np.array([self._kept(condition, relies, fragile) for condition in self.config.conditions()])

    def _kept(self, condition: Condition, relies: np.ndarray, fragile: np.ndarray) -> np.ndarray:
        if condition.perturbation is None:
            return np.ones(self.classes)
        strength = condition.severity / len(condition.perturbation.ladder)
        if condition.perturbation.role is Role.AUGMENTATION:
            return 1 - strength * fragile
        hit = relies[:, [cue in condition.perturbation.suppresses for cue in Cue]]
        return 1 - strength * np.where(hit.any(axis=1), 0.75, 0.15)

    def shard(self, number: int, kept: np.ndarray) -> Shard:
        """Return the outcomes of some images."""
        random = np.random.default_rng((2, number))
        positions = np.arange(number * SHARD_SIZE, min((number + 1) * SHARD_SIZE, self.classes * self.images))
        labels, shape = positions // self.images, (len(kept), len(positions))
        accuracy = np.random.default_rng(3).uniform(*_ACCURACIES, self.classes)[labels]
        # How hard an image is, is mostly its own, so that the same images are lost under several conditions.
        hard = 0.8 * random.random(len(positions)) + 0.2 * random.random(shape)
        right = hard < accuracy * kept[:, labels]
        classes = self._candidates(labels, right, kept.mean(axis=1), random)
        # Probabilities that fall about as fast as those of networks with 1,000 outputs, most images being sure.
        gaps = random.standard_exponential((*shape, classes.shape[2]), np.float32) * random.exponential(0.3, shape)[
            ..., None
        ].astype(np.float32)
        scores = -np.cumsum(gaps, axis=2)
        scores -= np.log(np.exp(scores).sum(axis=2, keepdims=True))
        at = classes == labels[:, None]
        true = np.where(at.any(axis=2), np.where(at, scores, 0).sum(axis=2), scores[..., -1])
        return Shard(
            images=positions.astype(np.uint64),
            digests=positions.astype(np.uint64),
            largest=np.full(len(positions), np.nan),
            white=np.full(len(positions), np.nan),
            predicted=classes[..., 0].astype(np.int32),
            p_true=np.exp(true),
            margin=true - np.where(right, scores[..., min(1, classes.shape[2] - 1)], scores[..., 0]),
            scores=scores,
            outputs=classes.astype(np.int16),
            conditions=self.wanted.conditions,
            chosen_from=self.wanted.chosen_from,
        )

    def _candidates(
        self, labels: np.ndarray, right: np.ndarray, kept: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Return the likeliest classes of every image under every condition, the predicted one first, (M, n, m)."""
        span, count = min(_NEIGHBORS, self.classes), min(KEPT_SCORES, self.classes)
        # The smaller of two draws: every class has favorites among those that it is mistaken for.
        nearest = np.minimum(*random.integers(1, span, (2, *right.shape)))
        found = (labels[:, None] + (nearest[..., None] + np.arange(count)) % span) % self.classes
        place = np.where(right, 0, np.minimum(random.integers(1, 6, right.shape), count - 1))
        _move(found, np.broadcast_to(labels, right.shape), place)
        # A sink takes images the more, the more is lost.
        sink = np.where(right | (random.random(right.shape) > 1 - kept[:, None]), found[..., 0], 7 % self.classes)
        _move(found, np.where(labels == sink, found[..., 0], sink), np.zeros_like(place))
        return found


def _move(found: np.ndarray, wanted: np.ndarray, place: np.ndarray) -> None:
    """Put a class at a place of every list (last axis); it changes places with the one that stands there."""
    before = np.take_along_axis(found, place[..., None], axis=-1)
    np.copyto(found, before, where=found == wanted[..., None])
    np.put_along_axis(found, place[..., None], wanted[..., None], axis=-1)


def write(world: World, folder: Path) -> None:
    """Keep all outcomes as ``analyze`` does."""
    store, kept = OutcomeStore.open(folder, {}), world.kept()
    for number in range(world.shards):
        store.write(world.shard(number, kept))


class Clock:
    """CPU seconds of this process by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._before = time.process_time()

    def stage(self, name: str) -> None:
        """End a stage."""
        now = time.process_time()
        self.seconds[name], self._before = round(now - self._before, 2), now


def analysis(world: World, shards: Path, output: Path) -> dict[str, float]:
    """Do what ``analyze`` does once all outcomes are kept, and return the CPU seconds of each stage."""
    clock, levels = Clock(), Levels(0.05, 0.95)
    outcomes = Outcomes(OutcomeStore.open(shards, {}), world.wanted)
    clock.stage("open the shards")
    classes = ClassMap(world.names, world.names, range(world.classes))
    found = from_outcomes(outcomes, world.config.perturbations, world.config.conditions(), classes, world.ids, SIDE)
    clock.stage("read and correct")
    order = check_order(found)
    result = analyze_predictions(found, levels=levels, groups={})
    clock.stage("cues and budgets")
    images = [world.images] * world.classes
    profile = build_profile(
        Provenance(
            cuesense="",
            created="",
            model=ModelInfo(spec="synthetic", sha256="0", architecture="none", preprocessing={}),
            dataset=DatasetInfo(spec="synthetic", images=sum(images), classes=world.classes, fingerprint="0"),
            config=world.config.to_dict(),
            seed=0,
            device="cpu",
            versions={},
        ),
        world.names,
        result,
        levels=levels,
        side=SIDE,
        warnings=data_warnings(order, world.names, images, (), result.counts.sinks),
    )
    clock.stage("profile")
    write_outputs(profile, output, {}, found)
    clock.stage("page and files")
    return clock.seconds


def measured(command: list[str]) -> dict[str, float]:
    """Run a command of its own process and return its CPU seconds and its peak memory."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"cpu_seconds": round(used.ru_utime + used.ru_stime, 1), "peak_gb": round(used.ru_maxrss / 1024**2, 3)}


def main() -> None:
    """Write the outcomes, measure both processes, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--images", type=int, default=50, help="of each class")
    parser.add_argument("--conditions", type=int, default=90, help="at most, the clean one among them")
    parser.add_argument("--folder", type=Path, help="keep everything here; outcomes that it holds are not made again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--only", choices=("write", "analysis"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    world = World(chosen.classes, chosen.images, configuration(chosen.conditions))
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        if chosen.only == "write":
            write(world, folder / "outcomes")
        elif chosen.only == "analysis":
            # As the command does.
            keep_freed_memory()
            stages = analysis(world, folder / "outcomes", folder / "analyzed")
            (folder / "stages.json").write_text(json.dumps(stages), encoding="utf-8")
        else:
            figures = compared(world, folder)
            if chosen.json is not None:
                chosen.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def compared(world: World, folder: Path) -> dict[str, object]:
    """Measure and print; return the figures."""
    conditions = len(world.config.conditions())
    size = ["--classes", str(world.classes), "--images", str(world.images), "--conditions", str(conditions)]
    own = [__file__, *size, "--folder", str(folder), "--only"]
    if not (folder / "outcomes").exists():
        measured([*own, "write"])
    # What an earlier run left there would be read as well.
    for name in ("analyzed", "scored"):
        shutil.rmtree(folder / name, ignore_errors=True)
    table = str(folder / "analyzed" / PREDICTIONS)
    found = {
        "analysis": measured([*own, "analysis"]),
        "score": measured(["-m", "cuesense", "-q", "score", table, "--output", str(folder / "scored")]),
    }
    stages = json.loads((folder / "stages.json").read_text(encoding="utf-8"))
    images = world.classes * world.images
    print(f"{world.classes:,} classes, {images:,} images, {conditions} conditions; {images * conditions:,} rows")
    for name, part in found.items():
        print(f"{name:18} {part['cpu_seconds']:7.1f} s CPU, peak {part['peak_gb']:.2f} GB")
    for name, seconds in stages.items():
        print(f"  {name:16} {seconds:7.1f} s CPU")
    return {"classes": world.classes, "images": images, "conditions": conditions, **found, "stages": stages}


if __name__ == "__main__":
    main()
