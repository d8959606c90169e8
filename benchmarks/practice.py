"""Forecast what training costs each class from one checkpoint, at a fraction of one training, by several designs.

``python benchmarks/practice.py run WORLD... --folder FOLDER --photos PHOTOS`` takes the trainings of
``value_training.py`` in the folder as the truth, runs every design (``--designs`` names some) and keeps what its
networks predict for the analyzed images; what is there already is kept. ``larger`` and ``finer`` train the truth of
other networks: the default compact network at 64 pixels, and the same small network at 128. ``write`` puts the losses
of all designs beside what training from scratch cost into ``practice.csv``, which ``practice_tables.py`` reads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from budget_worlds import SIDE, gather, parts
from families.world import FamilyWorld
from torch import nn
from torch.nn.functional import avg_pool2d, cross_entropy
from value_profiles import plain_network
from value_training import CHOICE_SEEDS, RECIPE, REPORTED_SEEDS, STRONGEST, Trainings
from value_worlds import ANALYZED, CHOOSING, COUNTS, FAMILY_COUNTS, MEASURING, TESTED, TRAIN, WIDTHS
from value_worlds import network as untrained

from cuesense.datasets.images import resize_and_crop
from cuesense.models.compact import MEAN, STD, build
from cuesense.planted.world import PlantedWorld
from cuesense.policies.expected_losses import expected_losses
from cuesense.policies.profile_budgets import measured_augmentations
from cuesense.schemas.profile import Profile
from cuesense.stats.drop_risk import expected_drops
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.features import features
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from cuesense.training.trials import Trial
from cuesense.types import Preprocessing

ARMS: tuple[Mapping[str, float], ...] = ({}, *STRONGEST)
PEAK = RECIPE.rate
HERE = Path(__file__).parent
# Seed of everything that is trained here; the truth was trained with others.
SEED = 4000
# Pixels a side of the images that the small network is trained on once more ("train at 64, judge at 128").
FINE = 128
# The sweeps of ``class_dependence.py``, with the default compact network: world, table, and what trains small networks.
LARGER = {"planted:401:100": "planted", "photos:all:100": "photos", "photos:a:250": "half"}
AUGMENTATIONS = tuple(name for arm in STRONGEST for name in arm)


@dataclass(frozen=True)
class Design:
    """How the networks of all arms are trained.

    Attributes:
        recipe: How long and how fast.
        checkpoint: Whether they go on from the checkpoint; else they begin untrained.
        side: Pixels a side; the images are made smaller for less than 64.
        widths: Channels of a network that begins untrained.
    """

    recipe: Recipe
    checkpoint: bool = False
    side: int = SIDE
    widths: tuple[int, ...] = WIDTHS


def _continued(epochs: float, rate: float, *, cycle: bool = False, average: bool = False) -> Design:
    return Design(Recipe(epochs, rate, cycle=cycle, average=average), checkpoint=True)


# A rate "as at the end" is a tenth of the peak: the very last ones of a one-cycle are next to 0 and change nothing.
DESIGNS: Mapping[str, Design] = {
    "continued 0.8, low": _continued(0.8, PEAK / 10),
    "continued 0.8, peak": _continued(0.8, PEAK),
    "continued 0.8, cycle": _continued(0.8, PEAK, cycle=True),
    "continued 0.8, averaged": _continued(0.8, PEAK, average=True),
    "scratch 32 px, narrow, 9": Design(Recipe(9, PEAK), side=32, widths=(8, 16, 32)),
    "scratch 16 px, 12": Design(Recipe(12, PEAK), side=16),
}
HEAD = "frozen features, new head"
# Passes of augmented views through the frozen features.
PASSES = 2
# Ridge penalty of the heads, on features of mean 0 and variance 1, as in ``training/linear_probe.py``.
PENALTY = 0.02


def predicted(own: Trainings, name: str, values: Mapping[str, float]) -> np.ndarray:
    """Return what a design's network predicts for the analyzed images, (N, K) log-probabilities; kept in a file."""
    key = "-".join(values) or "none"
    path = own.place / "practice" / f"{name.replace(' ', '_')}-{key}.npy"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        began = time.perf_counter()
        found = _head(own, values) if name == HEAD else _trained(own, DESIGNS[name], values)
        np.save(path, found.astype(np.float16))
        print(f"{own.name} {name} {key} {time.perf_counter() - began:.1f} s", flush=True)
    return np.load(path).astype(float)


def _trained(own: Trainings, design: Design, values: Mapping[str, float]) -> np.ndarray:
    train, analyzed = (_smaller(part, design.side) for part in own.images[:2])
    if design.checkpoint:
        network = plain_network(own)
    else:
        torch.manual_seed(SEED)
        network = build(len(own.names), 2 * SIDE, design.widths)
    return log_probabilities(fit(network, train, design.recipe, _augment(values), seed=SEED), analyzed)


def _augment(values: Mapping[str, float]) -> PolicyAugmentation | None:
    return PolicyAugmentation.from_values(values) if values else None


def _smaller(images: Images, side: int) -> Images:
    factor = images.pixels.shape[-1] // side
    pixels = avg_pool2d(images.pixels.float(), factor).round().byte() if factor > 1 else images.pixels
    return Images(pixels, images.labels, MEAN, STD)


def _head(own: Trainings, values: Mapping[str, float]) -> np.ndarray:
    """Return what a new head on frozen features predicts that was fitted to augmented views."""
    network, (train, analyzed) = plain_network(own), own.images[:2]
    augment = _augment(values)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        views = [
            features(network, train, lambda pixels, _: pixels if augment is None else augment(pixels), "cpu")
            for _ in range(PASSES if values else 1)
        ]
    clean = features(network, train, lambda pixels, _: pixels, "cpu") if values else views[0]
    mean, scale = clean.mean(0), clean.std(0).clamp_min(1e-6)
    inputs, labels = (torch.cat(views) - mean) / scale, train.labels.repeat(len(views))
    head = _fitted_head(inputs, labels, len(own.names))
    tested = (features(network, analyzed, lambda pixels, _: pixels, "cpu") - mean) / scale
    with torch.no_grad():
        found: np.ndarray = head(tested).log_softmax(1).numpy()
    return found


def _fitted_head(inputs: torch.Tensor, labels: torch.Tensor, classes: int) -> nn.Linear:
    head = nn.Linear(inputs.shape[1], classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = cross_entropy(head(inputs), labels) + PENALTY / 2 * head.weight.square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimizer.step(loss)
    return head


def scores(log_p: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return how well every class is recognized, (C,) each: counted, and by three measures that are less noisy."""
    own = log_p[np.arange(len(labels)), labels]
    others = log_p.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    # Far out, an image's margin says no more; without bounds a few images would decide.
    measures = {
        "recall": (own > others.max(axis=1)).astype(float),
        "probability": np.exp(own),
        "log": np.maximum(own, -5),
        "margin": np.clip(own - others.max(axis=1), -5, 5),
    }
    images = np.bincount(labels)
    return {name: np.bincount(labels, weights=values) / images for name, values in measures.items()}


def losses(own: Trainings, name: str) -> dict[str, np.ndarray]:
    """Return what a design says an augmentation costs a class, (A, C), by each score; nothing where it was not run."""
    arms = [own.place / "practice" / f"{name.replace(' ', '_')}-{'-'.join(arm) or 'none'}.npy" for arm in ARMS]
    if not all(path.exists() for path in arms):
        return {}
    labels = own.images[1].labels.numpy()
    found = [scores(np.load(path).astype(float), labels) for path in arms]
    return {key: np.stack([found[0][key] - arm[key] for arm in found[1:]]) for key in found[0]}


def without_training(own: Trainings) -> dict[str, np.ndarray]:
    """Return what a profile says, (A, C): the prior, test-time drops, leans and the checkpoint's errors."""
    path = own.place / "profile.json"
    if not path.exists():
        return {}
    known = Profile.read(path)
    expected = expected_losses(known, [name for arm in STRONGEST for name in arm])
    curves = measured_augmentations(known, [name for arm in STRONGEST for name in arm])
    found: dict[str, list[np.ndarray]] = {}
    lean = {
        cue: np.array([entry.lean[cue].value if cue in entry.lean else np.nan for entry in known.classes], dtype=float)
        for cue in ("shape", "color", "texture")
    }
    for arm in STRONGEST:
        ((name, value),) = arm.items()
        row = expected.ladders[name].index(value)
        drop = expected_drops(curves[name]).drop[row]
        entries = {"prior": expected.losses[name].loss[row], "drop": drop, "error": 1 - expected.accuracy}
        for key, values in (entries | {f"lean {cue}": part for cue, part in lean.items()}).items():
            found.setdefault(key, []).append(np.nan_to_num(values))
    return {key: np.stack(rows) for key, rows in found.items()}


def truth(own: Trainings) -> dict[str, np.ndarray]:
    """Return what training from scratch cost on test images, (A, C), over all seeds and by each of two alone.

    The checkpoint's own training is left out where there are others without augmentation.
    """
    none = [seed for seed in (*CHOICE_SEEDS[1:], *REPORTED_SEEDS) if Trial(own.policy({}), seed) in own.store]
    clean = own.recall({}, none or CHOICE_SEEDS[:1])
    rows: dict[str, list[np.ndarray]] = {}
    for arm in STRONGEST:
        seeds = [seed for seed in CHOICE_SEEDS if Trial(own.policy(arm), seed) in own.store]
        trained = own.recall(arm, seeds)
        rows.setdefault("truth", []).append(clean.mean(0) - trained.mean(0))
        if len(seeds) < 2:
            continue
        # One seed's forecast, as a practitioner would make it (analyzed images), beside the other seed's truth.
        rows.setdefault("seed 1001's truth", []).append(clean.mean(0) - trained[1])
        before, after = (own.recall(values, CHOICE_SEEDS[:1], test=False)[0] for values in ({}, arm))
        rows.setdefault("seed 1000's forecast", []).append(before - after)
    return {key: np.stack(values) for key, values in rows.items() if len(values) == len(STRONGEST)}


def small_network(world: str, folder: Path, photos: Path | None) -> pd.DataFrame:
    """Return what training costs the small network beside the default one, which ``class_dependence.py`` trained.

    The worlds of photographs take the trainings that are there; in the planted one the small network is trained here.
    """
    table = pd.read_csv(HERE / "class_dependence" / f"{LARGER[world]}.csv")
    recall = table.groupby(["regularizer", "strength", "class"]).accuracy.mean()
    small = _small_planted(world, folder) if world.startswith("planted") else _small_photos(world, folder, photos)
    rows = []
    for arm, cost in small.items():
        ((name, value),) = arm
        larger = recall[name, 1.0 if name == "random_resized_crop" else 0.0] - recall[name, value]
        key = {"world": f"{world} larger", "augmentation": name}
        rows += [key | {"class": label, "truth": larger[label], "smaller": lost} for label, lost in cost.items()]
    return pd.DataFrame(rows)


_Cost = Mapping[tuple[tuple[str, float], ...], Mapping[str, float]]


def _small_photos(world: str, folder: Path, photos: Path | None) -> _Cost:
    own = Trainings(world, folder, photos)
    found = truth(own)["truth"]
    return {tuple(arm.items()): dict(zip(own.names, lost, strict=True))
            for arm, lost in zip(STRONGEST[:2], found[:2], strict=True)}  # fmt: skip


def _small_planted(world: str, folder: Path) -> _Cost:
    path = folder / f"small-{world.replace(':', '-')}.csv"
    if not path.exists():
        train, _, test, names = parts(world, None)
        recalls = {"-".join(arm) or "none": _recall(arm, train, test) for arm in ARMS[:3]}
        pd.DataFrame(recalls, index=list(names)).to_csv(path)
    table = pd.read_csv(path, index_col=0)
    return {tuple(arm.items()): dict(table["none"] - table["-".join(arm)]) for arm in STRONGEST[:2]}


def finer(own: Trainings) -> None:
    """Train the small network on images of 128 pixels, one training an arm, and keep its recall on test images."""
    train, test = _fine(own)
    for arm in ARMS:
        path = _fine_path(own, arm)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, _recall(arm, train, test))


def _fine_path(own: Trainings, arm: Mapping[str, float]) -> Path:
    return own.place / "practice" / f"fine-{'-'.join(arm) or 'none'}.npy"


def _recall(values: Mapping[str, float], train: Images, test: Images) -> np.ndarray:
    """Return the recall of every class after training from scratch."""
    began, labels = time.perf_counter(), test.labels.numpy()
    network = untrained(int(labels.max()) + 1, CHOICE_SEEDS[0])
    found = log_probabilities(fit(network, train, RECIPE, _augment(values), seed=CHOICE_SEEDS[0]), test)
    print(f"{dict(values)} {time.perf_counter() - began:.0f} s", flush=True)
    right: np.ndarray = np.bincount(labels, weights=found.argmax(1) == labels) / np.bincount(labels)
    return right


def _fine(own: Trainings) -> tuple[Images, Images]:
    """Return the images of a synthetic world to train on and to test on, 128 pixels a side."""
    kind, seed = own.name.split(":")
    held = ANALYZED + TESTED
    both = [
        PlantedWorld(int(seed), part, count, FINE, counts=COUNTS)
        if kind == "planted"
        else FamilyWorld(kind, int(seed), FINE, part, count, FAMILY_COUNTS)
        for part, count in (("train", TRAIN), ("test", held))
    ]
    train, rest = (_images(data) for data in both)
    return train, gather(rest, range(len(own.names)), ANALYZED, held)


def _images(data: PlantedWorld | FamilyWorld) -> Images:
    size = Preprocessing(image_size=(FINE, FINE), resize=None, mean=MEAN, std=STD)
    pixels = np.stack([resize_and_crop(data[row].image, size) for row in range(len(data))])
    return Images(torch.from_numpy(pixels), torch.tensor(data.labels), MEAN, STD)


def written(own: Trainings) -> pd.DataFrame:
    """Return one row an augmentation and class of a world: what training cost, and what every design says."""
    columns = truth(own) | without_training(own)
    for design in (*DESIGNS, HEAD):
        columns |= {f"{design} | {score}": found for score, found in losses(own, design).items()}
    fine = [_fine_path(own, arm) for arm in ARMS]
    if all(path.exists() for path in fine):
        clean, *others = (np.load(path) for path in fine)
        columns["truth at 128 px"] = np.stack([clean - other for other in others])
    keys = [{"world": own.name, "augmentation": name, "class": label} for name in AUGMENTATIONS for label in own.names]
    return pd.DataFrame(keys).assign(**{name: values.ravel() for name, values in columns.items()})


def main() -> None:
    """Train, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["run", "larger", "finer", "write"])
    parser.add_argument("worlds", nargs="*", default=[*CHOOSING, *MEASURING])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--designs", nargs="*", default=[*DESIGNS, HEAD])
    options = parser.parse_args()
    torch.set_num_threads(1)
    worlds = [Trainings(name, options.folder, options.photos) for name in options.worlds]
    if options.part == "write":
        write(worlds, options.folder, options.photos)
    elif options.part == "larger":
        for world in LARGER:
            small_network(world, options.folder, options.photos)
    else:
        for own in worlds:
            finer(own) if options.part == "finer" else run_designs(own, options.designs)


def run_designs(own: Trainings, designs: Sequence[str]) -> None:
    """Train all arms of some designs."""
    for design in designs:
        for arm in ARMS:
            predicted(own, design, arm)


def write(worlds: Sequence[Trainings], folder: Path, photos: Path | None) -> None:
    """Write the table; rows of worlds that are not named stay."""
    path = HERE / "practice.csv"
    tables = [written(own) for own in worlds if truth_is_there(own)]
    tables += [small_network(world, folder, photos) for world in LARGER]
    table = pd.concat(tables)
    if path.exists():
        old = pd.read_csv(path)
        table = pd.concat([old[~old.world.isin(table.world)], table])
    table.to_csv(path, index=False, float_format="%.3g")


def truth_is_there(own: Trainings) -> bool:
    """Return whether a world has trainings with every augmentation."""
    return own.place.exists() and all(Trial(own.policy(arm), CHOICE_SEEDS[0]) in own.store for arm in ARMS)


if __name__ == "__main__":
    main()
