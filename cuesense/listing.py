"""What there is, as rows of text: models, datasets, perturbations, exporters and presets."""

from __future__ import annotations

from collections.abc import Callable

from cuesense import registry
from cuesense.config import presets
from cuesense.errors import SettingsError, unknown
from cuesense.evidence import DOSES, SHAM
from cuesense.perturbations.readable import readable

Rows = list[tuple[str, ...]]


def rows(kind: str) -> Rows:
    """Return what there is of a kind.

    Args:
        kind: One of KINDS.

    Returns:
        Rows of text, the first with the titles.

    Raises:
        SettingsError: There is no such kind.
    """
    if kind not in KINDS:
        raise SettingsError(unknown(f"kind '{kind}'", kind, KINDS))
    return KINDS[kind]()


def _model_rows() -> Rows:
    what = {
        "torchvision": "torchvision:NAME[@WEIGHTS]",
        "timm": "timm:NAME",
        "open_clip": "open_clip:NAME[@TAG or FILE], zero-shot on the class names",
        "python": "python:module:factory",
    }
    others = [(name, what.get(name, f"{name}:...")) for name in registry.names("models")]
    return [("name", "spec"), ("file", "a path, with --arch where it holds weights only"), *others]


def _dataset_rows() -> Rows:
    what = {
        "folder": "a folder of class folders",
        "table": "a CSV or Parquet file with columns path,label",
        "imagenet": "imagenet, with --data-root or CUESENSE_DATA",
        "planted": "planted[:SEED[,size=N][,cluttered][,long-tailed]...], images whose cues are known",
    }
    return [("name", "spec"), *((name, what.get(name, f"{name}:...")) for name in registry.names("datasets"))]


def _perturbation_rows() -> Rows:
    titles = ("name", "role", "suppresses", "also damages", "parameter", "ladder", "unit", "leaves")
    rows: Rows = [titles]
    left, doses = readable(), dict((*DOSES, *SHAM.values()))
    for name in registry.names("perturbations"):
        entry = registry.get("perturbations", name)
        ladder = " ".join(f"{value:g}" for value in entry.ladder)
        cues = ", ".join(entry.suppresses) or "-"
        dose = doses.get(name, entry.ladder[-1])
        kept = " ".join(f"{cue.value} {100 * share:.0f}%" for cue, share in left.get((name, dose), {}).items())
        kept += f" at {dose:g}" if kept else ""
        rows.append((name, entry.role, cues, entry.damages, entry.parameter, ladder, entry.unit, kept))
    return rows


def _exporter_rows() -> Rows:
    what = {
        "json": "ranges by augmentation, for all classes, groups or each class",
        "yaml": "the same",
        "torchvision": "code of torchvision.transforms.v2 that defines transform, for one image",
        "kornia": "code of kornia.augmentation that defines transform, for a batch",
        "albumentations": "JSON for albumentations.load",
        "timm": "flags of timm's train.py, and what they cannot say",
    }
    return [("name", "writes"), *((name, what.get(name, "another package's")) for name in registry.names("exporters"))]


def _preset_rows() -> Rows:
    return [("name", "what it measures"), *((name, preset.description) for name, preset in presets().items())]


KINDS: dict[str, Callable[[], Rows]] = {
    "models": _model_rows,
    "datasets": _dataset_rows,
    "perturbations": _perturbation_rows,
    "exporters": _exporter_rows,
    "presets": _preset_rows,
}
