"""``cuesense transfer``: an audit on another task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cuesense.cli.audit import CueProfile, Level, Loss, Order, Regularizer, _show
from cuesense.cli.errors import RESUMED, user_errors
from cuesense.cli.options import Arch, DataRoot, Device, ImageSize, Mean, Resize, Std
from cuesense.inference.malloc import keep_freed_memory

if TYPE_CHECKING:
    pass


def transfer(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="A .csv or .toml list of checkpoints.")],
    dataset: Annotated[str, typer.Option(metavar="DOWNSTREAM", help="Images of the other task.")],
    train: Annotated[
        str | None,
        typer.Option(metavar="DATASET", help="Images to fit heads on; default: folds of DOWNSTREAM."),
    ] = None,
    regularizer: Regularizer = None,
    order: Order = None,
    tolerance: Loss = 0.05,
    confidence: Level = 0.95,
    profile: CueProfile = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-transfer"),
    arch: Arch = None,
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    images_per_class: Annotated[int | None, typer.Option(metavar="N", help="Take N images of each class.")] = None,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(metavar="N", help="Threads that decode images.")] = 2,
    data_root: DataRoot = None,
    restart: Annotated[bool, typer.Option("--restart/--resume", help="Throw away earlier answers.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON on stdout.")] = False,
) -> None:
    """Say which classes of another task pay for a regularizer that networks were trained with.

    The frozen features of every checkpoint in RUNS (as for audit) get a linear head for the classes of DOWNSTREAM, its
    penalty chosen inside the training images; then the same questions are asked as by audit. Without --train, heads
    are fitted on four fifths of DOWNSTREAM and tested on the last, five times. DIR gets audit.json, audit.csv,
    audit.html and what every head answered, from which the same command goes on.

    \b
    Examples:
      cuesense transfer runs.csv --dataset flowers
      cuesense transfer runs.csv --dataset flowers/test --train flowers/train --regularizer weight_decay
    """
    with user_errors(RESUMED):
        from cuesense.reports.terminal.progress import progress_bar
        from cuesense.schemas.profile import Profile
        from cuesense.validation import parse_channels
        from cuesense.workflows.transfer import transfer as transferred

        keep_freed_memory()
        with progress_bar() as progress:
            found = transferred(
                runs,
                dataset,
                train=train,
                regularizer=regularizer,
                order=order,
                tolerance=tolerance,
                confidence=confidence,
                profile=None if profile is None else Profile.read(profile),
                output=output,
                arch=arch,
                image_size=image_size,
                resize=resize,
                mean=parse_channels(mean, "--mean"),
                std=parse_channels(std, "--std"),
                images_per_class=images_per_class,
                device=device,
                workers=workers,
                data_root=data_root,
                restart=restart,
                progress=progress,
            )
        _show(found, output, as_json=json)
