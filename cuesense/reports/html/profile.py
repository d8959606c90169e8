"""A profile as one self-contained page: it fetches nothing and works from a file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from cuesense.errors import CuesenseError
from cuesense.policies.advice import Advice
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS
from cuesense.reports.charts.accuracy_panel import accuracy_panel
from cuesense.reports.charts.cue_bars import cue_counts_bar, evidence_bars
from cuesense.reports.charts.cue_triangle import MOST_TICKS, Dot, strips, triangle
from cuesense.reports.charts.curve_accuracies import Overview, dataset_overview
from cuesense.reports.confusions import confusions, leaks
from cuesense.reports.cue_map import MEANING, MEANING_OLD, CueMap, cue_map
from cuesense.reports.cue_text import cue_count, cue_percent, relies_on, relies_on_caption
from cuesense.reports.graded_text import is_graded, lean_text
from cuesense.reports.headline import advice_on, headline
from cuesense.reports.html.links import class_address, class_id, link, with_links
from cuesense.reports.html.page import head_variables, template_environment
from cuesense.reports.html.profile_data import ROLE_TITLES, page_data
from cuesense.reports.html.profile_pictures import picture_data
from cuesense.reports.pictures import Pictures
from cuesense.reports.pipeline_text import caption, forecast_text, safe_text, worst_text
from cuesense.reports.policy_view import PolicyView, policy_view
from cuesense.reports.profile_text import (
    FULL_BUDGET_WORDS,
    SHORT_NAMES,
    augmentation_columns,
    axis_title,
    budget_key,
    budget_meaning,
    budget_text,
    global_budget_text,
    group_shares,
    tick_labels,
)
from cuesense.reports.spec_text import short_dataset, short_spec
from cuesense.reports.text import percent, printable, readable_name
from cuesense.reports.usual_losses import MEANING as SAFETY_MEANING
from cuesense.reports.usual_losses import Safety, UsualLoss, safety, usual_losses
from cuesense.reports.words import words
from cuesense.schemas.profile import SINK_WARNING, ClassModel, CurveModel, GlobalBudget, Profile
from cuesense.types import Cue, CueVerdict

# Columns of budgets that fit beside the evidence in a window of 1,280 pixels; a class's details list all its budgets.
_BUDGET_COLUMNS = 6
# Pairs in the list of confusions, and rows and columns of their matrix: what one screen holds.
_MOST_PAIRS, _MOST_LEAKS = 10, 12
# Classes in the table of risks: what one screen holds; a class's details have its own.
_MOST_RISKS = 10

STYLES = ("page.css", "profile.css", "class.css", "print.css")
SCRIPTS = (
    "elements.js",
    "table.js",
    "copy.js",
    "words.js",
    "curves.js",
    "pictures.js",
    "detail.js",
    "panel.js",
    "map.js",
    "print.js",
    "profile.js",
)


@dataclass(frozen=True)
class _Panel:
    """One perturbation over the whole dataset, ready to print."""

    curve: CurveModel
    chart: Markup
    overview: Overview


@dataclass(frozen=True)
class _Row:
    """One row of the table of classes.

    Attributes:
        at: The class's position in the profile, by which the page's data are kept.
        entry: The class.
        loss: Its largest loss under the usual augmentations.
        safety: How far it may be augmented as usual.
    """

    at: int
    entry: ClassModel
    loss: UsualLoss | None
    safety: Safety | None

    @property
    def leans_to(self) -> str:
        """The cue to which it certainly leans; empty where it may be none."""
        cue = self.entry.leans_to
        return "" if cue is None else cue.value


def render(profile: Profile, pictures: Pictures | None = None, folder: Path | None = None) -> str:
    """Return the report as an HTML page.

    The headline, the map, the policy, the table of classes and the curves of the whole dataset are in the page itself;
    the details of single classes are drawn by its script from embedded counts. Equal arguments give equal text.

    Args:
        profile: The profile.
        pictures: Example images by the position of the class, the most telling strip first.
        folder: The profile's folder. Only its name is on the page, in the next command: the folders around it would
            tell of the machine. None: the command says ``DIR``.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    advice, problem = _advice(profile)
    policy = None if advice is None else policy_view(profile, advice)
    losses, places = usual_losses(profile), cue_map(profile)
    rows = _rows(profile, losses)
    pairs, augmentations = confusions(profile), _budget_columns(profile)
    title = short_spec(profile.provenance.model.spec)
    place = "" if folder is None else _quoted_name(folder)
    return (
        _environment()
        .get_template("profile.html.j2")
        .render(
            profile=profile,
            heading=title,
            **head_variables(f"cuesense · {title}", STYLES, SCRIPTS),
            names=[entry.name for entry in profile.classes],
            headline=headline(profile, advice, place),
            place=place or "DIR",
            graded=is_graded(profile),
            rows=rows,
            worst=_worst_class(profile),
            augmentations=augmentations[:_BUDGET_COLUMNS],
            more_augmentations=augmentations[_BUDGET_COLUMNS:],
            sections=_sections(profile),
            shared=_shared_budgets(profile),
            budget_meaning=budget_meaning(profile.policy),
            budget_key=budget_key(),
            relies_on_caption=relies_on_caption(profile.classes),
            words=words(profile.policy),
            policy=policy,
            policy_problem=problem,
            risky=_risky(policy),
            pairs=pairs[:_MOST_PAIRS],
            pairs_left=max(len(pairs) - _MOST_PAIRS, 0),
            leaks=leaks(pairs, _MOST_LEAKS),
            map_meaning=MEANING if places.graded else MEANING_OLD,
            **_map(profile, places),
            worst_step=worst_text,
            pipeline_caption=None if profile.pipeline is None else caption(profile, profile.pipeline),
            data=page_data(profile, policy),
            pictures=picture_data(profile, pictures or {}),
        )
    )


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {
        "safe_step": safe_text,
        "training_step": forecast_text,
        "budget": budget_text,
        "group_shares": group_shares,
        "lean": lean_text,
        "relies_on": relies_on,
        "cue_percent": cue_percent,
        "cue_count": lambda cue, profile: cue_count(profile, cue),
        "evidence_bars": evidence_bars,
        "cue_counts_bar": cue_counts_bar,
        "short_augmentation": lambda name: SHORT_NAMES.get(name, readable_name(name)),
        "class_link": link,
        "class_id": class_id,
        "class_address": class_address,
        "with_links": with_links,
        "short_dataset": short_dataset,
    }
    environment.globals |= {
        "axis_title": axis_title,
        "CUES": list(Cue),
        "MOST_TICKS": MOST_TICKS,
        "SAFETY": list(Safety),
        "SAFETY_MEANING": SAFETY_MEANING,
        "SINK_WARNING": SINK_WARNING,
    }
    return environment


def _quoted_name(folder: Path) -> str:
    """Return a folder's name as a shell reads it; empty for the root, which has none."""
    # Not resolved: a link keeps the name by which it was given.
    name = printable(folder.absolute().name)
    return name and shlex.quote(name)


def _advice(profile: Profile) -> tuple[Advice | None, str]:
    """Return the recommendation, or why there is none: an augmentation of a plug-in that is not here, for instance."""
    if not profile.policy.global_:
        return None, "No augmentation was measured."
    try:
        return advice_on(profile), ""
    except CuesenseError as error:
        return None, f"No recommendation: {error}"


def _rows(profile: Profile, losses: Sequence[UsualLoss | None]) -> list[_Row]:
    """Return the classes by their largest usual loss; where none is known, by lean. Unknown losses come last."""
    positions = {id(entry): at for at, entry in enumerate(profile.classes)}
    found = safety(profile)
    by_lean = [positions[id(entry)] for entry in profile.classes_by_lean]

    def order(at: int) -> tuple[bool, float]:
        loss = losses[at]
        return loss is None, 0.0 if loss is None else -loss.drop

    return [_Row(at, profile.classes[at], losses[at], found[at]) for at in sorted(by_lean, key=order)]


def _budget_columns(profile: Profile) -> list[str]:
    """Return the augmentations in the order of their columns in the table: those of the usual loss first."""
    known = augmentation_columns(profile, len(profile.curves))
    return sorted(known, key=lambda name: name not in DEFAULT_AUGMENTATIONS)


def _risky(policy: PolicyView | None) -> list[tuple[str, Any, Any]]:
    """Return the classes with the largest risks, by the recommended policy or by the usual default."""
    if policy is None:
        return []

    def order(name: str) -> tuple[float, float]:
        own, usual = (-1.0 if part is None else part.risk for part in policy.risks[name])
        return -max(own, usual), -usual

    known = [name for name, parts in policy.risks.items() if any(parts)]
    return [(name, *policy.risks[name]) for name in sorted(known, key=order)[:_MOST_RISKS]]


def _map(profile: Profile, places: CueMap) -> dict[str, Any]:
    dots = [Dot(entry.name, entry.cue) for entry in profile.classes]
    unsure = sum(spot is not None and not spot.sure for spot in places.spots)
    known = {cue: sum(entry.cue is cue for entry in profile.classes) for cue in CueVerdict}
    return {
        "has_map": any(places.spots),
        "map_is_part": places.side < 1,
        "triangle": triangle(places, dots),
        "strips": strips(places),
        "unsure": unsure,
        "counts": {cue: count for cue, count in known.items() if count},
    }


def _worst_class(profile: Profile) -> int | None:
    known = [(entry.clean_accuracy, at) for at, entry in enumerate(profile.classes) if entry.clean_accuracy is not None]
    return min(known)[1] if known else None


def _shared_budgets(profile: Profile) -> list[tuple[str, str, GlobalBudget]]:
    """Return name, value as text, and budget of every augmentation over all classes."""
    curves = {curve.perturbation: curve for curve in profile.curves}
    budgets = profile.policy.global_
    return [
        (name, FULL_BUDGET_WORDS.get(entry.status) or global_budget_text(entry, curves.get(name)), entry)
        for name, entry in budgets.items()
    ]


def _sections(profile: Profile) -> list[tuple[str, list[_Panel]]]:
    """Return the panels of the whole dataset by role; curves without any image are left out."""
    found = [(curve, dataset_overview(curve, profile.policy.confidence)) for curve in profile.curves]
    panels = [_panel(curve, overview) for curve, overview in found if overview is not None]
    by_role = [(title, [part for part in panels if part.curve.role is role]) for role, title in ROLE_TITLES.items()]
    return [(title, parts) for title, parts in by_role if parts]


def _panel(curve: CurveModel, overview: Overview) -> _Panel:
    means = ", ".join(percent(share) for share in overview.mean.tolist())
    title = f"{readable_name(curve.perturbation)}: mean accuracy from clean to the strongest severity {means}"
    return _Panel(curve, accuracy_panel(overview, tick_labels(curve), title), overview)
