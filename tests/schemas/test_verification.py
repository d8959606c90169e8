"""The verification's table for pandas, and what old files lack."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cuesense.schemas.verification import AgreementResult, ClassResult, Verification
from tests.helpers.contract_documents import OLD, real
from tests.helpers.verifications import BY_CLASS, PLAIN, USUAL, verification


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
        "forecast_low": None,
        "forecast_high": None,
        "taken_by": None,
        "taken": None,
    }
    assert (first["policy"], first["recall_change"], first["recall_low"]) == ("none", 0.0, None)


def test_the_table_s_rows_are_policies_times_classes() -> None:
    frame = verification(PLAIN, USUAL, BY_CLASS).to_frame()
    assert frame["policy"].tolist() == ["none", "none", "usual", "usual", "per_class", "per_class"]
    assert frame["class"].tolist() == ["<class 0>", "<class 1>"] * 3
    assert frame["recall_change"].tolist() == [0.0, 0.0, 0.02, -0.2, 0.0, -0.1]
    np.testing.assert_allclose(frame["recall_high"] - frame["recall_low"], 0.06)
    assert frame["forecast_loss"].isna().tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("name", list(AgreementResult.model_fields))
def test_only_the_number_of_pairs_is_always_known(name: str) -> None:
    known = {"spearman": 0.5, "slope": 0.9, "error": 0.1, "auroc": 0.8, "pairs": 4}
    if name == "pairs":
        with pytest.raises(ValidationError, match="Input should be a valid integer"):
            AgreementResult.model_validate(known | {name: None})
        return
    assert getattr(AgreementResult.model_validate(known | {name: None}), name) is None


@pytest.mark.parametrize("field", ["recall", "precision", "forecast_loss"])
def test_what_is_not_known_of_a_class_is_null_and_never_left_out(field: str) -> None:
    known = OLD["verification"]["arms"][0]["classes"][0]
    assert getattr(ClassResult.model_validate(known | {field: None}), field) is None
    with pytest.raises(ValidationError, match="Field required"):
        ClassResult.model_validate({key: value for key, value in known.items() if key != field})
