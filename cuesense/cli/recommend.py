"""``cuesense recommend``: write the safe augmentations for a training script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    AllowCode,
    AllowNondeterministic,
    AnalyzedDataset,
    Arch,
    Augmentations,
    DataRoot,
    Device,
    Download,
    Engine,
    Epochs,
    GpusPerWorker,
    ImagesPerClass,
    Json,
    KnownImageSize,
    OutputFileIfAny,
    Plugin,
    Probability,
    ProfilePath,
    ProfilesRisk,
    ProfilesTolerance,
    RayAddress,
    RayWorkers,
    Restart,
    SeedsIfAny,
    Split,
    Start,
    TrainIfAny,
    TrainSize,
    WeightsKey,
    WeightsOnly,
    format_option,
    names_in,
)
from cuesense.cli.terminal import progress, remark, remark_wrapped
from cuesense.errors import SettingsError, expected
from cuesense.inference.malloc import keep_freed_memory

_FORMATS = ["json", "yaml", "torchvision", "kornia", "albumentations", "timm", "ultralytics"]


def recommend(
    profile: ProfilePath,
    format_: Annotated[
        str | None,
        format_option(_FORMATS, f"{', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}.", "yaml, json with --json"),
    ] = None,
    tolerance: ProfilesTolerance = None,
    risk: ProfilesRisk = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="A policy for each cluster of confused classes.")] = False,
    per_class: Annotated[bool, typer.Option("--per-class", help="A policy for each class.")] = False,
    augmentations: Augmentations = None,
    plugin: Plugin = None,
    probability: Probability = 0.8,
    all_but: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the classes that the policy for all may harm, in [0, 1).")
    ] = 0.0,
    train: TrainIfAny = None,
    head: Annotated[
        bool, typer.Option("--head", help="Forecast from the model's refitted last layer, without training images.")
    ] = False,
    start: Start = None,
    epochs: Epochs = None,
    seeds: SeedsIfAny = None,
    train_size: TrainSize = None,
    images_per_class: ImagesPerClass = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The analyzed model.", show_default="the profile's")
    ] = None,
    arch: Arch = None,
    weights_key: WeightsKey = None,
    dataset: AnalyzedDataset = None,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    device: Device = "auto",
    weights_only: WeightsOnly = False,
    allow_code: AllowCode = False,
    allow_nondeterministic: AllowNondeterministic = False,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    ray_workers: RayWorkers = None,
    gpus_per_worker: GpusPerWorker = None,
    restart: Restart = False,
    image_size: KnownImageSize = None,
    output: OutputFileIfAny = None,
    json: Json = False,
) -> None:
    """Write the policy that is forecast to serve all classes best, in the format of a training library.

    There is always a recommendation: a policy, or to train without augmentation. Beside it stand, on stderr, the mean
    and worst-class accuracy that are forecast for it, for no augmentation and for the usual default (crop to 0.08,
    flips, jitter 0.4), and the classes at risk. The policy for all classes gives no class more than the accepted risk
    (--risk, 20 % unless given) of losing more than the tolerance; where nothing within it is better than no
    augmentation, fewer views are augmented, or, in json and yaml, the few classes at risk are left out.

    Without a forecast, losses are estimated from the profile alone, which costs no training and is least certain. With
    --train, networks are trained without augmentation and with the strongest value of each augmentation, and the
    analyzed images (DATASET, where they have moved) show what each class loses; with --head, the model's last layer is
    refitted instead. The forecast is kept in the profile and used from then on.

    By default one policy holds for all classes; --grouped writes one for each cluster of confused classes, --per-class
    one for each class (two classes share one where one loses a fifth of its images to the other); both need --format
    json or yaml. They consider each augmentation by itself: together several can put classes at more than the accepted
    risk, and can be worse than the policy for all classes or than none. The output then says so first.

    \b
    Examples:
      cuesense recommend cuesense-out --format torchvision --output transform.py
      cuesense recommend cuesense-out --train photos/train --format torchvision --output transform.py
      cuesense recommend cuesense-out --train photos/train --from timm:resnet18 --seeds 3
      cuesense recommend cuesense-out/profile.json --risk 0.1 --augmentations random_resized_crop,color_jitter
      cuesense recommend cuesense-out --per-class --format json
    """
    with user_errors():
        from cuesense.models.spellings import refuse_misspelled

        refuse_misspelled(start, arch)
        refuse_misspelled(model)
        from cuesense.models.trust import Trust
        from cuesense.policies.policy import PolicyOptions
        from cuesense.policies.recommend import choose_scope
        from cuesense.workflows.plugin_files import load_plugin
        from cuesense.workflows.recommend import Export, recommend_from_file

        load_plugin(plugin, Trust(weights_only=weights_only))
        keep_freed_memory()
        library = _library(format_, as_json=json, output=output)
        found = recommend_from_file(
            profile,
            PolicyOptions(
                scope=choose_scope(grouped=grouped, per_class=per_class),
                tolerance=tolerance,
                risk=risk,
                augmentations=names_in(augmentations),
                probability=probability,
                all_but=all_but,
                # Code and flags of libraries know no classes, so that none can be left out.
                spares=library in ("json", "yaml"),
            ),
            Export(library=library, image_size=image_size, output=output),
            forecast={
                "train": train,
                "head": head,
                "start": start,
                "epochs": epochs,
                "seeds": seeds,
                "image_size": train_size,
                "images_per_class": images_per_class,
                "model": model,
                "arch": arch,
                "weights_key": weights_key,
                "dataset": dataset,
                "data_root": data_root,
                "split": split,
                "download": download,
                "device": device,
                "weights_only": weights_only,
                "allow_code": allow_code,
                "allow_nondeterministic": allow_nondeterministic,
                "engine": engine,
                "ray_address": ray_address,
                "ray_workers": ray_workers,
                "gpus_per_worker": gpus_per_worker,
                "restart": restart,
            },
            watch=lambda: progress("forecasting", "steps"),
        )
        for line in found.remarks:
            remark_wrapped(line)
        if json:
            typer.echo(found.json, nl=False)
        elif output is None:
            # Nothing else is printed on stdout, so that the policy can be piped into a file.
            typer.echo(found.text, nl=False)
        if output is not None:
            remark(f"Policy: {output}")


def _library(format_: str | None, *, as_json: bool, output: Path | None) -> str:
    """Return the format of the policy; with --json another one is for the file."""
    if as_json and output is None and format_ not in (None, "json"):
        do = "Give --output as well, or leave out one of the two"
        raise SettingsError(expected("--format", "left out or json with --json", f"'{format_}'", do))
    return format_ or ("json" if as_json else "yaml")
