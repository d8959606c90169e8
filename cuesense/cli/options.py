"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProfilePath = Annotated[Path, typer.Argument(metavar="PROFILE", help="A profile.json or its folder.")]
Tolerance = Annotated[float | None, typer.Option(metavar="T", help="Drop a class may suffer; default: the profile's.")]
Confidence = Annotated[float | None, typer.Option(metavar="C", help="How sure a dose must be; default: the profile's.")]
Augmentations = Annotated[str | None, typer.Option(metavar="A,B", help="Choose from these; default: all.")]
Probability = Annotated[float, typer.Option(metavar="P", help="Share of the views that are augmented.")]
Start = Annotated[
    str | None,
    typer.Option("--from", metavar="MODEL", help="Fine-tune this; default: a compact network from scratch."),
]
Epochs = Annotated[
    float | None, typer.Option(metavar="N", help="Passes over the training images; default 16, with --from 3.")
]
TrainSize = Annotated[
    int | None, typer.Option(metavar="N", help="Side for training, a multiple of 32; default: the profile's.")
]
ImagesPerClass = Annotated[int | None, typer.Option(metavar="N", help="Train on N images of each class.")]
Arch = Annotated[str | None, typer.Option(metavar="NAME", help="Architecture of a weights-only file.")]
DataRoot = Annotated[Path | None, typer.Option(metavar="DIR", help="Where imagenet lies.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where networks run.")]
Restart = Annotated[bool, typer.Option("--restart/--resume", help="Throw away earlier trainings.")]
ImageSize = Annotated[int | None, typer.Option(metavar="N", help="Input side in pixels.")]
Resize = Annotated[int | None, typer.Option(metavar="N", help="Shorter side before the crop.")]
Mean = Annotated[str | None, typer.Option(metavar="R,G,B", help="Normalization mean.")]
Std = Annotated[str | None, typer.Option(metavar="R,G,B", help="Normalization deviation.")]
