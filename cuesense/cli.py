"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cuesense.allocator import keep_freed_memory
from cuesense.errors import CuesenseError

if TYPE_CHECKING:
    from cuesense.profile import Profile

_INTERRUPTED = 130
_WRONG = 2
_RESUMED = "what was done is kept, the same command goes on from there"

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

app = typer.Typer(
    name="cuesense",
    help=(
        "Which classes rely on shape, color or texture, and how far each may be augmented.\n\n\b\nExamples:\n"
        "  cuesense demo\n  cuesense analyze model.pt2 --dataset photos/val --class-names imagenet\n"
        "  cuesense score predictions.csv\n"
        "  cuesense recommend cuesense-out --train photos/train --format torchvision\n"
        "  cuesense verify cuesense-out --train photos/train --test photos/test\n"
        "  cuesense list perturbations"
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@contextmanager
def _user_errors(kept: str = "nothing was written") -> Iterator[None]:
    """Turn a user's mistake into one sentence and exit code 2, and an interruption into 130."""
    try:
        yield
    except CuesenseError as error:
        typer.echo(f"cuesense: {error}", err=True)
        raise typer.Exit(_WRONG) from None
    except OSError as error:
        typer.echo(f"cuesense: The result could not be printed or written: {error.strerror or error}.", err=True)
        raise typer.Exit(_WRONG) from None
    except KeyboardInterrupt:
        typer.echo(f"cuesense: interrupted; {kept}.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _show(profile: Profile, *, as_json: bool) -> None:
    if as_json:
        typer.echo(profile.to_json(), nl=False)
        return
    from rich.console import Console

    from cuesense.reports import terminal

    Console().print(terminal.render(profile))


@app.command(short_help="Measure a model and write its profile and report.")
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
    image_size: Annotated[int | None, typer.Option(metavar="N", help="Input side in pixels.")] = None,
    resize: Annotated[int | None, typer.Option(metavar="N", help="Shorter side before the crop.")] = None,
    mean: Annotated[str | None, typer.Option(metavar="R,G,B", help="Normalization mean.")] = None,
    std: Annotated[str | None, typer.Option(metavar="R,G,B", help="Normalization deviation.")] = None,
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
    with _user_errors(_RESUMED):
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
        _show(profile, as_json=json)
        _say_where(output)


@app.command(short_help="Label classes from a table of stored predictions.")
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
    with _user_errors():
        from cuesense.stored import score as scored

        names = None if class_names is None else _class_names(class_names)
        profile = scored(
            table, output=output, class_names=names, groups=groups, image_size=image_size, tolerance=tolerance
        )
        _show(profile, as_json=json)
        _say_where(output)


def _class_names(spec: str) -> tuple[str, ...]:
    from cuesense.datasets.classes import read_class_names

    return read_class_names(spec).names


@app.command(short_help="Write the safe augmentations for a training script.")
def recommend(
    profile: ProfilePath,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="json, yaml, torchvision, kornia, albumentations or timm.")
    ] = "yaml",
    tolerance: Tolerance = None,
    confidence: Confidence = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="Doses for each cluster of confused classes.")] = False,
    per_class: Annotated[bool, typer.Option("--per-class", help="Doses for each class.")] = False,
    augmentations: Augmentations = None,
    probability: Probability = 0.8,
    all_but: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the classes that the policy for all may harm.")
    ] = 0.0,
    train: Annotated[
        str | None, typer.Option(metavar="DATASET", help="Forecast from trainings on these images.")
    ] = None,
    head: Annotated[
        bool, typer.Option("--head", help="Forecast from the model's refitted head, without training images.")
    ] = False,
    start: Start = None,
    epochs: Epochs = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="Trainings for each; more make the forecast surer.")] = 2,
    train_size: TrainSize = None,
    images_per_class: ImagesPerClass = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The analyzed model, where it is not where it was.")
    ] = None,
    arch: Arch = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="DATASET", help="The analyzed images, where they are not where they were.")
    ] = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    restart: Restart = False,
    image_size: Annotated[
        int | None, typer.Option(metavar="N", help="Input side in pixels, where the profile does not say.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write to a file instead of stdout.")] = None,
) -> None:
    """Write the strongest augmentations that are safe for every class, in a training library's words.

    With --train, networks are trained without augmentation and with the strongest dose of each, and the analyzed
    images tell what each class loses for good; with --head, the model's last layer is refitted instead, which costs
    little and knows less. The forecast is kept in the profile and used from then on. Without a forecast, safe means:
    the model as it is still recognizes the class's images under the dose (docs/method.md).

    By default one policy holds for all classes; --grouped gives clusters of confused classes their own, --per-class
    every class (but where one loses a fifth of its images to another, both share), as json and yaml only. Each
    augmentation is judged by itself. What stops it, and what the policy is forecast to cost, is said on stderr.

    \b
    Examples:
      cuesense recommend cuesense-out --train photos/train --format torchvision --output transform.py
      cuesense recommend cuesense-out --train photos/train --from timm:resnet18 --seeds 3
      cuesense recommend cuesense-out --head
      cuesense recommend cuesense-out/profile.json --tolerance 0.1 --augmentations random_resized_crop,color_jitter
      cuesense recommend cuesense-out --per-class --format json
    """
    with _user_errors(_RESUMED):
        from cuesense.files import refuse_folder, write_file
        from cuesense.profile import Profile
        from cuesense.recommendation import check, choose_scope, export, limits, outlooks, verified
        from cuesense.recommendation import recommend as recommended
        from cuesense.reports.policy import lines

        found = Profile.read(profile)
        chosen = None if augmentations is None else [name.strip() for name in augmentations.split(",")]
        scope = choose_scope(grouped=grouped, per_class=per_class)
        check(found, scope, format_, image_size, tolerance, confidence, all_but, probability)
        if output is not None:
            refuse_folder(output)
        if head or any(option is not None for option in (train, start, epochs, train_size, images_per_class)):
            from cuesense.forecast import Adaptation, update
            from cuesense.reports.progress import progress_bar

            keep_freed_memory()
            how = Adaptation(
                train=train,
                head=head,
                start=start,
                epochs=epochs,
                seeds=seeds,
                train_size=train_size,
                images_per_class=images_per_class,
                model=model,
                arch=arch,
                dataset=dataset,
                data_root=data_root,
                device=device,
            )
            with progress_bar("forecasting", "steps") as progress:
                found = update(
                    profile, how, augmentations=chosen, probability=probability, restart=restart, progress=progress
                )
        policy = recommended(
            found,
            scope,
            tolerance=tolerance,
            confidence=confidence,
            augmentations=chosen,
            probability=probability,
            all_but=all_but,
        )
        text = export(policy, found, format_, image_size)
        choice: Any = {"tolerance": tolerance, "confidence": confidence, "augmentations": chosen, "all_but": all_but}
        known = found.summary.clean_accuracy, verified(found, policy), policy
        for line in lines(limits(found, **choice), outlooks(found, **choice), *known):
            typer.echo(line, err=True)
        if output is None:
            typer.echo(text, nl=False)
        else:
            write_file(output, text)
            typer.echo(f"Policy: {output}", err=True)


@app.command(short_help="Train with and without the recommended policies.")
def verify(
    profile: ProfilePath,
    train: Annotated[str, typer.Option(metavar="DATASET", help="Images to train on.")],
    test: Annotated[str, typer.Option(metavar="DATASET", help="Images to test on.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-verified"),
    seeds: Annotated[int, typer.Option(metavar="N", help="Trainings of each policy.")] = 5,
    start: Start = None,
    arch: Arch = None,
    epochs: Epochs = None,
    train_size: TrainSize = None,
    images_per_class: ImagesPerClass = None,
    tolerance: Tolerance = None,
    confidence: Confidence = None,
    augmentations: Augmentations = None,
    probability: Probability = 0.8,
    data_root: DataRoot = None,
    device: Device = "auto",
    restart: Restart = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> None:
    """Train networks with and without the recommended policies, and report what really happened to every class.

    Compared are no augmentation, the usual default (crop to 0.08, jitter 0.4), the uniform policy with the best
    average, the global, grouped and per-class policies, the per-class policy with the doses of other classes, and a
    uniform policy of its mean strength. DIR gets verify.json, verify.csv and forecast.svg (forecast against outcome);
    the profile remembers the outcome, and recommend no longer offers a policy by class that its rival beat.

    \b
    Examples:
      cuesense verify cuesense-out --train photos/train --test photos/test
      cuesense verify cuesense-out --train photos/train --test photos/test --from timm:resnet18 --seeds 3
    """
    with _user_errors(_RESUMED):
        from rich.console import Console

        from cuesense.experiment import Setup
        from cuesense.profile import Profile
        from cuesense.reports.progress import progress_bar
        from cuesense.reports.verification import render
        from cuesense.verify import remember
        from cuesense.verify import verify as verified

        keep_freed_memory()
        setup = Setup(
            train=train,
            test=test,
            start=start,
            arch=arch,
            image_size=train_size,
            epochs=epochs,
            images_per_class=images_per_class,
            device=device,
            data_root=data_root,
        )
        with progress_bar("training", "steps") as progress:
            found = verified(
                Profile.read(profile),
                setup,
                output=output,
                seeds=seeds,
                tolerance=tolerance,
                confidence=confidence,
                augmentations=None if augmentations is None else [name.strip() for name in augmentations.split(",")],
                probability=probability,
                restart=restart,
                progress=progress,
            )
        if json:
            typer.echo(found.to_json(), nl=False)
        else:
            Console().print(render(found))
        remember(profile, found)
        typer.echo(f"Results: {output / 'verify.json'}  Picture: {output / 'forecast.svg'}", err=True)


@app.command(short_help="Run the main job on the planted world.")
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
    with _user_errors(_RESUMED):
        from cuesense import demo as job
        from cuesense.reports.progress import progress_bar

        keep_freed_memory()
        with progress_bar() as progress:
            profile, recovered = job.run(output, progress)
        _show(profile, as_json=json)
        total = len(profile.classes)
        typer.echo(f"{recovered} of {total} planted labels recovered.", err=True)
        _say_where(output)


@app.command(short_help="Make the report page from a profile.")
def report(
    profile: ProfilePath,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("report.html"),
) -> None:
    """Make the report page from a profile again (without example images, which a profile does not hold).

    \b
    Examples:
      cuesense report out/profile.json --output report.html
    """
    with _user_errors():
        from cuesense.files import write_file
        from cuesense.profile import Profile
        from cuesense.reports import html

        write_file(output, html.render(Profile.read(profile)))
        typer.echo(f"Report: {output}", err=True)


@app.command(name="list", short_help="List models, datasets, perturbations, exporters, presets.")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[models|datasets|perturbations|exporters|presets]", help="What to list."),
    ] = None,
) -> None:
    """List what there is.

    \b
    Examples:
      cuesense list
      cuesense list perturbations
    """
    with _user_errors():
        from cuesense.listing import KINDS, rows

        for name in [kind] if kind else KINDS:
            _print_rows(name, rows(name))


def _print_rows(title: str, rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*rows[0], title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def _say_where(output: Path) -> None:
    typer.echo(f"Report: {output / 'report.html'}  Profile: {output / 'profile.json'}", err=True)


def main() -> NoReturn:
    """Run the command line."""
    app()
    sys.exit(0)
