"""A comparison of two models as one self-contained page: what differs, how sure that is, and in which classes."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from cuesense.reports import comparison_text
from cuesense.reports.charts.cue_bars import cue_counts_bar
from cuesense.reports.html.page import head_variables, template_environment
from cuesense.schemas.comparison import ClassComparison, Comparison


def render(found: Comparison) -> str:
    """Return a comparison as an HTML page. Equal comparisons give equal text.

    Args:
        found: The comparison.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    a, b = (comparison_text.side_name(found, side) for side in "ab")
    template = _environment().get_template("comparison.html.j2")
    return template.render(
        found=found,
        **head_variables(f"cuesense · {b} against {a}", ("page.css", "results.css"), ("table.js", "results.js")),
        a=a,
        b=b,
        rows=[(entry, _kinds(entry)) for entry in comparison_text.ranked(found)],
        marked=sum(map(comparison_text.is_marked, found.classes)),
        budgets=comparison_text.budget_counts(found),
    )


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {"cue_counts_bar": cue_counts_bar}
    environment.globals |= {"text": comparison_text}
    return environment


def _kinds(entry: ClassComparison) -> str:
    """Return the words by which the table's filters find a class."""
    changed = {change.change for change in entry.budgets.values()} & {"stronger", "weaker"}
    marked, cue = comparison_text.is_marked(entry), comparison_text.cue_changed(entry)
    words = {"marked": marked, "cue": cue, "budget": bool(changed)}
    return " ".join(word for word, holds in words.items() if holds)
