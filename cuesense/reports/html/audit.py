"""An audit as one self-contained page: it fetches nothing and works from a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from cuesense.reports import audit_text
from cuesense.reports.audit_view import AuditView, view
from cuesense.reports.charts.audit_class import class_panel, panel_extent, sparkline, sparkline_extent
from cuesense.reports.charts.audit_cues import loss_interval
from cuesense.reports.charts.audit_curves import audit_curves
from cuesense.reports.html.page import head_variables, template_environment
from cuesense.reports.text import counted, printable
from cuesense.schemas.audit import Audit, ClassAudit

# Six rows of four panels are as many as a person looks through; the table below them has all classes.
_MOST_PANELS = 24

# What the head of the page repeats from ``source``, which the provenance lists in full, with its headings.
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
    found = view(audit)
    title = f"cuesense · accuracy of each class against {printable(audit.regularizer)}"
    shown = found.harmed[:_MOST_PANELS]
    extent = panel_extent(shown)
    template = _environment().get_template("audit.html.j2")
    return template.render(
        audit=audit,
        view=found,
        **head_variables(title, ("page.css", "audit.css"), ("table.js", "results.js")),
        facts=_facts(audit),
        chart=audit_curves(found),
        panels=[_Panel(entry, class_panel(found, entry, extent)) for entry in shown],
        panel_extent=extent,
        rows=_rows(found),
        sparkline_extent=sparkline_extent(audit.classes),
        index={entry.name: entry.index for entry in audit.classes},
        has_cues=any(entry.cue is not None for entry in audit.classes),
        has_accepted=any(entry.loss_accepted is not None for entry in audit.classes),
    )


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {"strength": audit_text.strength_text, "counted": counted}
    environment.globals |= {"text": audit_text, "sparkline": sparkline, "loss_interval": loss_interval}
    return environment


def _facts(audit: Audit) -> list[tuple[str, str]]:
    known = ((heading, audit.source.get(name)) for name, heading in _FACTS.items())
    return [(heading, value) for heading, value in known if isinstance(value, str)]


def _rows(found: AuditView) -> list[ClassAudit]:
    """Return all classes, larger losses first: those that are harmed, the others, then those without a known loss."""

    def order(entry: ClassAudit) -> tuple[bool, bool, float]:
        return not entry.harmed, entry.loss is None, -(entry.loss or 0.0)

    return sorted(found.audit.classes, key=order)
