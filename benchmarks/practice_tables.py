"""The table of ``docs/class-dependence.md`` ("One checkpoint and no hours to train"), from ``practice.csv``.

``python benchmarks/practice_tables.py`` trains nothing. For every design the score (share recognized, mean probability,
mean log-probability, margin) is the one with the largest mean rank correlation in the worlds for choosing; figures of
the worlds for measuring are printed for that score alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from practice import ARMS, DESIGNS, HEAD, HERE, PASSES, SIDE
from scipy.stats import rankdata, spearmanr
from torch import nn
from value_training import RECIPE
from value_worlds import CHOOSING, WIDTHS

from cuesense.models.compact import build

TOLERANCE = 0.05
# What needs no training at all; directions that were published beside the project's own.
UNTRAINED: Mapping[str, str] = {
    "prior": "prior of drops at test time and lean to shape",
    "drop": "drop at test time",
    "error": "errors of the checkpoint (ambiguous classes lose; Kirichenko et al. 2023)",
    "lean shape": "lean to shape",
    "lean color": "lean to color",
    "lean texture": "lean to texture",
}
# The best design below a fifth of one training in the worlds for choosing; added to the prior, with weights from there.
BEST = "scratch 16 px, 12 | recall"


def multiplications(side: int, widths: tuple[int, ...]) -> int:
    """Return how often a network of ten classes multiplies for one image in a forward pass."""
    network, found = build(10, 2 * SIDE, widths).eval(), [0]

    def count(layer: nn.Conv2d, _: object, output: torch.Tensor) -> None:
        found[0] += layer.weight.numel() * output.shape[-1] * output.shape[-2]

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 3, side, side))
    return found[0]


def costs() -> dict[str, float]:
    """Return what all arms of each design cost, as a share of one training from scratch."""
    whole = RECIPE.epochs * multiplications(SIDE, WIDTHS)
    found = {
        name: len(ARMS) * design.recipe.epochs * multiplications(design.side, design.widths) / whole
        for name, design in DESIGNS.items()
    }
    # A pass forward alone; training passes count three times as much, backward passes being two.
    return found | {HEAD: (1 + PASSES * (len(ARMS) - 1)) / 3 / RECIPE.epochs}


def by_world(cells: pd.DataFrame, column: str, truth: str = "truth") -> pd.Series:
    """Return the rank correlation over augmentations and classes, one a world; worlds without figures are left out."""
    known = cells.dropna(subset=[column, truth])
    return pd.Series(
        {world: float(spearmanr(part[column], part[truth])[0]) for world, part in known.groupby("world", sort=False)},
        dtype=float,
    )


def within(cells: pd.DataFrame, column: str) -> float:
    """Return the mean rank correlation over the classes of one augmentation and world."""
    known = cells.dropna(subset=[column, "truth"])
    parts = known.groupby(["world", "augmentation"])
    return float(np.nanmean([spearmanr(part[column], part.truth)[0] for _, part in parts]))


def auroc(cells: pd.DataFrame, column: str, truth: str = "truth") -> float:
    """Return how well a figure tells the cells of all worlds that lose more than the tolerance from the others."""
    known = cells.dropna(subset=[column, truth])
    over = (known[truth] > TOLERANCE).to_numpy()
    ranks, count = rankdata(known[column]), int(over.sum())
    return float((ranks[over].sum() - count * (count + 1) / 2) / (count * (len(over) - count)))


def chosen(cells: pd.DataFrame, design: str) -> str | None:
    """Return the column of a design that ranks best in the worlds for choosing; None where it was not run there."""
    columns = [name for name in cells if name.startswith(f"{design} | ") and cells[name].notna().any()]
    return max(columns, key=lambda name: by_world(cells, name).mean(), default=None)


def combined(choosing: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    """Return the best design's figure and the prior, added with the weights that fit the worlds for choosing."""
    columns = [BEST, "prior"]
    known = choosing.dropna(subset=columns)
    weights = np.linalg.lstsq(known[columns].to_numpy(), known.truth.to_numpy(), rcond=None)[0]
    print(f"weights of the best design and the prior: {weights.round(2).tolist()}")
    return cells[columns] @ weights


def line(name: str, cost: float, cells: pd.DataFrame, column: str) -> dict[str, object]:
    """Return a row of the table."""
    found = by_world(cells, column)
    return {
        "design": name, "cost": f"{cost:.0%}", "worlds": len(found), "mean": found.mean(), "lowest": found.min(),
        "highest": found.max(), "within": within(cells, column), "AUROC": auroc(cells, column),
    }  # fmt: skip


def table(cells: pd.DataFrame, columns: Sequence[tuple[str, float, str]]) -> None:
    """Print how every design does, and world by world."""
    rows = [line(*entry[:2], cells, entry[2]) for entry in columns if cells[entry[2]].notna().any()]
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    print(pd.DataFrame({name: by_world(cells, column) for name, _, column in columns}).T.round(2).to_string())


def main() -> None:
    """Print all tables."""
    rows = pd.read_csv(HERE / "practice.csv")
    larger = rows[rows.world.str.endswith(" larger")]
    cells = rows.drop(larger.index)
    apart = cells.world.isin(CHOOSING)
    cells["combined"] = combined(cells[apart], cells)
    choosing, measuring = cells[apart], cells[~apart]
    columns = [(name, cost, chosen(choosing, name)) for name, cost in costs().items()]
    known = [(column, cost, column) for _, cost, column in columns if column is not None]
    known += [(words, 0.0, column) for column, words in UNTRAINED.items()]
    known += [("best design and prior", costs()[BEST.split(" | ")[0]], "combined")]
    for part, what in ((choosing, "choosing"), (measuring, "measuring")):
        print(f"\nWorlds for {what}")
        table(part, known)
    same = measuring.dropna(subset=[BEST, "prior"])
    print(f"\nOn the {same.world.nunique()} worlds for measuring with the best design")
    table(same, [("prior", 0.0, "prior"), (BEST, costs()[BEST.split(" | ")[0]], BEST), ("both", 0.0, "combined")])
    pair = ("seed 1000's forecast", "seed 1001's truth")
    print(f"ceiling: {by_world(measuring, *pair).round(2).to_dict()}, mean {by_world(measuring, *pair).mean():.2f}, "
          f"AUROC {auroc(measuring, *pair):.2f}")  # fmt: skip
    print(f"small network for the default one: {by_world(larger, 'smaller').round(2).to_dict()}, "
          f"AUROC {auroc(larger, 'smaller'):.2f}")  # fmt: skip
    if "truth at 128 px" in cells:
        print(f"64 for 128 pixels: {by_world(cells, 'truth', 'truth at 128 px').round(2).to_dict()}")


if __name__ == "__main__":
    main()
