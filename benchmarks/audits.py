"""Error rates of audits on simulated sweeps whose true accuracies are known, and the time an audit takes.

``PYTHONPATH=. python benchmarks/audits.py words`` prints how often a class is named that does not lose, how many of
those that lose are found, how often bounds hold, and how often the recommended strength loses more than the tolerance,
in truth and when trained anew with five fresh seeds. Accuracies are simulated image by image: an image's difficulty is
partly its own, partly the strength's, and the rest is luck. ``few`` prints how often a class is named falsely in hard
cases, ``speed`` times the audit of a table of 1,000 classes, 20 strengths and 20 seeds.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cuesense.sweeps.losses import class_losses
from cuesense.sweeps.strength_choice import choose
from cuesense.sweeps.sweep import Sweep
from tests.helpers.simulated_sweeps import Truth, level, simulated

_MEASURED = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, capture_output=True)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{time.perf_counter() - began:.2f} s, peak {memory:.0f} MiB")
"""
CLASSES, STRENGTHS, HARMED = 20, 6, 4
TOLERANCE = 0.05


def truth(kind: str, seed: int, images: int) -> Truth:
    """Return true accuracies: some classes lose much (harm), some little (drift), or none (nothing, unstable)."""
    random = np.random.default_rng(10_000 + seed)
    accuracy = level(STRENGTHS, CLASSES, seed)
    if kind == "harm":
        rise = np.linspace(0, 0.06, STRENGTHS)[:, None]
        accuracy = np.minimum(accuracy + rise, 0.98)
        size = random.uniform(0.05, 0.5, HARMED)
        accuracy[:, :HARMED] -= np.linspace(0, 1, STRENGTHS)[:, None] ** 2 * size
    elif kind == "drift":
        rise = np.linspace(0, 0.03, STRENGTHS)[:, None]
        accuracy = np.minimum(accuracy + rise, 0.98)
        accuracy[:, :HARMED] -= np.linspace(0, 1, STRENGTHS)[:, None] * random.uniform(0, 0.12, HARMED)
    return Truth(np.clip(accuracy, 0.02, 0.98), images=images)


def words(sweeps: int) -> None:
    """Print the table of docs/method.md, section 6."""
    print("| sweep | images | known | falsely named | found | bounds hold | recommended | violates | on fresh seeds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind in ("nothing", "harm", "drift", "unstable"):
        for images in (50, 200, 500, 2000):
            for per_image in (False,) if kind == "unstable" else (False, True):
                row = np.array([_error_rates(kind, seed, images, per_image=per_image) for seed in range(sweeps)])
                sums = np.nansum(row, axis=0)
                found = f"{sums[1]:.0f} of {sums[2]:.0f}"
                violated = f"{sums[5]:.0f} ({100 * sums[5] / sweeps:.1f} %)"
                fresh = f"{sums[6]:.0f} ({100 * sums[6] / sweeps:.1f} %)"
                share = f"{100 * sums[0] / sweeps:.1f} %"
                held = f"{100 * sums[3] / sweeps:.1f} %"
                known = "images" if per_image else "table"
                print(
                    f"| {kind} | {images} | {known} | {share} | {found} | {held} | {sums[4]:.0f} of {sweeps} | "
                    f"{violated} | {fresh} |",
                    flush=True,
                )


def _shaken(sweep: Sweep, seed: int) -> np.ndarray:
    """Return accuracies that vary over seeds, by 1 point and at the strongest by 8, beside what images bring."""
    deviation = np.where(sweep.strength_of == STRENGTHS - 1, 0.08, 0.01)[:, None]
    noise = np.random.default_rng(seed).normal(size=sweep.accuracy.shape)
    return np.clip(sweep.accuracy + deviation * noise, 0, 1)


def _error_rates(kind: str, seed: int, images: int, *, per_image: bool) -> list[float]:
    """Return named falsely, found, to be found, bounds hold, recommended, violated in truth and on fresh seeds.

    A loss is to be found where it is at least twice the smallest one that the sweep could show (``detectable``).
    """
    made = truth(kind, seed, images)
    sweep = simulated(made, seed, per_image=per_image)
    if kind == "unstable":
        sweep = replace(sweep, accuracy=_shaken(sweep, seed))
    found = class_losses(sweep, 0.95)
    chosen = choose(sweep, found, TOLERANCE, 0.95)
    losses, at = made.losses, chosen.by_mean
    named = found.losses.low[at] > 0
    clear = losses[at] >= 2 * found.losses.detectable[at]
    held = (found.losses.low <= losses + 1e-12) & (losses <= found.losses.high + 1e-12)
    safe = chosen.safe
    fresh = simulated(made, 1_000_000 + seed)
    means = np.stack([fresh.accuracy[fresh.strength_of == index].mean(axis=0) for index in range(STRENGTHS)])
    lost = (means.max(axis=0) - means).max(axis=1)
    return [
        float((named & (losses[at] <= 1e-12)).any()),
        float(named[clear].sum()),
        float(clear.sum()),
        float(held[at].all()),
        float(safe is not None),
        float(safe is not None and losses[safe].max() > TOLERANCE),
        float(safe is not None and lost[safe] > TOLERANCE),
    ]


def few(sweeps: int) -> None:
    """Print how often a class is named falsely where seeds are few, classes many and the strongest is unstable."""
    for strengths, runs, classes, calm, wild in (
        (5, 2, 100, 0.02, 0.1),
        (20, 3, 100, 0.01, 0.1),
        (6, 5, 100, 0.01, 0.1),
    ):
        random = np.random.default_rng(1)
        named = 0
        for _ in range(sweeps):
            strength_of = np.repeat(np.arange(strengths), runs)
            deviation = np.where(strength_of == strengths - 1, wild, calm)[:, None]
            shares = random.uniform(0.4, 0.95, classes) + deviation * random.normal(size=(len(strength_of), classes))
            accuracy = random.binomial(500, np.clip(shares, 0.01, 0.99)) / 500
            sweep = replace(
                simulated(Truth(level(strengths, classes), images=2, runs=runs), 0),
                accuracy=accuracy,
                images=np.full(accuracy.shape, 500),
            )
            found = class_losses(sweep, 0.95)
            named += bool((found.losses.low[int(found.mean.argmax())] > 0).any())
        print(
            f"{classes} classes, {strengths} strengths, {runs} seeds, {calm} and {wild}: {100 * named / sweeps:.1f} %"
        )


def write_table(path: Path) -> None:
    """Write the accuracies of 1,000 classes, 20 strengths and 20 seeds."""
    random = np.random.default_rng(0)
    cells = np.stack(np.meshgrid(range(20), range(20), range(1000), indexing="ij"), -1).reshape(-1, 3)
    shares = random.uniform(0.4, 0.95, 1000)[cells[:, 2]]
    frame = pd.DataFrame({"run": [f"{a}-{b}" for a, b, _ in cells], "strength": cells[:, 0] / 10})
    frame = frame.assign(seed=cells[:, 1], accuracy=random.binomial(50, shares) / 50, n=50)
    frame["class"] = [f"class {index}" for index in cells[:, 2]]
    frame.to_csv(path, index=False)


def speed() -> None:
    """Print seconds and memory of the command, its start, the reading and the page included.

    The table is made and the command started by processes of their own: what this one holds would count.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accuracies.csv"
        subprocess.run([sys.executable, __file__, "table", "--path", str(path)], check=True)
        command = [sys.executable, "-m", "cuesense", "audit", "--accuracies", str(path), "--output", folder]
        subprocess.run([sys.executable, "-c", _MEASURED, *command], check=True)


def main() -> None:
    """Run the benchmark that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("words", "few", "speed", "table"))
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--path", type=Path, help="where the table for the timing is written")
    options = parser.parse_args()
    if options.what == "words":
        words(options.sweeps)
    elif options.what == "few":
        few(options.sweeps)
    elif options.what == "speed":
        speed()
    else:
        write_table(options.path)


if __name__ == "__main__":
    main()
