"""Does following the advice pay? Train with it and with what people do instead, in 20 worlds, five seeds each.

Every job takes worlds (all that are for measuring, where none is named) and goes on where it stopped:

- ``python benchmarks/value_training.py WORLD... --folder FOLDER``: the trainings that policies are chosen from.
- ``profile``: analyze the network that was trained without augmentation, on 10, 20, 50 and 200 images a class.
- ``policies``: choose each policy (``--policies``), none of which sees a test image.
- ``train``: train with each policy that was chosen, five seeds that chose none of them.
- ``table``: write what every class got right to ``benchmarks/value.csv``.
- ``measure``: print the tables of ``docs/value.md`` from that file and draw ``assets/value.svg``; no training is read.

Worlds of photographs need ``--photos FOLDER`` with train/ and val/. One training takes 10 to 20 s on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
import value_measures
from value_figure import figure
from value_policies import EVERY, SIZES, choose, chosen
from value_profiles import profile
from value_table import described, read, write
from value_training import REPORTED_SEEDS, Trainings
from value_worlds import ANALYZED, MEASURING

ROOT = Path(__file__).parents[1]
TABLE, FIGURE = ROOT / "benchmarks" / "value.csv", ROOT / "assets" / "value.svg"


def _profile(own: Trainings, _: argparse.Namespace) -> None:
    for images in (*SIZES, ANALYZED):
        found = profile(own, images)
        count = f"{found.provenance.dataset.images} analyzed images"
        print(f"{own.name}: {found.summary.clean_accuracy:.1%} of {count} are recognized", flush=True)


def _policies(own: Trainings, options: argparse.Namespace) -> None:
    for name, policy in choose(own, tuple(options.policies), again=options.again).items():
        print(f"{own.name}, {name}: {described(policy)}", flush=True)


def _train(own: Trainings, options: argparse.Namespace) -> None:
    found = chosen(own)
    own.run([found[name] for name in options.policies if name in found], REPORTED_SEEDS)


JOBS: Mapping[str, Callable[[Trainings, argparse.Namespace], None]] = {
    "profile": _profile,
    "policies": _policies,
    "train": _train,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=(*JOBS, "table", "measure"))
    parser.add_argument("worlds", nargs="*", default=MEASURING)
    parser.add_argument("--folder", type=Path, help="where the trainings are kept")
    parser.add_argument("--photos", type=Path, help="photographs with train/ and val/")
    parser.add_argument("--policies", nargs="+", choices=EVERY, default=EVERY)
    parser.add_argument("--again", action="store_true", help="choose policies that were chosen before")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.job == "measure":
        table = read(TABLE)
        print(value_measures.report(table))
        FIGURE.write_text(figure(table), encoding="utf-8")
        return
    if options.folder is None:
        parser.error("Give --folder, where the trainings are.")
    owns = (Trainings(name, options.folder, options.photos) for name in options.worlds)
    if options.job == "table":
        write(TABLE, owns)
        return
    for own in owns:
        JOBS[options.job](own, options)


if __name__ == "__main__":
    main()
