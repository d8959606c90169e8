"""The gate's result: its rules, its keys in order, and what it may not leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from cuesense.schemas.gate import ClassFinding, GateResult, RuleResult
from tests.helpers.contract_documents import OLD
from tests.helpers.gate_results import checked, finding, result


def test_a_result_s_keys_stand_in_their_published_order() -> None:
    content = json.loads(checked(result(violations=[finding("zebra", 0.3)])).to_json())
    assert list(content) == ["schema_version", "profile", "baseline", "confidence", "holds", "results", "notes"]
    assert list(content["results"][0]) == [
        "rule",
        "augmentation",
        "value",
        "limit",
        "holds",
        "paired",
        "tested",
        "confidence",
        "worst",
        "violations",
        "uncertain",
    ]
    assert content["results"][0]["violations"] == [content["results"][0]["worst"]]
    assert list(content["results"][0]["worst"]) == ["name", "loss", "low", "high", "images", "reference_images"]


@pytest.mark.parametrize("rule", ["max-drop", "max-worst-class-loss"])
def test_there_are_two_rules(rule: str) -> None:
    assert result(rule).rule == rule
    with pytest.raises(ValidationError, match="Input should be 'max-drop' or 'max-worst-class-loss'"):
        result(rule.replace("-", "_"))


@pytest.mark.parametrize("field", list(ClassFinding.model_fields))
def test_a_finding_has_all_its_numbers_and_only_its_name_may_be_null(field: str) -> None:
    known = finding("zebra", 0.3).model_dump()
    with pytest.raises(ValidationError, match="Field required"):
        ClassFinding.model_validate({key: value for key, value in known.items() if key != field})
    if field == "name":
        assert ClassFinding.model_validate(known | {field: None}).name is None
        return
    with pytest.raises(ValidationError, match="Input should be a valid"):
        ClassFinding.model_validate(known | {field: None})


@pytest.mark.parametrize("field", list(RuleResult.model_fields))
def test_only_what_was_applied_may_be_null(field: str) -> None:
    known = OLD["gate"]["results"][0]
    nullable = field in ("augmentation", "value")
    if nullable:
        assert getattr(RuleResult.model_validate(known | {field: None}), field) is None
        return
    with pytest.raises(ValidationError):
        RuleResult.model_validate(known | {field: None})


def test_a_checked_profile_needs_no_baseline_but_says_so() -> None:
    content: dict[str, Any] = dict(OLD["gate"])
    assert GateResult.model_validate(content).baseline is None
    del content["baseline"]
    with pytest.raises(ValidationError, match="baseline"):
        GateResult.model_validate(content)
