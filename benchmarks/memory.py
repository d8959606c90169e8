"""How much more memory ``analyze`` takes for many images than for few.

    PYTHONPATH=. python benchmarks/memory.py
    PYTHONPATH=. python benchmarks/memory.py --images 1000 20000 --classes 100

A small network sees images of 16 pixels that are made when they are asked for, under the quick preset, with all files
written. Every number of images has a process of its own on one thread. The peak of its resident size is read before
the run, while the last image is classified, and at the end.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn

import cuesense

# The peak with the most images over that with the fewest.
REACH = 1.1
SIDE = 16


class MadeImages(torch.utils.data.Dataset):
    """Images that exist while they are looked at: noise around the color of their class."""

    def __init__(self, count: int, classes: int) -> None:
        self.count, self.classes = count, tuple(f"class {index:04d}" for index in range(classes))
        self.targets = [index % classes for index in range(count)]
        self.colors = np.random.default_rng(0).integers(60, 180, (classes, 3))

    def __len__(self) -> int:
        """Return the number of images."""
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        """Return image and label, the same each time."""
        noise = np.random.default_rng(index).integers(-40, 40, (SIDE, SIDE, 3))
        label = self.targets[index]
        return np.clip(self.colors[label] + noise, 0, 255).astype(np.uint8), label


class Nearest(nn.Module):
    """Answers the class whose color is nearest to the image's mean."""

    def __init__(self, colors: np.ndarray) -> None:
        super().__init__()
        self.colors = nn.Parameter(torch.tensor(colors / 255, dtype=torch.float32))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, (N, K)."""
        return -30 * torch.cdist(images.mean(dim=(2, 3)), self.colors)


def peak() -> float:
    """Return the largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def analyze(images: int, classes: int) -> dict[str, float]:
    """Analyze so many images; return CPU seconds, and the peak by stage in MB."""
    dataset = MadeImages(images, classes)
    seen = {"start": peak()}

    def progress(_done: int, _total: int) -> None:
        seen["classified"] = peak()

    with tempfile.TemporaryDirectory() as output:
        model = Nearest(dataset.colors)
        cuesense.analyze(model, dataset, config="quick", device="cpu", workers=1, output=output, progress=progress)
    return {"cpu_seconds": time.process_time(), **seen, "end": peak()}


def measured(images: int, classes: int) -> dict[str, float]:
    """Do the same in a process of its own."""
    own = [sys.executable, __file__, "--images", str(images), "--classes", str(classes), "--only"]
    ended = subprocess.run(own, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def main() -> None:
    """Measure every number of images, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(analyze(chosen.images[0], chosen.classes)))
        return
    peaks = []
    for images in chosen.images:
        found = measured(images, chosen.classes)
        peaks.append(found["end"])
        stages = ", ".join(f"{name} {size:.0f}" for name, size in list(found.items())[1:])
        print(f"{images:8,} images  {found['cpu_seconds']:7.1f} s CPU, peak in MB: {stages}", flush=True)
    print(f"ratio {peaks[-1] / peaks[0]:.2f}   reach {REACH:g}")


if __name__ == "__main__":
    main()
