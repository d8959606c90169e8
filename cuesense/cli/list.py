"""``cuesense list``: models, datasets, perturbations, exporters and presets."""

from __future__ import annotations

import json as json_text
import shutil
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from cuesense import registry
from cuesense.cli.errors import user_errors
from cuesense.cli.options import Json
from cuesense.cli.terminal import print_rich, remark_wrapped
from cuesense.config import presets
from cuesense.errors import SettingsError, unknown
from cuesense.perturbations.ablations import ABLATIONS, SHAM
from cuesense.perturbations.residual_cues import residual_cues
from cuesense.types import Cue

# Columns that the longest row of perturbations needs, so that a pipe gets one line for each name.
_WIDTH = 240
_NONE = "-"
# What to do with the names, by what was listed.
_NEXT = {
    None: "Next: cuesense list perturbations; cuesense preview DATASET; cuesense analyze MODEL --dataset DATASET",
    "models": "Next: cuesense analyze MODEL --dataset DATASET",
    "datasets": "Next: cuesense preview DATASET; cuesense analyze MODEL --dataset DATASET",
    "perturbations": "Next: cuesense preview DATASET --augmentations A,B shows them on your images; "
    "cuesense analyze MODEL --dataset DATASET --augmentations A,B measures them.",
    "exporters": "Next: cuesense recommend PROFILE --format NAME",
    "presets": "Next: cuesense preview DATASET --config NAME; cuesense analyze MODEL --dataset DATASET --config NAME",
}


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[models|datasets|perturbations|exporters|presets]",
            help="What to list.",
            autocompletion=lambda: list(KINDS),
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the models, datasets, perturbations, exporters and presets that can be named.

    \b
    Examples:
      cuesense list
      cuesense list perturbations
      cuesense list --json
    """
    with user_errors():
        found = {name: rows(name) for name in ([kind] if kind else KINDS)}
        if json:
            typer.echo(_as_json(found))
            return
        for name, table in found.items():
            _print_rows(name, table)
        remark_wrapped(_NEXT[kind])


def _as_json(found: dict[str, Rows]) -> str:
    """Return for each kind a list of objects with the titles as keys; the values of a ladder are numbers."""
    listed = {
        kind: [dict(zip(titles, map(str, row), strict=True)) for row in others]
        for kind, (titles, *others) in found.items()
    }
    for entry in listed.get("perturbations", []):
        entry["ladder"] = registry.get("perturbations", entry["name"]).ladder
    return json_text.dumps(listed, indent=1)


def _print_rows(title: str, rows: Rows) -> None:
    from rich.table import Table
    from rich.text import Text

    if sys.stdout.isatty() and title == "perturbations" and _columns() < _WIDTH:
        rows = _narrow(rows)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, heading in enumerate(rows[0]):
        # A name is copied: it must not be cut.
        table.add_column(heading, no_wrap=number == 0, overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    print_rich(table, width=None if sys.stdout.isatty() else _WIDTH)


def _columns() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _narrow(rows: Rows) -> Rows:
    """Return perturbations in three columns: the name, what it removes (else its role), its values with the unit."""
    titles, *others = rows
    named = [dict(zip(titles, row, strict=True)) for row in others]
    short = [(row["name"], _removes(row), f"{row['ladder']} {row['unit']}") for row in named]
    return [("name", "removes", "values"), *short]


def _removes(row: dict[str, str]) -> str:
    if row["suppresses"] == _NONE:
        return row["role"]
    return "all cues" if row["suppresses"].count(",") == len(Cue) - 1 else row["suppresses"]


Rows = list[tuple[str, ...]]


def rows(kind: str) -> Rows:
    """Return the table of one kind.

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


# Plug-ins of other packages are listed too, without a description of ours.
def _model_rows() -> Rows:
    what = {
        "torchvision": "torchvision:NAME[@WEIGHTS]",
        "timm": "timm:NAME, timm:hf-hub:NAME, timm:local-dir:FOLDER",
        "open_clip": "open_clip:NAME[@TAG or FILE], zero-shot on the class names",
        "hf": "hf:NAME_OR_FOLDER, an image classifier of transformers (extra hf)",
        "onnx": "onnx:FILE, or the .onnx file itself (extra onnx)",
        "python": "python:module:factory",
    }
    others = [(name, what.get(name, f"{name}:...")) for name in registry.names("models")]
    return [("name", "spec"), ("file", "a path, with --arch where it holds weights only"), *others]


def _dataset_rows() -> Rows:
    what = {
        "folder": "a folder of class folders, or of images with a table of labels",
        "table": "a CSV, TSV, JSON Lines, text or Parquet file with columns such as path,label",
        "torchvision": "torchvision:NAME (CIFAR10, Flowers102, ...), with --data-root or CUESENSE_DATA",
        "hf": "hf:PATH (Parquet, save_to_disk, imagefolder) or hf:USER/NAME of the hub",
        "wds": "wds:SHARDS, a folder or pattern of .tar files (WebDataset, or class folders)",
        "npz": "npz:FILE, arrays of images and labels (MedMNIST)",
        "zip": "zip:FILE, a ZIP archive of class folders, or of images with a table",
        "imagenet": "imagenet in any usual layout, with --data-root or CUESENSE_DATA",
        "planted": "planted[:SEED[,size=N][,cluttered][,long-tailed]...], images whose cues are known",
    }
    return [("name", "spec"), *((name, what.get(name, f"{name}:...")) for name in registry.names("datasets"))]


def _perturbation_rows() -> Rows:
    titles = ("name", "role", "suppresses", "also damages", "parameter", "ladder", "unit", "leaves")
    rows: Rows = [titles]
    left, values = residual_cues(), dict((*ABLATIONS, *SHAM.values()))
    for name in registry.names("perturbations"):
        entry = registry.get("perturbations", name)
        ladder = " ".join(map("{:g}".format, entry.ladder))
        cues = ", ".join(entry.suppresses) or _NONE
        value = values.get(name, entry.ladder[-1])
        kept = " ".join(f"{cue.value} {100 * share:.0f}%" for cue, share in left.get((name, value), {}).items())
        kept += f" at {value:g}" if kept else ""
        rows.append((name, entry.role, cues, entry.damages, entry.parameter, ladder, entry.unit, kept))
    return rows


def _exporter_rows() -> Rows:
    what = {
        "json": "ranges by augmentation, for all classes, groups or each class",
        "yaml": "the same",
        "torchvision": "code of torchvision.transforms.v2 that defines transform, for one image",
        "kornia": "code of kornia.augmentation that defines transform, for a batch",
        "albumentations": "JSON for albumentations.load",
        "timm": "flags of timm's train.py, and what they cannot express",
        "ultralytics": "hyperparameters of Ultralytics' classification (cfg=FILE), and what they cannot express",
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
