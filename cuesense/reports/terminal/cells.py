"""Cells that every table of classes has: the colors of verdicts, and budgets."""

from __future__ import annotations

from rich.text import Text

from cuesense.reports.profile_text import budget_text
from cuesense.reports.text import DASH
from cuesense.schemas.profile import BudgetModel
from cuesense.types import BudgetStatus, CueVerdict

# A budget such as "0.45 %" or the heading "jitter", and the gap of two after it.
BUDGET_WIDTH = 9

STYLES = {
    CueVerdict.SHAPE: "bold blue",
    CueVerdict.TEXTURE: "bold green",
    CueVerdict.COLOR: "bold dark_orange",
    CueVerdict.MIXED: "bold magenta",
    CueVerdict.REDUNDANT: "bold yellow",
    CueVerdict.INSENSITIVE: "bold",
    CueVerdict.FINE_DETAIL: "bold cyan",
    CueVerdict.UNDETERMINED: "dim",
}
_STATUS_STYLES = {BudgetStatus.UNLIMITED: "green", BudgetStatus.NONE: "red", BudgetStatus.UNDETERMINED: "dim"}


def budget_cell(budget: BudgetModel | None) -> Text:
    """Return a budget for the terminal: its value, else a word for its status; a dash where there is none."""
    if budget is None:
        return Text(DASH, "dim")
    return Text(budget_text(budget), _STATUS_STYLES.get(budget.status, ""))
