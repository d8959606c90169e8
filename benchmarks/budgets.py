"""How well losses by training are forecast, on the networks that ``budget_worlds.py`` trained.

``python benchmarks/budgets.py adapt WORLD FOLDER`` tests each world's plain networks at every value, refits their
heads, and for the first seed tries the alternatives: fine-tuning and short trainings from scratch, at the same cost.
``python benchmarks/budgets.py measure FOLDER WORLD...`` prints the tables of ``docs/budgets.md``, ``figure`` draws its
pictures, and ``counts`` writes what every class got right in every training to a table.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from budget_worlds import LADDERS, SIDE, configurations, parts
from scipy.stats import pearsonr, spearmanr
from torch import Tensor, nn

from cuesense import registry
from cuesense.models.compact import build
from cuesense.perturbations.apply import perturb
from cuesense.policies.budgets import Levels, budget, forecast_budget
from cuesense.stats.over_seeds import auroc, recall
from cuesense.stats.training_loss import (
    Forecast,
    combine,
    forecast_from_heads,
    forecast_from_trainings,
    leaks,
    severity_shares,
)
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.features import features
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from cuesense.training.linear_probe import cross_fitted
from cuesense.types import Curve, Perturbation

TOLERANCE, CONFIDENCE = 0.05, 0.95
DOSES = [(name, value) for name, ladder in LADDERS.items() for value in ladder]
RIVALS: dict[str, tuple[bool, Recipe]] = {
    "fine-tuned 2 epochs, constant rate, averaged": (False, Recipe(2, 5e-4, cycle=False, average=True)),
    "fine-tuned 4 epochs": (False, Recipe(4, 1e-3)),
    "fine-tuned 4 epochs, small batches": (False, Recipe(4, 2e-3, batch_size=16)),
    "from scratch 4 epochs": (True, Recipe(4, 4e-3)),
    "from scratch 4 epochs, small batches": (True, Recipe(4, 2e-3, batch_size=16)),
}


@dataclass(frozen=True)
class World:
    """The trainings of one world."""

    folder: Path
    name: str

    @property
    def stem(self) -> str:
        """The name as it stands in file names."""
        return self.name.replace(":", "-")

    @cached_property
    def seeds(self) -> dict[int, dict[str, np.ndarray]]:
        """The stored arrays of every seed."""
        found = {}
        for path in sorted(self.folder.glob(f"{self.stem}_*.npz")):
            number = path.stem.rsplit("_", 1)[1]
            if number.isdigit():
                with np.load(path) as archive:
                    found[int(number)] = {name: archive[name] for name in archive.files}
        return found

    def adapted(self, seed: int) -> dict[str, np.ndarray] | None:
        """Return what was stored of a plain network at every value, or None."""
        path = self.folder / f"{self.stem}_{seed}_adapted.npz"
        if not path.exists():
            return None
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}

    @cached_property
    def names(self) -> list[str]:
        """The classes."""
        return [str(name) for name in next(iter(self.seeds.values()))["names"]]

    @property
    def cues(self) -> np.ndarray:
        """The cue group of each class; photographs are one group."""
        return np.array([name.split("-")[0] if self.name.startswith("planted") else "all" for name in self.names])

    def recall(self, seed: int, name: str) -> np.ndarray:
        """Return each class's recall on the test images, (C,)."""
        stored = self.seeds[seed]
        return recall(stored[name].argmax(axis=1)[None], stored["labels"], len(self.names))[0]

    def change(self, seed: int) -> np.ndarray:
        """Return what every value changed, (values, C)."""
        plain = self.recall(seed, "none")
        return np.stack([self.recall(seed, key(*dose)) - plain for dose in DOSES])

    def truth(self, without: tuple[int, ...] = ()) -> np.ndarray:
        """Return the mean loss over seeds, (values, C)."""
        return -np.mean([self.change(seed) for seed in self.seeds if seed not in without], axis=0)

    def answers(self, seeds: tuple[int, ...], name: str) -> np.ndarray:
        """Return the predicted classes of the analyzed images, (R, N)."""
        return np.stack([self.seeds[seed][f"analyzed {name}"].argmax(axis=1) for seed in seeds])

    def whole(self, seeds: tuple[int, ...], curves: dict[str, Curve]) -> dict[str, Forecast]:
        """Return the forecasts from trainings with these seeds."""
        labels, plain = self.seeds[seeds[0]]["analyzed_labels"], self.answers(seeds, "none")
        found = {}
        for name, curve in curves.items():
            strong = self.answers(seeds, key(name, LADDERS[name][-1]))
            found[name] = forecast_from_trainings(
                plain == labels, strong == labels, labels, severity_shares(curve), len(self.names)
            )
        return found

    def taken(self, seeds: tuple[int, ...], name: str) -> np.ndarray:
        """Return which class takes whose images at the strongest value, (C, C)."""
        labels = self.seeds[seeds[0]]["analyzed_labels"]
        strong = self.answers(seeds, key(name, LADDERS[name][-1]))
        return leaks(self.answers(seeds, "none"), strong, labels, len(self.names))


def key(name: str, value: float) -> str:
    """Return an augmentation's and value's name in the files."""
    return f"{name}={value}"


def entry(name: str) -> Perturbation:
    """Return an augmentation."""
    found: Perturbation = registry.get("perturbations", name)
    return found


def curves_of(adapted: dict[str, np.ndarray], classes: int) -> dict[str, Curve]:
    """Return the test-time counts of a plain network, one for each augmentation."""
    labels, clean = adapted["labels"], adapted["clean"] == adapted["labels"]

    def by_class(flags: np.ndarray) -> np.ndarray:
        return np.bincount(labels[flags], minlength=classes)

    found = {}
    for name, ladder in LADDERS.items():
        right = [adapted[f"under {key(name, value)}"] == labels for value in ladder]
        found[name] = Curve(
            entry(name),
            np.bincount(labels, minlength=classes),
            by_class(clean),
            np.stack([by_class(clean & ~row) for row in right]),
            np.stack([by_class(~clean & row) for row in right]),
        )
    return found


def heads_of(adapted: dict[str, np.ndarray], classes: int) -> dict[str, Forecast]:
    """Return the forecasts from refitted heads."""
    labels = adapted["labels"]
    plain = adapted["head none"] == labels
    return {
        name: forecast_from_heads(
            plain, np.stack([adapted[f"head {key(name, v)}"] == labels for v in ladder]), labels, classes
        )
        for name, ladder in LADDERS.items()
    }


def adapt(world: World, photos: Path | None) -> None:
    """Store what the plain networks of a world predict at every value, and with refitted heads."""
    train, analyzed, _, names = parts(world.name, photos)
    ids = [str(place) for place in range(len(analyzed))]
    for place, seed in enumerate(world.seeds):
        path = world.folder / f"{world.stem}_{seed}_adapted.npz"
        if path.exists():
            continue
        began = time.process_time()
        network = build(len(names), SIDE)
        network.load_state_dict(torch.load(world.folder / f"{world.stem}_{seed}.pt"))
        network.eval()

        def changed(name: str, value: float) -> Callable[[Tensor, int], Tensor]:
            return lambda pixels, start: perturb(entry(name), pixels, ids[start : start + len(pixels)], value)

        clean = features(network, analyzed, lambda pixels, _: pixels, "cpu")
        found = {"labels": analyzed.labels.numpy(), "clean": ask(network, clean)}
        found["head none"] = cross_fitted(clean, clean, analyzed.labels, len(names), 0.8)[0]
        for name, value in DOSES:
            seen = features(network, analyzed, changed(name, value), "cpu")
            found[f"under {key(name, value)}"] = ask(network, seen)
            found[f"head {key(name, value)}"] = cross_fitted(clean, seen, analyzed.labels, len(names), 0.8)[0]
        found["head seconds"] = np.array(time.process_time() - began)
        if place == 0:
            for rival, (scratch, recipe) in RIVALS.items():
                found |= try_rival(rival, network, scratch, recipe, train, analyzed)
        np.savez_compressed(path, **found)
        print(f"{path.stem} {time.process_time() - began:.0f} s", flush=True)


def ask(network: nn.Module, seen: Tensor) -> np.ndarray:
    """Return the predicted classes from features."""
    with torch.inference_mode():
        return network[-1](seen).argmax(dim=1).numpy()  # type: ignore[index, no-any-return]


def try_rival(
    rival: str, network: nn.Module, scratch: bool, recipe: Recipe, train: Images, analyzed: Images
) -> dict[str, np.ndarray]:
    """Return the predictions of short trainings with every value, and without augmentation."""
    found = {}
    for name, doses in configurations():
        if name == "usual":
            continue
        torch.manual_seed(7)
        own = build(network[-1].out_features, SIDE) if scratch else copy.deepcopy(network)  # type: ignore[index, arg-type]
        augment = PolicyAugmentation.from_values(doses) if doses else None
        fitted = fit(own.requires_grad_(True), train, recipe, augment, seed=7)
        found[f"{rival} {name}"] = log_probabilities(fitted, analyzed).argmax(axis=1)
    return found


@dataclass(frozen=True)
class Skill:
    """How well losses were forecast: rank correlation, the same within a cue group (r), AUROC, slope, mean error."""

    spearman: float
    within: float
    auroc: float
    slope: float
    error: float


def skill(forecast: np.ndarray, truth: np.ndarray, cues: np.ndarray) -> Skill:
    """Compare forecast with real losses, (values, C) each."""
    centered = []
    for losses in (forecast, truth):
        parts_ = [
            losses[:, cues == cue] - losses[:, cues == cue].mean(axis=1, keepdims=True) for cue in np.unique(cues)
        ]
        centered.append(np.concatenate([part.ravel() for part in parts_]))
    area = auroc(forecast.ravel(), (truth > TOLERANCE).ravel())
    return Skill(
        float(spearmanr(forecast.ravel(), truth.ravel())[0]),
        float(pearsonr(*centered)[0]),
        np.nan if area is None else area,
        float(np.polyfit(forecast.ravel(), truth.ravel(), 1)[0]),
        float(np.abs(forecast - truth).mean()),
    )


def stacked(found: dict[str, Forecast]) -> np.ndarray:
    """Return the losses of all values, (values, C)."""
    return np.concatenate([found[name].loss for name in LADDERS])


def forecasts(world: World, seeds: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the losses that each method forecasts from these seeds."""
    adapted, classes = world.adapted(seeds[0]), len(world.names)
    if adapted is None:
        return {}
    curves, heads = curves_of(adapted, classes), heads_of(adapted, classes)
    whole = world.whole(seeds, curves)
    labels = adapted["labels"]
    found = {
        "test-time drops": np.concatenate([(c.lost - c.gained) / c.n for c in curves.values()]),
        "refitted head": stacked(heads),
        "strongest dose trained": stacked(whole),
        "strongest dose trained, and head": stacked({name: combine(whole[name], heads[name]) for name in LADDERS}),
    }
    for rival in RIVALS:
        if f"{rival} none" in adapted and len(seeds) == 1:
            rate = {
                name: rates(adapted[f"{rival} {name}"], labels, classes)
                for name, _ in configurations()
                if name != "usual"
            }
            found[rival] = np.stack([rate["none"] - rate[key(*dose)] for dose in DOSES])
    return found


def rates(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return recalls, (C,)."""
    return recall(predicted[None], labels, classes)[0]


def measure(world: World) -> pd.DataFrame:
    """Return the skill of every method on a world, the mean over which seeds it was given; others are the truth."""
    rows = []
    for seed in world.seeds:
        truth = world.truth((seed,))
        rows.append(("one seed, every dose trained", skill(-world.change(seed), truth, world.cues)))
        rows += [(name, skill(losses, truth, world.cues)) for name, losses in forecasts(world, (seed,)).items()]
        pair = (seed, (seed + 1) % len(world.seeds))
        both = forecasts(world, pair).get("strongest dose trained, and head")
        if both is not None:
            rows.append(("the same with two seeds", skill(both, world.truth(pair), world.cues)))
    table = pd.DataFrame([{"method": name, **vars(found)} for name, found in rows])
    return table.groupby("method", sort=False).mean().round(2)


def budgets_table(world: World, runs: int, confidence: float = CONFIDENCE) -> dict[str, float]:
    """Return how budgets from forecasts and from test-time curves fared when trained at, on other seeds."""
    over, cells, ratios, test_time, inside, total, flagged = 0, 0, [], [], 0, 0, {"safe": [0, 0], "loses": [0, 0]}
    for seed in world.seeds:
        seeds = tuple((seed + step) % len(world.seeds) for step in range(runs))
        adapted = world.adapted(seed)
        if adapted is None:
            continue
        truth, classes = world.truth(seeds), len(world.names)
        curves, heads = curves_of(adapted, classes), heads_of(adapted, classes)
        whole = world.whole(seeds, curves)
        plain = world.answers(seeds, "none")
        accuracy = recall(plain, adapted["labels"], classes).mean(axis=0)
        for number, (name, ladder) in enumerate(LADDERS.items()):
            real = truth[4 * number : 4 * number + 4]
            both = combine(whole[name], heads[name])
            taken = world.taken(seeds, name)
            levels = Levels(TOLERANCE, confidence, risk=1 - confidence)
            found = forecast_budget(both, entry(name), world.names, taken, accuracy, levels=levels)
            old = budget(curves[name], Levels(TOLERANCE, CONFIDENCE), [[None] * classes] * len(ladder))
            low, high = both.bounds(0.9)
            inside += int(((np.maximum(real, 0) >= low - 1e-9) & (np.maximum(real, 0) <= high + 1e-9)).sum())
            total += real.size
            risk = both.risk(TOLERANCE)
            for kind, chosen in (("safe", risk <= 1 - confidence), ("loses", risk >= 0.8)):
                flagged[kind][0] += int((real > TOLERANCE)[chosen].sum())
                flagged[kind][1] += int(chosen.sum())
            for index in range(classes):
                safe = np.logical_and.accumulate(real[:, index] <= TOLERANCE).sum()
                given = 0 if found[index].value is None else ladder.index(found[index].value) + 1
                before = old[index].certified
                if given:
                    cells += 1
                    over += real[given - 1, index] > TOLERANCE
                if safe:
                    ratios.append(min(given / safe, 1))
                    test_time.append(min(before / safe, 1))
    return {
        "cells with a budget": cells,
        "over tolerance": over / max(cells, 1),
        "median budget / oracle": float(np.median(ratios)),
        "mean": float(np.mean(ratios)),
        "test-time median": float(np.median(test_time)),
        "test-time mean": float(np.mean(test_time)),
        "range holds": inside / max(total, 1),
        "flagged safe, over": flagged["safe"][0] / max(flagged["safe"][1], 1),
        "share flagged safe": flagged["safe"][1] / max(total, 1),
        "flagged losing, over": flagged["loses"][0] / max(flagged["loses"][1], 1),
        "share flagged losing": flagged["loses"][1] / max(total, 1),
    }


def counts(worlds: list[World]) -> pd.DataFrame:
    """Return what every class got right in every training, and how often it was claimed."""
    rows = []
    for world in worlds:
        for seed, stored in world.seeds.items():
            for name, _ in configurations():
                predicted, labels = stored[name].argmax(axis=1), stored["labels"]
                for index, label in enumerate(world.names):
                    own = labels == index
                    right, claimed = int((predicted[own] == index).sum()), int((predicted == index).sum())
                    rows.append((world.name, seed, name, label, int(own.sum()), right, claimed))
    return pd.DataFrame(rows, columns=["world", "seed", "training", "class", "images", "right", "claimed"])


def main() -> None:
    """Run one job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("adapt", "measure", "counts"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("worlds", nargs="+")
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    worlds = [World(options.folder, name) for name in options.worlds]
    if options.what == "counts":
        counts(worlds).to_csv(options.folder / "counts.csv", index=False)
        return
    for world in worlds:
        if options.what == "adapt":
            adapt(world, options.photos)
            continue
        print(f"\n{world.name}: {len(world.seeds)} seeds\n{measure(world).to_string()}")
        for runs, confidence in ((1, 0.95), (2, 0.95), (2, 0.8), (2, 0.55)):
            found = budgets_table(world, runs, confidence)
            print(f"budgets, {runs} seed(s), {confidence}:", {k: round(float(v), 3) for k, v in found.items()})


if __name__ == "__main__":
    main()
