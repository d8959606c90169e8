"""The audit's table for pandas, and strengths that are numbers or names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cuesense.schemas.audit import Audit, RivalResult
from tests.helpers.contract_documents import OLD


def test_the_table_has_a_row_a_class_and_strength() -> None:
    frame = Audit.model_validate(OLD["audit"]).to_frame()
    assert frame.columns.tolist() == ["class", "strength", "runs", "n", "accuracy", "low", "high"]
    assert frame.iloc[:, :6].to_numpy().tolist() == [
        ["lemon", 0.1, 2, 50, 0.7, 0.6],
        ["lemon", "heavy", 2, 50, 0.4, 0.3],
    ]
    assert frame["high"].isna().tolist() == [False, True]


def test_a_strength_keeps_its_type() -> None:
    content = OLD["audit"] | {"strengths": [1, 0.5, "0.5", "none"], "chosen_by_mean": "0.5"}
    audit = Audit.model_validate_json(json.dumps(content))
    assert audit.strengths == [1.0, 0.5, "0.5", "none"]
    assert [type(strength) for strength in audit.strengths] == [float, float, str, str]
    assert Audit.model_validate_json(audit.to_json()) == audit


def test_a_rival_is_called_class_in_the_json() -> None:
    (entry,) = Audit.model_validate(OLD["audit"]).classes
    assert entry.rivals[0].rival == "lime"
    assert list(entry.rivals[0].model_dump(by_alias=True)) == ["class", "share", "kind", "similarity", "both"]


def audit_of(classes: int, strengths: int) -> Audit:
    """Return an audit whose numbers tell the class (tens) and the strength (ones) apart."""
    known = OLD["audit"]
    rows = [[round(0.1 * index + 0.01 * place, 2) for place in range(strengths)] for index in range(classes)]
    entries = [
        known["classes"][0]
        | {
            "name": f"class {index}",
            "n": 10 * (index + 1),
            "accuracy": row,
            "accuracy_low": [value - 0.005 for value in row],
            "accuracy_high": [None] * strengths,
        }
        for index, row in enumerate(rows)
    ]
    names = [float(place) if place % 2 else f"s{place}" for place in range(strengths)]
    return Audit.model_validate(known | {"strengths": names, "runs": list(range(strengths)), "classes": entries})


@given(st.integers(0, 4), st.integers(1, 5))
def test_the_table_s_rows_are_those_of_a_plain_loop(classes: int, strengths: int) -> None:
    audit = audit_of(classes, strengths)
    frame = audit.to_frame()
    assert len(frame) == classes * strengths
    expected = [
        [
            entry.name,
            audit.strengths[place],
            audit.runs[place],
            entry.n,
            entry.accuracy[place],
            entry.accuracy_low[place],
        ]
        for entry in audit.classes
        for place in range(strengths)
    ]
    assert frame.iloc[:, :6].to_numpy().tolist() == expected
    assert frame["high"].isna().all()


@pytest.mark.parametrize("field", ["accuracy", "accuracy_low", "accuracy_high"])
def test_a_class_with_fewer_numbers_than_strengths_has_no_table(field: str) -> None:
    audit = audit_of(2, 3)
    short = audit.classes[1].model_copy(update={field: getattr(audit.classes[1], field)[:2]})
    with pytest.raises(ValueError, match="shorter"):
        audit.model_copy(update={"classes": [audit.classes[0], short]}).to_frame()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "near"),
        ("class", None),
        ("share", "much"),
        ("similarity", float("inf")),
    ],
)
def test_a_rival_of_another_form_is_refused(field: str, value: object) -> None:
    known = OLD["audit"]["classes"][0]["rivals"][0]
    with pytest.raises(ValidationError):
        RivalResult.model_validate(known | {field: value})
    for kind in ("ambiguous", "co-occurring", "fine-grained", "unrelated", None):
        assert RivalResult.model_validate(known | {"kind": kind}).kind == kind


@pytest.mark.parametrize("verdict", ["safe", "unsafe", "undetermined"])
def test_a_strength_has_one_of_three_verdicts(verdict: str) -> None:
    assert Audit.model_validate(OLD["audit"] | {"safety": [verdict] * 2}).safety == [verdict] * 2
    with pytest.raises(ValidationError, match="Input should be 'safe', 'unsafe' or 'undetermined'"):
        Audit.model_validate(OLD["audit"] | {"safety": [verdict, verdict.upper()]})
