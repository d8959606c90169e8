"""The comparison's table for pandas, and the order of its keys."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cuesense.schemas.base import Estimate
from cuesense.schemas.comparison import AccuracyChange, BudgetChange, Comparison, Difference
from cuesense.types import CueVerdict
from tests.helpers.contract_documents import OLD


def test_a_difference_is_an_estimate_with_both_numbers_in_front() -> None:
    assert issubclass(Difference, Estimate)
    assert list(Difference.model_fields) == ["a", "b", "value", "low", "high"]
    assert list(AccuracyChange.model_fields) == ["a", "b", "value", "low", "high", "lost", "gained", "p", "q"]


def test_the_table_has_a_row_a_class() -> None:
    known = Comparison.model_validate(OLD["comparison"])
    (entry,) = known.classes
    under = entry.accuracy.model_copy(update={"a": 0.5, "q": 0.02})
    found = known.model_copy(update={"classes": [entry.model_copy(update={"under": {"hue": under}})]})
    (row,) = found.to_frame().to_dict("records")
    numbers = {"a": 0.75, "b": 1.0, "value": 0.25, "low": -0.2, "high": 0.6, "lost": None, "gained": None, "p": 1.0}
    assert row == {
        "class": "lemon",
        "images_a": 4,
        "images_b": 4,
        **{f"accuracy_{key}": value for key, value in numbers.items()},
        "accuracy_q": 1.0,
        **{f"hue_{key}": value for key, value in numbers.items()},
        "hue_a": 0.5,
        "hue_q": 0.02,
        "label_a": "color",
        "label_b": "shape",
        "label_changed": True,
        "color_a": 0.5,
        **dict.fromkeys(["color_b", "color_value", "color_low", "color_high"]),
        "hue_budget_a": 0.1,
        "hue_budget_b": None,
        "hue_budget_status_a": "limited",
        "hue_budget_status_b": "none",
        "hue_budget_change": "weaker",
    }


def comparison(*entries: dict[str, object]) -> Comparison:
    known = OLD["comparison"]
    return Comparison.model_validate(known | {"classes": [known["classes"][0] | entry for entry in entries]})


def test_columns_that_a_class_lacks_are_missing_in_its_row_alone() -> None:
    known = OLD["comparison"]["classes"][0]
    found = comparison({"name": "lemon", "under": {"hue": known["accuracy"]}, "budgets": {}}, {"name": "lime"})
    frame = found.to_frame()
    assert frame["class"].tolist() == ["lemon", "lime"]
    assert frame["hue_value"].isna().tolist() == [False, True]
    assert frame["hue_budget_change"].isna().tolist() == [True, False]
    assert frame["accuracy_value"].tolist() == [0.25, 0.25]


def test_a_comparison_of_no_classes_has_an_empty_table() -> None:
    assert comparison().to_frame().empty


@pytest.mark.parametrize("change", ["stronger", "weaker", "same", "unknown"])
def test_a_budget_changes_in_one_of_four_ways(change: str) -> None:
    known = OLD["comparison"]["classes"][0]["budgets"]["hue"]
    assert BudgetChange.model_validate(known | {"change": change}).change == change
    with pytest.raises(ValidationError, match="Input should be 'stronger', 'weaker', 'same' or 'unknown'"):
        BudgetChange.model_validate(known | {"change": f"{change} "})


@pytest.mark.parametrize("field", list(AccuracyChange.model_fields))
def test_every_number_of_a_change_may_be_unknown_and_none_may_be_left_out(field: str) -> None:
    known = OLD["comparison"]["classes"][0]["accuracy"]
    assert getattr(AccuracyChange.model_validate(known | {field: None}), field) is None
    with pytest.raises(ValidationError, match="Field required"):
        AccuracyChange.model_validate({key: value for key, value in known.items() if key != field})


@pytest.mark.parametrize("verdict", list(CueVerdict))
def test_verdicts_are_read_by_their_names(verdict: CueVerdict) -> None:
    found = comparison({"label": {"a": verdict.value, "b": "shape", "changed": verdict != "shape"}})
    assert found.classes[0].label.a is verdict
    assert found.to_frame()["label_a"].tolist() == [verdict.value]
