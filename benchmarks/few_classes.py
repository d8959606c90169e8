"""Measure the verdicts on planted worlds of 2, 3, 4 and 5 classes, with small networks that are really trained on them.

``python benchmarks/few_classes.py train FOLDER --seeds 501 503`` trains one network for each world of WORLDS and each
seed (some ten seconds each at 32 px, thirty at 64 px, one thread) and keeps its predictions; ``measure FOLDER`` prints
how many verdicts are right, undetermined and wrong for each number of classes, and writes them to
``benchmarks/few_classes.csv``. Even seeds are for choosing, odd seeds, with outlines and textures of another family,
for measuring.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from label_worlds import COUNTERFACTUAL_IMAGES, CUES, Answers, ask, keep, pixels
from labels import REPEATS, Network, needed
from networks import BATCH, build, fit, tensors
from torch import nn

from cuesense.analysis.cues import name_cues
from cuesense.analysis.hypotheses import verdict_of
from cuesense.models.compact import MEAN, STD
from cuesense.models.compact import build as residual
from cuesense.planted.classes import COUNTS
from cuesense.planted.world import PlantedWorld
from cuesense.types import ClassCue, CueVerdict

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


def judged(networks: Iterable[FewNetwork], images: int) -> Iterator[tuple[FewNetwork, int, ClassCue, CueVerdict]]:
    """Yield every verdict of some draws of this many images a class, with what the class really relies on."""
    for network, draw in product(networks, range(REPEATS)):
        answers = name_cues(network.evidence(images, draw), tuple(map(str, network.stored["names"])))
        for index, (answer, learned) in enumerate(zip(answers, network.learned(), strict=True)):
            yield network, index, answer, learned


def measure(folder: Path, odd: bool) -> None:
    """Print right, undetermined and wrong verdicts for each number of classes, and write them down."""
    found = [FewNetwork(path.stem, path) for path in sorted(folder.glob("*.npz"))]
    found = [network for network in found if network.seed % 2 == odd]
    rows = []
    for images, classes in product((50, 20), (2, 3, 4, 5)):
        chosen = [network for network in found if len(network.truth) == classes]
        tally: Counter[str] = Counter()
        for network, index, answer, learned in judged(chosen, images):
            planted = network.truth[index]
            tally["verdicts"] += 1
            for name, truth in (("planted", planted), ("learned", learned)):
                outcome = "undetermined" if answer.cue is CueVerdict.UNDETERMINED else "wrong"
                tally[f"{'right' if answer.cue is truth else outcome} {name}"] += 1
            both = answer.cue not in (planted, learned, CueVerdict.UNDETERMINED)
            tally["wrong both"] += both
            if options_verbose and answer.cue is not CueVerdict.UNDETERMINED and answer.cue is not planted:
                print(
                    "  ",
                    network.name,
                    network.stored["names"][index],
                    "given",
                    answer.cue,
                    "learned",
                    learned,
                    answer.why,
                )
        rows.append({"classes": classes, "images": images, "networks": len(chosen), **tally})
        print(rows[-1], flush=True)


options_verbose = False


def main() -> None:
    """Train, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("train", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[501, 503, 505])
    parser.add_argument("--odd", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.job == "train":
        train(options.folder, options.seeds)
    else:
        global options_verbose
        options_verbose = options.verbose
        measure(options.folder, options.odd)


if __name__ == "__main__":
    main()
