"""The experiments of Balestriero, Bottou and LeCun 2022 (arXiv 2204.03632) at a size that fits one machine.

In ``benchmarks``, with WORLD as in ``budget_worlds.py`` (photographs need ``--photos``):

- ``python class_dependence.py train WORLD FOLDER --seeds 0,1,2`` trains sixteen networks a seed: with random crops down
  to a share of the image, with color jitter, with weight decay over four decades, and without any. What is there
  already is kept.
- ``python class_dependence.py audit WORLD FOLDER --output TABLE`` audits the three sweeps on images that no network has
  seen and writes every run's accuracies to a table that ``cuesense audit --accuracies`` reads.
- ``python class_dependence.py transfer WORLD FOLDER`` audits them on other classes, by linear heads.
- ``python class_dependence.py describe WORLD FOLDER`` prints the tables of ``docs/class-dependence.md``, ``images``
  what its last table says, and ``figure WORLD FOLDER/audit-SWEEP --output PICTURE`` draws the curves of one audit.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from budget_worlds import COUNTS, RECIPE, SIDE, parts, train
from torch import nn

from cuesense.datasets.load import load_dataset
from cuesense.inference.checkpoints import predict_checkpoints
from cuesense.inference.one_checkpoint import CheckpointOptions
from cuesense.inference.options import run_options
from cuesense.models.compact import MEAN, STD, build
from cuesense.models.preprocessing import ImageOptions
from cuesense.reports.audit_view import view
from cuesense.reports.charts.audit_curves import audit_curves
from cuesense.schemas.audit import Audit, ClassAudit
from cuesense.sweeps.build_audit import build_audit
from cuesense.sweeps.losses import class_losses
from cuesense.sweeps.run_list import read_runs
from cuesense.sweeps.sweep import Sweep
from cuesense.workflows.audit import write_audit
from cuesense.workflows.transfer import transfer

CROPS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.08)
JITTERS = (0.0, 0.1, 0.2, 0.4, 0.8)
DECAYS = (0.002, 0.02, 0.2, 1.0, 2.0, 5.0, 20.0)
SWEEPS = {"random_resized_crop": CROPS, "color_jitter": JITTERS, "weight_decay": DECAYS}
TESTED = 250
KINDS = ",".join(f"{kind}={count}" for kind, count in COUNTS.items())
PIXELS: dict[str, Any] = {"resize": SIDE, "mean": MEAN, "std": STD}
PLAIN = {"random_resized_crop": 1.0, "color_jitter": 0.0, "weight_decay": RECIPE.weight_decay}


def runs() -> Iterator[tuple[str, float]]:
    """Yield regularizer and strength of every training but the plain one, which all sweeps share."""
    yield "none", 0.0
    for name, strengths in SWEEPS.items():
        yield from ((name, value) for value in strengths if value != PLAIN[name])


def weights(folder: Path, name: str, strength: float, seed: int) -> Path:
    """Return where a network is kept."""
    plain = name == "none" or strength == PLAIN[name]
    return folder / f"{'none' if plain else f'{name}={strength}'}_{seed}.pt"


def train_all(world: str, folder: Path, seeds: list[int], photos: Path | None) -> None:
    """Train what is missing."""
    data, _, _, names = parts(world, photos)
    for seed in seeds:
        for name, strength in runs():
            path = weights(folder, name, strength, seed)
            if path.exists():
                continue
            began = time.process_time()
            decay = strength if name == "weight_decay" else RECIPE.weight_decay
            doses = {name: strength} if name in ("random_resized_crop", "color_jitter") else {}
            network = train(doses, data, len(names), 3000 + seed, replace(RECIPE, weight_decay=decay))
            torch.save(network.state_dict(), path.with_suffix(".tmp"))
            path.with_suffix(".tmp").rename(path)
            print(f"{world} {path.stem} {time.process_time() - began:.0f} s", flush=True)


def write_runs(folder: Path, seeds: list[int]) -> None:
    """List the networks of each sweep."""
    for name, strengths in SWEEPS.items():
        rows = [
            {"model": weights(folder, name, value, seed).name, "regularizer": name, "strength": value, "seed": seed}
            for value in strengths
            for seed in seeds
        ]
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def planted() -> nn.Module:
    """Return the network of planted worlds, for ``--arch``."""
    return build(14, SIDE)


def photos() -> nn.Module:
    """Return the network of all twelve classes of photographs."""
    return build(12, SIDE)


def half() -> nn.Module:
    """Return the network of six classes of photographs."""
    return build(6, SIDE)


def arch(world: str) -> str:
    """Return the architecture's spec of a world's networks."""
    kind, which, _ = world.split(":")
    return f"python:class_dependence:{'planted' if kind == 'planted' else 'photos' if which == 'all' else 'half'}"


def listed(source: Path, which: str, begin: int, end: int | None, target: Path, *, val: bool) -> str:
    """Write a table of photographs: those from begin to end of each class of train/, and all of val/ if wanted."""
    rows = []
    for split in ("train", "val") if val else ("train",):
        data = load_dataset(str(source / split))
        chosen = range(12)[{"a": slice(0, None, 2), "b": slice(1, None, 2), "all": slice(None)}[which]]
        for label in chosen:
            own = [name for name, number in zip(data.sample_ids, data.labels, strict=True) if number == label]
            part = own[begin:end] if split == "train" else own
            rows += [(str((source / split / name).resolve()), data.class_names[label]) for name in part]
    pd.DataFrame(rows, columns=["path", "label"]).to_csv(target, index=False)
    return str(target)


def tested(world: str, folder: Path, source: Path | None) -> str:
    """Return the dataset that a world's networks are tested on."""
    kind, which, count = world.split(":")
    if kind == "planted":
        return f"planted:{which},images={TESTED},{KINDS}"
    if source is None:
        raise SystemExit("Give --photos FOLDER.")
    return listed(source, which, int(count), None, folder / "test.csv", val=True)


def downstream(world: str, folder: Path, source: Path | None, other: Path | None) -> tuple[str, str | None]:
    """Return the images of other classes that heads are tested on, and those that they are fitted on."""
    kind, which, count = world.split(":")
    if kind == "planted":
        spec = f"planted:{int(which) + 99},{KINDS}"
        return f"{spec},images={TESTED}", f"{spec},split=train,images={count}"
    if which == "all":
        return str(other), None
    if source is None:
        raise SystemExit("Give --photos FOLDER.")
    test = listed(source, "b", int(count), None, folder / "other-test.csv", val=True)
    return test, listed(source, "b", 0, int(count), folder / "other-train.csv", val=False)


def table(sweep: Sweep) -> pd.DataFrame:
    """Return every run's accuracies as ``cuesense audit --accuracies`` reads them."""
    rows = [
        (f"{sweep.regularizer}={sweep.strengths[place]:g}, {seed}", sweep.regularizer, sweep.strengths[place], seed)
        for place, seed in zip(sweep.strength_of, sweep.seeds, strict=True)
    ]
    known = pd.DataFrame(rows, columns=["run", "regularizer", "strength", "seed"])
    count = len(sweep.class_names)
    return known.loc[known.index.repeat(count)].assign(
        **{"class": list(sweep.class_names) * len(known), "accuracy": sweep.accuracy.ravel().round(4)},
        n=sweep.images.ravel(),
    )


def audit_all(world: str, folder: Path, source: Path | None, target: Path) -> None:
    """Audit the three sweeps on their own classes."""
    data = load_dataset(tested(world, folder, source))
    options = CheckpointOptions(run_options("auto", 128, workers=2), ImageOptions(SIDE, **PIXELS))
    found = []
    for name in SWEEPS:
        runs = read_runs(folder / f"{name}.csv", arch=arch(world))
        said = predict_checkpoints(runs, data, options, folder / "audit")
        audit = build_audit(
            said.sweep,
            tolerance=0.05,
            confidence=0.95,
            source={"world": world, "images": len(said.sample_ids)},
            similarity=said.similarity,
        )
        write_audit(audit, None, folder / f"audit-{name}")
        found.append(table(said.sweep))
        print(f"{world} {name}: best average at {audit.chosen_by_mean}, {audit.harmed} harmed", flush=True)
    pd.concat(found).to_csv(target, index=False, lineterminator="\n")


def transfer_all(world: str, folder: Path, source: Path | None, other: Path | None) -> None:
    """Audit the three sweeps on other classes."""
    test, train = downstream(world, folder, source, other)
    for name in SWEEPS:
        audit = transfer(
            folder / f"{name}.csv",
            test,
            train=train,
            arch=arch(world),
            image_size=SIDE,
            output=folder / f"transfer-{name}",
            **PIXELS,
        )
        print(f"{world} {name}: best transfer at {audit.chosen_by_mean}, {audit.harmed} harmed", flush=True)


def describe(path: Path) -> None:
    """Print an audit as ``docs/class-dependence.md`` has it."""
    found = Audit.model_validate_json(path.read_text(encoding="utf-8"))
    harmed = [sum(strength in entry.harmed_at for entry in found.classes) for strength in found.strengths]
    worst = zip(found.worst_class_accuracy, found.worst_class, strict=True)
    rows = {
        found.regularizer.replace("_", " "): [f"{strength:g}" for strength in found.strengths],
        "mean, %": [f"{100 * mean:.1f}" for mean in found.mean_accuracy],
        "worst class, %": [f"{100 * share:.1f} ({name.replace('_', ' ')})" for share, name in worst],
        "classes shown to lose": [str(count) for count in harmed],
    }
    print(f"\n{path.parent.name}, {min(found.runs)} seeds, {found.classes[0].n} images a class")
    lines = [f"| {name} | {' | '.join(values)} |" for name, values in rows.items()]
    print("\n".join([lines[0], "|---" * (len(found.strengths) + 1) + "|", *lines[1:]]))
    print(
        f"Best average {found.chosen_by_mean:g}, worst class {found.chosen_by_worst_class:g}, unharmed "
        f"{found.chosen_unharmed}, safe {found.chosen_safe}; gain: {found.gaining}"
    )
    for entry in found.classes:
        if entry.harmed:
            taken = ", ".join(f"{rival.rival} {100 * rival.share:.1f}" for rival in entry.rivals)
            print(f"harmed at the best: {entry.name} {_points(entry)}, best at {entry.best_strength:g}; {taken}")
    strongest = sorted(found.classes, key=lambda entry: -(entry.loss_at_strongest or 0))
    lost = [f"{entry.name} {100 * (entry.loss_at_strongest or 0):.1f}" for entry in strongest]
    shown = [entry.name for entry in strongest if found.strengths[-1] in entry.harmed_at]
    print(f"at the strongest: {', '.join(lost)}\nshown there: {', '.join(shown)}")


def _points(entry: ClassAudit) -> str:
    return f"{100 * (entry.loss or 0):.1f} [{100 * (entry.low or 0):.1f}, {100 * (entry.high or 0):.1f}]"


def over_images(world: str, folder: Path, source: Path | None) -> None:
    """Print how much of the variance over images stays in a difference, and what is assumed where images are unknown.

    In units of what two samples of other images would give, by the size of the difference; one image in n that differs
    is subtracted, which ``harm`` adds.
    """
    data = load_dataset(tested(world, folder, source))
    options = CheckpointOptions(run_options("auto", 128, workers=2), ImageOptions(SIDE, **PIXELS))
    for name in SWEEPS:
        sweep = predict_checkpoints(
            read_runs(folder / f"{name}.csv", arch=arch(world)), data, options, folder / "audit"
        ).sweep
        known, unknown = class_losses(sweep, 0.95), class_losses(replace(sweep, pictures=None), 0.95)
        print(
            f"{world} {name}: variance over seeds in units of p (1 - p) / n, median {np.median(known.noise.ratio):.2f}"
        )
        pairs = np.triu_indices(len(sweep.strengths), 1)
        size = np.abs(known.differences.value[pairs])
        unit = (known.noise.unit[:, None] + known.noise.unit[None])[pairs]
        images = sweep.images[0]
        measured = (known.differences.over_images[pairs] - 1 / (images * (images + 1))) / unit
        parts = unknown.differences
        assumed = (parts.over_images + parts.each * np.abs(parts.value) * (1 - np.abs(parts.value)))[pairs] / unit
        for low, high in ((0, 0.03), (0.03, 0.1), (0.1, 0.2), (0.2, 1)):
            some = (size >= low) & (size < high)
            if some.any():
                print(
                    f"{world} {name} {low}-{high}: {some.sum()} differences, measured {measured[some].mean():.2f}, "
                    f"90 % below {np.quantile(measured[some], 0.9):.2f}, assumed {assumed[some].mean():.2f}"
                )


def figure(path: Path, target: Path) -> None:
    """Draw the curves of an audit as a file of its own."""
    found = Audit.model_validate_json(path.read_text(encoding="utf-8"))
    sheets = "".join(files("cuesense.reports.html").joinpath(name).read_text() for name in ("page.css", "audit.css"))
    style = f"<style>{sheets}text {{ font-family: sans-serif; fill: var(--muted); }}</style>"
    paper = '<rect width="100%" height="100%" style="fill: var(--paper)"/>'
    start, _, rest = str(audit_curves(view(found))).partition(">")
    target.write_text(f'{start} xmlns="http://www.w3.org/2000/svg">{style}{paper}{rest}\n', encoding="utf-8")


def main() -> None:
    """Do one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("train", "audit", "transfer", "images", "describe", "figure"))
    parser.add_argument("world")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="0,1,2,3,4,5,6,7,8,9")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--other", type=Path, help="other photographs, for the transfer of networks of all classes")
    parser.add_argument("--output", type=Path, help="the table of all runs' accuracies, or the picture")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.stage == "train":
        train_all(options.world, options.folder, seeds, options.photos)
    elif options.stage == "audit":
        write_runs(options.folder, seeds)
        audit_all(options.world, options.folder, options.photos, options.output or options.folder / "accuracies.csv")
    elif options.stage == "transfer":
        write_runs(options.folder, seeds)
        transfer_all(options.world, options.folder, options.photos, options.other)
    elif options.stage == "images":
        over_images(options.world, options.folder, options.photos)
    elif options.stage == "figure":
        figure(options.folder / "audit.json", options.output or options.folder / "curves.svg")
    else:
        for path in sorted(options.folder.glob("*/audit.json")):
            describe(path)


if __name__ == "__main__":
    main()
