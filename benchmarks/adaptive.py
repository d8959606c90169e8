"""How many forward passes looks at growing parts of the images save, and how many answers are those of the full run.

``python benchmarks/adaptive.py FOLDER... --orders 5`` reads folders of ``cuesense analyze`` with all images under all
conditions (and the images, by which stored predictions are found), and replays each of them: the plan of
``cuesense/adaptive`` is given the predictions that it wants and no others, with a prior correction of these alone, in
several orders of the images. It prints, for cues and for budgets, the share of the full run's predictions that was
wanted, and the share of the classes (classes and augmentations) to which the analysis of that part gives the full run's
cue (budget: value and status), as ``cuesense analyze --adaptive`` does; how many times as wide the intervals of what
classes keep are then (median).
Then it asks whether the agreement of simulated runs means what it says: over all answers of all looks, by agreement,
how many were the full run's.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from cuesense.adaptive.budgets import answer_of
from cuesense.adaptive.cues import VERDICTS, cue_conditions
from cuesense.adaptive.looks import places
from cuesense.adaptive.plan import VERSIONS, Plan, first_plan, next_plan, seen_under, weights
from cuesense.analysis.build_profile import analyze_predictions
from cuesense.arrays import Bools, Floats, Ints
from cuesense.datasets.classes import match_classes, read_class_names
from cuesense.datasets.load import load_dataset
from cuesense.inference.options import RunOptions
from cuesense.inference.units import Identities, Run
from cuesense.policies.budgets import Levels
from cuesense.predictions.outcomes import ConditionOutcomes, Outcomes
from cuesense.predictions.predictions import ConditionPredictions, Predictions, of_condition
from cuesense.predictions.shards import FOLDER, OutcomeStore
from cuesense.predictions.table import read
from cuesense.schemas.profile import Profile
from cuesense.stats.prior_correction import prior_corrected
from cuesense.training.setup import profile_preprocessing
from cuesense.types import Classifier, ClassNames, Role

LEVELS = Levels(0.05, 0.95)
BINS = (0.0, 0.6, 0.8, 0.9, 0.97, 1.0)


@dataclass(frozen=True)
class FullRun:
    """All predictions of a run, the scores that they follow from, (M, N, m), and its answers, (C,)."""

    predictions: Predictions
    scores: np.ndarray
    classes: np.ndarray
    cues: Ints
    budgets: dict[str, Ints]
    widths: Floats

    @property
    def labels(self) -> Ints:
        """The class of each image, (N,)."""
        return self.predictions.per_condition[0].labels

    @property
    def images(self) -> Ints:
        """Images of each class, (C,)."""
        return np.bincount(self.labels, minlength=len(self.predictions.class_names))


def full_run(folder: Path) -> FullRun:
    """Read an output folder of ``cuesense analyze``; a network of more outputs than classes is one of ImageNet's."""
    predictions, _ = read(folder / "predictions.parquet", None, None)
    settings = json.loads((folder / FOLDER / "settings.json").read_text(encoding="utf-8"))
    profile = Profile.read(folder)
    dataset, names = load_dataset(profile.provenance.dataset.spec), ClassNames(predictions.output_names)
    outputs = predictions.outputs
    if len(names.names) > len(outputs):
        names = read_class_names("imagenet")
        outputs = match_classes(dataset.class_names, names)
    classifier = Classifier("", "", lambda images: images, profile_preprocessing(profile), class_names=names)
    run = Run(classifier, dataset, outputs, predictions.conditions, RunOptions())
    store = OutcomeStore.open(folder / FOLDER, settings)
    known_outcomes = Outcomes(store, Identities(run, store).wanted())
    ids = sorted(dataset.sample_ids)
    row_of = {ids[position]: row for row, position in enumerate(known_outcomes.images.positions.tolist())}
    order = [row_of[name] for name in predictions.sample_ids]
    outcomes = list(known_outcomes.conditions(range(len(predictions.conditions))))
    return FullRun(
        predictions,
        np.stack([outcome.scores[order] for outcome in outcomes]),
        np.stack([outcome.classes[order] for outcome in outcomes]),
        *answers_of(predictions),
    )


def known(run: FullRun, seen: Bools, rng: np.random.Generator | None) -> Predictions:
    """Return the predictions of a part alone, (M, N) says which, with a prior correction of that part."""
    prior = run.images / run.images.sum()
    per_condition, cues = [], cue_conditions(run.predictions)
    for row, (given, under) in enumerate(zip(run.predictions.per_condition, seen, strict=True)):
        part = np.flatnonzero(under)
        counted = weights(run.labels, under, run.images, rng)
        predicted, corrected = np.full((2, len(run.labels)), -1)
        predicted[part] = given.predicted[part]
        # Budgets rest on raw predictions, and what is seen whole has the full run's correction.
        if row in cues and len(part) < len(run.labels):
            corrected[part] = prior_corrected(run.scores[row][part], run.classes[row][part], prior, counted)
        elif given.corrected is not None:
            corrected = given.corrected
        per_condition.append(ConditionPredictions(run.labels, predicted, corrected))
    return replace(run.predictions, per_condition=tuple(per_condition))


def answers_of(predictions: Predictions) -> tuple[Ints, dict[str, Ints], Floats]:
    """Return the cue of every class and its budgets, as whole numbers, and how wide the intervals of all shares are."""
    result = analyze_predictions(predictions, levels=LEVELS, groups={})
    budgets = {
        name: np.array([answer_of(b.severity, b.status) for b in found]) for name, found in result.budgets.items()
    }
    kept = [column.shares for column in result.graded.columns.values()]
    widths = np.concatenate([shares.high - shares.low for shares in kept])
    return np.array([VERDICTS.index(entry.cue) for entry in result.cues]), budgets, widths


def of_part(run: FullRun, seen: Bools) -> Predictions:
    """Return the predictions of a part alone, (M, N) says which, as an adaptive analysis has them."""
    every = np.arange(len(run.labels))
    found = []
    for row, (given, part) in enumerate(zip(run.predictions.per_condition, seen, strict=True)):
        outcome = ConditionOutcomes(
            given.predicted, np.empty(0), np.empty(0), run.scores[row], run.classes[row], None if part.all() else part
        )
        found.append(of_condition(outcome, every, run.labels, run.images))
    return replace(run.predictions, per_condition=tuple(found))


def replayed(run: FullRun, order: int) -> tuple[Plan, Bools, list[tuple[float, bool]], list[tuple[float, bool]]]:
    """Carry out plans in one order of the images.

    Returns:
        The last plan, what was predicted, (M, N), and of every answer at every look, of cues and of budgets, its
        agreement and whether it was the full run's.
    """
    place = places([f"{order} {key}" for key in run.predictions.sample_ids], run.labels)
    plan = first_plan(run.predictions.conditions, run.predictions.perturbations, run.images)
    cues, budgets = [], []
    while not plan.finished:
        before, seen = plan, seen_under(plan, run.labels, place)
        rng = np.random.default_rng([order, before.look])
        versions = [known(run, seen, draw) for draw in (None, *[rng] * (VERSIONS - 1))]
        plan = next_plan(before, versions, place, LEVELS, order)
        asked = ~before.cue_settled
        cues += _told(plan.cues.agreement[asked], (plan.cues.answer == run.cues)[asked])
        for name, truth in run.budgets.items():
            asked, found = ~before.budget_settled[name], plan.budgets[name]
            budgets += _told(found.agreement[asked], (found.answer == truth)[asked])
    return plan, seen, cues, budgets


def _told(agreement: Floats, right: Bools) -> list[tuple[float, bool]]:
    return list(zip(agreement.tolist(), right.tolist(), strict=True))


def show(name: str, run: FullRun, orders: Sequence[int]) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
    """Print what is saved and what is the same, on average over orders; return the answers of all looks."""
    roles = [None if c.perturbation is None else c.perturbation.role for c in run.predictions.conditions]
    augmented = np.array([role is Role.AUGMENTATION for role in roles])
    ablated = np.array([role not in (None, Role.AUGMENTATION) for role in roles])
    rows, cues, budgets = [], [], []
    for order in orders:
        began = time.process_time()
        plan, seen, of_cues, of_budgets = replayed(run, order)
        found_cues, found_budgets, widths = answers_of(of_part(run, seen))
        same = np.array([found_budgets[augmentation] == truth for augmentation, truth in run.budgets.items()])
        shares = seen[ablated].mean(), (found_cues == run.cues).mean(), seen[augmented].mean(), same.mean()
        wider = np.nanmedian(widths / run.widths)
        taken = time.process_time() - began
        rows.append((*shares, same.all(axis=0).mean(), seen.mean(), wider, plan.look, taken))
        cues, budgets = cues + of_cues, budgets + of_budgets
    found = " ".join(f"{value:8.3f}" for value in np.mean(rows, axis=0))
    print(f"{name:>24} {len(run.images):7d} {run.images.mean():6.0f} {found}", flush=True)
    return cues, budgets


def reliability(title: str, answers: Sequence[tuple[float, bool]]) -> None:
    """Print how many answers were the full run's, by the share of simulated runs that agreed."""
    agreement, right = np.array(answers, dtype=np.float64).T
    print(f"\n{title}\n{'agreement':>12} {'answers':>8} {'mean':>6} {'right':>6}")
    edges = [(f"up to {high:g}", (agreement > low) & (agreement <= high)) for low, high in pairwise(BINS[:-1])]
    for label, chosen in (*edges, ("up to 1", (agreement > BINS[-2]) & (agreement < 1)), ("1", agreement == 1)):
        if chosen.any():
            print(f"{label:>12} {chosen.sum():8d} {agreement[chosen].mean():6.3f} {right[chosen].mean():6.3f}")


def main() -> None:
    """Replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--orders", type=int, default=5, help="orders of the images")
    options = parser.parse_args()
    columns = ("wanted", "cues", "wanted", "budgets", "all five", "in all", "wider", "looks", "CPU s")
    print(f"{'':>24} classes images {' '.join(f'{column:>8}' for column in columns)}")
    every = [
        show(folder.parent.name + "/" + folder.name, full_run(folder), range(options.orders))
        for folder in options.folders
    ]
    reliability("cues", [entry for cues, _ in every for entry in cues])
    reliability("budgets", [entry for _, budgets in every for entry in budgets])


if __name__ == "__main__":
    main()
