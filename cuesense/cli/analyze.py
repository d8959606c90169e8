"""Make a profile: analyze, score, demo; and its page: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import RESUMED, say_where, show, user_errors
from cuesense.cli.options import Arch, DataRoot, Device, ImageSize, Mean, Resize, Std
from cuesense.inference.malloc import keep_freed_memory


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
        from cuesense.reports.terminal.progress import progress_bar
        from cuesense.validation import parse_channels
        from cuesense.workflows.analyze import analyze as run_analysis

        keep_freed_memory()
        with progress_bar() as progress:
            profile = run_analysis(
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
