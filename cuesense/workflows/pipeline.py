"""Measure a user's training transform on the images of an analysis: what each of its steps costs every class."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cuesense.analysis.pipeline_costs import MeasuredPipeline
from cuesense.analysis.pipeline_sentences import MeasuredStep
from cuesense.atomic_files import digest, unwritable, write_file
from cuesense.pipelines.perturbations import Plan, failures, plan
from cuesense.pipelines.read import read
from cuesense.pipelines.source import Source
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier

FOLDER = "pipeline-outcomes"
"""Beside the folder of the other predictions, with a folder for each transform: another one leaves all as it is."""


def read_for(source: Source, classifier: Classifier) -> Plan:
    """Return what is measured of a training transform, for a network's input.

    Args:
        source: The transform.
        classifier: The network.

    Raises:
        SettingsError: It is no transform, fails, or changes nothing at random.
    """
    size = classifier.preprocessing.image_size
    return plan(read(source.made(size), source.spec, size, remarks=source.remarks, source=source.text))


def open_store(
    folder: Path | None, settings: Mapping[str, Any], planned: Plan, *, restart: bool, shared: bool = False
) -> OutcomeStore:
    """Return where the predictions under a transform go.

    Args:
        folder: The output folder, or None to keep them in memory.
        settings: All else that decides them.
        planned: What is measured.
        restart: Throw away those of all transforms.
        shared: Whether other parts of the run may be writing there at this moment.

    Raises:
        OutputError: The folder cannot be written.
    """
    if folder is None:
        return OutcomeStore()
    decided = _decided(settings, planned)
    try:
        if restart and (folder / FOLDER).is_dir():
            shutil.rmtree(folder / FOLDER)
    except OSError as error:
        raise unwritable(folder, error) from None
    return OutcomeStore.open(folder / FOLDER / digest(decided), decided, shared=shared)


def view_store(folder: Path | None, settings: Mapping[str, Any], planned: Plan) -> OutcomeStore:
    """Return the predictions under a transform that are there, to be read alone; arguments as for ``open_store``."""
    if folder is None:
        return OutcomeStore()
    decided = _decided(settings, planned)
    return OutcomeStore.view(folder / FOLDER / digest(decided), decided)


def failed(planned: Plan, folder: Path | None, settings: Mapping[str, Any]) -> list[str]:
    """Return a sentence on images where a transform failed, if any, in this run and in those that it goes on from.

    Args:
        planned: What was measured.
        folder: The output folder, where the counts are kept beside the predictions; None keeps none.
        settings: As for ``open_store``.

    Raises:
        OutputError: The folder cannot be written.
    """
    counts = {name: (found.failed, found.first) for name, found in failures(planned).items()}
    if folder is not None:
        path = folder / FOLDER / f"{digest(_decided(settings, planned))}-failures.json"
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for name, (number, first) in before.items():
            counts[name] = (number + counts.get(name, (0, ""))[0], first)
        if counts:
            write_file(path, json.dumps(counts))
    if not counts:
        return []
    where = ", ".join(f"{number:,} under '{name}'" for name, (number, _) in counts.items())
    first = next(first for _, first in counts.values())
    return [f"The transform failed on some images, which count as unchanged ({first}): {where}."]


def _decided(settings: Mapping[str, Any], planned: Plan) -> dict[str, Any]:
    """Return all that decides the predictions under a transform."""
    return {**settings, "pipeline": planned.pipeline.digest, "config": planned.config.to_dict()}


def measured(planned: Plan, problems: Sequence[str] = ()) -> MeasuredPipeline:
    """Return a transform as the analysis of its predictions knows it, with what went wrong, in sentences."""
    pipeline = planned.pipeline
    without = planned.without or (None,) * len(planned.alone)
    steps = tuple(
        MeasuredStep(
            name=part.name,
            settings=part.settings,
            probability=part.probability,
            adjustable=part.always is not None,
            augmentation=None if part.known is None else part.known.name,
            value=None if part.known is None else part.known.value,
            note="" if part.known is None else part.known.note,
            alone=alone,
            without=other,
        )
        for part, alone, other in zip(pipeline.augmentations, planned.alone, without, strict=True)
    )
    return MeasuredPipeline(pipeline.spec, planned.whole, steps, pipeline.preparation, (*pipeline.remarks, *problems))
