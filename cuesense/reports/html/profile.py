"""A Profile as one self-contained page: it asks nothing of the network and works from a file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from cuesense.reports import text
from cuesense.reports.charts import profile as charts
from cuesense.reports.charts.curves import Overview, overview, right, z_score
from cuesense.reports.html import page
from cuesense.reports.html.gallery import Gallery, Tile
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, GlobalBudget, Profile
from cuesense.types import BudgetStatus, Cue, CueVerdict, Role

_COLUMNS = 4
_PNG = b"\x89PNG"
_ROLES = {
    Role.SUPPRESSION: "Cue suppressions",
    Role.AUGMENTATION: "Augmentations",
    Role.CONTROL: "Controls: should cost nothing",
}


@dataclass(frozen=True)
class _Panel:
    """One perturbation of the overview, ready to print."""

    curve: CurveModel
    chart: Markup
    overview: Overview


@dataclass(frozen=True)
class _Row:
    """One perturbation of a gallery, mild to strong."""

    curve: CurveModel | None
    tiles: list[Tile]


def render(profile: Profile, galleries: Sequence[Gallery] = ()) -> str:
    """Return the report as an HTML page.

    The table of classes and the overview are in the page itself; the curves of single classes are drawn by its script
    from embedded counts. Equal arguments give equal text.

    Args:
        profile: The profile.
        galleries: Example images, best one for each of a few classes; the section is left out where there are none.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    return (
        _environment()
        .get_template("profile.html.j2")
        .render(
            profile=profile,
            **page.head(f"cuesense · {profile.provenance.model.spec}", ("style.css",), "script.js"),
            worst=_worst_class(profile),
            augmentations=text.main_augmentations(profile, _COLUMNS),
            sections=_sections(profile),
            shared=_shared_budgets(profile),
            galleries=[(gallery, *_rows(gallery, profile.curves)) for gallery in galleries],
            payload=_payload(profile),
        )
    )


@cache
def _environment() -> Environment:
    environment = page.environment()
    environment.filters |= {
        "budget": text.budget,
        "shares": text.shares,
        "evidence": charts.evidence,
        "label_bar": charts.label_bar,
        "data_uri": _data_uri,
    }
    environment.globals |= {
        "axis": text.axis,
        "dose": text.dose,
        "tile_dose": _tile_dose,
        "CUES": list(Cue),
    }
    return environment


def _data_uri(image: bytes) -> str:
    kind = "png" if image.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _worst_class(profile: Profile) -> int | None:
    known = [(entry.clean_accuracy, at) for at, entry in enumerate(profile.classes) if entry.clean_accuracy is not None]
    return min(known)[1] if known else None


def _shared_budgets(profile: Profile) -> list[tuple[str, str, GlobalBudget]]:
    """Return name, dose as text and budget of every augmentation over all classes."""
    known = {curve.perturbation: curve for curve in profile.curves}
    return [(name, text.shared_budget(entry, known.get(name)), entry) for name, entry in profile.policy.global_.items()]


def _ticks(curve: CurveModel) -> list[str]:
    return [text.tick(value, curve.unit) for value in curve.values]


def _sections(profile: Profile) -> list[tuple[str, list[_Panel]]]:
    """Return the overview's panels by role; curves without any image are left out."""
    found = [(curve, overview(curve, profile.policy.confidence)) for curve in profile.curves]
    panels = [_panel(curve, numbers) for curve, numbers in found if numbers is not None]
    by_role = [(title, [part for part in panels if part.curve.role is role]) for role, title in _ROLES.items()]
    return [(title, parts) for title, parts in by_role if parts]


def _panel(curve: CurveModel, numbers: Overview) -> _Panel:
    means = ", ".join(text.percent(share) for share in numbers.mean.tolist())
    title = f"{text.words(curve.perturbation)}: mean accuracy from clean to the strongest dose {means}"
    return _Panel(curve, charts.panel(numbers, _ticks(curve), title), numbers)


def _rows(gallery: Gallery, curves: Iterable[CurveModel]) -> tuple[Tile | None, list[tuple[str, list[_Row]]]]:
    """Return a gallery's clean image and its rows by role, in the order of the profile's curves."""
    clean = next((tile for tile in gallery.tiles if tile.perturbation is None), None)
    known = {curve.perturbation: curve for curve in curves}
    tiles: dict[str, list[Tile]] = {name: [] for name in known}
    for tile in sorted(gallery.tiles, key=lambda tile: tile.severity):
        if tile.perturbation is not None:
            tiles.setdefault(tile.perturbation, []).append(tile)
    rows = [_Row(known.get(name), parts) for name, parts in tiles.items() if parts]
    by_role = [(title, [row for row in rows if row.tiles[0].role == role]) for role, title in _ROLES.items()]
    return clean, [(title, parts) for title, parts in by_role if parts]


def _tile_dose(tile: Tile, curve: CurveModel | None) -> str:
    """Return a tile's dose, in pixels too where the profile knows them."""
    return text.dose(tile.value, tile.unit, _pixels(curve).get(tile.value))


def _pixels(curve: CurveModel | None) -> dict[float, float]:
    return dict(zip(curve.values, curve.pixels, strict=True)) if curve is not None and curve.pixels else {}


def _payload(profile: Profile) -> dict[str, Any]:
    """Return what the page's script draws from: counts, not rates."""
    augmentations = list(dict.fromkeys(name for entry in profile.classes for name in entry.budgets))
    known = {curve.perturbation: curve for curve in profile.curves}
    return {
        "z": z_score(profile.policy.confidence),
        "labels": {label.value: text.GLYPHS[label] for label in CueVerdict},
        "cues": [cue.value for cue in Cue],
        "roles": {role.value: title for role, title in _ROLES.items()},
        "augmentations": [{"name": name, "title": text.words(name)} for name in augmentations],
        "curves": [_curve(curve) for curve in profile.curves],
        "classes": [_class(entry, augmentations, known) for entry in profile.classes],
    }


def _curve(curve: CurveModel) -> dict[str, Any]:
    images = np.asarray(curve.n, dtype=np.float64)
    present = images > 0
    mean = (right(curve)[:, present] / images[present]).mean(axis=1).round(4).tolist() if present.any() else None
    raw = {"right": curve.clean_correct, "lost": curve.lost, "gained": curve.gained}
    corrected = {
        "right": curve.corrected.clean_correct,
        "lost": curve.corrected.lost,
        "gained": curve.corrected.gained,
    }
    return {
        "title": text.words(curve.perturbation),
        "role": curve.role.value,
        "suppresses": [cue.value for cue in curve.suppresses],
        "axis": text.axis(curve.parameter, curve.unit),
        "ticks": _ticks(curve),
        "doses": text.doses(curve),
        "repeats": curve.repeats,
        "n": curve.n,
        "mean": mean,
        "raw": raw,
        "corrected": None if corrected == raw else corrected,
    }


def _class(entry: ClassModel, augmentations: Iterable[str], curves: Mapping[str, CurveModel]) -> dict[str, Any]:
    intervals = [entry.reliance.get(cue) for cue in Cue]
    budgets = [(name, entry.budgets.get(name)) for name in augmentations]
    return {
        "name": entry.name,
        "images": entry.images,
        "accuracy": entry.clean_accuracy,
        "cue": entry.cue.value,
        "why": entry.why,
        "flags": text.flags(entry.flags),
        "evidence": [part and [part.value, part.low, part.high, part.sufficiency.value] for part in intervals],
        "budgets": [part and _budget(part, curves.get(name)) for name, part in budgets],
        "rivals": [[rival.rival, text.words(rival.perturbation), rival.share] for rival in entry.rivals],
    }


def _budget(entry: BudgetModel, curve: CurveModel | None) -> list[Any]:
    """Return rank for sorting, status, dose, drop, low, high and what limits it."""
    rungs = {value: rung for rung, value in enumerate(curve.values if curve else (), start=1)}
    if entry.value is None:
        rank, said = (-1 if entry.status is BudgetStatus.NONE else 0), None
    else:
        rank = rungs.get(entry.value, 0)
        said = text.dose(entry.value, entry.unit, _pixels(curve).get(entry.value))
    return [rank, entry.status.value, said, entry.drop, entry.low, entry.high, entry.limited_by]
