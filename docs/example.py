"""Write the example of the pages into a folder: ``python docs/example.py FOLDER``.

``best.pt`` holds the weights of the demo's network and ``network.py`` builds it; ``photos`` has its 12 classes of drawn
images: 80 of each in ``val``, which are those of ``cuesense demo``, 100 to train on, and 40 to test on. What the pages
show under their commands was printed in such a folder.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from safetensors.torch import load_file

from cuesense import package_files
from cuesense.workflows.demo import IMAGES_PER_CLASS, WEIGHTS, WORLD

# Images of each class; those of "test" are drawn after those of "val", and are others.
PARTS = {"train": 100, "val": IMAGES_PER_CLASS, "test": 40}
NETWORK = '''"""The network of this example; yours stands here."""

from cuesense.models.compact import build as compact


def build(classes: int = 12):
    return compact(classes)
'''


def write(folder: Path) -> None:
    """Write the images, the weights and the network's code."""
    tested = range(PARTS["val"], PARTS["val"] + PARTS["test"])
    write_images(folder / "photos" / "train", "train", range(PARTS["train"]))
    write_images(folder / "photos" / "val", "test", range(PARTS["val"]))
    write_images(folder / "photos" / "test", "test", tested)
    torch.save(load_file(package_files.folder("assets") / WEIGHTS), folder / "best.pt")
    (folder / "network.py").write_text(NETWORK, encoding="utf-8")


def write_images(folder: Path, split: Literal["train", "test"], numbers: range) -> None:
    """Write the images of these numbers of every class; an image depends on its class and number alone."""
    world = replace(WORLD, split=split, images_per_class=numbers.stop)
    for place, name in enumerate(world.sample_ids):
        *_, class_name, number = name.split("/")
        if int(number) in numbers:
            (folder / class_name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(world[place].image).save(folder / class_name / f"{number}.png")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
