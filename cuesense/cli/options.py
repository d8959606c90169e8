"""Every argument and option that more than one command has, once: one name, one meaning, one help text.

Where commands differ in the default, they share the option and give the default themselves; ``show_default`` says in
words where the number comes from when none is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cuesense.errors import SettingsError, expected

_TOLERANCE = "Accuracy drop that a class may suffer, a fraction in (0, 1)."
_CONFIDENCE = "Confidence of intervals and certificates, in (0.5, 1)."
_RISK = "Largest chance that a class loses more than the tolerance under its budget, in (0, 0.5]."
_IMAGES = (
    "Images: a folder, table, .zip, .tar, .npz or Parquet file, imagenet, torchvision:NAME, hf:..., planted[:SEED]."
)
_IMAGE_SIZE = "Side of the network's input in pixels."
_RESULTS = "Folder for the results."
_THREADS = "Threads that decode images."


def format_option(names: Sequence[str], said: str, default: str | bool = True) -> Any:
    """Return the option ``--format`` of a command.

    Args:
        names: What may be given; the shell completes it.
        said: The same in words.
        default: What help says of the default; True shows it as it is.
    """
    return typer.Option("--format", metavar="NAME", help=said, show_default=default, autocompletion=lambda: list(names))


# What a command works on.
ModelSpec = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model file or spec. TorchScript, .pt2 and python: are programs.")
]
ProfilePath = Annotated[Path, typer.Argument(metavar="PROFILE", help="A profile.json or its folder.")]
Dataset = Annotated[str, typer.Option(metavar="DATASET", help=_IMAGES)]
DatasetIfAny = Annotated[str | None, typer.Option("--dataset", metavar="DATASET", help=_IMAGES)]
AnalyzedDataset = Annotated[
    str | None, typer.Option("--dataset", metavar="DATASET", help=_IMAGES, show_default="the profile's")
]
Train = Annotated[str, typer.Option(metavar="DATASET", help="Images to train on.")]
TrainIfAny = Annotated[str | None, typer.Option("--train", metavar="DATASET", help="Images to train on.")]
Test = Annotated[str, typer.Option(metavar="DATASET", help="Images to test on.")]
Arch = Annotated[str | None, typer.Option(metavar="NAME", help="Architecture of a file that holds weights only.")]
WeightsKey = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which of a checkpoint's weights.", show_default="the first that fit"),
]
ClassNames = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Class names in the order of the model's outputs: imagenet or a file."),
]
Groups = Annotated[
    Path | None, typer.Option(metavar="FILE", help="CSV with columns class,group: report groups of classes as well.")
]
ImagesPerClass = Annotated[int | None, typer.Option(metavar="N", help="Use only N images of each class.")]
DataRoot = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder that holds imagenet.", show_default="CUESENSE_DATA")
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Part of the dataset that is tested on.", show_default="val, else test; train to train on"
    ),
]
Download = Annotated[bool, typer.Option("--download", help="Fetch a named dataset that is not on disk.")]

# How images are prepared; None takes what the weights, the table or the profile says.
ImageSize = Annotated[int | None, typer.Option(metavar="N", help=_IMAGE_SIZE, show_default="what the weights carry")]
KnownImageSize = Annotated[
    int | None,
    typer.Option("--image-size", metavar="N", help=_IMAGE_SIZE, show_default="the recorded size"),
]
Resize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Shorter side before the center crop, in pixels; 0: resize whole, crop nothing.",
        show_default="what the weights carry",
    ),
]
Mean = Annotated[
    str | None, typer.Option(metavar="R,G,B", help="Normalization mean.", show_default="what the weights carry")
]
Std = Annotated[
    str | None,
    typer.Option(metavar="R,G,B", help="Normalization standard deviation.", show_default="what the weights carry"),
]
Channels = Annotated[
    str | None,
    typer.Option(
        metavar="rgb|bgr",
        help="Order in which the network takes the color channels.",
        show_default="what the weights carry",
        autocompletion=lambda: ["rgb", "bgr"],
    ),
]

# What a training script does to its images.
PipelineFile = Annotated[
    str | None,
    typer.Option(
        "--pipeline",
        metavar="FILE.py:NAME",
        help="Your training transform, or Ultralytics' args.yaml: what each of its steps costs every class.",
    ),
]
TimmArgs = Annotated[
    str | None, typer.Option(metavar="FLAGS", help="The same, as flags of timm's training script in quotes.")
]
TorchvisionArgs = Annotated[
    str | None, typer.Option(metavar="FLAGS", help="The same, as flags of torchvision's reference scripts.")
]

# What may run when a model is loaded.
WeightsOnly = Annotated[
    bool, typer.Option("--weights-only", help="Read tensors alone; refuse TorchScript, .pt2, python:, whole modules.")
]
AllowCode = Annotated[
    bool, typer.Option("--allow-code", help="Run programs that a file names: TorchScript, .pt2, python:.")
]

# How networks run.
BatchSize = Annotated[int | None, typer.Option(metavar="N", help="Images in one forward pass, up to 1,024.")]
Device = Annotated[
    str,
    typer.Option(metavar="auto|cpu|cuda", help="Where networks run.", autocompletion=lambda: ["auto", "cpu", "cuda"]),
]
Workers = Annotated[int | None, typer.Option(metavar="N", help=_THREADS, show_default="one a core, up to 16")]
WorkersOfTraining = Annotated[int, typer.Option("--workers", metavar="N", help=_THREADS)]
Compile = Annotated[
    bool | None,
    typer.Option(
        "--compile/--no-compile",
        help="Compile the network (torch.compile): a minute or more first, then faster batches.",
        show_default="on a GPU, where a long run gains more time than that",
    ),
]
AllowNondeterministic = Annotated[
    bool,
    typer.Option(
        "--allow-nondeterministic",
        help="Also run a model that is no function of one image: dropout left on, batch statistics, random numbers.",
    ),
]

# How networks are trained.
Start = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="MODEL", help="Model to fine-tune.", show_default="train a compact network from scratch"
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(metavar="N", help="Passes over the training images.", show_default="16, and 3 with --from"),
]
_SEEDS = "Trainings of each compared network, each with its own seed."
Seeds = Annotated[int, typer.Option(metavar="N", help=_SEEDS)]
SeedsIfAny = Annotated[int | None, typer.Option("--seeds", metavar="N", help=_SEEDS, show_default="2")]
TrainSize = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Side of the training images in pixels, a multiple of 32.", show_default="the profile's"
    ),
]
MoreAugmentations = Annotated[
    str | None, typer.Option("--augmentations", metavar="A,B", help="Measure these augmentations, too.")
]
Plugin = Annotated[Path | None, typer.Option(metavar="FILE.py", help="Run a file that registers perturbations.")]
Augmentations = Annotated[
    str | None, typer.Option(metavar="A,B", help="Augmentations to choose from.", show_default="all")
]
Probability = Annotated[float, typer.Option(metavar="P", help="Share of the views that are augmented, in (0, 1].")]

# What is measured and how surely.
Config = Annotated[
    str,
    typer.Option(
        metavar="PRESET|FILE",
        help="What to measure: quick, standard, thorough or a file.",
        autocompletion=lambda: ["quick", "standard", "thorough"],
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of every random draw.")]
Tolerance = Annotated[float, typer.Option(metavar="T", help=_TOLERANCE)]
Confidence = Annotated[float, typer.Option(metavar="C", help=_CONFIDENCE)]
Risk = Annotated[float, typer.Option(metavar="R", help=_RISK)]
ProfilesTolerance = Annotated[
    float | None, typer.Option("--tolerance", metavar="T", help=_TOLERANCE, show_default="the profile's")
]
ProfilesConfidence = Annotated[
    float | None, typer.Option("--confidence", metavar="C", help=_CONFIDENCE, show_default="the profile's")
]
ProfilesRisk = Annotated[float | None, typer.Option("--risk", metavar="R", help=_RISK, show_default="the profile's")]
Regularizer = Annotated[str | None, typer.Option(metavar="NAME", help="Regularizer to audit, where RUNS has several.")]
Order = Annotated[
    str | None,
    typer.Option(
        metavar="ORDER",
        help="Strengths: rising (larger is stronger), falling (smaller is), or all of them, mild to strong: A,B.",
    ),
]
CueProfile = Annotated[
    Path | None,
    typer.Option("--profile", metavar="PROFILE", help="Profile of the classes: also report accuracy drops by cue."),
]

# Where results go.
OutputFolder = Annotated[Path, typer.Option("--output", metavar="DIR", help=_RESULTS)]
OutputFolderIfAny = Annotated[Path | None, typer.Option("--output", metavar="DIR", help=_RESULTS)]
OutputFile = Annotated[Path, typer.Option("--output", metavar="FILE", help="File to write.")]
OutputFileIfAny = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="File to write.", show_default="stdout")
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="local|ray",
        help="Where networks run: in this process, or in the workers of Ray.",
        autocompletion=lambda: ["local", "ray"],
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Ray cluster.", show_default="RAY_ADDRESS, else a new one here"),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Workers of Ray, each with its own network.", show_default="one a GPU, else one a core"
    ),
]
GpusPerWorker = Annotated[
    float | None,
    typer.Option(metavar="G", help="GPUs of a worker, 0.5 for two on a GPU.", show_default="1 where there are any"),
]
PartOfRun = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="K/N",
        help="Do the K-th of N shares of the work into DIR, which all parts share; the last part builds the profile.",
        show_default="RANK and WORLD_SIZE or SLURM_ARRAY_TASK_ID and _COUNT where set, else all",
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart/--resume", help="Throw away the results of an earlier run, or go on from there.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Do not ask whether to go on where the images are too few to decide anything.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def names_in(text: str | None) -> list[str] | None:
    """Return the names in a text such as ``"a, b"``; commas too many are passed over, and None stays None.

    Raises:
        SettingsError: There is no name.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        do = "Leave it out, or give names such as hue,random_erasing"
        raise SettingsError(expected("--augmentations", "names with commas between them", f"'{text}'", do))
    return names
