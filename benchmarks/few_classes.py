"""Measure the verdicts on planted worlds of 2, 3, 4 and 5 classes, with small networks that are really trained on them.

``python benchmarks/few_classes.py train FOLDER --seeds 500 503`` trains one network for each world of WORLDS and each
seed (some 15 CPU seconds each) and keeps its predictions; ``measure FOLDER`` prints how many verdicts are right,
undetermined and wrong for each number of classes, against what the network has learned and against what is planted, and
writes every verdict to ``benchmarks/few_classes.csv``. No constant was chosen on these seeds.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from label_worlds import COUNTERFACTUAL_IMAGES, CUES, Answers, ask, keep, pixels
from labels import Network, needed
from networks import BATCH, build, fit, tensors
from torch import nn

from cuesense.analysis.cues import name_cues
from cuesense.analysis.hypotheses import verdict_of
from cuesense.models.compact import MEAN, STD
from cuesense.models.compact import build as residual
from cuesense.planted.classes import COUNTS
from cuesense.planted.world import PlantedWorld
from cuesense.types import CueVerdict

# Every kind of class in company of its own kind, alone among others, and both; named by their numbers of classes.
WORLDS = (
    "color=2",
    "shape=2",
    "texture=2",
    "redundant=2",
    "color=1,shape=1",
    "color=1,shape=1,texture=1",
    "color=1,shape=2",
    "texture=3",
    "color=1,redundant=2",
    "mixed=4",
    "color=2,shape=2",
    "redundant=2,texture=2",
    "color=4",
    "color=1,mixed=4",
    "color=2,shape=2,texture=1",
    "redundant=3,shape=2",
    "color=2,texture=3",
)
TRAIN_IMAGES, TEST_IMAGES = 200, 60
# Few classes have few images: as many steps of training for each network, whatever their number.
STEPS = 120
RATE = 3e-3
# A residual network of 30,000 parameters, one of 67,000, and the plain one of networks.py.
WIDTHS = {"narrow": (8, 16, 24, 32), "wide": (12, 24, 36, 48)}
KINDS = ("narrow", "wide", "narrow", "strided", "narrow")
# What remains of a class's recall less its mean false alarms on counterfactual images, as a share of what the clean
# images give: a cue counts as needed where less than this remains without it (benchmarks/labels.py: LEARNED, SHORTCUT).
LEARNED, SHORTCUT = 0.5, 0.8
COLUMNS = ("network", "class", "classes", "images", "planted", "learned", "given")


def counts_of(world: str) -> dict[str, int]:
    """Return the number of classes of every kind."""
    named = {kind: int(number) for kind, _, number in (part.partition("=") for part in world.split(","))}
    return dict.fromkeys(COUNTS, 0) | named


def train(folder: Path, seeds: Sequence[int]) -> None:
    """Train a network for every world and seed; skip what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (place, name) in product(seeds, enumerate(WORLDS)):
        kind, size = KINDS[(place + seed // 2) % len(KINDS)], (32, 64)[(place + seed // 2) % 2]
        stem = f"{kind}-{name}-{seed}-{size}"
        if (folder / f"{stem}.npz").exists():
            continue
        torch.manual_seed(seed)
        world = PlantedWorld(seed=seed, images_per_class=TEST_IMAGES, size=size, counts=counts_of(name))
        images, labels = tensors(replace(world, split="train", images_per_class=TRAIN_IMAGES))
        classes = len(world.class_names)
        network = build(kind, classes, size) if kind == "strided" else residual(classes, size, WIDTHS[kind])
        fit(network, images, labels, round(STEPS / (len(images) // BATCH)), RATE, seed)
        answers = Answers(network, [nn.Identity()], (MEAN, STD))
        keep(folder, stem, world, ask(answers, world, 0)[0], counterfactual(answers, world))
        print(stem, flush=True)


def counterfactual(answers: Answers, world: PlantedWorld) -> np.ndarray:
    """Return who is taken for whom where only some cues are kept, (8, K, K): the share of a row's class taken for each.

    Bit i of the first axis keeps cue i of CUES.
    """
    few = replace(world, images_per_class=COUNTERFACTUAL_IMAGES)
    found = np.zeros((8, len(world.class_names), len(world.class_names)))
    for bits in range(8):
        redrawn = replace(few, redrawn=tuple(cue for place, cue in enumerate(CUES) if not bits >> place & 1))
        predicted = answers.scores(pixels(redrawn))[0].argmax(1)
        np.add.at(found[bits], (np.array(redrawn.labels), predicted), 1 / COUNTERFACTUAL_IMAGES)
    return found


class FewNetwork(Network):
    """The kept predictions of one network on few classes."""

    @property
    def world(self) -> str:
        """What its world has, as in WORLDS."""
        return self.name.split("-", 1)[1].rsplit("-", 2)[0]

    def learned(self) -> list[CueVerdict]:
        """Return what each class really relies on: what redrawing its cues in all classes' images takes from it.

        Recall alone would not do: of two classes one may be what the other is not, and is then kept by any image.
        """
        told = np.stack([_told_apart(taken) for taken in self.stored["cf"]])
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = np.nan_to_num(np.where(told[7] > 0, told / told[7], 0))
        return [self._verdict(index, kept[:, index]) for index in range(len(self.truth))]

    def _verdict(self, index: int, kept: np.ndarray) -> CueVerdict:
        world = PlantedWorld(seed=self.seed, size=self.side, counts=counts_of(self.world))
        return verdict_of(needed(world.classes[index], kept, LEARNED, SHORTCUT))


def _told_apart(taken: np.ndarray) -> np.ndarray:
    """Return each class's recall less the mean share of the other classes' images that is taken for it, (K,)."""
    others = (taken.sum(axis=0) - np.diag(taken)) / (len(taken) - 1)
    return np.diag(taken) - others


def measure(folder: Path, table: Path) -> None:
    """Print right, undetermined and wrong verdicts for each number of classes; write every verdict to a table."""
    rows = []
    for network, images in product([FewNetwork(path.stem, path) for path in sorted(folder.glob("*.npz"))], (50, 20)):
        names = tuple(map(str, network.stored["names"]))
        answers = name_cues(network.evidence(images, 0), names)
        for name, answer, learned, planted in zip(names, answers, network.learned(), network.truth, strict=True):
            rows.append((network.name, name, len(names), images, planted.value, learned.value, answer.cue.value))
    with table.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    for images, classes in product((50, 20), (2, 3, 4, 5)):
        print(f"{classes} classes, {images} images a class: {tally(rows, classes, images)}")


def tally(rows: Sequence[tuple], classes: int, images: int) -> str:
    """Return how many verdicts are right, undetermined and wrong, against what is learned and what is planted."""
    found = [row[4:] for row in rows if row[2:4] == (classes, images)]
    unsure = sum(given == CueVerdict.UNDETERMINED.value for *_, given in found)
    right = [sum(row[place] == row[2] != CueVerdict.UNDETERMINED.value for row in found) for place in (1, 0)]
    wrong = [len(found) - unsure - hits for hits in right]
    return f"right {right[0]} / {right[1]}, undetermined {unsure}, wrong {wrong[0]} / {wrong[1]} of {len(found)}"


def main() -> None:
    """Train, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("train", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[500, 503], help="of the worlds to train")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".csv"), help="where verdicts go")
    options = parser.parse_args()
    if options.job == "train":
        train(options.folder, options.seeds)
    else:
        measure(options.folder, options.table)


if __name__ == "__main__":
    main()
