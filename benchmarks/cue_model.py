"""Fit the joint model of the verdict, and measure verdicts on networks that it was not fitted to.

``PYTHONPATH=. python benchmarks/cue_model.py fit FOLDER --out assets/cue_model.json`` fits the weights of
``cuesense/analysis/joint_model.py`` to the networks of ``cue_worlds.py`` in the folder. ``measure FOLDER`` prints the
tables of ``docs/method.md``: the model fitted to even seeds on odd ones, and fitted to all families of images but one
on that one, beside the posterior over Boolean hypotheses on the same predictions. With 150 networks ``fit`` takes half
a minute on one core, ``measure`` three.
"""

import argparse
import json
from pathlib import Path

from benchmarks.joint.fitting import fitted, for_training
from benchmarks.joint.kept import networks
from benchmarks.joint.measuring import by_family, by_size, by_truth, families_left_out, odd_seeds, table
from cuesense.analysis.joint_model import JointModel
from cuesense.perturbations.ablations import JOINT_ABLATIONS

# Decimals of a weight: the probabilities change by less than .001.
_DECIMALS = 4


def written(model: JointModel) -> str:
    """Return the text of ``assets/cue_model.json``: one line for each column of the design."""
    lines = ",\n".join(json.dumps([round(weight, _DECIMALS) for weight in row]) for row in model.weights.tolist())
    features, verdicts = json.dumps(JOINT_ABLATIONS), json.dumps(model.verdicts)
    return f'{{\n"features": {features},\n"verdicts": {verdicts},\n"weights": [\n{lines}\n]\n}}\n'


def measure(folder: Path) -> None:
    """Print all tables."""
    every = networks(folder)
    print(f"{len(every)} networks, {sum(network.odd for network in every)} of odd seeds\n")
    for name, found in (
        ("fitted to even seeds, measured on odd ones", odd_seeds(every)),
        ("fitted to all families but one, measured on that one", families_left_out(every)),
    ):
        print(f"{name}\n\n{table(found, by_size)}\n\n{table(found, by_family)}\n")
        print(f"{table({50: found[50]}, by_truth)}\n", flush=True)


def main() -> None:
    """Fit or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("fit", "measure"))
    parser.add_argument("folder", type=Path, help="predictions kept by cue_worlds.py")
    parser.add_argument("--out", type=Path, help="the JSON file of the weights, for fit")
    options = parser.parse_args()
    if options.job == "measure":
        measure(options.folder)
        return
    if options.out is None:
        parser.error("Expected --out, the JSON file of the weights, but got none. Add --out assets/cue_model.json.")
    chosen = for_training(networks(options.folder))
    options.out.write_text(written(fitted(chosen)), encoding="utf-8")
    print(f"{options.out}: fitted to {len(chosen)} rows of {len({row.network for row in chosen})} networks")


if __name__ == "__main__":
    main()
