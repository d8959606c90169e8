"""Audit a regularizer over many checkpoints: audit, and transfer to another task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cuesense.cli.errors import RESUMED, user_errors
from cuesense.cli.options import Arch, DataRoot, Device, ImageSize, Mean, Resize, Std
from cuesense.inference.malloc import keep_freed_memory

if TYPE_CHECKING:
    from cuesense.schemas.audit import Audit

Regularizer = Annotated[str | None, typer.Option(metavar="NAME", help="Which one of several, or its name.")]
Order = Annotated[
    str | None, typer.Option(metavar="A,B", help="All strengths, mild to strong, where they are no numbers.")
]
Loss = Annotated[float, typer.Option("--tolerance", metavar="T", help="Accuracy a class may lose.")]
Level = Annotated[float, typer.Option("--confidence", metavar="C", help="Level of intervals and bounds.")]
CueProfile = Annotated[
    Path | None, typer.Option("--profile", metavar="PROFILE", help="Say on which cue's classes the cost falls.")
]


def audit(
    runs: Annotated[Path | None, typer.Argument(metavar="RUNS", help="A .csv or .toml list of checkpoints.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="DATASET", help="Images to test on.")] = None,
    accuracies: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="A .csv or .parquet table of accuracies instead of RUNS.")
    ] = None,
    regularizer: Regularizer = None,
    order: Order = None,
    tolerance: Loss = 0.05,
    confidence: Level = 0.95,
    profile: CueProfile = None,
    accepted: Annotated[
        Path | None, typer.Option(metavar="FILE", help="All right labels: CSV path,accepted or ReaL's real.json.")
    ] = None,
    similarity: Annotated[
        str | None, typer.Option(metavar="MODEL", help="open_clip model that says which classes are alike.")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-audit"),
    arch: Arch = None,
    class_names: Annotated[
        str | None, typer.Option(metavar="FILE", help="Names of the models' outputs, in order: imagenet or a file.")
    ] = None,
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    images_per_class: Annotated[int | None, typer.Option(metavar="N", help="Take N images of each class.")] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="Images a forward pass, up to 128.")] = None,
    device: Device = "auto",
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads that decode images.")] = None,
    data_root: DataRoot = None,
    restart: Annotated[bool, typer.Option("--restart/--resume", help="Throw away earlier answers.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON on stdout.")] = False,
) -> None:
    """Say who pays for the average that a regularizer raises: which classes the best average strength harms.

    RUNS lists checkpoints of several strengths and seeds: model,regularizer,strength,seed (and arch, for weights
    alone); options about images and networks go with it. TABLE (--accuracies) has run,strength,seed,class,accuracy,n
    (and regularizer), one row a run and class; accuracies are fractions. Strengths are numbers that rise, but fall
    where the regularizer's name has "crop" in it (a smaller part of the image is stronger); --order says otherwise.

    DIR gets audit.json, audit.csv, audit.html (curves of all classes) and what every checkpoint answered, from which
    the same command goes on.

    \b
    Examples:
      cuesense audit runs.csv --dataset photos/val
      cuesense audit runs.csv --dataset photos/val --profile cuesense-out --regularizer weight_decay
      cuesense audit runs.csv --dataset imagenet --data-root /data --class-names imagenet --accepted real.json
      cuesense audit --accuracies accuracies.csv --tolerance 0.02
      cuesense audit --accuracies accuracies.csv --order none,mild,strong --json
    """
    with user_errors(RESUMED):
        from cuesense.reports.terminal.progress import progress_bar
        from cuesense.schemas.profile import Profile
        from cuesense.validation import parse_channels
        from cuesense.workflows.audit import audit as audited

        keep_freed_memory()
        with progress_bar() as progress:
            found = audited(
                runs,
                dataset,
                accuracies=accuracies,
                regularizer=regularizer,
                order=order,
                tolerance=tolerance,
                confidence=confidence,
                profile=None if profile is None else Profile.read(profile),
                accepted=accepted,
                similarity=similarity,
                output=output,
                arch=arch,
                class_names=class_names,
                image_size=image_size,
                resize=resize,
                mean=parse_channels(mean, "--mean"),
                std=parse_channels(std, "--std"),
                images_per_class=images_per_class,
                batch_size=batch_size,
                device=device,
                workers=workers,
                data_root=data_root,
                restart=restart,
                progress=progress,
            )
        _show(found, output, as_json=json)


def _show(found: Audit, output: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.to_json(), nl=False)
    else:
        from rich.console import Console

        from cuesense.reports.terminal.audit import render

        Console().print(render(found))
    typer.echo(f"Report: {output / 'audit.html'}  Audit: {output / 'audit.json'}", err=True)
