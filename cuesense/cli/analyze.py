"""``cuesense analyze``: measure a model and write its profile and report."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import unfinished_is_no_failure, user_errors
from cuesense.cli.options import (
    AllowNondeterministic,
    Arch,
    BatchSize,
    Channels,
    ClassNames,
    Compile,
    Confidence,
    Config,
    DataRoot,
    Dataset,
    Device,
    Download,
    Engine,
    GpusPerWorker,
    Groups,
    ImageSize,
    ImagesPerClass,
    Json,
    Mean,
    ModelSpec,
    MoreAugmentations,
    OutputFolder,
    PartOfRun,
    PipelineFile,
    Plugin,
    RayAddress,
    RayWorkers,
    Resize,
    Restart,
    Risk,
    Seed,
    Split,
    Std,
    TimmArgs,
    Tolerance,
    TorchvisionArgs,
    WeightsKey,
    WeightsOnly,
    Workers,
    Yes,
    names_in,
)
from cuesense.cli.terminal import confirm_or_say, progress, remark, remark_on_data, show, show_profile
from cuesense.inference.malloc import keep_freed_memory


def analyze(
    context: typer.Context,
    model: ModelSpec,
    dataset: Dataset,
    arch: Arch = None,
    weights_key: WeightsKey = None,
    class_names: ClassNames = None,
    config: Config = "standard",
    augmentations: MoreAugmentations = None,
    plugin: Plugin = None,
    output: OutputFolder = Path("cuesense-out"),
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    channels: Channels = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Only show how well 64 images are recognized at plausible sizes and normalizations."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only show what is still to compute, the time and memory for it, and what other presets would take.",
        ),
    ] = False,
    images_per_class: ImagesPerClass = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    precision: Annotated[
        str,
        typer.Option(
            metavar="float32|bfloat16",
            help="Arithmetic of the network.",
            autocompletion=lambda: ["float32", "bfloat16"],
        ),
    ] = "float32",
    compile: Compile = None,
    workers: Workers = None,
    seed: Seed = 0,
    tolerance: Tolerance = 0.05,
    confidence: Confidence = 0.95,
    risk: Risk = 0.2,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    groups: Groups = None,
    pipeline: PipelineFile = None,
    timm_args: TimmArgs = None,
    torchvision_args: TorchvisionArgs = None,
    weights_only: WeightsOnly = False,
    allow_nondeterministic: AllowNondeterministic = False,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    ray_workers: RayWorkers = None,
    gpus_per_worker: GpusPerWorker = None,
    part: PartOfRun = None,
    adaptive: Annotated[
        bool,
        typer.Option(
            "--adaptive",
            help="Look at growing parts of the images and stop where a class's cue and budgets are settled, with wider "
            "intervals.",
        ),
    ] = False,
    restart: Restart = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Measure what a model relies on, class by class, and write a profile and a report.

    MODEL is a file (state dict, checkpoint, pickled module, TorchScript, .pt2, safetensors, ONNX), a Hugging Face
    folder, or torchvision:NAME[@WEIGHTS], timm:NAME, hf:NAME, open_clip:NAME[@TAG or FILE], python:module:factory.
    TorchScript, .pt2 and python: are programs, which run with your rights; for files of others, --weights-only (or
    CUESENSE_WEIGHTS_ONLY=1) reads tensors alone.

    Without --class-names, the model's outputs are the classes of DATASET in their order. The predictions are kept in
    DIR: the same command goes on where an earlier run stopped, and another --tolerance, --confidence or
    --risk predicts nothing again.

    \b
    Examples:
      cuesense analyze model.pt2 --dataset photos/val --class-names imagenet
      cuesense analyze weights.pt --arch torchvision:resnet18 --dataset photos/val
      cuesense analyze torchvision:resnet50 --dataset imagenet --data-root /data --config quick
      cuesense analyze model.pt2 --dataset photos/val --pipeline train.py:transform
      cuesense analyze model.pt2 --dataset photos/val --timm-args "--aa rand-m9 --reprob 0.25"
      cuesense analyze model.pt2 --dataset photos/val --output shared --part 1/3
      cuesense analyze model.pt2 --dataset photos/val --adaptive
      cuesense analyze model.pt2 --dataset photos/val --config thorough --dry-run
      cuesense analyze open_clip:ViT-B-32@laion2b_s34b_b79k --dataset photos.csv
    """
    with user_errors():
        from cuesense.cli.early import refuse_early
        from cuesense.datasets.load import DatasetOptions

        refuse_early(model, arch, dataset, DatasetOptions(data_root, split, download), class_names)
        from cuesense.reports.terminal.cost import render as render_cost
        from cuesense.validation import parse_channels, whole_number
        from cuesense.workflows.analyze import analyze as run_analysis
        from cuesense.workflows.analyze import estimate_cost
        from cuesense.workflows.parts import chosen_part, shared_arguments, text_of

        keep_freed_memory()
        if probe:
            from cuesense.datasets.subset import subset
            from cuesense.inference.loading import images_for, load_matched
            from cuesense.inference.options import run_options
            from cuesense.models.preprocessing import ImageOptions
            from cuesense.models.trust import Trust
            from cuesense.reports.terminal.readings import render
            from cuesense.workflows.readings import try_readings

            run, trust = run_options(device, batch_size, precision), Trust(weights_only=weights_only)
            given = ImageOptions(
                image_size, resize, parse_channels(mean, "--mean"), parse_channels(std, "--std"), channels
            )
            where = DatasetOptions(data_root, split, download)
            images = images_for(model, dataset, where, arch=arch, class_names=class_names, trust=trust)
            if images_per_class is not None:
                images = subset(images, whole_number(images_per_class, "--images-per-class"))
            classifier, outputs, _ = load_matched(
                model,
                images,
                arch=arch,
                class_names=class_names,
                images=given,
                trust=trust,
                weights_key=weights_key,
            )
            show(try_readings(classifier, images, outputs, run, remark_on_data), render, as_json=json)
            return
        share, said = chosen_part(part)
        if said:
            remark(said)
        job = partial(
            run_analysis,
            model,
            dataset,
            arch=arch,
            weights_key=weights_key,
            class_names=class_names,
            config=config,
            augmentations=names_in(augmentations) or (),
            plugin=plugin,
            output=output,
            image_size=image_size,
            resize=resize,
            mean=parse_channels(mean, "--mean"),
            std=parse_channels(std, "--std"),
            channels=channels,
            images_per_class=images_per_class,
            batch_size=batch_size,
            device=device,
            precision=precision,
            compile=compile,
            workers=workers,
            seed=seed,
            tolerance=tolerance,
            confidence=confidence,
            risk=risk,
            data_root=data_root,
            split=split,
            download=download,
            groups=groups,
            pipeline=pipeline,
            timm_args=timm_args,
            torchvision_args=torchvision_args,
            weights_only=weights_only,
            allow_nondeterministic=allow_nondeterministic,
            engine=engine,
            ray_address=ray_address,
            ray_workers=ray_workers,
            gpus_per_worker=gpus_per_worker,
            part=text_of(share),
            adaptive=adaptive,
            restart=restart,
            notify=remark_on_data,
        )
        if dry_run:
            with progress() as advance:
                cost = estimate_cost(*job.args, **job.keywords, phase=advance.phase)
            show(cost, render_cost, as_json=json)
            return
        # Merging takes the arguments from there.
        shared = shared_arguments(output, context.params, share) if share.of > 1 and share.number else nullcontext()
        with progress() as advance, unfinished_is_no_failure(share.number), shared:
            confirm = confirm_or_say(advance, yes=yes)
            profile = job(progress=advance, phase=advance.phase, confirm=confirm)
        show_profile(profile, output, as_json=json)
