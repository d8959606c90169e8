"""Look at the synthetic families and check that a small network learns them.

``python benchmarks/family_sheets.py draw FOLDER`` writes contact sheets (PNG; a row for each class), ``learn parts:0
fields:1 silhouettes:0`` trains a residual network on 64 px images of each world and prints every class's accuracy, and
``time`` prints milliseconds of processor time for one image.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from families.single_cues import KINDS, SingleCueWorld
from families.world import FAMILIES, FamilyWorld
from networks import RATES, accuracy, build, fit, tensors
from PIL import Image

TRAIN_IMAGES, TEST_IMAGES, EPOCHS = 200, 40, 12


def world(name: str, **options: object) -> FamilyWorld | SingleCueWorld:
    """Return a world from ``FAMILY:SEED`` or ``KIND:SEED``."""
    kind, seed = name.split(":")
    return (FamilyWorld if kind in FAMILIES else SingleCueWorld)(kind, int(seed), **options)


def sheet(name: str, size: int, columns: int) -> Image.Image:
    """Return a contact sheet, a row for each class."""
    shown = world(name, size=size, images_per_class=columns)
    images = np.stack([shown[index].image for index in range(len(shown))]).reshape(-1, columns, size, size, 3)
    bordered = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    return Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in bordered]))


def learn(name: str, seed: int = 0) -> None:
    """Train a network on a world and print its accuracies."""
    torch.manual_seed(seed)
    train, test = (
        world(name, split=s, images_per_class=n) for s, n in (("train", TRAIN_IMAGES), ("test", TEST_IMAGES))
    )
    network = build("residual", len(train.class_names), 64)
    fit(network, *tensors(train), EPOCHS, RATES["residual"], seed)
    found = accuracy(network, *tensors(test)).tolist()
    classes = ", ".join(f"{member} {share:.2f}" for member, share in zip(test.class_names, found, strict=True))
    print(f"{name}: mean {np.mean(found):.3f}; {classes}", flush=True)


def speed() -> None:
    """Print the milliseconds that one image takes."""
    for name in [f"{kind}:{seed}" for kind in (*FAMILIES, *KINDS) for seed in (0, 1)]:
        for size in (64, 224):
            timed = world(name, size=size, images_per_class=3)
            _ = timed[0]
            start = time.process_time()
            for index in range(len(timed)):
                _ = timed[index]
            print(f"{name} at {size} px: {1000 * (time.process_time() - start) / len(timed):.2f} ms")


def main() -> None:
    """Draw, learn or time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("folder", type=Path)
    draw.add_argument("--size", type=int, default=64)
    draw.add_argument("--worlds", nargs="+", default=[f"{kind}:{s}" for kind in (*FAMILIES, *KINDS) for s in (0, 1)])
    commands.add_parser("learn").add_argument("worlds", nargs="+")
    commands.add_parser("time")
    options = parser.parse_args()
    if options.command == "draw":
        options.folder.mkdir(parents=True, exist_ok=True)
        for name in options.worlds:
            sheet(name, options.size, 14).save(options.folder / f"{name.replace(':', '-')}-{options.size}.png")
    elif options.command == "learn":
        for name in options.worlds:
            learn(name)
    else:
        speed()


if __name__ == "__main__":
    main()
