"""Train networks with one augmentation each, and write what it costs every class, with what a profile knew before.

``python benchmarks/training_costs.py WORLD... --folder FOLDER --seeds 1000,1001 --part strong`` trains what a part
names and keeps what the networks predict; what is there already is kept, and so are the trainings of
``value_training.py`` in the same folder. ``--part write`` analyzes the network of seed 1000 that was trained without
augmentation, and writes two tables over all worlds: ``training_costs.csv``, the test images that every training gets
right, and ``training_costs_profiles.csv``, what the profile counts. ``training_costs_tables.py`` reads them. ``--part
sentences`` prints who is said to lose by what, and who does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from value_profiles import analyzed
from value_training import MILDER, STRONGEST, USUAL, Trainings
from value_worlds import CHOOSING, MEASURING

from cuesense.config import Config, load_config, with_ladder
from cuesense.policies.losses_by_lean import losses_by_lean
from cuesense.registry import get
from cuesense.schemas.profile import Profile
from cuesense.training.trials import Trial

STRONG = (*STRONGEST, {"random_erasing": 0.33}, {"random_rotation": 180.0})
MILD = ({"random_resized_crop": 0.4}, {"color_jitter": 0.2}, {"random_erasing": 0.1}, {"random_rotation": 30.0})
BLUR = ({"random_gaussian_blur": 0.036},)
PARTS: Mapping[str, Sequence[Mapping[str, float]]] = {
    "strong": ({}, *STRONG),
    "mild": MILD,
    "beside": ({"random_erasing": 0.33}, *BLUR),
}
TRAININGS = ({}, *STRONG, *MILD, *MILDER, *BLUR, USUAL)
SEEDS = (1000, 1001, 2000, 2001, 2002, 2003, 2004)
# What is measured at test time: the augmentations, what the columns of a profile consist of, and what may resemble an
# augmentation.
CONDITIONS: Mapping[str, object] = {
    "grayscale": [1.0],
    "grayscale_maximum": [1.0],
    "grayscale_minimum": [1.0],
    "channel_permutation": [1.0],
    "median_blur": [0.16],
    "opening_closing": [0.07],
    "bilateral_blur": [0.11],
    "patch_shuffle": [4.0, 8.0],
    "patch_rotation": [2.0, 3.0],
    "grayscale_patch_shuffle": [4.0, 6.0, 8.0],
    "patch_shuffle_opening_closing": [3.0],
    "patch_shuffle_gaussian_blur": [4.0],
    "grayscale_opening_closing": [0.07],
    "grayscale_bilateral_blur": [0.0625],
    "tile_jitter": [0.036],
    "random_resized_crop": "ladder",
    "color_jitter": "ladder",
    "horizontal_flip": [0.5],
    "random_erasing": [0.1, 0.33],
    "random_rotation": [30.0, 180.0],
    "random_gaussian_blur": [0.036],
    "gaussian_blur": [0.036],
    "contrast": [0.8],
}


def profile(own: Trainings) -> Profile:
    """Return the profile of the network without augmentation, from all analyzed images; measured once, then read."""
    path = own.place.with_suffix(".json")
    if not path.exists():
        ladders = tuple(with_ladder(get("perturbations", name), values) for name, values in CONDITIONS.items())
        config: Config = replace(load_config("standard"), perturbations=ladders)
        path.write_text(analyzed(own, own.images[1], config).to_json())
    return Profile.read(path)


def outcomes(own: Trainings) -> Iterator[dict[str, object]]:
    """Yield what each training that is there gets right, class by class."""
    labels = own.images[2].labels.numpy()
    done: set[str] = set()
    for values in TRAININGS:
        for seed in SEEDS:
            trial = Trial(own.policy(values), seed)
            if trial not in own.store or trial.key in done:
                continue
            done.add(trial.key)
            predicted = own.predicted(values, seed)[1]
            name = "+".join(f"{entry}={value:g}" for entry, value in values.items()) or "none"
            for index, label in enumerate(own.names):
                of_class = labels == index
                yield {
                    "world": own.name, "seed": seed, "training": name, "class": label,
                    "images": int(of_class.sum()), "right": int((predicted[of_class] == index).sum()),
                    "claimed": int((predicted == index).sum()),
                }  # fmt: skip


def measured(own: Trainings) -> Iterator[dict[str, object]]:
    """Yield what the profile counts: prior-corrected drops at every strength, and what is kept in each column."""
    found = profile(own)
    for curve in found.curves:
        drops = np.array(curve.corrected.lost) - np.array(curve.corrected.gained)
        raw = np.array(curve.lost) - np.array(curve.gained)
        for row, value in enumerate(curve.values):
            for index, label in enumerate(own.names):
                yield {
                    "world": own.name, "class": label, "what": curve.perturbation, "value": value,
                    "images": curve.n[index], "number": int(drops[row][index]), "raw": int(raw[row][index]),
                }  # fmt: skip
    for index, label in enumerate(own.names):
        curve = found.curves[0]
        right = {"number": curve.corrected.clean_correct[index], "raw": curve.clean_correct[index]}
        yield {"world": own.name, "class": label, "what": "clean", "value": 0.0, "images": curve.n[index], **right}
        for name, kept in found.classes[index].kept.items():
            yield {"world": own.name, "class": label, "what": name, "value": 0.0, "number": kept.value,
                   "raw": kept.observed, "images": kept.images}  # fmt: skip
        for cue, lean in found.classes[index].lean.items():
            yield {"world": own.name, "class": label, "what": f"lean {cue}", "value": 0.0, "number": lean.value,
                   "raw": lean.low}  # fmt: skip


def sentences(worlds: Sequence[Trainings]) -> None:
    """Print who is said to lose in each world, and what training costs them and the others, in points."""
    strongest = {name: value for values in STRONG for name, value in values.items()}
    for own in worlds:
        plain = own.recall({}, _trained(own, {})).mean(axis=0)
        for found in losses_by_lean(profile(own)):
            values = {found.augmentation: strongest[found.augmentation]}
            seeds = _trained(own, values)
            if seeds:
                loss = 100 * (plain - own.recall(values, seeds).mean(axis=0))
                named = np.isin(own.names, found.classes)
                print(f"{own.name}: {found.sentence} They lose {loss[named].mean():.1f}, the others "
                      f"{loss[~named].mean():.1f} points ({len(seeds)} seeds).")  # fmt: skip


def _trained(own: Trainings, values: Mapping[str, float]) -> list[int]:
    return [seed for seed in SEEDS if Trial(own.policy(values), seed) in own.store]


def write(worlds: Sequence[Trainings], folder: Path) -> None:
    """Write both tables."""
    for name, part in (("training_costs", outcomes), ("training_costs_profiles", measured)):
        table = pd.DataFrame([row for own in worlds for row in part(own)])
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.4g")


def main() -> None:
    """Train, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", nargs="*", default=[*CHOOSING, *MEASURING])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--part", choices=[*PARTS, "write", "sentences"], required=True)
    parser.add_argument("--seeds", default="1000,1001")
    options = parser.parse_args()
    torch.set_num_threads(1)
    worlds = [Trainings(name, options.folder, options.photos) for name in options.worlds]
    if options.part == "write":
        write(worlds, Path(__file__).parent)
        return
    if options.part == "sentences":
        sentences(worlds)
        return
    for own in worlds:
        own.run(PARTS[options.part], [int(seed) for seed in options.seeds.split(",")])


if __name__ == "__main__":
    main()
