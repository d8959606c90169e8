"""Find cues and budgets from a table of stored predictions: no model, no images, no torch."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cuesense.analysis.build_profile import analyze_predictions, build_profile, data_warnings
from cuesense.analysis.groups import read_groups
from cuesense.datasets.classes import read_class_names
from cuesense.errors import SettingsError, expected
from cuesense.predictions.label_order import check_order
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.shards import FOLDER
from cuesense.predictions.table import read
from cuesense.schemas.profile import DatasetInfo, ModelInfo, Profile, Provenance
from cuesense.validation import LARGEST_SIDE, check_fraction
from cuesense.workflows.profile_files import write_outputs

_UNCORRECTED = (
    "The table has no column called corrected, with the predictions after the prior correction: labels rest on the "
    "network's own answers."
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
) -> Profile:
    """Find the cue and the budgets of every class from stored predictions, whatever made them.

    Args:
        table: A CSV or Parquet file; ``predictions.table.read`` lists the columns. ``analyze`` writes such a table.
        output: Folder for profile.json, report.html, classes.csv and curves.csv; None writes nothing.
        class_names: The classes: ``"imagenet"``, a file, or the names themselves; None takes the labels of the table.
        groups: A CSV file with the columns class and group, for results of several classes together.
        image_size: Shorter side of the network's input in pixels, which decides how predictions under a
            suppression are read; None takes what ``analyze`` wrote into its table, and without that averages over all
            sizes.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).

    Returns:
        The profile, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    if image_size is not None and not 1 <= image_size <= LARGEST_SIDE:
        do = "Change it"
        raise SettingsError(expected("--image-size", f"a whole number from 1 to {LARGEST_SIDE}", image_size, do))
    if output is not None and (Path(output) / FOLDER).exists():
        do = "Name another folder"
        raise SettingsError(expected(f"--output '{output}'", "a folder of its own", "one of an analysis", do))
    path = Path(table)
    names = read_class_names(str(class_names)).names if isinstance(class_names, (str, Path)) else class_names
    predictions, warnings = read(path, names, image_size)
    warnings = [*check_order(predictions), *warnings]
    together = {} if groups is None else read_groups(Path(groups), predictions.class_names)
    result = analyze_predictions(predictions, tolerance=tolerance, confidence=confidence, groups=together)
    images = np.bincount(predictions.per_condition[0].labels, minlength=len(predictions.class_names)).tolist()
    known = warnings if predictions.corrected else [*warnings, _UNCORRECTED]
    profile = build_profile(
        _provenance(path, predictions),
        predictions.class_names,
        result,
        tolerance=tolerance,
        confidence=confidence,
        side=predictions.side,
        warnings=data_warnings(
            known, predictions.class_names, images, (), result.counts.sinks, corrected=predictions.corrected
        ),
    )
    if output is not None:
        write_outputs(profile, Path(output))
    return profile


def _provenance(path: Path, predictions: Predictions) -> Provenance:
    ids = sorted(zip(predictions.sample_ids, predictions.per_condition[0].labels.tolist(), strict=True))
    return Provenance(
        cuesense=version("cuesense"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=ModelInfo(spec=str(path), sha256=None, architecture="predictions from a table", preprocessing={}),
        dataset=DatasetInfo(
            spec=str(path),
            images=len(ids),
            classes=len(predictions.class_names),
            fingerprint=hashlib.blake2b(repr(ids).encode(), digest_size=16).hexdigest(),
        ),
        config={"perturbations": {p.name: list(p.ladder) for p in predictions.perturbations}},
        seed=0,
        device="none",
        versions={name: version(name) for name in ("numpy", "pandas", "pyarrow")},
    )
