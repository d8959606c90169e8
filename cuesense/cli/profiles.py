"""Make a profile: analyze, score, demo; and its page: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.allocator import keep_freed_memory
from cuesense.cli.common import RESUMED, say_where, show, user_errors
from cuesense.cli.options import Arch, DataRoot, Device, ImageSize, Mean, ProfilePath, Resize, Std


def analyze(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file or spec.")],
    dataset: Annotated[
        str,
        typer.Option(
            metavar="DATASET", help="A folder of class folders, a CSV or Parquet table, imagenet, or planted[:SEED]."
        ),
    ],
    arch: Arch = None,
    class_names: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Names of the model's outputs, in order: imagenet or a file."),
    ] = None,
    config: Annotated[
        str, typer.Option(metavar="PRESET|FILE", help="quick, standard, thorough or a file.")
    ] = "standard",
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-out"),
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    images_per_class: Annotated[int | None, typer.Option(metavar="N", help="Take N images of each class.")] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="Images a forward pass, up to 128.")] = None,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(metavar="float32|bfloat16", help="Arithmetic of the network.")] = "float32",
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads that decode images.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of every draw.")] = 0,
    tolerance: Annotated[
        float, typer.Option(metavar="T", help="Accuracy drop a class may suffer; predictions are kept when it changes.")
    ] = 0.05,
    data_root: DataRoot = None,
    groups: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV with columns class,group: answers for groups of classes.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart/--resume", help="Throw away an earlier run in DIR.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON on stdout.")] = False,
) -> None:
    """Measure what a model relies on, class by class, and write a profile and a report.

    MODEL is a file (state dict, checkpoint, pickled module, TorchScript, .pt2, safetensors, Lightning .ckpt), or
    torchvision:NAME[@WEIGHTS], timm:NAME, open_clip:NAME[@TAG or FILE], python:module:factory.

    \b
    Examples:
      cuesense analyze model.pt2 --dataset photos/val --class-names imagenet
      cuesense analyze weights.pt --arch torchvision:resnet18 --dataset photos/val
      cuesense analyze torchvision:resnet50 --dataset imagenet --data-root /data --config quick
      cuesense analyze open_clip:ViT-B-32@laion2b_s34b_b79k --dataset photos.csv
    """
    with user_errors(RESUMED):
        from cuesense import pipeline
        from cuesense.config import parse_channels
        from cuesense.reports.progress import progress_bar

        keep_freed_memory()
        with progress_bar() as progress:
            profile = pipeline.analyze(
                model,
                dataset,
                arch=arch,
                class_names=class_names,
                config=config,
                output=output,
                image_size=image_size,
                resize=resize,
                mean=parse_channels(mean, "--mean"),
                std=parse_channels(std, "--std"),
                images_per_class=images_per_class,
                batch_size=batch_size,
                device=device,
                precision=precision,
                workers=workers,
                seed=seed,
                tolerance=tolerance,
                data_root=data_root,
                groups=groups,
                restart=restart,
                progress=progress,
            )
        show(profile, as_json=json)
        say_where(output)


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
        from cuesense.stored import score as scored

        names = None if class_names is None else _class_names(class_names)
        profile = scored(
            table, output=output, class_names=names, groups=groups, image_size=image_size, tolerance=tolerance
        )
        show(profile, as_json=json)
        say_where(output)


def _class_names(spec: str) -> tuple[str, ...]:
    from cuesense.datasets.classes import read_class_names

    return read_class_names(spec).names


def demo(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-demo"),
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON on stdout.")] = False,
) -> None:
    """Run the whole main job on the planted world, whose cues are known, with a small network that we trained.

    \b
    Examples:
      cuesense demo
      cuesense demo --output demo
    """
    with user_errors(RESUMED):
        from cuesense import demo as job
        from cuesense.reports.progress import progress_bar

        keep_freed_memory()
        with progress_bar() as progress:
            profile, recovered = job.run(output, progress)
        show(profile, as_json=json)
        total = len(profile.classes)
        typer.echo(f"{recovered} of {total} planted labels recovered.", err=True)
        say_where(output)


def report(
    profile: ProfilePath,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("report.html"),
) -> None:
    """Make the report page from a profile again (without example images, which a profile does not hold).

    \b
    Examples:
      cuesense report out/profile.json --output report.html
    """
    with user_errors():
        from cuesense.files import write_file
        from cuesense.profile import Profile
        from cuesense.reports import html

        write_file(output, html.render(Profile.read(profile)))
        typer.echo(f"Report: {output}", err=True)
