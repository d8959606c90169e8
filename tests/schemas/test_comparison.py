"""The comparison's table for pandas, and the order of its keys."""

from __future__ import annotations

from cuesense.schemas.base import Estimate
from cuesense.schemas.comparison import AccuracyChange, Comparison, Difference
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
