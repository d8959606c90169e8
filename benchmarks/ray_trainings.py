"""Whether two workers of Ray train in half the time of one, and whether their networks are those of one process.

    OMP_NUM_THREADS=1 python benchmarks/ray_trainings.py

``verify`` trains small networks on the demo's images with crops of four sizes and the policies that follow, in this
process, with one worker of Ray and with two; each has one thread. The ratio is the wall time of one worker over that of
two, from when Ray has started to the end of the command. It needs two idle cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from ray_workers import ray_with_two_cores

import cuesense
from cuesense.schemas.profile import Profile
from cuesense.workflows import demo


def verified(profile: Profile, output: Path, workers: int, seeds: int) -> tuple[float, dict[str, bytes]]:
    """Verify with so many workers of Ray, or in this process where there are none.

    Returns:
        Seconds, and what was written, by the name of its file.
    """
    train, test = (
        replace(demo.WORLD, split=split, images_per_class=images) for split, images in (("train", 30), ("test", 20))
    )
    start = time.perf_counter()
    cuesense.verify(
        profile,
        train,
        test,
        output=output,
        seeds=seeds,
        epochs=6,
        augmentations=["random_resized_crop"],
        device="cpu",
        engine="ray" if workers else "local",
        ray_workers=workers or None,
        progress=False,
        notify=lambda _: None,
    )
    wall = time.perf_counter() - start
    files = [path for path in output.rglob("*") if path.suffix in (".npz", ".json", ".csv", ".html", ".svg")]
    return wall, {path.name: path.read_bytes() for path in files}


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, ray_with_two_cores():
        folder = Path(name)
        profile, _ = demo.run(folder / "profile")
        walls, written = [], []
        for what, workers in (("this process", 0), ("one worker", 1), ("two workers", 2)):
            wall, files = verified(profile, folder / str(workers) / "out", workers, options.seeds)
            trainings = sum(file.startswith("trial") for file in files)
            print(f"{what:14s} {wall:7.1f} s, {trainings} trainings", flush=True)
            walls.append(wall)
            written.append(files)
    print(f"one / two workers: wall {walls[1] / walls[2]:.2f}")
    same = [files == written[0] for files in written[1:]]
    print(f"all files as of this process, byte for byte: one {same[0]}, two {same[1]}")


if __name__ == "__main__":
    main()
