"""Audit a sweep of one regularizer: read its runs, get their predictions, find which classes lose accuracy, write.

Tables of accuracies are audited without torch, which is imported only where checkpoints are run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cuesense.atomic_files import refuse_folder, write_file
from cuesense.errors import SettingsError, expected
from cuesense.policies.profile_budgets import profile_of
from cuesense.reports.html.audit import render
from cuesense.schemas.audit import Audit
from cuesense.schemas.profile import Profile
from cuesense.stores.lock import locked
from cuesense.sweeps.accuracy_table import read_accuracies
from cuesense.sweeps.build_audit import build_audit
from cuesense.sweeps.run_list import read_runs
from cuesense.tables.write_csv import csv_text
from cuesense.types import ClassNames, CueVerdict, ProgressOption
from cuesense.validation import check_fraction, path_of
from cuesense.workflows.caller import watched

if TYPE_CHECKING:
    import torch


FILES = ("audit.csv", "audit.html", "audit.json")


def audit(
    runs: str | Path | None = None,
    dataset: Any = None,
    *,
    accuracies: str | Path | pd.DataFrame | None = None,
    regularizer: str | None = None,
    order: str | Sequence[str] | None = None,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    profile: Profile | str | Path | None = None,
    accepted: str | Path | None = None,
    similarity: str | None = None,
    output: str | Path | None = None,
    arch: str | None = None,
    weights_key: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    image_size: int | None = None,
    resize: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    channels: str | None = None,
    images_per_class: int | None = None,
    batch_size: int | None = None,
    device: str | torch.device = "auto",
    workers: int | None = None,
    data_root: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    weights_only: bool = False,
    allow_code: bool = False,
    allow_nondeterministic: bool = False,
    engine: str = "local",
    ray_address: str | None = None,
    ray_workers: int | None = None,
    gpus_per_worker: float | None = None,
    restart: bool = False,
    progress: ProgressOption = None,
) -> Audit:
    """Report which classes lose accuracy at the strength of a regularizer that has the best mean accuracy.

    Args:
        runs: A CSV or TOML list of checkpoints (see ``sweeps.run_list.read_runs``), with a dataset; or None with
            accuracies.
        dataset: What they are tested on: a dataset spec, or any torch dataset that gives (image, label).
        accuracies: A table of accuracies (see ``sweeps.accuracy_table.read_accuracies``) instead of checkpoints, its
            file or a DataFrame.
        regularizer: Which one, where the list or table has several.
        order: ``"rising"`` where larger numbers are stronger, ``"falling"`` where smaller ones are, or all strengths
            from mild to strong (a list, or text with commas). None takes what the regularizer's name says
            (``sweeps.direction``), and raises a SettingsError where it says nothing.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: Level of intervals and of bounds, in (0.5, 1).
        profile: A profile of one of the networks, or its file or folder: classes are then also compared by their cue.
        accepted: Labels that are right beside an image's own (see ``sweeps.accepted_labels.read_accepted``).
        similarity: Spec of an open_clip model whose text embeddings tell which classes are alike; None takes the
            directions of the checkpoints' last layers.
        output: Folder for audit.json, audit.csv, audit.html and the checkpoints' predictions, from which the same call
            goes on; None writes nothing.
        arch: Architecture of files that hold weights only.
        weights_key: Where in every checkpoint the weights lie, as a dotted path; None takes the first that fit.
        class_names: Names of the models' outputs in their order, as for ``analyze``.
        image_size: Side of the networks' input in pixels; default: what the weights carry.
        resize: Shorter side before the center crop, in pixels; likewise.
        mean: Normalization mean, RGB in [0, 1] units; likewise.
        std: Normalization standard deviation; likewise.
        channels: The order in which the networks take the color channels, ``"rgb"`` or ``"bgr"``; default: likewise.
        images_per_class: Take this many images of each class.
        batch_size: Images a forward pass, up to 1,024; where the device's memory is too small, fewer.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        workers: Threads that decode images.
        data_root: Where ``imagenet`` lies.
        split: The part of the dataset, such as ``"val"``; None takes ``val``, else ``test``, where it has parts.
        download: Fetch a named dataset that is not on disk.
        weights_only: Read tensors alone, and refuse every program: TorchScript, ``.pt2``, ``python:``, whole modules.
            The environment variable CUESENSE_WEIGHTS_ONLY=1 says the same for all calls.
        allow_code: Let programs run that the list of runs names (TorchScript, ``.pt2``, ``python:``): without, only a
            program that the caller names runs.
        allow_nondeterministic: Also audit networks that are no functions of one image, and say so.
        engine: ``"local"`` runs the networks in this process, ``"ray"`` in the workers of a Ray cluster, each one at a
            time, or of one that is started on this machine for the time of the run (``docs/scale.md``).
        ray_address: Where the cluster is, as for ``ray.init``; None takes RAY_ADDRESS, else starts one here.
        ray_workers: How many workers there are; None takes as many as there are GPUs, or cores.
        gpus_per_worker: GPUs of each worker, 0.5 for two workers on a GPU; None takes one where there are any.
        restart: Throw away predictions that are there.
        progress: Called with (images done, images in all); None shows a bar in a terminal and a notebook, False none.

    Returns:
        The audit, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do. Predictions that were kept stay.
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    folder, known_profile = None if output is None else path_of(output, "--output"), read_profile(profile)
    check_output(folder)
    known: dict[str, Any] = {"tolerance": tolerance, "confidence": confidence, "cues": cues_of(known_profile)}
    if accuracies is not None:
        images_and_engine = {
            "RUNS": runs,
            "--dataset": dataset,
            "--accepted": accepted,
            "--similarity": similarity,
            "--engine": None if engine == "local" else engine,
            "--ray-address": ray_address,
            "--ray-workers": ray_workers,
            "--gpus-per-worker": gpus_per_worker,
        }
        _refuse_given(images_and_engine)
        sweep = read_accuracies(_table(accuracies), regularizer=regularizer, order=order)
        source: dict[str, Any] = {"accuracies": _name(accuracies), "runs": len(sweep.seeds)}
        found_in_table = build_audit(sweep, source=source, **known)
        with locked(folder):
            return write_audit(found_in_table, known_profile, folder)
    listed = read_runs(_given(runs), regularizer=regularizer, order=order, arch=arch)
    from cuesense.datasets.load import DatasetOptions
    from cuesense.inference import checkpoints
    from cuesense.inference.one_checkpoint import CheckpointOptions
    from cuesense.inference.options import run_options
    from cuesense.inference.ray_cluster import connected, device_here, ray_engine
    from cuesense.models.preprocessing import ImageOptions
    from cuesense.models.trust import Trust

    trust = Trust(weights_only, allow_code)
    where = DatasetOptions(data_root, split, download)
    images = checkpoints.images_of(dataset, where, images_per_class, class_names)
    cluster = ray_engine(engine, ray_address, ray_workers, gpus_per_worker, str(device))
    here = device_here(cluster, str(device))
    run = run_options(here, batch_size, workers=workers, allow_nondeterministic=allow_nondeterministic)
    options = CheckpointOptions(
        run,
        ImageOptions(image_size, resize, mean, std, channels),
        class_names,
        trust,
        weights_key,
        FILES[::-1],
    )
    with locked(folder):
        with (
            connected(cluster, run, default_batch=batch_size is None) as shared,
            watched(progress, "auditing") as advance,
        ):
            options = replace(options, run=shared)
            found = checkpoints.predict_checkpoints(listed, images, options, folder, restart=restart, progress=advance)
        if similarity is not None:
            found = replace(found, similarity=checkpoints.text_similarity(similarity, found.sweep, trust))
        if accepted is not None:
            found = checkpoints.with_accepted(found, accepted)
        source = {"runs": str(runs), "models": len(listed.models)} | found.source
        return write_audit(
            build_audit(found.sweep, source=source, similarity=found.similarity, **known), known_profile, folder
        )


def read_profile(profile: Profile | str | Path | None) -> Profile | None:
    """Return a profile that may be given as its file or folder."""
    return None if profile is None else profile_of(profile)


def cues_of(profile: Profile | None) -> dict[str, CueVerdict] | None:
    """Return what a profile's classes rely on, by name; None without a profile."""
    return None if profile is None else {entry.name: entry.cue for entry in profile.classes}


def check_output(folder: Path | None) -> None:
    """Raise OutputError where a folder has the name of one of the files of an audit."""
    if folder is not None:
        for name in FILES:
            refuse_folder(folder / name)


def _table(accuracies: object) -> Path | pd.DataFrame:
    if isinstance(accuracies, pd.DataFrame):
        return accuracies
    if not isinstance(accuracies, str | Path):
        do = "Give one of them"
        raise SettingsError(expected("accuracies", "a file or a DataFrame", type(accuracies).__name__, do))
    return Path(accuracies)


def _name(accuracies: object) -> str:
    return "a DataFrame" if isinstance(accuracies, pd.DataFrame) else str(accuracies)


def _given(runs: str | Path | None) -> Path:
    if runs is None:
        do = "Give one of them"
        raise SettingsError(expected("the runs", "a list of checkpoints or --accuracies TABLE", "neither", do))
    return Path(runs)


def _refuse_given(given: Mapping[str, object]) -> None:
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        do = "Leave it out, or leave out --accuracies"
        raise SettingsError(expected(unused[0], "left out with --accuracies, which needs no images", "both", do))


def write_audit(found: Audit, profile: Profile | None, folder: Path | None) -> Audit:
    """Write audit.json, audit.csv and audit.html where a folder is given, and return the audit.

    Raises:
        SettingsError: The profile knows none of the audit's classes.
        OutputError: The folder cannot be written.
    """
    if profile is not None and all(entry.cue is None for entry in found.classes):
        got = f"classes such as '{profile.classes[0].name}', none of which is in the runs"
        do = "Analyze a network of the same classes"
        raise SettingsError(expected("--profile", "a profile of the runs' classes", got, do))
    if folder is not None:
        frame = csv_text(found.to_frame())
        for name, content in zip(FILES, (frame, render(found), found.to_json()), strict=True):
            write_file(folder / name, content)
    return found
