"""The audit's table for pandas, and strengths that are numbers or names."""

from __future__ import annotations

import json

from cuesense.schemas.audit import Audit
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
