"""A profile as a model card for the Hugging Face hub: metadata that the hub reads (``model-index``), and a short text.

The fields of the metadata are those of https://github.com/huggingface/hub-docs/blob/main/modelcard.md; the hub refuses
a card whose results lack the type of the task, the type and name of the dataset, or the type and value of a metric.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from cuesense.reports.headline import headline
from cuesense.reports.markdown.profile import WORST, provenance, worst_table
from cuesense.reports.markdown.text import bullets, document, escaped, line, shortened
from cuesense.reports.profile_text import value_text
from cuesense.reports.spec_text import short_dataset, short_spec
from cuesense.reports.text import counted, printable, readable_name
from cuesense.reports.usual_losses import worst_first
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.types import Role

_TASK = {"type": "image-classification", "name": "Image Classification"}
# Four digits of a share of some thousand images are more than chance leaves.
_DIGITS = 4


def render(profile: Profile) -> str:
    """Return a profile as a model card.

    Args:
        profile: The profile.

    Returns:
        YAML between two lines of dashes, then markdown: a README.md for a repository of the hub, or what is added to
        one that is there.
    """
    import yaml

    header = yaml.safe_dump(metadata(profile), sort_keys=False, allow_unicode=True)
    return f"---\n{header}---\n\n{_body(profile)}"


def metadata(profile: Profile) -> dict[str, Any]:
    """Return the card's metadata as plain values.

    Its results are the accuracy of all images and of the worst class, and the accuracy of all images under each
    augmentation at its strongest measured value.
    """
    dataset = profile.provenance.dataset
    described: dict[str, Any] = {
        "type": _identifier(dataset.spec),
        "name": shortened(printable(short_dataset(dataset))),
    }
    config = dataset.spec.partition("@")[2] if dataset.spec.startswith("hf:") else ""
    if config:
        described["config"] = printable(config)
    if dataset.split is not None:
        described["split"] = printable(dataset.split)
    described["args"] = {"images": dataset.images, "classes": dataset.classes, "fingerprint": dataset.fingerprint}
    result = {"task": _TASK, "dataset": described, "metrics": list(_metrics(profile))}
    return {
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "cuesense"],
        "metrics": ["accuracy"],
        # Without a number there is nothing that the hub would show, and it refuses an empty list.
        **({"model-index": [{"name": _model_name(profile), "results": [result]}]} if result["metrics"] else {}),
    }


def _metrics(profile: Profile) -> Iterator[dict[str, Any]]:
    summary = profile.summary
    known = {"Accuracy": summary.clean_accuracy, "Accuracy of the worst class": summary.worst_class_accuracy}
    known |= {_under(curve): _accuracy(curve) for curve in profile.curves if curve.role is Role.AUGMENTATION}
    for title, accuracy in known.items():
        if accuracy is not None:
            yield {"type": "accuracy", "name": title, "value": round(accuracy, _DIGITS)}


def _under(curve: CurveModel) -> str:
    strength = value_text(curve.values[-1], curve.unit)
    return printable(f"Accuracy under {readable_name(curve.perturbation)} {strength}").replace(
        "\N{NO-BREAK SPACE}", " "
    )


def _accuracy(curve: CurveModel) -> float | None:
    """Return the accuracy over all images at the strongest value; None without images."""
    # A class counts by all its images, however many of them were looked at.
    seen = np.array(curve.images_at(len(curve.values)))
    weights = np.where(seen > 0, curve.n, 0)
    right = curve.recognized[-1] * weights / np.maximum(seen, 1)
    return float(right.sum() / weights.sum()) if weights.any() else None


def _model_name(profile: Profile) -> str:
    """Return the model's name without the ending of its file, as repositories are called."""
    spec = short_spec(profile.provenance.model.spec)
    return shortened(printable(PurePosixPath(spec).stem if "/" not in spec else spec.partition(":")[2])) or "model"


def _identifier(spec: str) -> str:
    """Return the dataset's name on the hub where it has one, else a word made of its name: the hub needs some text."""
    if spec.startswith("hf:"):
        return printable(spec.removeprefix("hf:").partition("@")[0])
    return re.sub(r"[^a-z0-9]+", "-", short_spec(spec, 2).partition(",")[0].lower()).strip("-") or "images"


def _body(profile: Profile) -> str:
    said = headline(profile)
    ranked = worst_first(profile)
    images = counted(profile.provenance.dataset.images, "image")
    return document(
        [
            [f"# {escaped(_model_name(profile))}"],
            ["## What each class relies on, and what augmentations cost it"],
            [line(f"Analyzed on {images} of {shortened(short_dataset(profile.provenance.dataset))}.")],
            bullets(said.findings),
            [line(said.advice)] if said.advice else [],
            ["### Classes at risk"],
            *worst_table(ranked[:WORST], len(ranked)),
            ["### Limits"],
            bullets([said.measured, *said.surer, *profile.summary.warnings, *profile.provenance.assumptions]),
            ["### Where the numbers come from"],
            provenance(profile),
        ]
    )
