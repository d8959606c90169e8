"""Train the networks that the joint model is fitted to and measured on, and keep their predictions.

``PYTHONPATH=. python benchmarks/cue_worlds.py FOLDER --photos FOLDER --weights FILE --device cuda --part 0/16`` trains
every sixteenth network of ``benchmarks.joint.jobs``, asks it under all ablations of the joint model and the shams, and
writes one file a network; 16 such processes share a GPU. Jobs are in an order in which whatever the time allows is a
fair sample (``--seconds``), and those whose file is there are skipped. An exploratory version of this script made 150
networks in 8 minutes on an H200 with 16 processes; a network of 64 px takes one to three minutes on one CPU core.

Without ``--photos``, a folder with class folders of photographs, sets of photographs are left out, and without
``--weights``, a state dict of torchvision's mobilenet_v2, all networks at 224 px. ``cue_model.py`` reads the folder.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.joint.jobs import Job, jobs
from benchmarks.joint.training import Sources, run

# Of --smoke: every step of every job, but nothing is learned.
_SMOKE = {"train": 40, "test": 6, "counterfactual": 2, "epochs": 1}


def chosen(sources: Sources, only: str, part: tuple[int, int]) -> list[Job]:
    """Return the jobs of one process.

    Args:
        sources: What there is; jobs that need more are left out.
        only: A part of ``family-seed-size-network``.
        part: Which of how many processes.
    """
    able = [job for job in jobs() if sources.suffice(job) and only in job.name(job.network, 0)]
    return able[part[0] :: part[1]]


def train(todo: Iterable[Job], sources: Sources, folder: Path, seconds: float) -> None:
    """Run jobs that are not done yet, until one more might take longer than there is time."""
    start, longest = time.perf_counter(), 0.0
    for job in todo:
        began = time.perf_counter()
        if began - start + longest > seconds:
            break
        if any(folder.glob(f"{job.name('*', 0).rpartition('-')[0]}-*{job.tag}.npz")):
            continue
        print(*run(job, sources, folder), sep="\n", flush=True)
        longest = max(longest, time.perf_counter() - began)


def _part(text: str) -> tuple[int, int]:
    which, _, number = text.partition("/")
    found = int(which), int(number)
    if not 0 <= found[0] < found[1]:
        raise ValueError(text)
    return found


def main() -> None:
    """Train, ask and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--photos", type=Path, help="class folders, or train/ and val/ with class folders in them")
    parser.add_argument("--weights", type=Path, help="a state dict of torchvision's mobilenet_v2")
    parser.add_argument("--part", type=_part, default=(0, 1), help="K/N: every N-th job from the K-th on, K from 0")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no job that may end later")
    parser.add_argument("--only", default="", help="a part of FAMILY-SEED-SIZE-NETWORK")
    parser.add_argument("--smoke", action="store_true", help="few images and one epoch, to try the script")
    options = parser.parse_args()
    sources = Sources(options.photos, options.weights, options.device)
    options.folder.mkdir(parents=True, exist_ok=True)
    todo = chosen(sources, options.only, options.part)
    todo = [replace(job, **_SMOKE) for job in todo] if options.smoke else todo
    left_out = len(jobs()) - len(chosen(sources, "", (0, 1)))
    print(f"{len(todo)} jobs; {left_out} of all need --photos or --weights", flush=True)
    train(todo, sources, options.folder, options.seconds)


if __name__ == "__main__":
    main()
