"""``cuesense verify``: train with and without the recommended policies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import RESUMED, user_errors
from cuesense.cli.options import (
    Arch,
    Augmentations,
    Confidence,
    DataRoot,
    Device,
    Epochs,
    ImagesPerClass,
    Probability,
    ProfilePath,
    Restart,
    Start,
    Tolerance,
    TrainSize,
)
from cuesense.inference.malloc import keep_freed_memory


def verify(
    profile: ProfilePath,
    train: Annotated[str, typer.Option(metavar="DATASET", help="Images to train on.")],
    test: Annotated[str, typer.Option(metavar="DATASET", help="Images to test on.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-verified"),
    seeds: Annotated[int, typer.Option(metavar="N", help="Trainings of each policy.")] = 5,
    start: Start = None,
    arch: Arch = None,
    epochs: Epochs = None,
    train_size: TrainSize = None,
    images_per_class: ImagesPerClass = None,
    tolerance: Tolerance = None,
    confidence: Confidence = None,
    augmentations: Augmentations = None,
    probability: Probability = 0.8,
    data_root: DataRoot = None,
    device: Device = "auto",
    restart: Restart = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> None:
    """Train networks with and without the recommended policies, and report what really happened to every class.

    Compared are no augmentation, the usual default (crop to 0.08, jitter 0.4), the uniform policy with the best
    average, the global, grouped and per-class policies, the per-class policy with the doses of other classes, and a
    uniform policy of its mean strength. DIR gets verify.json, verify.csv and forecast.svg (forecast against outcome);
    the profile remembers the outcome, and recommend no longer offers a policy by class that its rival beat.

    \b
    Examples:
      cuesense verify cuesense-out --train photos/train --test photos/test
      cuesense verify cuesense-out --train photos/train --test photos/test --from timm:resnet18 --seeds 3
    """
    with user_errors(RESUMED):
        from rich.console import Console

        from cuesense.reports.terminal.progress import progress_bar
        from cuesense.reports.terminal.verification import render
        from cuesense.workflows.verify import verify as verified

        keep_freed_memory()
        with progress_bar("training", "steps") as progress:
            found = verified(
                profile,
                train,
                test,
                output=output,
                seeds=seeds,
                start=start,
                arch=arch,
                image_size=train_size,
                epochs=epochs,
                images_per_class=images_per_class,
                data_root=data_root,
                device=device,
                tolerance=tolerance,
                confidence=confidence,
                augmentations=None if augmentations is None else [name.strip() for name in augmentations.split(",")],
                probability=probability,
                restart=restart,
                progress=progress,
            )
        if json:
            typer.echo(found.to_json(), nl=False)
        else:
            Console().print(render(found))
        typer.echo(f"Results: {output / 'verify.json'}  Picture: {output / 'forecast.svg'}", err=True)
