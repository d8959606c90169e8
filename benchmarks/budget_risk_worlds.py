"""Predictions of the small networks of ``value.py`` on many images that no training saw, for ``budget_risk.py``.

``python benchmarks/budget_risk_worlds.py WORLD... --folder FOLDER --photos PHOTOS`` analyzes the network that
``value_profiles.py`` keeps of each world (trained anew where there is none) on 300 images a class under the five
augmentations of the standard preset, drawn once. Fifty of them are then enough to compute risks from, and the others
show the true drops within 2 or 3 points. What is there already is kept.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from budget_worlds import joined
from value_profiles import LADDERS, Listed, plain_network
from value_training import Trainings
from value_worlds import ANALYZED, TESTED, more_to_analyze

from cuesense import analyze
from cuesense.config import Config
from cuesense.models.compact import MEAN, STD
from cuesense.policies.policy import augmentation

IMAGES = 300


def predicted(own: Trainings) -> Path:
    """Return the folder of the analysis of a world's network on IMAGES of every class."""
    place = own.place / "risk"
    if not (place / "predictions.parquet").exists():
        own.place.mkdir(parents=True, exist_ok=True)
        _, analyzed, test, names = own.images
        more = more_to_analyze(own.name, IMAGES - ANALYZED - TESTED, own.photos)
        images = joined(joined(analyzed, test), more)
        ladders = {**LADDERS, "horizontal_flip": (0.5, 1.0)}
        perturbations = tuple(replace(augmentation(name), ladder=ladder) for name, ladder in ladders.items())
        side = images.pixels.shape[-1]
        analyze(
            plain_network(own),
            Listed(images, names),
            class_names=names,
            config=Config("risk", "The five augmentations.", perturbations),
            output=place,
            mean=MEAN,
            std=STD,
            image_size=side,
            resize=side,
            workers=1,
        )
    return place


def main() -> None:
    """Analyze."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.worlds:
        print(predicted(Trainings(name, options.folder, options.photos)), flush=True)


if __name__ == "__main__":
    main()
