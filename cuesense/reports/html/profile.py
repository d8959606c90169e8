"""A profile as one self-contained page: it fetches nothing and works from a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from cuesense.reports.charts.accuracy_panel import accuracy_panel
from cuesense.reports.charts.cue_bars import cue_counts_bar, evidence_bars
from cuesense.reports.charts.curve_accuracies import Overview, dataset_overview
from cuesense.reports.graded_text import is_graded, lean_text, lean_words
from cuesense.reports.html.page import head_variables, template_environment
from cuesense.reports.html.profile_data import ROLE_TITLES, page_data
from cuesense.reports.pictures import Pictures
from cuesense.reports.pipeline_text import caption, forecast_text, safe_text, worst_text
from cuesense.reports.profile_text import (
    augmentation_columns,
    axis_title,
    budget_meaning,
    budget_text,
    global_budget_text,
    group_shares,
    tick_labels,
)
from cuesense.reports.text import percent, readable_name
from cuesense.schemas.profile import ClassModel, CurveModel, GlobalBudget, Profile
from cuesense.types import Cue

# Columns of budgets that fit beside the evidence on a page of 84 rem; a class's details list all its budgets.
_BUDGET_COLUMNS = 4


@dataclass(frozen=True)
class _Panel:
    """One perturbation over the whole dataset, ready to print."""

    curve: CurveModel
    chart: Markup
    overview: Overview


def render(profile: Profile, pictures: Pictures | None = None) -> str:
    """Return the report as an HTML page.

    The table of classes and the curves of the whole dataset are in the page itself; the curves of single classes are
    drawn by its script from embedded counts. Equal arguments give equal text.

    Args:
        profile: The profile.
        pictures: Example images by position of the class.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    title = f"cuesense · {profile.provenance.model.spec}"
    template = _environment().get_template("profile.html.j2")
    return template.render(
        profile=profile,
        **head_variables(title, ("page.css",), ("table.js", "profile.js")),
        graded=is_graded(profile),
        rows=_rows(profile),
        worst=_worst_class(profile),
        augmentations=augmentation_columns(profile, _BUDGET_COLUMNS),
        sections=_sections(profile),
        shared=_shared_budgets(profile),
        budget_meaning=budget_meaning(profile.policy),
        worst_step=worst_text,
        pipeline_caption=None if profile.pipeline is None else caption(profile, profile.pipeline),
        data=page_data(profile),
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
        "lean_words": lean_words,
        "evidence_bars": evidence_bars,
        "cue_counts_bar": cue_counts_bar,
    }
    environment.globals |= {"axis_title": axis_title, "CUES": list(Cue)}
    return environment


def _rows(profile: Profile) -> list[tuple[int, ClassModel]]:
    """Return the classes sorted by lean, each with its position in the profile, by which the page's data are kept."""
    positions = {id(entry): at for at, entry in enumerate(profile.classes)}
    return [(positions[id(entry)], entry) for entry in profile.classes_by_lean]


def _worst_class(profile: Profile) -> int | None:
    known = [(entry.clean_accuracy, at) for at, entry in enumerate(profile.classes) if entry.clean_accuracy is not None]
    return min(known)[1] if known else None


def _shared_budgets(profile: Profile) -> list[tuple[str, str, GlobalBudget]]:
    """Return name, value as text, and budget of every augmentation over all classes."""
    curves = {curve.perturbation: curve for curve in profile.curves}
    budgets = profile.policy.global_
    return [(name, global_budget_text(entry, curves.get(name)), entry) for name, entry in budgets.items()]


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
