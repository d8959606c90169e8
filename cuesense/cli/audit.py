"""``cuesense audit``: report which classes a regularizer harms, over checkpoints of several strengths and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    AllowCode,
    AllowNondeterministic,
    Arch,
    BatchSize,
    Channels,
    ClassNames,
    Confidence,
    CueProfile,
    DataRoot,
    DatasetIfAny,
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
    WeightsKey,
    WeightsOnly,
    Workers,
)
from cuesense.cli.terminal import progress, show_audit
from cuesense.inference.malloc import keep_freed_memory


def audit(
    runs: Annotated[Path | None, typer.Argument(metavar="RUNS", help="A .csv or .toml list of checkpoints.")] = None,
    dataset: DatasetIfAny = None,
    accuracies: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="A .csv or .parquet table of accuracies instead of RUNS.")
    ] = None,
    regularizer: Regularizer = None,
    order: Order = None,
    tolerance: Tolerance = 0.05,
    confidence: Confidence = 0.95,
    profile: CueProfile = None,
    accepted: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="All correct labels of each image: CSV path,accepted or ReaL's real.json."),
    ] = None,
    similarity: Annotated[
        str | None, typer.Option(metavar="MODEL", help="open_clip model that measures which classes are alike.")
    ] = None,
    output: OutputFolder = Path("cuesense-audit"),
    arch: Arch = None,
    weights_key: WeightsKey = None,
    class_names: ClassNames = None,
    image_size: ImageSize = None,
    resize: Resize = None,
    mean: Mean = None,
    std: Std = None,
    channels: Channels = None,
    images_per_class: ImagesPerClass = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    workers: Workers = None,
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
    """Report which classes lose accuracy at the strength with the best mean accuracy.

    RUNS lists checkpoints of several strengths and seeds: model,regularizer,strength,seed (and arch, for weights
    alone); a program in it, such as a .pt2, runs only with --allow-code. Options about images and networks go with it.
    TABLE (--accuracies) has run,strength,seed,class,accuracy,n (and regularizer), one row for each run and class;
    accuracies are fractions, and n counts the class's own test images. Rows that summarize the others ("macro avg") are
    left out. Which way strengths run follows from the regularizer's name where that is known (weight_decay: larger is
    stronger; random_resized_crop, the smallest area that is kept: smaller is stronger); else --order says it. The
    result names what was taken.

    DIR gets audit.json, audit.csv, audit.html (curves of all classes) and the predictions of every checkpoint: the
    same command goes on where an earlier run stopped.

    \b
    Examples:
      cuesense audit runs.csv --dataset photos/val
      cuesense audit runs.csv --dataset photos/val --profile cuesense-out --regularizer weight_decay
      cuesense audit runs.csv --dataset imagenet --data-root /data --class-names imagenet --accepted real.json
      cuesense audit --accuracies accuracies.csv --tolerance 0.02
      cuesense audit --accuracies accuracies.csv --order none,mild,strong --json
    """
    with user_errors():
        from cuesense.models.spellings import refuse_misspelled

        refuse_misspelled(similarity, arch)
        from cuesense.schemas.profile import Profile
        from cuesense.validation import parse_channels
        from cuesense.workflows.audit import audit as run_audit

        keep_freed_memory()
        with progress() as advance:
            found = run_audit(
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
                weights_key=weights_key,
                class_names=class_names,
                image_size=image_size,
                resize=resize,
                mean=parse_channels(mean, "--mean"),
                std=parse_channels(std, "--std"),
                channels=channels,
                images_per_class=images_per_class,
                batch_size=batch_size,
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
