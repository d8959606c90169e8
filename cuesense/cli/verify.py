"""``cuesense verify``: train with and without the recommended policies."""

from __future__ import annotations

from pathlib import Path

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    AllowNondeterministic,
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
    OutputFolder,
    Plugin,
    Probability,
    ProfilePath,
    ProfilesRisk,
    ProfilesTolerance,
    RayAddress,
    RayWorkers,
    Restart,
    Seeds,
    Split,
    Start,
    Test,
    Train,
    TrainSize,
    WeightsKey,
    WeightsOnly,
    WorkersOfTraining,
    names_in,
)
from cuesense.cli.terminal import progress, remark, remark_wrapped, show
from cuesense.inference.malloc import keep_freed_memory


def verify(
    profile: ProfilePath,
    train: Train,
    test: Test,
    output: OutputFolder = Path("cuesense-verified"),
    seeds: Seeds = 5,
    start: Start = None,
    arch: Arch = None,
    weights_key: WeightsKey = None,
    epochs: Epochs = None,
    train_size: TrainSize = None,
    images_per_class: ImagesPerClass = None,
    tolerance: ProfilesTolerance = None,
    risk: ProfilesRisk = None,
    augmentations: Augmentations = None,
    plugin: Plugin = None,
    probability: Probability = 0.8,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    device: Device = "auto",
    workers: WorkersOfTraining = 2,
    weights_only: WeightsOnly = False,
    allow_nondeterministic: AllowNondeterministic = False,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    ray_workers: RayWorkers = None,
    gpus_per_worker: GpusPerWorker = None,
    restart: Restart = False,
    json: Json = False,
) -> None:
    """Train networks with and without the recommended policies, and report the accuracy of every class.

    Compared are training without augmentation (none), the usual default (usual: crop to 0.08, flips, jitter 0.4), the
    uniform policy with the best average (best uniform), the recommended policies for all classes (global), for
    clusters of classes (grouped) and for each class (per class), two controls for the last (permuted: its strengths
    exchanged between classes; matched: a uniform policy of its mean strength), and two published remedies for classes
    that lose by the global policy (weighted: class weights in the loss; relaxed: milder values for the classes that
    take others' images). DIR gets verify.html, verify.json, verify.csv and forecast.svg (forecast against outcome).
    --images-per-class holds for training images.

    The profile keeps the outcome: from then on recommend takes the winner, where over at least five seeds a policy
    shows a better worst class than the global one and at most half a point less on average, and says where more seeds
    would decide. It no longer offers a per-class policy whose worst class fared worse than under the uniform one.
    Where the networks without augmentation are no better than guessing, the profile keeps nothing.

    Trainings: one for each value of each augmentation and up to three more, to find the best average and the remedies,
    then up to ten for each seed (8 + 3 + 5 x 10 = 61 with two augmentations of four values; equal policies are trained
    once).

    \b
    Examples:
      cuesense verify cuesense-out --train photos/train --test photos/test
      cuesense verify cuesense-out --train photos/train --test photos/test --from timm:resnet18 --seeds 3
    """
    with user_errors():
        from cuesense.models.spellings import refuse_misspelled

        refuse_misspelled(start, arch)
        from cuesense.models.trust import Trust
        from cuesense.reports.terminal.verification import render
        from cuesense.workflows.plugin_files import load_plugin
        from cuesense.workflows.verify import verify as run_verification

        load_plugin(plugin, Trust(weights_only=weights_only))
        keep_freed_memory()
        with progress("training", "steps") as advance:
            found = run_verification(
                profile,
                train,
                test,
                output=output,
                seeds=seeds,
                start=start,
                arch=arch,
                weights_key=weights_key,
                image_size=train_size,
                epochs=epochs,
                images_per_class=images_per_class,
                tolerance=tolerance,
                risk=risk,
                augmentations=names_in(augmentations),
                probability=probability,
                data_root=data_root,
                split=split,
                download=download,
                device=device,
                workers=workers,
                weights_only=weights_only,
                allow_nondeterministic=allow_nondeterministic,
                engine=engine,
                ray_address=ray_address,
                ray_workers=ray_workers,
                gpus_per_worker=gpus_per_worker,
                restart=restart,
                progress=advance,
                notify=lambda sentence: remark_wrapped(f"Warning: {sentence}"),
            )
        # The profile's file has the outcome by now: verify writes it where it is given a path.
        show(found, render, as_json=json)
        remark(f"Report: {output / 'verify.html'}  Results: {output / 'verify.json'}")
