"""Count the warnings that ``analyze`` gives about sound networks and datasets: every one of them is a false alarm.

``OMP_NUM_THREADS=1 python benchmarks/false_alarms.py`` trains ten small networks on planted worlds (good and weak ones,
2 to 40 classes, convolutional networks and a transformer) and brings each of them in three of ten sound ways: as a
module, TorchScript or ``.pt2``, one image at a time, with its folders in another order, with classes missing, with few
or unequal numbers of images. Each warning is printed, and the number of pairs without any written to
``benchmarks/results/false_alarms.json``. Warnings about sink classes, which are not about mistakes, are left out, and
so is what is said about TorchScript and ``.pt2`` being programs: that is a fact.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from networks import RATES, build, fit, tensors
from PIL import Image
from torch import nn

import cuesense
from cuesense.config import Config, with_ladder
from cuesense.models.compact import MEAN, STD
from cuesense.planted.world import COUNTS, PlantedWorld
from cuesense.registry import get

SIZE = 32
RESULTS = Path(__file__).parent / "results" / "false_alarms.json"
# One condition besides the clean one: the warnings depend on the clean images, the files and the network.
CONFIG = Config("sound", "", (with_ladder(get("perturbations", "grayscale"), [1.0]),))
# Sentences that are no alarm: see above.
FACTS = ("Sink classes", "is a program", "are programs")

# Kind of network, seed of its world, classes of each kind, and epochs: few for a weak network.
NETWORKS = (
    ("residual", 301, {"color": 2}, 40),
    ("residual", 302, {"shape": 1, "texture": 1}, 40),
    ("strided", 303, {"color": 1, "shape": 1, "texture": 1}, 30),
    ("vit", 304, {"color": 2, "shape": 2, "texture": 2}, 20),
    ("residual", 305, {"color": 4, "shape": 4, "texture": 4}, 3),
    ("strided", 306, {"color": 4, "shape": 4, "texture": 4}, 5),
    ("vit", 307, {"color": 4, "shape": 4, "texture": 4}, 8),
    ("residual", 308, dict(COUNTS), 6),
    ("strided", 309, dict(COUNTS), 4),
    ("residual", 310, {"color": 10, "shape": 10, "texture": 10, "redundant": 2, "mixed": 8}, 4),
)


class Folder:
    """A folder of class folders, written as a user would have it."""

    def __init__(self, root: Path, world: PlantedWorld) -> None:
        self.root, self.world = root, world

    def write(
        self, name: str, keep: Callable[[int, int], bool] = lambda _label, _number: True, ending: str = "png"
    ) -> str:
        """Write the images of which ``keep(label, number of the image in its class)`` holds; return the folder."""
        seen: dict[int, int] = {}
        for index in range(len(self.world)):
            sample = self.world[index]
            number = seen[sample.label] = seen.get(sample.label, -1) + 1
            if keep(sample.label, number):
                path = self.root / name / self.world.class_names[sample.label] / f"{number:03d}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(sample.image).save(path)
        return str(self.root / name)


def trained(kind: str, seed: int, counts: dict[str, int], epochs: int) -> tuple[nn.Module, PlantedWorld]:
    """Train a network; return it with the world of its test images."""
    torch.manual_seed(seed)
    known: dict[str, Any] = {"seed": seed, "size": SIZE, "counts": dict.fromkeys(COUNTS, 0) | counts}
    train = PlantedWorld(split="train", images_per_class=120, **known)
    test = PlantedWorld(images_per_class=30, **known)
    network = build(kind, len(test.class_names), SIZE)
    return fit(network, *tensors(train), epochs, RATES[kind], seed), test


def ways(network: nn.Module, world: PlantedWorld, root: Path) -> list[tuple[str, Any, Any, dict[str, Any]]]:
    """Return name, model, dataset and options of every sound way to bring a network and its images."""
    example = torch.rand(2, 3, SIZE, SIZE)
    folder, classes = Folder(root, world), len(world.class_names)
    script, exported = str(root / "network.pt"), str(root / "network.pt2")
    torch.jit.trace(network, example, check_trace=False).save(script)
    batch = {0: torch.export.Dim("batch", min=1, max=1024)}
    torch.export.save(torch.export.export(network, (example,), dynamic_shapes=(batch,)), exported)
    names = {"class_names": list(world.class_names)}
    rotated = {"class_names": [*world.class_names]}
    few = max(2, classes // 2)
    return [
        ("the module on the world itself", network, world, {}),
        ("TorchScript on a folder", script, folder.write("png"), names),
        (".pt2 on JPEG files", exported, folder.write("jpg", ending="jpg"), names),
        ("single images", network, world, {"batch_size": 1, "images_per_class": 8}),
        ("bfloat16", network, world, {"precision": "bfloat16"}),
        ("half of the classes", network, folder.write("half", lambda label, _: label < few), names),
        ("three images a class", network, folder.write("few", lambda _, number: number < 3), names),
        ("unequal classes", network, folder.write("unequal", lambda label, n: n < 4 + 26 * (label % 2)), names),
        ("batches of 7", network, world, {"batch_size": 7}),
        ("folders in another order than the outputs", *permuted(network, world), rotated),
    ]


def permuted(network: nn.Module, world: PlantedWorld) -> tuple[nn.Module, Any]:
    """Return the network, and its images with the classes listed in reverse order."""
    last = len(world.class_names) - 1
    images = [(world[index].image, last - world.labels[index]) for index in range(len(world))]
    return network, Listed(images, tuple(reversed(world.class_names)))


class Listed(torch.utils.data.Dataset):
    """Images and labels with the names of their classes, as torchvision's datasets carry them."""

    def __init__(self, samples: list[tuple[Any, int]], classes: tuple[str, ...]) -> None:
        self.samples, self.classes = samples, list(classes)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return image, (H, W, 3) uint8, and label."""
        return self.samples[index]


def main() -> None:
    """Analyze thirty pairs; print and count the alarms."""
    alarms: dict[str, list[str]] = {}
    start = time.process_time()
    for number, (kind, seed, counts, epochs) in enumerate(NETWORKS):
        network, world = trained(kind, seed, counts, epochs)
        with tempfile.TemporaryDirectory() as root:
            every = ways(network, world, Path(root))
            for name, model, dataset, options in (every[(3 * number + step) % len(every)] for step in range(3)):
                given = {"image_size": SIZE, "resize": SIZE, "mean": MEAN, "std": STD, "config": CONFIG} | options
                profile = cuesense.analyze(model, dataset, workers=1, **given)
                found = [text for text in profile.summary.warnings if not any(fact in text for fact in FACTS)]
                title = f"{kind} of {len(world.class_names)} classes, {name}"
                alarms[title] = found
                print(
                    f"{title}: clean accuracy {profile.summary.clean_accuracy:.3f}, {len(found)} warnings", flush=True
                )
                print(*(f"    {text}" for text in found), sep="\n", end="\n" * bool(found))
    sound = sum(not found for found in alarms.values())
    print(f"{sound} of {len(alarms)} pairs without a warning, {time.process_time() - start:.0f} CPU s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps({"pairs": len(alarms), "without_a_warning": sound, "alarms": alarms}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
