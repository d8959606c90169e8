"""``cuesense score``: make a profile from stored predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    ClassNames,
    Confidence,
    Groups,
    Json,
    KnownImageSize,
    OutputFolder,
    Plugin,
    Risk,
    Tolerance,
)
from cuesense.cli.terminal import remark_on_data, show_profile


def score(
    table: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="A .csv or .parquet table.")],
    output: OutputFolder = Path("cuesense-scored"),
    class_names: ClassNames = None,
    groups: Groups = None,
    image_size: KnownImageSize = None,
    plugin: Plugin = None,
    tolerance: Tolerance = 0.05,
    confidence: Confidence = 0.95,
    risk: Risk = 0.2,
    json: Json = False,
) -> None:
    """Find the cue of every class and its augmentation budgets from predictions alone: no model, no images.

    PREDICTIONS, which any program may write, has one row for each image and condition with the columns sample_id,
    label, perturbation (clean for the unperturbed image), severity (0 for clean), predicted, and where known: repeat,
    value (the physical strength), corrected (the prediction after the prior correction), p_true. analyze writes such a
    table. Without --class-names, the classes are the labels of the table.

    A cue needs grayscale at value 1, patch_shuffle at 3 and opening_closing at 0.07: a simple rule then decides. With
    all suppressions and controls of the standard preset (configs/standard.toml), the model decides that analyze uses,
    and every class has all six columns of what it keeps. Budgets need augmentations: cuesense list perturbations.

    DIR gets what analyze writes, without pictures; with its predictions, compare goes image by image.

    \b
    Examples:
      cuesense score cuesense-out/predictions.parquet --output rescored
      cuesense score predictions.csv --groups superclasses.csv --tolerance 0.02
    """
    with user_errors():
        from cuesense.workflows.plugin_files import load_plugin
        from cuesense.workflows.score import score as run_scoring

        load_plugin(plugin)

        profile = run_scoring(
            table,
            output=output,
            class_names=class_names,
            groups=groups,
            image_size=image_size,
            tolerance=tolerance,
            confidence=confidence,
            risk=risk,
            notify=remark_on_data,
        )
        show_profile(profile, output, as_json=json)
