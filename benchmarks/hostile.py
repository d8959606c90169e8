"""Load files that try to run code, and damaged ones, and count what happens.

    PYTHONPATH=. python benchmarks/hostile.py --files 3000 --damaged 2000

Hostile files are read with only weights allowed: nothing may run and nothing may be written. Damaged ones, a good
model's file of every kind changed at random, are read with everything allowed: each is one sentence or a model.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier
from cuesense.models.trust import COMPACT, OWN_WORD, Trust
from tests.helpers.good_models import TENSORS, good_models
from tests.helpers.hostile_files import damaged, hostile_files
from tests.helpers.watched import watched

ARCH = "python:tests.helpers.good_models:small_network"


def main() -> None:
    """Print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--damaged", type=int, default=2000, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"hostile": hostile(folder, options.files, options.seed)}
        found |= damage(folder, options.damaged, options.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps(found | {"peak memory in GB": round(peak, 2)}, indent=1))


def hostile(folder: Path, count: int, seed: int) -> dict[str, float]:
    """Read hostile files with only weights allowed."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    canaries = folder / "canaries"
    canaries.mkdir()
    path = folder / "hostile.pt"
    for kind, data in hostile_files(count, canaries, seed):
        path.write_bytes(data)
        started = time.monotonic()
        with watched() as done:
            counts[outcome(path, Trust(weights_only=True), COMPACT)] += 1
        slowest = max(slowest, time.monotonic() - started)
        if done:
            print(kind, done)
            counts["executed or written"] += 1
    return dict(counts) | {"left behind": len(list(canaries.iterdir())), "slowest in s": round(slowest, 2)}


def damage(folder: Path, count: int, seed: int) -> dict[str, dict[str, float]]:
    """Read damaged files with everything allowed."""
    random_ = random.Random(seed)
    found = {}
    for kind, path in good_models(folder).items():
        data = path.read_bytes()
        counts: Counter[str] = Counter()
        slowest = 0.0
        for _ in range(count):
            broken = folder / "damaged.pt"
            broken.write_bytes(damaged(data, random_))
            started = time.monotonic()
            counts[outcome(broken, OWN_WORD, ARCH if kind in TENSORS else None)] += 1
            slowest = max(slowest, time.monotonic() - started)
        found[f"damaged {kind}"] = dict(counts) | {"slowest in s": round(slowest, 2)}
        print(kind, found[f"damaged {kind}"], flush=True)
    return found


def outcome(path: Path, trust: Trust, arch: str | None = None) -> str:
    """Return how loading a file ends."""
    try:
        load_classifier(str(path), arch=arch, trust=trust)
    except ModelError as error:
        return "one sentence" if "\n" not in str(error) else "several lines"
    except Exception as error:
        print(repr(error)[:300])
        return "traceback"
    return "loaded"


if __name__ == "__main__":
    main()
