"""``cuesense compare``: show where two models differ, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    AllowNondeterministic,
    Arch,
    BatchSize,
    Channels,
    ClassNames,
    Config,
    DataRoot,
    DatasetIfAny,
    Device,
    Download,
    ImageSize,
    ImagesPerClass,
    Json,
    Mean,
    OutputFolderIfAny,
    Resize,
    Restart,
    Split,
    Std,
    WeightsKey,
    WeightsOnly,
    Workers,
)
from cuesense.cli.terminal import progress, remark, show
from cuesense.inference.malloc import keep_freed_memory


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The reference: a profile.json, its folder, or a MODEL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What is compared with A, named in the same way.")],
    dataset: DatasetIfAny = None,
    arch: Arch = None,
    weights_key: WeightsKey = None,
    class_names: ClassNames = None,
    config: Config = "standard",
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    channels: Channels = None,
    images_per_class: ImagesPerClass = None,
    batch_size: BatchSize = None,
    workers: Workers = None,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    device: Device = "auto",
    weights_only: WeightsOnly = False,
    allow_nondeterministic: AllowNondeterministic = False,
    restart: Restart = False,
    output: OutputFolderIfAny = None,
    json: Json = False,
) -> None:
    """Show where two models differ, class by class: accuracy, cues, and how far each class may be augmented.

    Every difference is B minus A. Where predictions.parquet lies beside both profiles and holds the same images,
    accuracies are compared image by image. A star marks differences at a false discovery rate of 5 %. With --output,
    DIR gets compare.html, compare.json and compare.csv.

    An A or B that is no profile is a MODEL, as for analyze, and needs --dataset; its analysis is kept in DIR/a or
    DIR/b (without --output in cuesense-compared), and the same command goes on where an earlier run stopped.

    \b
    Examples:
      cuesense compare before/profile.json after/profile.json
      cuesense compare before after --output compared
      cuesense compare old.pt2 new.pt2 --dataset photos/val --config quick --output compared
    """
    with user_errors():
        from cuesense.models.spellings import refuse_misspelled

        refuse_misspelled(None, arch)
        from cuesense.comparison.compare import compare as compare_profiles
        from cuesense.reports.terminal.comparison import render
        from cuesense.stores.lock import locked
        from cuesense.validation import parse_channels
        from cuesense.workflows.compare import check_output, write_outputs

        # Before models are analyzed, which may take hours.
        if output is not None:
            check_output(output)
        options = {
            "arch": arch,
            "weights_key": weights_key,
            "class_names": class_names,
            "image_size": image_size,
            "resize": resize,
            "mean": parse_channels(mean, "--mean"),
            "std": parse_channels(std, "--std"),
            "channels": channels,
            "images_per_class": images_per_class,
            "batch_size": batch_size,
            "workers": workers,
            "data_root": data_root,
            "split": split,
            "download": download or None,
        }
        # Only options of images and networks that were given: an option without a model to analyze is a mistake.
        given = {name: value for name, value in options.items() if value is not None}
        always = {
            "config": config,
            "device": device,
            "weights_only": weights_only,
            "allow_nondeterministic": allow_nondeterministic,
            "restart": restart,
        }
        # From the first analysis on: another run must not put other models into the folder before they are compared.
        folder = _folder((a, b), output)
        with locked(folder):
            found = compare_profiles(*_profiles({"a": a, "b": b}, dataset, folder, given=given, always=always))
            if output is not None:
                write_outputs(found, output)
        show(found, render, as_json=json)
        if output is not None:
            remark(f"Report: {output / 'compare.html'}  Results: {output / 'compare.json'}")


def _folder(specs: tuple[str, str], output: Path | None) -> Path | None:
    """Return the folder that is written to, None where two profiles are only printed."""
    from cuesense.comparison.pairing import is_profile

    if output is not None or all(map(is_profile, specs)):
        return output
    from cuesense.workflows.compare_models import FOLDER

    return Path(FOLDER)


def _profiles(
    specs: dict[str, str],
    dataset: str | None,
    folder: Path | None,
    *,
    given: Mapping[str, Any],
    always: Mapping[str, Any],
) -> list[Path]:
    """Return the two profiles' files, and analyze into the folder what is no profile yet."""
    from cuesense.comparison.pairing import is_profile

    if folder is None or all(map(is_profile, specs.values())):
        _refuse_unused(dataset, given)
        return [Path(spec) for spec in specs.values()]
    from cuesense.workflows.compare_models import analyze_pair

    keep_freed_memory()
    return analyze_pair(specs, dataset=dataset, output=folder, watch=progress, **given, **always)


def _refuse_unused(dataset: str | None, given: Mapping[str, Any]) -> None:
    from cuesense.errors import SettingsError, expected

    unused = given if dataset is None else {"dataset": dataset, **given}
    for name, value in unused.items():
        do = "Name a model, or leave it out"
        raise SettingsError(expected(f"--{name.replace('_', '-')}", "left out for two profiles", f"'{value}'", do))
