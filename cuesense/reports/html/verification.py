"""A verification as one self-contained page: which policies were trained, and what each did to every class."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from cuesense.reports import verification_text
from cuesense.reports.charts.forecast_outcome import scatter
from cuesense.reports.html.page import head_variables, template_environment
from cuesense.reports.text import counted
from cuesense.schemas.verification import ArmResult, ClassResult, Verification


def render(found: Verification) -> str:
    """Return a verification as an HTML page. Equal verifications give equal text.

    Args:
        found: The verification.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    arms = [arm for arm in verification_text.trained(found) if arm.policy is not None]
    plain = next((arm for arm in found.arms if arm.policy is None), None)
    known = [entry for arm in arms for entry in arm.classes]
    template = _environment().get_template("verification.html.j2")
    return template.render(
        found=found,
        **head_variables(
            "cuesense · training with and without augmentation",
            ("page.css", "results.css"),
            ("table.js", "results.js"),
        ),
        arms=arms,
        nothing=verification_text.nothing_learned(found),
        first=_first(arms),
        rows=_rows(found, arms),
        before={entry.name: entry.recall for entry in plain.classes} if plain else {},
        chart=Markup(scatter(found)) if any(entry.forecast_loss is not None for entry in known) else "",
        ranges=any(entry.forecast_low is not None for entry in known),
        takers=any(entry.taken_by is not None for entry in known),
        leaks=[(arm, leak) for arm in arms for leak in arm.leaks],
    )


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {"counted": counted}
    environment.globals |= {"text": verification_text}
    return environment


def _first(arms: list[ArmResult]) -> str:
    """Return the policy whose classes are shown first: the recommended one where it was trained."""
    names = [arm.name for arm in arms]
    return verification_text.RECOMMENDED if verification_text.RECOMMENDED in names else next(iter(names), "")


def _rows(found: Verification, arms: list[ArmResult]) -> list[tuple[ArmResult, int, ClassResult, str]]:
    """Return every class under every policy, the largest losses first."""
    learned = verification_text.learned(found)
    rows = [
        (arm, index, entry, verification_text.effect(entry, found.tolerance) if learned else "")
        for arm in arms
        for index, entry in enumerate(arm.classes)
    ]

    def order(row: tuple[ArmResult, int, ClassResult, str]) -> tuple[bool, float]:
        change = row[2].recall_change.value
        return change is None, change or 0.0

    return sorted(rows, key=order)
