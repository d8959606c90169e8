"""Models and datasets by short names: reports that leave a machine do not say where on it the files lie."""

from __future__ import annotations

import re

from cuesense.reports.text import printable
from cuesense.schemas.profile import DatasetInfo, ModelInfo

# Specs that name something on a hub or in a library, where a slash does not separate folders of this machine.
_ELSEWHERE = re.compile(r"(hf|timm|torchvision|open_clip):")
_SEPARATOR = re.compile(r"[/\\]")


def short_spec(spec: str, parts: int = 1) -> str:
    """Return the end of a path; what names something elsewhere, such as ``hf:org/model``, stays as it is.

    Args:
        spec: How a model or a dataset was named.
        parts: How many folders and files from the end are kept.
    """
    if _ELSEWHERE.match(spec):
        return spec
    return "/".join([part for part in _SEPARATOR.split(spec) if part][-parts:]) or spec


def on_dataset(model: ModelInfo, dataset: DatasetInfo) -> str:
    """Return on what a model was measured, such as ``" on photos/val"``, to follow the model's name.

    Empty where both are one table of predictions, whose model nobody knows.
    """
    return "" if model.spec == dataset.named else f" on {printable(dataset.named)}"


def short_dataset(dataset: DatasetInfo) -> str:
    """Return the last two folders of a dataset, for instance ``"photos/val"``, and the part of it that was used."""
    short = short_spec(dataset.spec, 2)
    return short if dataset.split is None else f"{short} ({dataset.split})"
