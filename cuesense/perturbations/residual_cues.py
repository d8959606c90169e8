"""What each value of a perturbation leaves of each cue (measured by ``benchmarks/manipulation.py``)."""

import csv
from functools import cache

from cuesense import package_files
from cuesense.types import Cue


@cache
def residual_cues() -> dict[tuple[str, float], dict[Cue, float]]:
    """Return the manipulation check.

    Returns:
        By name and value of every perturbation that comes with cuesense, the share of each cue, in [0, 1], that a
        network trained on images perturbed in all ways can still read: 0 is chance, 1 what it reads of clean images.
    """
    with (package_files.folder("assets") / "readable.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["perturbation"], float(row["value"])): {cue: float(row[cue.value]) for cue in Cue}
            for row in csv.DictReader(file)
        }
