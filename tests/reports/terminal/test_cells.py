"""Cells that every table of classes has."""

from __future__ import annotations

from cuesense.reports import profile_text
from cuesense.reports.terminal.cells import STYLES, budget_cell
from cuesense.types import BudgetStatus, CueVerdict
from tests.helpers import profiles


def test_every_verdict_has_a_style_of_its_own() -> None:
    assert set(STYLES) == set(CueVerdict)
    assert len(set(STYLES.values())) == len(STYLES)


def test_budgets_are_a_value_or_a_word() -> None:
    budget = profiles.profile(1).classes[0].budgets["random_resized_crop"]
    for status, word in profile_text.BUDGET_WORDS.items():
        cell = budget_cell(budget.model_copy(update={"status": status}))
        assert (cell.plain, bool(cell.style)) == (word, True)
    limited = budget.model_copy(update={"status": BudgetStatus.LIMITED, "value": 0.4})
    assert budget_cell(limited).plain == profile_text.budget_text(limited) == "0.4"
    assert budget_cell(None).plain == "\N{EN DASH}"
