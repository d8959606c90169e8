"""An Audit as one self-contained page: it asks nothing of the network and works from a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from cuesense.reports import audit_text as words
from cuesense.reports import text
from cuesense.reports.charts import audit as svg
from cuesense.reports.html import page
from cuesense.schemas.audit import Audit, ClassAudit

_MOST_PANELS = 24
_FACTS = {
    "accuracies": "Table of accuracies",
    "runs": "Table of runs",
    "train": "Training images",
    "dataset": "Test images",
}


@dataclass(frozen=True)
class _Panel:
    """One harmed class, ready to print."""

    entry: ClassAudit
    chart: Markup


def render(audit: Audit) -> str:
    """Return the audit as an HTML page. Equal audits give equal text.

    Args:
        audit: The audit.

    Returns:
        The text of an HTML file, to be written as UTF-8.
    """
    harmed = words.harmed(audit)
    height = svg.span(harmed[:_MOST_PANELS])
    title = f"cuesense · who pays for {text.plain(audit.regularizer)}"
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            audit=audit,
            **page.head(title, ("style.css", "audit.css"), "audit.js"),
            at=words.chosen(audit),
            facts=_facts(audit),
            choices=words.choices(audit),
            chart=svg.curves(audit),
            harmed_classes=harmed,
            panels=[_Panel(entry, svg.panel(audit, entry, height)) for entry in harmed[:_MOST_PANELS]],
            height=height,
            rows=_rows(audit),
            reach=svg.reach(audit.classes),
            index={entry.name: entry.index for entry in audit.classes},
            cued=any(entry.cue is not None for entry in audit.classes),
            corrected=any(entry.loss_accepted is not None for entry in audit.classes),
        )
    )


@cache
def _environment() -> Environment:
    environment = page.environment()
    environment.filters |= {"strength": words.strength, "pp": words.points, "counted": words.counted}
    environment.globals |= {"words": words, "svg": svg}
    return environment


def _facts(audit: Audit) -> list[tuple[str, str]]:
    """Return where the runs come from, for the page's head; the provenance has the rest."""
    known = ((said, audit.source.get(name)) for name, said in _FACTS.items())
    return [(said, value) for said, value in known if isinstance(value, str)]


def _rows(audit: Audit) -> list[ClassAudit]:
    """Return all classes: those that are harmed, the others, then those of which nothing is known."""

    def key(entry: ClassAudit) -> tuple[bool, bool, float]:
        return not entry.harmed, entry.loss is None, -(entry.loss or 0.0)

    return sorted(audit.classes, key=key)
