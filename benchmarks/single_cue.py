"""Check cues against evidence that the analysis does not make: single-cue images and manipulations of photographs.

``PYTHONPATH=. python benchmarks/single_cue.py measure --photos FOLDER --weights FILE --out FILE.json`` trains small
networks on sets of images with one cue, fits heads of pretrained ones on them, keeps all predictions beside FILE.json
and counts right, open and wrong answers: on images with one cue the right answer is that cue or open, never another.
``--sets photographs`` asks about the photographs as they are and under the outside battery, and compares what classes
keep. ``judge --out FILE.json`` applies the rule of the moment to what was kept. ``sheet`` shows what is made.

Networks of 64 px (``--sides``) are trained from scratch; at 224 px pretrained ones answer. A small network needs 64
training images or more in all. Three sets of 8 classes at 64 px (40 training and 20 test images a class, kind strided)
take some four minutes on one busy core; 224 px wants ``--device cuda --workers 16``.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import KINDS
from benchmarks.outside.battery import CHECKS, MANIPULATIONS
from benchmarks.outside.judge import judged, table, validity, validity_table
from benchmarks.outside.kept import OUTSIDE, keep
from benchmarks.outside.networks import Answering, Condition, ask, pretrained, small
from benchmarks.outside.photographs import Views, changed, make, of_folders, of_photographs, sheet
from benchmarks.outside.single import SETS
from cuesense.imagenet_names import imagenet_synsets
from cuesense.perturbations.ablations import ABLATIONS, COLUMNS, SHAM
from cuesense.types import CueVerdict

PHOTOGRAPHS = "photographs"
GROUPINGS = ("folders", "views")
_OF_COLUMNS = (ablation for column in COLUMNS for ablation in column.mechanisms)
CONDITIONS: tuple[Condition, ...] = tuple(dict.fromkeys((*ABLATIONS, *SHAM.values(), *_OF_COLUMNS)))
# Where pretrained networks answer.
LARGE = 224


@dataclass(frozen=True)
class Plan:
    """What is measured, and how.

    Attributes:
        photos: Folder of photographs.
        folder: Where predictions are kept.
        weights: Pretrained networks.
        kinds: Kinds of small networks.
        train: Training images a class.
        test: Test images a class.
        classes: Classes where each is one photograph.
        seed: Of the choice of photographs, the making, the training and the perturbations.
        conditions: Perturbations and values that networks are asked under.
        device: Where networks and perturbations run.
    """

    photos: Path
    folder: Path
    weights: tuple[Path, ...] = ()
    kinds: tuple[str, ...] = KINDS
    train: int = 120
    test: int = 50
    classes: int = 20
    seed: int = 0
    conditions: tuple[Condition, ...] = CONDITIONS
    device: str = "cpu"

    def views(self, grouping: str) -> Views:
        """Return the images of one grouping, not made yet."""
        if grouping == "folders":
            return of_folders(self.photos, self.train, self.test)
        return of_photographs(self.photos, self.classes, self.train, self.test, self.seed)


def measure(plan: Plan, use: str, grouping: str, side: int, pool: ProcessPoolExecutor | None) -> list[Path]:
    """Train or fit the networks of one set and size, ask them, and keep the predictions; one file a network.

    Args:
        plan: What is measured.
        use: A key of SETS, or PHOTOGRAPHS, which adds the outside battery to the conditions.
        grouping: One of GROUPINGS.
        side: Height and width in pixels; at LARGE pretrained networks answer, else small ones.
        pool: Shares the making of images, or None.

    Returns:
        The files.
    """
    views = plan.views(grouping)
    networks = list(_networks(plan, views, make(views.train, use, side, plan.seed, pool), side))
    images, ids = make(views.test, use, side, plan.seed, pool), [view.id for view in views.test]
    scores = ask(networks, images, ids, plan.conditions, plan.seed, plan.device)
    conditions: list[Condition] = list(plan.conditions)
    for name in MANIPULATIONS if use == PHOTOGRAPHS else CHECKS:
        if use == PHOTOGRAPHS:
            others = make(views.test, name, side, plan.seed, pool)
        else:
            others = changed(images, views.test, name, plan.seed)
        found = ask(networks, others, ids, (), plan.seed, plan.device)
        scores = {key: np.concatenate([rows, found[key]]) for key, rows in scores.items()}
        conditions.append((f"{OUTSIDE}{name}", 1.0))
    truth = SETS[use].cue if use in SETS else CueVerdict.UNDETERMINED
    paths = []
    for network, rows in scores.items():
        paths.append(plan.folder / f"{use}-{grouping}-{network}-{plan.seed}-{side}.npz")
        keep(paths[-1], names=views.names, truth=truth, labels=_labels(views.test), conditions=conditions, scores=rows)
        print(f"{paths[-1].stem}: clean accuracy {(rows[0].argmax(1) == _labels(views.test)).mean():.3f}", flush=True)
    return paths


def _networks(plan: Plan, views: Views, images: NDArray[np.uint8], side: int) -> Iterator[Answering]:
    labels, classes = _labels(views.train), len(views.names)
    if side != LARGE:
        for kind in plan.kinds:
            yield small(kind, images, labels, classes, plan.seed, plan.device)
        return
    synsets = {synset: place for place, synset in enumerate(imagenet_synsets())}
    known = [synsets[name] for name in views.names] if synsets.keys() >= set(views.names) else None
    for weights in plan.weights:
        yield pretrained(weights, images, labels, classes, known, plan.device)


def _labels(views: Sequence) -> NDArray[np.int64]:
    return np.array([view.label for view in views], dtype=np.int64)


def judge(folder: Path, out: Path) -> None:
    """Apply the analysis to all kept predictions; print the tables and write the details."""
    paths = sorted(folder.glob("*.npz"))
    single = [judged(path) for path in paths if path.stem.partition("-")[0] in SETS]
    compared = [validity(path) for path in paths if path.stem.startswith(f"{PHOTOGRAPHS}-")]
    out.write_text(json.dumps({"single_cue": single, "validity": compared}, indent=1) + "\n", encoding="utf-8")
    print(*([table(single)] if single else []), *([validity_table(compared)] if compared else []), sep="\n\n")


def _conditions(text: str) -> tuple[Condition, ...]:
    pairs = (part.rpartition(":") for part in text.split(",") if part)
    return tuple((name, float(value)) for name, _, value in pairs)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("measure", "judge", "sheet"))
    parser.add_argument("--photos", type=Path, help="class folders, or train/ and val/ with class folders in them")
    parser.add_argument("--out", type=Path, required=True, help="a JSON file; a PNG for sheet")
    parser.add_argument("--weights", type=Path, action="append", default=[], help="a state dict; may be repeated")
    parser.add_argument("--sets", type=_names, default=tuple(SETS), help=f"of {', '.join(SETS)}, {PHOTOGRAPHS}")
    parser.add_argument("--groupings", type=_names, default=GROUPINGS, help="a class is a folder, or one photograph")
    parser.add_argument("--sides", type=_names, default=("64", "224"))
    parser.add_argument("--kinds", type=_names, default=KINDS, help="small networks")
    parser.add_argument("--train", type=int, default=120, help="training images a class")
    parser.add_argument("--test", type=int, default=50, help="test images a class")
    parser.add_argument("--classes", type=int, default=20, help="photographs that are a class each")
    parser.add_argument("--conditions", type=_conditions, default=(), help="NAME:VALUE,... in addition to the rule's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that make images")
    return parser.parse_args()


def main() -> None:
    """Measure, judge or show."""
    options = _arguments()
    folder = options.out.with_suffix("")
    if options.job == "sheet":
        views = of_folders(options.photos, 2, 2).test
        first = [next(view for view in views if view.label == label) for label in sorted({v.label for v in views})]
        sheet(first, int(options.sides[-1]), options.seed).save(options.out)
        return
    if options.job == "measure":
        plan = Plan(
            photos=options.photos,
            folder=folder,
            weights=tuple(options.weights),
            kinds=options.kinds,
            train=options.train,
            test=options.test,
            classes=options.classes,
            seed=options.seed,
            conditions=tuple(dict.fromkeys([*CONDITIONS, *options.conditions])),
            device=options.device,
        )
        # Started anew, because a process that is copied from one with CUDA cannot use it, and torch's threads hang.
        new = ProcessPoolExecutor(options.workers, get_context("spawn")) if options.workers > 1 else nullcontext()
        with new as pool:
            for side in map(int, options.sides):
                for grouping in options.groupings:
                    for use in options.sets:
                        measure(plan, use, grouping, side, pool)
    judge(folder, options.out)


if __name__ == "__main__":
    main()
