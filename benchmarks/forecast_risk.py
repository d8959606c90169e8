"""Whether the risks of forecasts hold: of the cells given at a risk, how many lose more than the tolerance in training.

``python benchmarks/forecast_risk.py WORLD... --folder FOLDER`` trains each value of crop and jitter that ``value.py``
knows, and flips, with seeds that no forecast used, and prints, for the forecast of ``recommend --train`` and for that
without any training: rank correlation with the real losses, area under the curve, and the cells (class and value)
over the tolerance by risk and at the budgets. FOLDER is that of ``value_training.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from value_profiles import profile, with_forecast
from value_training import MILDER, REPORTED_SEEDS, STRONGEST, Trainings
from value_worlds import ANALYZED

from cuesense.policies.expected_losses import ExpectedLosses, expected_losses
from cuesense.policies.policy import uniform
from cuesense.stats.over_seeds import auroc

TOLERANCE, RISK = 0.05, 0.2
BINS = (0.0, 0.05, 0.2, 0.5, 0.8, 1.0)
VALUES = (*STRONGEST, *MILDER)


def cells(own: Trainings, seeds: Sequence[int]) -> pd.DataFrame:
    """Return one row for each class, value and kind of forecast: expected loss, risk, and the real mean loss."""
    own.run(VALUES, seeds)
    known = profile(own)
    kinds = {"trained": with_forecast(known, own, ANALYZED), "no training": known}
    plain = own.recall({}, seeds).mean(axis=0)
    parts = []
    for kind, found in kinds.items():
        losses = expected_losses(found)
        for values in VALUES:
            ((name, value),) = values.items()
            real = plain - own.recall(values, seeds).mean(axis=0)
            parts.append(_rows(losses, own, kind, (name, value)).assign(real=real))
    return pd.concat(parts, ignore_index=True)


def _rows(losses: ExpectedLosses, own: Trainings, kind: str, value: tuple[str, float]) -> pd.DataFrame:
    cost = losses.of_policy(uniform(dict([value]), own.names))
    if cost is None:
        raise SystemExit(f"{value[0]} was not forecast.")
    cell = {"world": own.name, "kind": kind, "augmentation": value[0], "value": value[1]}
    return pd.DataFrame({"class": own.names, "loss": cost.loss[0], "risk": cost.risk(TOLERANCE)[0]}).assign(**cell)


def budgets(found: pd.DataFrame) -> tuple[int, float]:
    """Return how many classes and augmentations have a budget, and the share of these that lose more than accepted."""
    over = []
    for _, of_class in found.groupby(["world", "augmentation", "class"]):
        # Mild to strong: the loss in the table's order of values, from the identity on.
        ordered = of_class.sort_values("value", ascending=of_class["augmentation"].iloc[0] != "random_resized_crop")
        safe = int(np.logical_and.accumulate(ordered["risk"].to_numpy() <= RISK).sum())
        if safe:
            over.append(ordered["real"].iloc[safe - 1] > TOLERANCE)
    return len(over), float(np.mean(over)) if over else float("nan")


def show(found: pd.DataFrame, what: str) -> None:
    """Print the figures of some cells."""
    over = found["real"] > TOLERANCE
    area = auroc(found["loss"].to_numpy(), over.to_numpy())
    count, share = budgets(found)
    binned = pd.cut(found["risk"], BINS, include_lowest=True)
    risks = over.groupby(binned, observed=False).agg(["mean", "size"])
    text = ", ".join(f"{label}: {row['mean']:.2f} of {int(row['size'])}" for label, row in risks.iterrows())
    print(
        f"{what}: rank {spearmanr(found['loss'], found['real'])[0]:.2f}, AUROC {np.nan if area is None else area:.2f}; "
        f"budgets {count}, over {share:.1%}; over by risk: {text}",
        flush=True,
    )


def main() -> None:
    """Train, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", nargs="+")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts = [
        cells(Trainings(name, options.folder, options.photos), REPORTED_SEEDS[: options.seeds])
        for name in options.worlds
    ]
    every = pd.concat(parts, ignore_index=True)
    for kind, found in every.groupby("kind", sort=False):
        for name, of_world in found.groupby("world", sort=False):
            show(of_world, f"{name}, {kind}")
        show(found, f"all, {kind}")


if __name__ == "__main__":
    main()
