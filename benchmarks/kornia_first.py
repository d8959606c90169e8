"""Which perturbations could be kornia's: its pixels and times beside ours, from the same parameters of every image.

    OMP_NUM_THREADS=1 python benchmarks/kornia_first.py
    python benchmarks/kornia_first.py --device cuda

On the CPU images are perturbed one by one on one thread, as the engine does it, and CPU time is counted; on a GPU in
batches, between two CUDA events. ``operations`` are those that a batch of 128 small images launches, views left out: on
a GPU each is a kernel or a copy. Writes ``benchmarks/results/kornia-first.csv``, where rows of other devices are kept,
and prints a table. Two minutes of one core.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

# So that the one command needs neither an installation nor PYTHONPATH.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.counted_operations import CountedOperations
from benchmarks.gpu_parts.setting import Setting, as_tensor, device_seconds, failed, natural_images
from benchmarks.kornia_forms import FORMS, NONE_IN_KORNIA, PLAIN_TORCH, Form
from cuesense import registry
from cuesense.draws import Draws
from cuesense.perturbations.apply import perturb
from cuesense.types import Perturbation

_RESULT = Path(__file__).parent / "results" / "kornia-first.csv"
_SIDES = (64, 224)
_IMAGES, _BATCH = 8, 128
# A call is repeated for this long on the CPU, ours and kornia's in turn; the least time of each counts.
_SECONDS, _FEWEST, _MOST = 0.6, 2, 200
# The rule: kornia's where it takes at most this many times ours and its pixels differ by rounding alone.
_MOST_TIMES_OURS, _ROUNDING = 1.25, 1e-6


def measured(device: str) -> pd.DataFrame:
    """Compare every form of kornia with ours at the first and the third value of the ladder.

    What kornia defines otherwise is compared at the first value alone: windows of 25 px take it seconds an image.

    Args:
        device: ``"cpu"`` or ``"cuda"``.

    Returns:
        One row for each perturbation, form, side and value; and one for what kornia does not have.
    """
    rows: list[dict[str, Any]] = []
    for name, forms in FORMS.items():
        entry = registry.get("perturbations", name)
        if name in PLAIN_TORCH:
            entry = replace(entry, apply=PLAIN_TORCH[name])
        for form in forms:
            for side in _SIDES:
                for value in (entry.ladder[0], entry.ladder[2])[: 1 if form.largest is None else 2]:
                    if form.fits is None or form.fits(side, side, value):
                        rows.append(_row(entry, form, side, value, device))
                        print(*rows[-1].values(), flush=True)
    rows += [{"perturbation": name, "kornia": f"none: {why}"} for name, why in NONE_IN_KORNIA.items()]
    return pd.DataFrame(rows)


def _row(entry: Perturbation, form: Form, side: int, value: float, device: str) -> dict[str, Any]:
    row: dict[str, Any] = {"perturbation": entry.name, "kornia": form.calls, "side": side, "value": value}
    images = as_tensor(natural_images(_IMAGES, side, side))
    ids = [str(index) for index in range(_IMAGES)]
    kornia_s = replace(entry, apply=form.apply)
    difference = (perturb(entry, images, ids, value) - perturb(kornia_s, images, ids, value)).abs()
    row |= {"largest": float(difference.max()), "mean": float(difference.mean()), "difference": form.difference}
    try:
        ours, theirs = (
            _one_by_one(lambda: perturb(entry, images, ids, value), lambda: perturb(kornia_s, images, ids, value))
            if device == "cpu"
            else _in_batches(entry, kornia_s, side, value, device)
        )
        row |= {"ours ms": 1000 * ours, "kornia ms": 1000 * theirs, "ratio": theirs / ours}
    except RuntimeError as error:  # a GPU's memory may be too small for kornia's windows
        row["failed"] = failed(error)
    for who, apply in (("ours", entry.apply), ("kornia", form.apply)):
        row[f"{who} operations"] = _operations(replace(entry, apply=apply), value)
    return row


def _one_by_one(ours: Callable[[], Tensor], theirs: Callable[[], Tensor]) -> tuple[float, float]:
    """Return the least CPU seconds an image of both, measured in turn."""
    spent: tuple[list[float], list[float]] = [], []
    start = time.process_time()
    while len(spent[0]) < _FEWEST or (time.process_time() - start < _SECONDS and len(spent[0]) < _MOST):
        for call, seconds in zip((ours, theirs), spent, strict=True):
            before = time.process_time()
            call()
            seconds.append(time.process_time() - before)
    return min(spent[0]) / _IMAGES, min(spent[1]) / _IMAGES


def _in_batches(
    entry: Perturbation, kornia_s: Perturbation, side: int, value: float, device: str
) -> tuple[float, float]:
    """Return the seconds a batch of both on a GPU."""
    images = as_tensor(natural_images(16, side, side)).repeat(_BATCH // 16, 1, 1, 1).to(device)
    ids = [str(index) for index in range(_BATCH)]
    setting = Setting(device)
    ours, theirs = (
        device_seconds(setting, lambda one=one: perturb(one, images, ids, value)) for one in (entry, kornia_s)
    )
    return ours, theirs


def _operations(entry: Perturbation, value: float) -> int:
    images, ids = torch.rand(_BATCH, 3, _SIDES[0], _SIDES[0]), [str(index) for index in range(_BATCH)]
    draws = Draws.of(ids, perturbation=entry.name, value=value, seed=0)
    with CountedOperations() as operations:
        entry.apply(images, value, draws)
    return operations.count


def table(rows: pd.DataFrame) -> str:
    """Return one line a form and device: the largest difference, the ratios of time, and whether kornia's would do."""
    lines = []
    for (name, calls, device), group in rows.groupby(["perturbation", "kornia", "device"], sort=False):
        if group["ratio"].isna().all():
            lines.append(f"{name:38} {device:5} {calls}")
            continue
        ratios = "  ".join(
            f"{side:.0f} px {part['ratio'].min():7.2f} to {part['ratio'].max():7.2f}"
            for side, part in group.groupby("side")
        )
        counts = group[["ours operations", "kornia operations"]].max().astype(int)
        lines.append(
            f"{name:38} {device:5} {ratios}  operations {counts.iloc[0]:3} and {counts.iloc[1]:3}  "
            f"largest difference {group['largest'].max():.0e}  {_verdict(group):26} {calls}"
        )
    return "\n".join(lines)


def _verdict(group: pd.DataFrame) -> str:
    """Return whether kornia's form may take the place of ours by the figures of one device, or why not."""
    form = next(form for form in FORMS[group["perturbation"].iloc[0]] if form.calls == group["kornia"].iloc[0])
    most_operations = _MOST_TIMES_OURS * group["ours operations"]
    against = {
        "another definition": form.largest is None,
        "not for all sizes": form.fits is not None,
        "slower": group.groupby("side")["ratio"].mean().max() > _MOST_TIMES_OURS,
        "more operations": (group["kornia operations"] > most_operations).any(),
        "other pixels": group["largest"].max() > _ROUNDING,
    }
    return next((why for why, holds in against.items() if holds), "kornia's")


def _processor() -> str:
    """Return the name of the processor, as exactly as the system says it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def main() -> None:
    """Measure on one device, write the file and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=_RESULT, help="the CSV file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode():
        rows = measured(options.device)
    hardware = torch.cuda.get_device_name() if options.device == "cuda" else _processor()
    rows = rows.assign(device=options.device, hardware=hardware, date=datetime.datetime.now(datetime.UTC).date())
    rows = rows.assign(**{f"{name} version": version(name) for name in ("torch", "kornia")})
    if options.out.is_file():
        known = pd.read_csv(options.out)
        rows = pd.concat([known[known["device"] != options.device], rows], ignore_index=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(options.out, index=False, float_format="%.4g")
    print(table(rows))


if __name__ == "__main__":
    main()
