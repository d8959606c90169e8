"""The tables of ``docs/class-dependence.md`` ("Who loses, and why") and the constants of ``stats/training_prior.py``.

From the two files that ``training_costs.py`` writes, nothing is trained: ``python benchmarks/training_costs_tables.py
prior`` fits and judges forecasts without training on the worlds for choosing, each left out once, and then on those for
measuring; ``lean`` prints rank correlations of what a profile knows with what training costs, world by world.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares, minimize
from scipy.special import expit, logit, ndtr
from scipy.stats import rankdata, spearmanr
from value_worlds import CHOOSING

HERE = Path(__file__).parent
# What changes nothing, and the strongest value that was trained with.
RANGES = {
    "random_resized_crop": (1.0, 0.08),
    "color_jitter": (0.0, 0.8),
    "random_erasing": (0.0, 0.33),
    "random_rotation": (0.0, 180.0),
    "horizontal_flip": (0.0, 0.5),
}
BLUR = {"random_gaussian_blur": (0.0, 0.036)}
INTERCEPTS = tuple(f"cost of {name}" for name in RANGES)
FORMS: Mapping[str, Sequence[str]] = {
    "augmentation": (),
    "augmentation, shape": ("shape",),
    "augmentation, drop": ("drop",),
    "augmentation, drop, shape": ("drop", "shape"),
    "augmentation, drop, mean drop": ("drop", "shared"),
    "augmentation, drop, mean drop, shape": ("drop", "shared", "shape"),
    "the same, mean error": ("drop", "shared", "shape", "error"),
    "the same, color and texture": ("drop", "shared", "shape", "color", "texture"),
    "the same, contrast": ("drop", "shared", "shape", "contrast"),
    "drop of jitter as well": ("drop", "shared", "shape", "jitter"),
}
CHOSEN = "augmentation, drop, mean drop, shape"
TOLERANCE = 0.05


def costs() -> pd.DataFrame:
    """Return one row a world, class and value: what training cost, and what the profile knew."""
    trained = pd.read_csv(HERE / "training_costs.csv")
    trained["recall"] = trained.right / trained.images
    recall = trained.groupby(["world", "training", "class"]).recall.mean().unstack("training")
    known = _known(pd.read_csv(HERE / "training_costs_profiles.csv"))
    parts = []
    for training in recall.columns.drop("none"):
        name, _, value = training.partition("=")
        if name in RANGES | BLUR and "+" not in training:
            parts.append(_cells(recall, known, name, float(value)))
    return pd.concat(parts)


def _known(counts: pd.DataFrame) -> pd.DataFrame:
    """Return what the profiles know, one row a world and class; drops without and with ("corrected") the correction."""
    drops = counts[counts.value > 0]
    clean = counts[counts.what == "clean"].set_index(["world", "class"])
    rest = counts[(counts.value == 0) & (counts.what != "clean")].pivot(
        index=["world", "class"], columns="what", values="number"
    )
    for column, prefix in (("raw", ""), ("number", "corrected ")):
        wide = drops.assign(
            key=prefix + drops.what + "=" + drops.value.map("{:g}".format), share=drops[column] / drops.images
        )
        rest = rest.join(wide.pivot(index=["world", "class"], columns="key", values="share"))
    return rest.assign(accuracy=clean.raw / clean.images)


def _cells(recall: pd.DataFrame, known: pd.DataFrame, name: str, value: float) -> pd.DataFrame:
    key = f"{name}={value:g}"
    loss = (recall["none"] - recall[key]).rename("loss").dropna()
    cells = known.join(loss, how="inner")
    identity, strongest = (RANGES | BLUR)[name]
    share = abs(value - identity) / abs(strongest - identity)
    cells = cells.assign(augmentation=name, at=value, part=share)
    for row in INTERCEPTS:
        cells[row] = share * (row == f"cost of {name}")
    drop = cells.get(key, pd.Series(np.nan, cells.index))
    cells["own drop"] = drop
    jitter = name == "color_jitter"
    cells["drop"], cells["jitter"] = (0.0, drop) if jitter else (drop, 0.0)
    cells["shared"] = _mean(cells["drop"])
    for cue in ("shape", "color", "texture"):
        cells[cue] = share * (_mean(cells[f"without_{cue}"]) - cells[f"without_{cue}"])
    cells["error"] = share * (1 - _mean(cells.accuracy))
    cells["contrast"] = share * cells["corrected contrast=0.8"]
    return cells


def _mean(values: pd.Series) -> pd.Series:
    return values.groupby("world").transform("mean")


def _recall(cells: pd.DataFrame) -> np.ndarray:
    return np.clip(cells.accuracy.to_numpy(), 0.01, 0.99)


def fitted(cells: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return the costs on the scale of log odds, by least squares on losses with a weak pull toward 0."""
    before, known, loss = _recall(cells), cells[list(columns)].to_numpy(), cells.loss.to_numpy()
    pull = np.sqrt([0.003 if name in INTERCEPTS else 0.01 for name in columns])

    def errors(weights: np.ndarray) -> np.ndarray:
        return np.r_[before - expit(logit(before) - known @ weights) - loss, pull * weights]

    found: np.ndarray = least_squares(errors, np.zeros(len(columns))).x
    return found


def forecast(cells: pd.DataFrame, columns: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Return the forecast losses."""
    before = _recall(cells)
    lost: np.ndarray = before - expit(logit(before) - cells[list(columns)].to_numpy() @ weights)
    return lost


def spread(cells: pd.DataFrame, sizes: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the error from the logarithms of seven sizes."""
    recall, names = _recall(cells), list(RANGES)
    of_augmentation = np.exp(sizes[[names.index(name) for name in cells.augmentation]])
    certain = np.exp(sizes[5])
    open_ = (certain + 4 * recall * (1 - recall)) / (1 + certain)
    part = 0.1 + 0.9 * cells.part.to_numpy()
    drop = np.exp(sizes[6]) * cells["own drop"].to_numpy()
    found: np.ndarray = np.sqrt(0.03**2 + of_augmentation**2 * part * open_ + drop**2)
    return found


def fitted_spread(cells: pd.DataFrame, errors: np.ndarray) -> np.ndarray:
    """Return the sizes that make the errors likeliest, with weak priors; errors beyond 3 spreads count as 3."""

    def unlikely(sizes: np.ndarray) -> float:
        width = spread(cells, sizes)
        seen = (np.log(width) + 0.5 * np.minimum((errors / width) ** 2, 9)).sum()
        apart = ((sizes[:5] - sizes[:5].mean()) ** 2).sum() / 0.7**2
        return float(seen + 0.5 * (apart + (sizes[6] + 2) ** 2 + sizes[5] ** 2 / 4))

    found: np.ndarray = minimize(unlikely, np.r_[[-2.0] * 5, -1.0, -2.0]).x
    return found


def left_out(cells: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return losses that are forecast for each world from the others, and their spreads."""
    world = cells.index.get_level_values("world")
    found, width = np.zeros(len(cells)), np.zeros(len(cells))
    for name in world.unique():
        out = world == name
        found[out] = forecast(cells[out], columns, fitted(cells[~out], columns))
    errors = cells.loss.to_numpy() - found
    for name in world.unique():
        out = world == name
        width[out] = spread(cells[out], fitted_spread(cells[~out], errors[~out]))
    return found, width


def judged(cells: pd.DataFrame, found: np.ndarray) -> dict[str, float]:
    """Return rank correlation (mean over worlds), AUROC and the error between and within worlds."""
    by_world = cells.assign(found=found, wrong=cells.loss - found).groupby("world")
    wrong = cells.loss - found
    return {
        "rank": by_world.apply(lambda part: _rank(part.found, part.loss)).mean(),
        "AUROC": _auroc(cells.loss.to_numpy() > TOLERANCE, found),
        "error": float(np.sqrt((wrong**2).mean())),
        "between": by_world.wrong.mean().std(),
        "within": float((wrong - by_world.wrong.transform("mean")).std()),
    }


def _rank(first: pd.Series, second: pd.Series) -> float:
    return float(spearmanr(first, second)[0]) if np.ptp(first) > 0 and np.ptp(second) > 0 else np.nan


def _auroc(over: np.ndarray, found: np.ndarray) -> float:
    above, of = rankdata(found)[over].sum(), int(over.sum())
    rest = len(over) - of
    return float((above - of * (of + 1) / 2) / (of * rest)) if of and rest else np.nan


def prior() -> None:
    """Print how each form forecasts worlds left out, the constants of the chosen one, and how it does elsewhere."""
    cells = costs()
    cells = cells[cells.augmentation.isin(RANGES)].dropna(subset=["own drop"])
    chosen = cells.index.get_level_values("world").isin(CHOOSING)
    known, fresh = cells[chosen], cells[~chosen]
    table = {name: judged(known, left_out(known, (*INTERCEPTS, *form))[0]) for name, form in FORMS.items()}
    print(f"{len(known)} cells of {known.index.get_level_values(0).nunique()} worlds, each left out once")
    print(pd.DataFrame(table).T.round(3).to_string())
    columns = (*INTERCEPTS, *FORMS[CHOSEN])
    found, width = left_out(known, columns)
    _by_augmentation(known, found)
    _calibration(known, found, width)
    weights, sizes = fitted(known, columns), fitted_spread(known, known.loss.to_numpy() - found)
    print(dict(zip(columns, weights.round(2).tolist(), strict=True)), np.exp(sizes).round(3).tolist())
    print(f"\nMeasured on {len(fresh)} cells of {fresh.index.get_level_values(0).nunique()} worlds")
    found, width = forecast(fresh, columns, weights), spread(fresh, sizes)
    print({name: round(value, 3) for name, value in judged(fresh, found).items()})
    _by_augmentation(fresh, found)
    _calibration(fresh, found, width)


def _by_augmentation(cells: pd.DataFrame, found: np.ndarray) -> None:
    strongest = cells.part == 1
    rows = {}
    for name in cells.augmentation.unique():
        of = (strongest & (cells.augmentation == name)).to_numpy()
        rows[name] = judged(cells[of], found[of])
    print(pd.DataFrame(rows).T.round(3).to_string())


def _calibration(cells: pd.DataFrame, found: np.ndarray, width: np.ndarray) -> None:
    risk, over = ndtr((found - TOLERANCE) / width), (cells.loss > TOLERANCE).to_numpy()
    bins = pd.cut(risk, [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1])
    print(pd.DataFrame({"risk": risk, "over": over}).groupby(bins, observed=True).agg(["mean", "size"]).round(2))
    low = risk <= 0.2
    world = cells.index.get_level_values("world")
    by_world = pd.Series(over[low]).groupby(world[low]).agg(["mean", "size"]).round(2)
    print(f"risk at most .2: {low.sum()} cells, {over[low].mean():.3f} over;", by_world.T.to_dict("list"))


def lean() -> None:
    """Print rank correlations over classes with the cost of the strongest value, world by world."""
    cells = costs()
    cells = cells[cells.part == 1]
    for name in (*RANGES, *BLUR):
        of = cells[cells.augmentation == name]
        if len(of):
            print(f"\n{name}: mean cost {(100 * of.groupby('world').loss.mean()).round(1).to_dict()}")
            print(_correlations(of).round(2).to_string())


def _correlations(cells: pd.DataFrame) -> pd.DataFrame:
    tried = {f"lean to {cue}": cells[f"lean {cue}"] for cue in ("shape", "texture", "color")}
    tried |= {f"lost without {cue}": -cells[f"without_{cue}"] for cue in ("shape", "texture", "color")}
    tried |= {f"kept on {cue} alone": cells[f"{cue}_alone"] for cue in ("shape", "texture", "color")}
    ablations = ("grayscale=1", "channel_permutation=1", "contrast=0.8", "gaussian_blur=0.036", "patch_shuffle=4")
    tried |= {f"drop by {key}": cells[f"corrected {key}"] for key in ablations}
    tried |= {"own drop": cells["own drop"], "error": 1 - cells.accuracy}
    worlds = cells.index.get_level_values("world").unique()
    rows = {
        what: {world: _rank(values[world], cells.loss[world]) for world in worlds} for what, values in tried.items()
    }
    return pd.DataFrame(rows).T[sorted(worlds, key=lambda world: (world not in CHOOSING, world))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parts = {"prior": prior, "lean": lean}
    parser.add_argument("part", choices=parts)
    parts[parser.parse_args().part]()
