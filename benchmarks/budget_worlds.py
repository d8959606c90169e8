"""Train a small network with one augmentation after the other and keep what every class got right.

``python benchmarks/budget_worlds.py WORLD FOLDER --seeds 0,1,2`` trains ten networks a seed and writes
``FOLDER/WORLD_SEED.npz``; what is there already is kept. WORLD is ``planted:SEED:IMAGES`` or
``photos:a|b|all:IMAGES`` (classes with an even or odd index, or all, of a folder with train/ and val/, given by
``--photos``), with IMAGES a class for training.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.load import load_dataset
from cuesense.models.compact import MEAN, STD, build
from cuesense.planted.world import PlantedWorld
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from cuesense.types import Dataset, Preprocessing

SIDE = 64
LADDERS = {"random_resized_crop": (0.7, 0.4, 0.2, 0.08), "color_jitter": (0.1, 0.2, 0.4, 0.8)}
USUAL = {"random_resized_crop": 0.08, "color_jitter": 0.4}
RECIPE = Recipe(epochs=16, rate=4e-3)
COUNTS = {"color": 4, "shape": 4, "texture": 4, "redundant": 2, "mixed": 0, "context": 0, "null": 0}
ANALYZED, TESTED = 60, 160
ANALYZED_PHOTOS, TESTED_PHOTOS = 60, 100


def parts(world: str, photos: Path | None) -> tuple[Images, Images, Images, tuple[str, ...]]:
    """Return the images to train on, to analyze and to test, and the names of the classes."""
    kind, which, count = world.split(":")
    if kind == "planted":
        train = PlantedWorld(int(which), "train", int(count), SIDE, counts=COUNTS)
        test = PlantedWorld(int(which), "test", ANALYZED + TESTED, SIDE, counts=COUNTS)
        numbers = np.array([int(name.rsplit("/", 1)[1]) for name in test.sample_ids])
        rest = images(test)
        places = [np.flatnonzero(numbers < ANALYZED), np.flatnonzero(numbers >= ANALYZED)]
        return images(train), rest.take(places[0]), rest.take(places[1]), train.class_names
    if photos is None:
        raise SystemExit("Give --photos FOLDER.")
    every = [load_dataset(str(photos / split)) for split in ("train", "val")]
    loaded = [images(data) for data in every]
    chosen = range(12)[{"a": slice(0, None, 2), "b": slice(1, None, 2), "all": slice(None)}[which]]
    cut = (int(count), int(count) + ANALYZED_PHOTOS, int(count) + ANALYZED_PHOTOS + TESTED_PHOTOS - 50)
    sets = [gather(loaded[0], chosen, begin, end) for begin, end in zip((0, *cut[:2]), cut, strict=True)]
    test = joined(sets[2], gather(loaded[1], chosen, 0, 50))
    return sets[0], sets[1], test, tuple(every[0].class_names[place] for place in chosen)


def images(data: Dataset) -> Images:
    """Return a dataset's images, 64 pixels a side."""
    size = Preprocessing(image_size=(SIDE, SIDE), resize=None, mean=MEAN, std=STD)
    pixels = np.stack([resize_and_crop(data[place].image, size) for place in range(len(data))])
    return Images(torch.from_numpy(pixels), torch.tensor(data.labels), MEAN, STD)


def gather(data: Images, classes: Sequence[int], begin: int, end: int) -> Images:
    """Return the images from begin to end of some classes, which are numbered anew."""
    rows = [torch.where(data.labels == member)[0][begin:end] for member in classes]
    taken = data.take(torch.cat(rows))
    numbers = torch.repeat_interleave(torch.arange(len(classes)), torch.tensor([len(row) for row in rows]))
    return Images(taken.pixels, numbers, MEAN, STD)


def joined(first: Images, second: Images) -> Images:
    """Return both together."""
    pixels, labels = torch.cat((first.pixels, second.pixels)), torch.cat((first.labels, second.labels))
    return Images(pixels, labels, MEAN, STD)


def configurations() -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name and the values of every training."""
    yield "none", {}
    for name, ladder in LADDERS.items():
        for value in ladder:
            yield f"{name}={value}", {name: value}
    yield "usual", USUAL


def train(doses: dict[str, float], data: Images, classes: int, seed: int, recipe: Recipe = RECIPE) -> nn.Module:
    """Train the planted network with an augmentation; the seed decides its first weights and all that follows."""
    torch.manual_seed(seed)
    network = build(classes, SIDE)
    augment = PolicyAugmentation.from_values(doses) if doses else None
    return fit(network, data, recipe, augment, seed=seed)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    data, analyzed, test, names = parts(options.world, options.photos)
    for seed in map(int, options.seeds.split(",")):
        path = options.folder / f"{options.world.replace(':', '-')}_{seed}.npz"
        if path.exists():
            continue
        began, answers = time.perf_counter(), {}
        for name, doses in configurations():
            network = train(doses, data, len(names), 1000 + seed)
            if name == "none":
                torch.save(network.state_dict(), path.with_suffix(".pt"))
            answers[name] = log_probabilities(network, test)
            answers[f"analyzed {name}"] = log_probabilities(network, analyzed)
            right = float((answers[name].argmax(axis=1) == test.labels.numpy()).mean())
            print(f"{path.stem} {name} {right:.3f}", flush=True)
        known = {"labels": test.labels.numpy(), "analyzed_labels": analyzed.labels.numpy(), "names": np.array(names)}
        np.savez_compressed(path, **known, **answers)
        print(f"{path.stem} {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
