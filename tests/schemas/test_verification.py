"""The verification's table for pandas, and what old files lack."""

from __future__ import annotations

from cuesense.schemas.verification import Verification
from tests.helpers.contract_documents import OLD, real


def test_old_files_have_no_leaks() -> None:
    assert Verification.model_validate(OLD["verification"]).arms[0].leaks == []


def test_the_table_has_a_row_a_policy_and_class() -> None:
    known = real("verification")
    assert isinstance(known, Verification)
    plain = Verification.model_validate(OLD["verification"]).arms[0]
    frame = known.model_copy(update={"arms": [plain, *known.arms]}).to_frame()
    first, second = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert second == {
        "policy": "per_class",
        "class": "lemon",
        "images": 50,
        "recall": 0.8,
        "recall_change": -0.05,
        "recall_low": -0.07,
        "recall_high": -0.03,
        "precision": None,
        "precision_change": -0.05,
        "precision_low": -0.07,
        "precision_high": -0.03,
        "forecast_loss": 0.04,
    }
    assert (first["policy"], first["recall_change"], first["recall_low"]) == ("none", 0.0, None)
