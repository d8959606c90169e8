"""``cuesense score``: cues and budgets from stored predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import say_where, show, user_errors


def score(
    table: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="A .csv or .parquet table.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-scored"),
    class_names: Annotated[
        str | None, typer.Option(metavar="FILE", help="The classes: imagenet or a file; default: the table's labels.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV with columns class,group: answers for groups of classes.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(metavar="N", help="Input side in pixels, where the table does not say.")
    ] = None,
    tolerance: Annotated[float, typer.Option(metavar="T", help="Accuracy drop a class may suffer.")] = 0.05,
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON on stdout.")] = False,
) -> None:
    """Label every class and find its budgets from predictions alone, from any origin: no model, no images.

    PREDICTIONS has one row an image and condition with the columns sample_id, label, perturbation (clean for the
    unperturbed image), severity (the rung of its ladder; 0 for clean), predicted, and where there are any: repeat,
    value (the dose), corrected (the prediction after the prior correction), p_true. analyze writes such a table.

    A label needs grayscale at value 1, patch_shuffle at 3 and opening_closing at 0.07, and is surer with
    channel_permutation at 1, patch_rotation at 3, median_blur at 0.16, grayscale_patch_shuffle and
    patch_shuffle_opening_closing at 3, grayscale_opening_closing at 0.07, grayscale_patch_shuffle_gaussian_blur at 4,
    and the shams tile_jitter and translation at 0.036. Budgets need augmentations: cuesense list perturbations.

    \b
    Examples:
      cuesense score cuesense-out/predictions.parquet --output rescored
      cuesense score predictions.csv --groups superclasses.csv --tolerance 0.02
    """
    with user_errors():
        from cuesense.workflows.score import score as scored

        names = None if class_names is None else _class_names(class_names)
        profile = scored(
            table, output=output, class_names=names, groups=groups, image_size=image_size, tolerance=tolerance
        )
        show(profile, as_json=json)
        say_where(output)


def _class_names(spec: str) -> tuple[str, ...]:
    from cuesense.datasets.classes import read_class_names

    return read_class_names(spec).names
