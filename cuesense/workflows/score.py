"""Find cues and budgets from a table of stored predictions: no model, no images, no torch."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.analysis.expectations import Plan, expected_from_clean, expected_from_images
from cuesense.analysis.groups import read_groups
from cuesense.atomic_files import remove_file
from cuesense.datasets.classes import read_class_names
from cuesense.errors import SettingsError, expected
from cuesense.perturbations.ablations import ABLATIONS
from cuesense.policies.budgets import Levels
from cuesense.predictions.label_order import check_order
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.shards import FOLDER
from cuesense.predictions.table import read
from cuesense.schemas.profile import DatasetInfo, ModelInfo, Profile, Provenance
from cuesense.schemas.profile_provenance import FROM_TABLE, NAMES_ALONE
from cuesense.stores.lock import locked
from cuesense.types import RISK, Notify
from cuesense.validation import LARGEST_SIDE, check_fraction, check_risk, path_of
from cuesense.workflows.profile_files import PREDICTIONS, write_outputs

_UNCORRECTED = (
    "The table has no column called corrected, with the predictions after the prior correction: labels rest on the "
    "network's own answers."
)

_NO_SIZE = (
    "The size of the images is not known: what each suppression leaves of a cue is averaged over all sizes, so that a "
    "cue may differ from the one that the true size gives. Give --image-size, the shorter side of the network's input "
    "in pixels (image_size in Python)."
)


def score(
    table: str | Path,
    *,
    output: str | Path | None = None,
    class_names: str | Path | Sequence[str] | None = None,
    groups: str | Path | None = None,
    image_size: int | None = None,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    risk: float = RISK,
    notify: Notify | None = None,
) -> Profile:
    """Find the cue and the budgets of every class from stored predictions, whatever made them.

    Args:
        table: A CSV or Parquet file; ``predictions.table.read`` lists the columns. ``analyze`` writes such a table.
        output: Folder for profile.json, report.html, classes.csv, curves.csv and predictions.parquet; None writes
            nothing. The last, with which ``compare`` compares image by image, is left out where the images differ
            between the conditions.
        class_names: The classes: ``"imagenet"``, a file, or the names themselves; None takes the labels of the table.
        groups: A CSV file with the columns class and group, for results of several classes together.
        image_size: Shorter side of the network's input in pixels, which decides how predictions under a
            suppression are read; None takes what ``analyze`` wrote into its table, and without that averages over all
            sizes.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1).
        confidence: Level of intervals and certificates, in (0.5, 1).
        risk: The largest chance that a class loses more than the tolerance under its budget, in (0, 0.5].
        notify: Called with sentences on what so many images, recognized so often, can decide.

    Returns:
        The profile, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    check_risk(risk)
    if image_size is not None and not 1 <= image_size <= LARGEST_SIDE:
        do = "Change it"
        raise SettingsError(expected("--image-size", f"a whole number from 1 to {LARGEST_SIDE}", image_size, do))
    folder = None if output is None else path_of(output, "--output")
    if folder is not None and (folder / FOLDER).exists():
        do = "Name another folder"
        raise SettingsError(expected(f"--output '{output}'", "a folder of its own", "one of an analysis", do))
    if not isinstance(table, str | Path):
        do = "Write it to a .csv or .parquet file, and give its name"
        raise SettingsError(expected("the table", "the name of a file", f"a {type(table).__name__}", do))
    levels = Levels(tolerance, confidence, risk)
    with locked(folder):
        path = Path(table)
        names = read_class_names(str(class_names)).names if isinstance(class_names, (str, Path)) else class_names
        predictions, warnings = read(path, names, image_size)
        if notify:
            _notify_of_images(predictions, tolerance, confidence, notify)
        together = {} if groups is None else read_groups(Path(groups), predictions.class_names)
        result = analyze_predictions(predictions, levels=levels, groups=together)
        images = np.bincount(predictions.per_condition[0].labels, minlength=len(predictions.class_names)).tolist()
        known = [*check_order(predictions), *warnings, *_assumed(predictions)]
        profile = build_profile(
            _provenance(path, predictions),
            predictions.class_names,
            result,
            levels=levels,
            side=predictions.side,
            warnings=data_warnings(
                known, predictions.class_names, images, (), result.counts.sinks, corrected=predictions.corrected
            ),
        )
        if folder is not None:
            _write(profile, predictions, path, folder)
        return profile


def _write(profile: Profile, predictions: Predictions, table: Path, folder: Path) -> None:
    """Write all files, with the predictions in the form that ``compare`` reads, unless the table is that very file."""
    place = folder / PREDICTIONS
    own = place.is_file() and place.samefile(table)
    keeps = predictions.paired and not own
    if not keeps and not own and not place.is_dir():
        # Those of a table that was scored into this folder before.
        remove_file(place)
    write_outputs(profile, folder, predictions=predictions if keeps else None)


def _notify_of_images(predictions: Predictions, tolerance: float, confidence: float, notify: Notify) -> None:
    labels, classes = predictions.per_condition[0].labels, len(predictions.class_names)
    images = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[predictions.right(0)], minlength=classes)
    plan = Plan(predictions.class_names, images, predictions.perturbations, tolerance, confidence)
    for sentence in (*expected_from_images(plan), *expected_from_clean(plan, images, right)):
        notify(sentence)


def _assumed(predictions: Predictions) -> list[str]:
    """Return a warning for each thing that the table does not say and that a cue rests on."""
    applied = {perturbation.name for perturbation in predictions.perturbations}
    unknown_size = predictions.side is None and any(ablation.perturbation in applied for ablation in ABLATIONS)
    return ([] if predictions.corrected else [_UNCORRECTED]) + ([_NO_SIZE] if unknown_size else [])


def _provenance(path: Path, predictions: Predictions) -> Provenance:
    ids = sorted(zip(predictions.sample_ids, predictions.per_condition[0].labels.tolist(), strict=True))
    of_names = NAMES_ALONE + hashlib.blake2b(repr(ids).encode(), digest_size=16).hexdigest()
    return Provenance(
        cuesense=version("cuesense"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=ModelInfo(spec=str(path), sha256=None, architecture=FROM_TABLE, preprocessing={}),
        dataset=DatasetInfo(
            spec=str(path),
            images=len(ids),
            classes=len(predictions.class_names),
            fingerprint=predictions.fingerprint or of_names,
        ),
        config={"perturbations": {p.name: list(p.ladder) for p in predictions.perturbations}},
        seed=0,
        device="none",
        versions={name: version(name) for name in ("numpy", "pandas", "pyarrow")},
    )
