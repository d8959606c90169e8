"""How two runs of ``cuesense analyze`` on the same cores get on with each other.

    python benchmarks/two_jobs.py
    OMP_WAIT_POLICY=ACTIVE python benchmarks/two_jobs.py --model mobilenet_v3_small --images 64

The same job runs alone, twice in turn and twice at once, each with as many threads as torch takes by default. The ratio
of wall times is two at once over one after the other: 1 where the cores do the same work. CPU time beyond that of one
after the other is waiting that keeps a core busy. ``demo`` is the demo's network, whose operators on images of 64
pixels are short, so that its threads wait often; other names are networks of torchvision with random weights at 224.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torchvision
from overhead import photographs
from PIL import Image

from cuesense import package_files
from cuesense.models.compact import MEAN, STD
from cuesense.workflows.demo import WEIGHTS, WORLD


def job(model: str, images: int, preset: str, folder: Path) -> list[str]:
    """Return the command of one run, without its output folder; what it reads lies in the folder."""
    weights, data = demo(images, folder) if model == "demo" else photographed(model, images, folder)
    read = ["--dataset", str(folder / "images"), "--config", preset, "--output"]
    return [sys.executable, "-m", "cuesense", "-q", "analyze", weights, *data, *read]


def demo(images: int, folder: Path) -> tuple[str, list[str]]:
    """Write the demo's images; return its network and how the network takes them."""
    world = replace(WORLD, split="test", images_per_class=images)
    for index, label in enumerate(world.labels):
        place = folder / "images" / world.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(world[index].image).save(place / f"{index}.png")
    mean, std = (",".join(map(str, values)) for values in (MEAN, STD))
    sizes = ["--image-size", str(world.size), "--resize", str(world.size), "--mean", mean, "--std", std]
    return str(package_files.folder("assets") / WEIGHTS), ["--arch", "python:cuesense.models.compact:build", *sizes]


def photographed(model: str, images: int, folder: Path) -> tuple[str, list[str]]:
    """Write photographs and a network with random weights; return the network and how it takes them."""
    network = getattr(torchvision.models, model)(weights=None, num_classes=2).eval()
    torch.jit.trace(network, torch.zeros(1, 3, 224, 224)).save(folder / "network.pt")
    photographs(folder / "images", images)
    sizes = ["--image-size", "224", "--resize", "256", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
    return str(folder / "network.pt"), sizes


def measured(command: list[str], outputs: list[Path], *, at_once: bool) -> tuple[float, float]:
    """Run the command once for every output folder; return wall and CPU seconds of all runs together."""
    before, start = children_seconds(), time.perf_counter()
    running: list[subprocess.Popen[bytes]] = []
    try:
        for output in outputs:
            running.append(subprocess.Popen([*command, str(output)], stdout=subprocess.DEVNULL))
            if not at_once:
                finish(running.pop())
        for process in running:
            finish(process)
    finally:
        for process in running:
            process.kill()
            process.wait()
    return time.perf_counter() - start, children_seconds() - before


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run, and end the benchmark where it failed."""
    if process.wait():
        raise SystemExit(f"cuesense ended with {process.returncode}")


def children_seconds() -> float:
    """Return the CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo", help="demo, or a network of torchvision")
    parser.add_argument("--images", type=int, default=10, help="images; with demo, of each class")
    parser.add_argument("--preset", default="quick")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = job(options.model, options.images, options.preset, folder)
        measured(command, [folder / "warm"], at_once=False)
        alone = measured(command, [folder / "alone"], at_once=False)
        in_turn = measured(command, [folder / "first", folder / "second"], at_once=False)
        at_once = measured(command, [folder / "left", folder / "right"], at_once=True)
    for what, (wall, cpu) in (("one job", alone), ("two in turn", in_turn), ("two at once", at_once)):
        print(f"{what:12s} {wall:7.1f} s wall {cpu:7.1f} s CPU")
    print(f"at once / in turn: wall {at_once[0] / in_turn[0]:.2f}, CPU {at_once[1] / in_turn[1]:.2f}")


if __name__ == "__main__":
    main()
