"""Train networks on planted worlds and keep their predictions, for ``labels.py`` to calibrate and measure verdicts on.

``python benchmarks/label_worlds.py FOLDER residual:201:64 vit:213:64 mobilenet:215 --weights WEIGHTS`` writes one
file a network: its predictions under every condition of the rule, and its recall on counterfactual images, in which
some of a class's cues are drawn anew. About two minutes each on one core, a small transformer six, a pretrained network
twelve. Even seeds are for choosing, odd seeds for measuring.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torchvision
from networks import EPOCHS, RATES, build, fit, fit_heads, tensors
from torch import Tensor, nn

from cuesense import registry
from cuesense.models.compact import MEAN, STD
from cuesense.perturbations.ablations import ABLATIONS, SHAM
from cuesense.perturbations.apply import perturb
from cuesense.planted.world import PlantedWorld
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Cue

CUES = (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE)
EVERY = (*ABLATIONS, *dict.fromkeys(SHAM.values()))
TRAIN_IMAGES, TEST_IMAGES, COUNTERFACTUAL_IMAGES = 200, 60, 25
LARGE_TEST_IMAGES = 50
HALF = (0.5, 0.5, 0.5)
FROZEN = 17

Normalize = tuple[tuple[float, ...], tuple[float, ...]]


def pixels(world: PlantedWorld) -> Tensor:
    """Return all images of a world, (N, 3, H, W) uint8."""
    return torch.from_numpy(np.stack([world[index].image for index in range(len(world))])).permute(0, 3, 1, 2)


class Answers:
    """One trunk and several heads, run together, because the trunk is most of the work."""

    def __init__(self, trunk: nn.Module, heads: Sequence[nn.Module], normalize: Normalize) -> None:
        self.trunk, self.heads = trunk.eval(), [head.eval() for head in heads]
        self.mean, self.std = (torch.tensor(part).view(3, 1, 1) for part in normalize)

    @torch.inference_mode()
    def scores(self, images: Tensor, change: Callable[[Tensor, int], Tensor] | None = None) -> list[np.ndarray]:
        """Return log-probabilities of every head, (N, K) each; change perturbs pixels in [0, 1] from a place on."""
        parts: list[list[Tensor]] = [[] for _ in self.heads]
        for start in range(0, len(images), 64):
            batch = images[start : start + 64].float() / 255
            batch = batch if change is None else change(batch, start)
            normal = ((batch - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
            features = self.trunk(normal)
            for part, head in zip(parts, self.heads, strict=True):
                part.append(head(features).log_softmax(1))
        return [torch.cat(part).numpy() for part in parts]


def ask(answers: Answers, world: PlantedWorld, seed: int) -> list[dict[str, np.ndarray]]:
    """Return every head's predictions, raw and corrected, under every condition."""
    images, ids = pixels(world), list(world.sample_ids)
    labels, classes = np.array(world.labels), len(world.class_names)
    prior = np.bincount(labels, minlength=classes) / len(labels)
    every = np.tile(np.arange(classes), (len(labels), 1))
    scores = [answers.scores(images)]
    for name, value in EVERY:
        perturbation = registry.get("perturbations", name)
        scores.append(
            answers.scores(
                images, lambda x, start, p=perturbation, v=value: perturb(p, x, ids[start : start + 64], v, seed=seed)
            )
        )
    return [
        {
            "predicted": np.stack([part.argmax(1) for part in of_head]).astype(np.int16),
            "corrected": np.stack([prior_corrected(part, every, prior) for part in of_head]).astype(np.int16),
            "scores": np.stack(of_head).astype(np.float16),
        }
        for of_head in zip(*scores, strict=True)
    ]


def counterfactual(answers: Answers, world: PlantedWorld) -> list[np.ndarray]:
    """Return every head's recall where only some cues are kept, (8, K); bit i of the row keeps cue i of CUES."""
    few = replace(world, images_per_class=min(world.images_per_class, COUNTERFACTUAL_IMAGES))
    found = [np.zeros((8, len(world.class_names))) for _ in answers.heads]
    for bits in range(8):
        redrawn = replace(few, redrawn=tuple(cue for place, cue in enumerate(CUES) if not bits >> place & 1))
        labels = np.array(redrawn.labels)
        for recall, scores in zip(found, answers.scores(pixels(redrawn)), strict=True):
            right = scores.argmax(1) == labels
            recall[bits] = np.bincount(labels[right], minlength=recall.shape[1]) / np.bincount(labels)
    return found


def small(kind: str, seed: int, size: int, epochs: int | None, options: dict) -> tuple[Answers, PlantedWorld]:
    """Train a small network from scratch."""
    torch.manual_seed(seed)
    train = PlantedWorld(seed=seed, split="train", images_per_class=TRAIN_IMAGES, size=size, **options)
    world = PlantedWorld(seed=seed, images_per_class=TEST_IMAGES, size=size, **options)
    network = build(kind, len(world.class_names), size)
    fit(network, *tensors(train), epochs or EPOCHS[kind], RATES[kind], seed)
    return Answers(network, [nn.Identity()], (MEAN, STD)), world


def pretrained(seed: int, weights: Path, options: dict) -> tuple[Answers, PlantedWorld]:
    """Fit a head on a pretrained MobileNetV2 at 224 px, and tune a copy of its last block with it."""
    torch.manual_seed(seed)
    network = torchvision.models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True))
    trunk, tail = network.eval().features[:FROZEN].to(memory_format=torch.channels_last), network.features[FROZEN:]
    train = PlantedWorld(seed=seed, split="train", images_per_class=TRAIN_IMAGES, size=224, **options)
    world = PlantedWorld(seed=seed, images_per_class=LARGE_TEST_IMAGES, size=224, **options)
    images, labels = pixels(train), torch.tensor(train.labels)
    with torch.inference_mode():
        normal = ((part.float() / 255 - 0.5) / 0.5 for part in images.split(64))
        features = torch.cat([trunk(part.contiguous(memory_format=torch.channels_last)) for part in normal])
    heads = fit_heads(tail, network.last_channel, features, labels, len(world.class_names), (60, 8))
    return Answers(trunk, heads, (HALF, HALF)), world


def keep(folder: Path, name: str, world: PlantedWorld, found: dict[str, np.ndarray], recall: np.ndarray) -> None:
    """Write one network's predictions."""
    np.savez_compressed(
        folder / f"{name}.npz",
        spec=world.spec,
        names=np.array(world.class_names),
        truth=np.array([label.value for label in world.truth]),
        labels=np.array(world.labels),
        doses=np.array([("clean", 0.0), *EVERY], dtype=object).astype(str),
        cf=recall,
        **found,
    )


def main() -> None:
    """Train the networks that are named, one after the other; skip what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("jobs", nargs="+", help="KIND:SEED:SIZE, or mobilenet:SEED")
    parser.add_argument("--epochs", type=int, help="train this long only, for weak networks")
    parser.add_argument("--counts", default="", help="classes of a kind, such as color=1,redundant=0")
    parser.add_argument("--cluttered", action="store_true")
    parser.add_argument("--prefix", default="", help="begins the files' names")
    parser.add_argument("--weights", type=Path, help="a state dict of torchvision's mobilenet_v2")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the perturbations; other than 0 it ends the files' names"
    )
    options = parser.parse_args()
    counts = {name: int(number) for name, number in (part.split("=") for part in options.counts.split(",") if part)}
    choice = {"counts": counts, "cluttered": options.cluttered}
    options.folder.mkdir(parents=True, exist_ok=True)
    for job in options.jobs:
        kind, seed, *size = job.split(":")
        kinds, side = (("fitted", "tuned"), "224") if kind == "mobilenet" else ((kind,), size[0])
        again = f"-seed{options.seed}" if options.seed else ""
        names = [f"{options.prefix}{part}-{seed}-{side}{again}" for part in kinds]
        if all((options.folder / f"{name}.npz").exists() for name in names):
            continue
        if kind == "mobilenet":
            answers, world = pretrained(int(seed), options.weights, choice)
        else:
            answers, world = small(kind, int(seed), int(side), options.epochs, choice)
        for name, found, recall in zip(
            names, ask(answers, world, options.seed), counterfactual(answers, world), strict=True
        ):
            keep(options.folder, name, world, found, recall)
            clean = (found["predicted"][0] == np.array(world.labels)).mean()
            print(f"{name}: clean accuracy {clean:.3f}", flush=True)


if __name__ == "__main__":
    main()
