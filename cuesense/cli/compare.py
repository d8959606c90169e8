"""Set profiles against each other: compare and check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cuesense.cli.errors import RESUMED, user_errors
from cuesense.cli.options import Arch, DataRoot, Device, ImageSize, Mean, Resize, Std
from cuesense.inference.malloc import keep_freed_memory


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The reference: a profile.json, its folder, or a MODEL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What is compared with it, likewise.")],
    dataset: Annotated[str | None, typer.Option(metavar="DATASET", help="Images to analyze models on.")] = None,
    arch: Arch = None,
    class_names: Annotated[
        str | None, typer.Option(metavar="FILE", help="Names of the models' outputs, in order: imagenet or a file.")
    ] = None,
    config: Annotated[
        str, typer.Option(metavar="PRESET", help="For models: quick, standard, thorough or a file.")
    ] = "standard",
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    images_per_class: Annotated[int | None, typer.Option(metavar="N", help="Take N images of each class.")] = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    restart: Annotated[bool, typer.Option("--restart/--resume", help="Throw away earlier analyses.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write compare.json and compare.csv, and analyses of models to DIR/a, DIR/b."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON on stdout.")] = False,
) -> None:
    """Show where two models differ, class by class: accuracy, what they rely on, how far they may be augmented.

    Every difference is B minus A. Where predictions.parquet lies beside both profiles and holds the same images,
    accuracies are compared image by image. A star marks differences at a false discovery rate of 5 %.

    What is no profile is a MODEL, as for analyze, and needs --dataset; its analysis is kept (without --output in
    cuesense-compared) and the same command goes on from there.

    \b
    Examples:
      cuesense compare before/profile.json after/profile.json
      cuesense compare before after --output compared
      cuesense compare old.pt2 new.pt2 --dataset photos/val --config quick --output compared
    """
    with user_errors(RESUMED):
        from cuesense.comparison.compare import check_output, write_outputs
        from cuesense.comparison.compare import compare as compared
        from cuesense.validation import parse_channels

        if output is not None:
            check_output(output)
        options = {
            "arch": arch,
            "class_names": class_names,
            "image_size": image_size,
            "resize": resize,
            "mean": parse_channels(mean, "--mean"),
            "std": parse_channels(std, "--std"),
            "images_per_class": images_per_class,
            "data_root": data_root,
        }
        given = {name: value for name, value in options.items() if value is not None}
        found = compared(*_profiles(a, b, dataset, output, given, config=config, device=device, restart=restart))
        if output is not None:
            write_outputs(found, output)
        if json:
            typer.echo(found.to_json(), nl=False)
        else:
            from rich.console import Console

            from cuesense.reports.terminal.comparison import render

            Console().print(render(found))
        if output is not None:
            typer.echo(f"Results: {output / 'compare.json'}", err=True)


def _profiles(
    a: str, b: str, dataset: str | None, output: Path | None, given: Mapping[str, Any], **options: Any
) -> list[Path]:
    from cuesense.comparison.pairing import is_profile

    if is_profile(a) and is_profile(b):
        _refuse_unused(dataset, given)
        return [Path(a), Path(b)]
    from cuesense.reports.terminal.progress import progress_bar
    from cuesense.workflows.compare_models import FOLDER, analyze_pair

    keep_freed_memory()
    return analyze_pair(
        {"a": a, "b": b},
        dataset=dataset,
        output=Path(FOLDER) if output is None else output,
        watch=progress_bar,
        **given,
        **options,
    )


def _refuse_unused(dataset: str | None, given: Mapping[str, Any]) -> None:
    from cuesense.errors import SettingsError, expected

    unused = given if dataset is None else {"dataset": dataset, **given}
    for name, value in unused.items():
        do = "Name a model, or leave it out"
        raise SettingsError(expected(f"--{name.replace('_', '-')}", "left out for two profiles", f"'{value}'", do))
