"""``cuesense transfer``: an audit on another task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    AllowCode,
    AllowNondeterministic,
    Arch,
    Channels,
    Confidence,
    CueProfile,
    DataRoot,
    Dataset,
    Device,
    Download,
    Engine,
    GpusPerWorker,
    ImageSize,
    ImagesPerClass,
    Json,
    Mean,
    Order,
    OutputFolder,
    RayAddress,
    RayWorkers,
    Regularizer,
    Resize,
    Restart,
    Split,
    Std,
    Tolerance,
    TrainIfAny,
    WeightsKey,
    WeightsOnly,
    WorkersOfTraining,
)
from cuesense.cli.terminal import progress, show_audit
from cuesense.inference.malloc import keep_freed_memory


def transfer(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="A .csv or .toml list of checkpoints.")],
    dataset: Dataset,
    train: TrainIfAny = None,
    regularizer: Regularizer = None,
    order: Order = None,
    tolerance: Tolerance = 0.05,
    confidence: Confidence = 0.95,
    profile: CueProfile = None,
    output: OutputFolder = Path("cuesense-transfer"),
    arch: Arch = None,
    weights_key: WeightsKey = None,
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    channels: Channels = None,
    images_per_class: ImagesPerClass = None,
    device: Device = "auto",
    workers: WorkersOfTraining = 2,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    weights_only: WeightsOnly = False,
    allow_code: AllowCode = False,
    allow_nondeterministic: AllowNondeterministic = False,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    ray_workers: RayWorkers = None,
    gpus_per_worker: GpusPerWorker = None,
    restart: Restart = False,
    json: Json = False,
) -> None:
    """Report which classes of another task lose accuracy through a regularizer that networks were trained with.

    The frozen features of every checkpoint in RUNS (as for audit) get a linear head for the classes of DATASET, its
    penalty chosen inside the training images; the heads are then audited as checkpoints are by audit. Without --train,
    heads are fitted on four fifths of DATASET and tested on the last, five times. DIR gets audit.json, audit.csv,
    audit.html and the predictions of every head: the same command goes on where an earlier run stopped.

    \b
    Examples:
      cuesense transfer runs.csv --dataset flowers
      cuesense transfer runs.csv --dataset flowers/test --train flowers/train --regularizer weight_decay
    """
    with user_errors():
        from cuesense.models.spellings import refuse_misspelled

        refuse_misspelled(None, arch)
        from cuesense.schemas.profile import Profile
        from cuesense.validation import parse_channels
        from cuesense.workflows.transfer import transfer as run_transfer

        keep_freed_memory()
        with progress() as advance:
            found = run_transfer(
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
                weights_key=weights_key,
                image_size=image_size,
                resize=resize,
                mean=parse_channels(mean, "--mean"),
                std=parse_channels(std, "--std"),
                channels=channels,
                images_per_class=images_per_class,
                device=device,
                workers=workers,
                data_root=data_root,
                split=split,
                download=download,
                weights_only=weights_only,
                allow_code=allow_code,
                allow_nondeterministic=allow_nondeterministic,
                engine=engine,
                ray_address=ray_address,
                ray_workers=ray_workers,
                gpus_per_worker=gpus_per_worker,
                restart=restart,
                progress=advance,
            )
        show_audit(found, output, as_json=json)
