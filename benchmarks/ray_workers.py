"""Whether two workers of Ray take half the time of one, and whether their results are the same, also after a loss.

    OMP_NUM_THREADS=1 python benchmarks/ray_workers.py
    OMP_NUM_THREADS=1 python benchmarks/ray_workers.py --model mobilenet_v3_small --images 96

An analysis of JPEG photographs with a network of random weights runs in this process, with one worker, with two, and
with two of which one is killed after its first unit of work; each has one thread. The ratio is the wall time of one
worker over that of two, from when Ray has started to the end of the analysis: the workers' start, which takes a few
seconds once, is in it. ``shared`` is the ratio without it and without what one process does in the end: from the first
unit that is done to the last. ``CPU`` is the ratio of the workers' CPU seconds: 1 where sharing costs nothing, also on
busy cores.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
import torchvision
from overhead import photographs
from torch import Tensor, nn

import cuesense

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


class Measured(NamedTuple):
    """What one analysis took and wrote.

    Attributes:
        wall: Seconds in all.
        cpu: CPU seconds of the workers, their start included.
        shared: Seconds for one image under all conditions, from the first to the last unit of work.
        profile: Its profile, without the time at which it was made.
    """

    wall: float
    cpu: float
    shared: float
    profile: bytes


class Killed(nn.Module):
    """A network whose process is killed once, at its second forward pass outside of the process that made it."""

    def __init__(self, network: nn.Module, sign: Path) -> None:
        super().__init__()
        self.network, self.sign, self.here, self.passes = network, sign, os.getpid(), 0

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, K)."""
        if os.getpid() != self.here:
            self.passes += 1
            if self.passes > 1 and self.sign.exists():
                self.sign.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return self.network(images)


@contextmanager
def ray_with_two_cores() -> Iterator[None]:
    """Start Ray before anything is timed, and end it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="CRITICAL")
    try:
        yield
    finally:
        ray.shutdown()


def analyzed(network: nn.Module, folder: Path, output: Path, workers: int) -> Measured:
    """Analyze the photographs with so many workers of Ray, or in this process where there are none."""
    steps: list[tuple[float, int]] = []
    before_it, start = workers_seconds(), time.perf_counter()
    cuesense.analyze(
        network,
        folder,
        config="quick",
        output=output,
        image_size=224,
        resize=256,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        engine="ray" if workers else "local",
        ray_workers=workers or None,
        progress=lambda done, _: steps.append((time.perf_counter(), done)),
    )
    wall = time.perf_counter() - start
    # Until Ray has noticed the end of the workers, their seconds are not added up.
    time.sleep(3)
    cpu = workers_seconds() - before_it
    counted = [(at, done) for at, done in steps if done]
    (first, before), (last, after) = counted[0], counted[-1]
    profile = _TIME.sub(b"", (output / "profile.json").read_bytes())
    return Measured(wall, cpu, (last - first) / max(1, after - before), profile)


def workers_seconds() -> float:
    """Return the CPU seconds of all workers of Ray that have ended."""
    raylets = [process for process in psutil.Process().children(recursive=True) if process.name() == "raylet"]
    times = [process.cpu_times() for process in raylets]
    return sum(found.children_user + found.children_system for found in times)


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet18", help="a network of torchvision")
    parser.add_argument("--images", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = getattr(torchvision.models, options.model)(weights=None, num_classes=2).eval()
    with tempfile.TemporaryDirectory() as name, ray_with_two_cores():
        folder = Path(name)
        photographs(folder / "images", options.images)
        (folder / "sign").touch()
        killed = Killed(network, folder / "sign")

        def run(what: str, model: nn.Module, workers: int) -> Measured:
            found = analyzed(model, folder / "images", folder / what.replace(" ", "-") / "out", workers)
            seconds = f"{found.wall:7.1f} s wall {found.cpu:7.1f} s CPU of the workers"
            print(f"{what:24s} {seconds}, {1000 * found.shared:7.1f} ms an image", flush=True)
            return found

        # The class of the network is part of the profile: the same wrapper everywhere.
        quiet = Killed(network, folder / "none")
        alone = run("this process", quiet, 0)
        one = run("one worker", quiet, 1)
        two = run("two workers", quiet, 2)
        lost = run("two, one of them killed", killed, 2)
        if (folder / "sign").exists():
            raise SystemExit("no worker was killed")
    ratios = f"wall {one.wall / two.wall:.2f}, shared {one.shared / two.shared:.2f}, CPU {one.cpu / two.cpu:.2f}"
    print(f"one / two workers: {ratios}")
    print(f"one / two workers, one of them killed: wall {one.wall / lost.wall:.2f}")
    same = [entry.profile == alone.profile for entry in (one, two, lost)]
    print(f"profile.json as of this process, byte for byte: one {same[0]}, two {same[1]}, killed {same[2]}")


if __name__ == "__main__":
    main()
