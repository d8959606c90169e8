"""Use a profile in training: recommend and verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cuesense.cli.errors import RESUMED, user_errors
from cuesense.cli.options import (
    Arch,
    Augmentations,
    Confidence,
    DataRoot,
    Device,
    Epochs,
    ImagesPerClass,
    Probability,
    ProfilePath,
    Restart,
    Start,
    Tolerance,
    TrainSize,
)
from cuesense.inference.malloc import keep_freed_memory


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
    with user_errors(RESUMED):
        from cuesense.atomic_files import refuse_folder, write_file
        from cuesense.policies.outlook import outlooks
        from cuesense.policies.policy import PolicyOptions
        from cuesense.policies.profile_budgets import limits
        from cuesense.policies.recommend import check_options, choose_scope, export, verified
        from cuesense.policies.recommend import recommend as recommended
        from cuesense.reports.terminal.policy import lines
        from cuesense.schemas.profile import Profile

        found = Profile.read(profile)
        chosen = None if augmentations is None else [name.strip() for name in augmentations.split(",")]
        scope = choose_scope(grouped=grouped, per_class=per_class)
        options = PolicyOptions(scope, tolerance, confidence, chosen, probability, all_but=all_but)
        check_options(found, options, format_, image_size)
        if output is not None:
            refuse_folder(output)
        if head or any(option is not None for option in (train, start, epochs, train_size, images_per_class)):
            from cuesense.reports.terminal.progress import progress_bar
            from cuesense.workflows.forecast import Adaptation, update

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
