"""Choose the constants of the verdicts on even planted worlds, and measure the verdicts on odd ones.

``python benchmarks/labels.py calibrate FOLDER`` prints the SCALES of ``cuesense/analysis/hypotheses.py`` from the
networks of even seeds; ``python benchmarks/labels.py measure FOLDER`` prints the table of ``docs/method.md`` from those
of odd seeds. ``label_worlds.py`` fills the folder. ``python benchmarks/labels.py statistics`` needs no networks.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

import numpy as np
from scipy.optimize import minimize_scalar

from cuesense import registry
from cuesense.analysis import hypotheses
from cuesense.analysis.build_profile import analyze_predictions
from cuesense.analysis.cues import name_cues
from cuesense.analysis.evidence import Evidence, Measured, adjusted, gather
from cuesense.analysis.hypotheses import CUES_LEFT, HYPOTHESES, SCALES, SLOPE, Hypothesis, Scale, verdict_of
from cuesense.perturbations.ablations import ALL_REMOVED, SHAM, Ablation
from cuesense.planted.classes import PlantedClass
from cuesense.planted.world import load
from cuesense.policies.budgets import Levels
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.stats.intervals import ratio_interval, wilson
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import ClassCue, Condition, Cue, CueVerdict, Perturbation

CUES = (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE)
SINGLE = frozenset({CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR})
OWN = (CueVerdict.REDUNDANT, CueVerdict.MIXED, CueVerdict.UNDETERMINED)
SLOPES = (20.0, 30.0, 50.0, 80.0)
RECOGNIZED = 0.6
LEARNED, SHORTCUT = 0.5, 0.8
REPEATS = 3


def measured_conditions(
    applied: Iterable[tuple[str, float]],
) -> tuple[tuple[Perturbation, ...], tuple[Condition, ...]]:
    """Return the perturbations with the ladders that were applied, and the conditions, the clean one first."""
    ladders: dict[str, list[float]] = {}
    severities = []
    for name, value in applied:
        ladders.setdefault(name, []).append(value)
        severities.append((name, len(ladders[name])))
    found = {name: replace(registry.get("perturbations", name), ladder=tuple(part)) for name, part in ladders.items()}
    return tuple(found.values()), (Condition(), *(Condition(found[name], severity) for name, severity in severities))


@dataclass(frozen=True)
class Network:
    """The kept predictions of one network."""

    name: str
    path: Path

    @cached_property
    def stored(self) -> dict[str, np.ndarray]:
        """The arrays of its file."""
        with np.load(self.path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    @property
    def side(self) -> int:
        """Side of its images in pixels."""
        return int(self.name.rsplit("-", 1)[1])

    @property
    def seed(self) -> int:
        """Its world."""
        return int(self.name.split("-")[-2])

    @property
    def truth(self) -> list[CueVerdict]:
        """The planted labels."""
        return [CueVerdict(str(label)) for label in self.stored["truth"]]

    def choose(self, images: int | None, draw: int) -> np.ndarray:
        """Return places of this many images of each class, or of all."""
        labels, random = self.stored["labels"], np.random.default_rng(draw)
        if images is None:
            return np.arange(len(labels))
        classes = range(len(self.stored["names"]))
        return np.sort(np.concatenate([random.permutation(np.flatnonzero(labels == c))[:images] for c in classes]))

    def predictions(self, places: np.ndarray) -> Predictions:
        """Return the predictions for some images, the prior correction made for them alone."""
        labels = self.stored["labels"][places].astype(np.int64)
        names = tuple(map(str, self.stored["names"]))
        known = registry.names("perturbations")
        rows = [(row, str(name), float(value)) for row, (name, value) in enumerate(self.stored["doses"])]
        rows = [(row, name, value) for row, name, value in rows if name == "clean" or name in known]
        perturbations, conditions = measured_conditions([(name, value) for _, name, value in rows[1:]])
        return Predictions(
            class_names=names,
            output_names=names,
            outputs=tuple(range(len(names))),
            sample_ids=[str(place) for place in places],
            perturbations=perturbations,
            conditions=conditions,
            per_condition=tuple(self._answers(row, places, labels) for row, _, _ in rows),
            side=self.side,
        )

    def _answers(self, row: int, places: np.ndarray, labels: np.ndarray) -> ConditionPredictions:
        scores = self.stored["scores"][row][places].astype(np.float32)
        classes = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
        prior = np.bincount(labels, minlength=scores.shape[1]) / len(labels)
        predicted = self.stored["predicted"][row][places].astype(np.int64)
        return ConditionPredictions(labels, predicted, prior_corrected(scores, classes, prior))

    @cache  # noqa: B019 - a benchmark ends with its networks
    def evidence(self, images: int | None, draw: int) -> Evidence:
        """Return the evidence of some images a class."""
        return gather(self.predictions(self.choose(images, draw)), 0.95)

    def hypotheses(self) -> list[Hypothesis]:
        """Return which cues each class really relies on: as planted, unless the counterfactual images show otherwise.

        A planted cue counts as not learned below half of the clean recall, one that was not planted as a shortcut
        above four fifths.
        """
        world = load(str(self.stored["spec"]).partition(":")[2])
        recall = self.stored["cf"] / np.maximum(self.stored["cf"][7], 1e-9)
        return [needed(member, recall[:, index], LEARNED, SHORTCUT) for index, member in enumerate(world.classes)]


def needed(member: PlantedClass, recall: np.ndarray, learned: float, shortcut: float) -> Hypothesis:
    """Return which cues a class really relies on, from its relative recall on counterfactual images, (8,)."""
    carriers, every = frozenset(member.carriers), {left for hypothesis in HYPOTHESES for left in hypothesis}
    holds = {frozenset(Cue)}
    for left in every:
        planted = bool(left & carriers) if member.truth is CueVerdict.REDUNDANT else carriers <= left
        share = recall[sum(1 << place for place, cue in enumerate(CUES) if cue in left)]
        if share >= (learned if planted else shortcut):
            holds |= {more for more in every if left <= more}
    return frozenset(holds)


def networks(folder: Path, odd: bool, weak: bool = False) -> list[Network]:
    """Return the networks of even or odd seeds; weak ones have a name of their own."""
    found = [Network(path.stem, path) for path in sorted(folder.glob("*.npz")) if not path.stem.endswith("seed1")]
    return [network for network in found if network.seed % 2 == odd and network.name.startswith("weak") == weak]


def calibrate(chosen: Sequence[Network]) -> tuple[float, ...]:
    """Return the thresholds from which on the answers best tell what is kept, by balanced logistic loss."""
    return tuple(_threshold(*_answers(chosen, ablation)) if ablation != ALL_REMOVED else 0.5 for ablation in CUES_LEFT)


def _answers(chosen: Sequence[Network], ablation: Ablation) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct share of every class that is recognized, and whether the cues it relies on are left."""
    rows = [
        (evidence.shares[ablation].distinct[index], CUES_LEFT[ablation] in hypothesis)
        for network in chosen
        for evidence in (network.evidence(None, 0), network.evidence(20, 7))
        for index, hypothesis in enumerate(network.hypotheses())
        if network.truth[index] is not CueVerdict.UNDETERMINED and evidence.recognized[index] >= RECOGNIZED
    ]
    share, kept = np.array(rows).T
    return share[~np.isnan(share)], kept[~np.isnan(share)] > 0


def _threshold(share: np.ndarray, kept: np.ndarray) -> float:
    weight = np.where(kept, 0.5 / kept.mean(), 0.5 / (1 - kept.mean()))

    def loss(threshold: float) -> float:
        wrong = np.where(kept, threshold - share, share - threshold)
        return float((weight * np.logaddexp(0, SLOPE * wrong)).sum())

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)


def left_out(chosen: Sequence[Network]) -> None:
    """Print how good the labels are on worlds that the thresholds were not chosen on."""
    others = {n.seed: calibrate([other for other in chosen if other.seed != n.seed]) for n in chosen}
    for slope in SLOPES:
        planted: list[CueVerdict] = []
        given: list[CueVerdict] = []
        for network in chosen:
            scale = (Scale(np.inf, others[network.seed]),)
            with mock.patch.multiple(hypotheses, SCALES=scale, SLOPE=slope):
                planted += network.truth
                given += [answer.cue for answer in labels(network, 50, 1)]
        sure = [(a, b) for a, b in zip(planted, given, strict=True) if b is not CueVerdict.UNDETERMINED]
        wrong = np.mean([a is not b for a, b in sure])
        print(f"  slope {slope:g}: F1 {f1(planted, given):.3f}, wrong {wrong:.3f}, given {len(sure) / len(given):.2f}")


def f1(truth: Sequence[CueVerdict], given: Sequence[CueVerdict]) -> float:
    """Return the mean over the true labels of F1."""
    pairs = list(zip(truth, given, strict=True))
    parts = []
    for label in set(truth):
        hits = sum(one is other is label for one, other in pairs)
        parts.append(2 * hits / (truth.count(label) + given.count(label)))
    return float(np.mean(parts))


def labels(network: Network, images: int | None, draw: int) -> list[ClassCue]:
    """Label the classes of a network from some images each."""
    return name_cues(network.evidence(images, draw), tuple(map(str, network.stored["names"])))


def judged(
    chosen: Iterable[Network], images: int | None
) -> tuple[list[CueVerdict], list[CueVerdict], list[CueVerdict]]:
    """Return planted, really needed and given labels of all classes."""
    planted: list[CueVerdict] = []
    needed: list[CueVerdict] = []
    given: list[CueVerdict] = []
    for network in chosen:
        real = [
            label if label is CueVerdict.UNDETERMINED else verdict_of(hypothesis)
            for label, hypothesis in zip(network.truth, network.hypotheses(), strict=True)
        ]
        for draw in range(REPEATS if images else 1):
            planted += network.truth
            needed += real
            given += [answer.cue for answer in labels(network, images, draw)]
    return planted, needed, given


def summary(chosen: Sequence[Network], images: int | None) -> str:
    """Return one row of the table."""
    planted, needed, given = judged(chosen, images)
    sure = [(a, b, c) for a, b, c in zip(planted, needed, given, strict=True) if c is not CueVerdict.UNDETERMINED]
    single = [(a, b, c) for a, b, c in sure if c in SINGLE]
    own = {
        label: np.mean([b is label for a, b in zip(planted, given, strict=True) if a is label])
        for label in OWN
        if label in planted
    }
    wrong = np.mean([a is not c for a, _, c in single]) if single else np.nan
    really = np.mean([b is not c for _, b, c in single]) if single else np.nan
    any_wrong = np.mean([a is not c for a, _, c in sure]) if sure else np.nan
    any_really = np.mean([b is not c for _, b, c in sure]) if sure else np.nan
    parts = [f"{value:.3f}" for value in (f1(planted, given), f1(needed, given), wrong, really, any_wrong, any_really)]
    parts += [f"{own[label]:.2f}" if label in own else "-" for label in OWN]
    return " | ".join([*parts, f"{len(sure) / len(given):.2f}", str(len(given))])


def judge_all(folder: Path) -> None:
    """Print every measure on odd seeds."""
    every = networks(folder, odd=True)
    partial = [n for n in every if n.name.startswith(("no", "one"))]
    full = [n for n in every if n not in partial]
    groups: dict[str, list[Network]] = {
        "all networks": full,
        "32 px": [n for n in full if n.side == 32],
        "64 and 128 px": [n for n in full if 48 < n.side < 160],
        "224 px": [n for n in full if n.side == 224],
        "a cue group missing or of one class": partial,
        "weak networks": networks(folder, odd=True, weak=True),
    }
    head = "images | F1 | F1, needed | wrong single | needed | wrong | needed | redundant | mixed | null | given | n"
    print(f"worlds | {head}")
    for name, chosen in groups.items():
        for images in (50, 20):
            if chosen:
                print(f"{name} | {images} | {summary(chosen, images)}", flush=True)
    print("networks:", ", ".join(n.name for n in every))
    agreement(folder, full)
    sham(full)


def kappa(first: Sequence[CueVerdict], second: Sequence[CueVerdict]) -> float:
    """Return Cohen's kappa (1960, Educational and Psychological Measurement 20:37)."""
    same = np.mean([a is b for a, b in zip(first, second, strict=True)])
    chance = sum(first.count(label) * second.count(label) for label in CueVerdict) / len(first) ** 2
    return float((same - chance) / (1 - chance))


def agreement(folder: Path, full: Sequence[Network]) -> None:
    """Print how labels agree between halves of the images and between seeds of the perturbations."""
    halves: tuple[list[CueVerdict], list[CueVerdict]] = ([], [])
    for network in full:
        counts, order = network.stored["labels"], np.random.default_rng(0).permutation(len(network.stored["labels"]))
        ranked = np.array([np.sum(counts[order[:place]] == counts[order[place]]) for place in range(len(order))])
        for part, labels_of_half in enumerate(halves):
            places = np.sort(order[ranked % 2 == part])
            found = gather(network.predictions(places), 0.95)
            labels_of_half += [a.cue for a in name_cues(found, tuple(map(str, network.stored["names"])))]
    print(f"kappa between halves of the images: {kappa(*halves):.3f}")
    seeds: tuple[list[CueVerdict], list[CueVerdict]] = ([], [])
    for path in sorted(folder.glob("*-seed1.npz")):
        pair = (Network(path.stem.removesuffix("-seed1"), path.with_name(path.name.replace("-seed1", ""))), None)
        other = Network(path.stem.removesuffix("-seed1"), path)
        for found, network in zip(seeds, (pair[0], other), strict=True):
            found += [answer.cue for answer in labels(network, None, 0)]
    if seeds[0]:
        print(f"kappa between seeds of the perturbations: {kappa(*seeds):.3f}")


def sham(full: Sequence[Network]) -> None:
    """Print how often one sham is taken for a cue's suppression against the other at a false discovery rate of 10 %."""
    found, total = 0, 0
    for network in full:
        predictions = network.predictions(network.choose(None, 0))
        q = adjusted({Cue.COLOR: Measured(predictions, 0.95).necessary(SHAM[Cue.COLOR], SHAM[Cue.SHAPE])})[Cue.COLOR]
        found, total = found + int((q <= 0.1).sum()), total + len(q)
    print(f"a translation taken for a cue against the tile jitter: {found} of {total}")


def statistics() -> None:
    """Print the coverage of the shares' intervals, and the time that statistics take."""
    random = np.random.default_rng(0)
    for images in (10, 20, 50, 100, 500):
        inside, count = 0, 0
        for share in (0.05, 0.2, 0.5, 0.8, 0.95):
            kept = random.binomial(images, share, 20_000)
            low, high = wilson(kept, np.full(20_000, images), 0.95)
            inside, count = inside + int(((low <= share) & (share <= high)).sum()), count + 20_000
        print(
            f"coverage of 95 % intervals, n = {images}: {inside / count:.3f}; unpaired {unpaired(images, random):.3f}"
        )
    for classes, images, doses in ((1000, 50, 40), (500, 50, 40), (1000, 25, 40), (1000, 50, 20)):
        predictions = many(classes, images, doses, random)
        start = time.perf_counter()
        analyze_predictions(predictions, levels=Levels(0.05, 0.95), groups={})
        print(f"{classes} classes x {images} images x {doses} conditions: {time.perf_counter() - start:.2f} s")


def unpaired(images: int, random: np.random.Generator) -> float:
    """Return the coverage of the 95 % intervals of shares of which every part has images of its own."""
    draws, inside = 4000, []
    n = np.full(draws, images)
    for share, clean, floor in ((0.1, 0.9, 0.1), (0.3, 0.9, 0.05), (0.8, 0.95, 0.2), (0.3, 0.9, 0.5), (0.5, 0.9, 0.1)):
        part, whole, left = (
            random.binomial(images, p, draws) / images for p in (floor + share * (clean - floor), clean, floor)
        )
        value, low, high = ratio_interval(part, n, whole, n, left, n, 0.95)
        inside.append(np.mean(((low <= share) & (share <= high))[~np.isnan(value)]))
    return float(np.mean(inside))


def many(classes: int, images: int, doses: int, random: np.random.Generator) -> Predictions:
    """Return predictions of many classes at random."""
    names = tuple(f"class {index}" for index in range(classes))
    truth = np.repeat(np.arange(classes), images)
    wanted = [*CUES_LEFT, *SHAM.values()]
    every = (registry.get("perturbations", name) for name in registry.names("perturbations"))
    pool = [(perturbation.name, value) for perturbation in every for value in perturbation.ladder]
    chosen = list(dict.fromkeys([*wanted, *pool]))[: doses - 1]
    perturbations, conditions = measured_conditions(chosen)

    def answers(accuracy: float) -> ConditionPredictions:
        wrong = random.integers(classes, size=len(truth))
        predicted = np.where(random.random(len(truth)) < accuracy, truth, wrong)
        return ConditionPredictions(truth, predicted, predicted)

    return Predictions(
        names,
        names,
        tuple(range(classes)),
        [str(place) for place in range(len(truth))],
        perturbations,
        conditions,
        tuple(answers(0.9 if row == 0 else random.random()) for row in range(len(chosen) + 1)),
    )


def main() -> None:
    """Calibrate, measure the verdicts, or check the statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("calibrate", "measure", "statistics"))
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args()
    if options.job == "statistics":
        statistics()
        return
    if options.job == "measure":
        judge_all(options.folder)
        return
    every, lowest = networks(options.folder, odd=False), 0.0
    for scale in SCALES:
        chosen = [network for network in every if lowest <= network.side < scale.below]
        lowest = scale.below
        print(f"Scale({scale.below}, ({', '.join(f'{threshold:.2f}' for threshold in calibrate(chosen))})),")
        print("  #", ", ".join(network.name for network in chosen))
        left_out(chosen)


if __name__ == "__main__":
    main()
