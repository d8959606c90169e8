"""The experiments of Balestriero, Bottou and LeCun 2022 (arXiv 2204.03632) at a size that fits one machine.

``python benchmarks/class_dependence.py train WORLD FOLDER --seeds 0,1,2`` trains sixteen networks a seed: with random
crops down to a share of the image, with color jitter, with weight decay over four decades, and without any. It keeps
their weights and lists them for ``cuesense audit`` and ``cuesense transfer``; what is there already is kept. WORLD is
as in ``budget_worlds.py``; photographs need ``--photos``.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from budget_worlds import RECIPE, parts, train

CROPS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.08)
JITTERS = (0.0, 0.1, 0.2, 0.4, 0.8)
DECAYS = (0.002, 0.02, 0.2, 1.0, 2.0, 5.0, 20.0)
SWEEPS = {"random_resized_crop": CROPS, "color_jitter": JITTERS, "weight_decay": DECAYS}
PLAIN = {"random_resized_crop": 1.0, "color_jitter": 0.0, "weight_decay": RECIPE.weight_decay}


def runs() -> Iterator[tuple[str, float]]:
    """Yield regularizer and strength of every training but the plain one, which all sweeps share."""
    yield "none", 0.0
    for name, strengths in SWEEPS.items():
        yield from ((name, value) for value in strengths if value != PLAIN[name])


def weights(folder: Path, name: str, strength: float, seed: int) -> Path:
    """Return where a network is kept."""
    plain = name == "none" or strength == PLAIN[name]
    return folder / f"{'none' if plain else f'{name}={strength}'}_{seed}.pt"


def train_all(world: str, folder: Path, seeds: list[int], photos: Path | None) -> None:
    """Train what is missing."""
    data, _, _, names = parts(world, photos)
    for seed in seeds:
        for name, strength in runs():
            path = weights(folder, name, strength, seed)
            if path.exists():
                continue
            began = time.process_time()
            decay = strength if name == "weight_decay" else RECIPE.weight_decay
            doses = {name: strength} if name in ("random_resized_crop", "color_jitter") else {}
            network = train(doses, data, len(names), 3000 + seed, replace(RECIPE, weight_decay=decay))
            torch.save(network.state_dict(), path.with_suffix(".tmp"))
            path.with_suffix(".tmp").rename(path)
            print(f"{world} {path.stem} {time.process_time() - began:.0f} s", flush=True)


def write_runs(folder: Path, seeds: list[int]) -> None:
    """List the networks of each sweep."""
    for name, strengths in SWEEPS.items():
        rows = [
            {"model": weights(folder, name, value, seed).name, "regularizer": name, "strength": value, "seed": seed}
            for value in strengths
            for seed in seeds
        ]
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def main() -> None:
    """Train, and list what was trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("train",))
    parser.add_argument("world")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="0,1,2,3,4,5,6,7,8,9")
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    options.folder.mkdir(parents=True, exist_ok=True)
    train_all(options.world, options.folder, seeds, options.photos)
    write_runs(options.folder, seeds)


if __name__ == "__main__":
    main()
