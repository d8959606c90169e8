"""Where a profile's numbers come from: which parts may be unknown, and that any settings come back as they were."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cuesense.schemas.profile import DatasetInfo, ModelInfo, Provenance
from tests.helpers.contract_documents import OLD

KNOWN = OLD["profile"]["provenance"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30)
@given(
    config=st.dictionaries(st.text(), VALUES, max_size=3), preprocessing=st.dictionaries(st.text(), VALUES, max_size=3)
)
def test_settings_of_any_form_come_back_equal(config: dict[str, object], preprocessing: dict[str, object]) -> None:
    content = KNOWN | {"config": config, "model": KNOWN["model"] | {"preprocessing": preprocessing}}
    found = Provenance.model_validate_json(json.dumps(content))
    assert (found.config, found.model.preprocessing) == (config, preprocessing)
    assert Provenance.model_validate_json(found.model_dump_json()) == found


def test_profiles_of_runs_that_looked_at_all_images_say_nothing_of_adaptive_ones() -> None:
    assert "adaptive" not in KNOWN
    assert Provenance.model_validate(KNOWN).adaptive is None
    known = Provenance.model_validate(KNOWN | {"adaptive": {"forward_passes": 1200, "of": 4800, "looks": 3}})
    found = Provenance.model_validate_json(known.model_dump_json()).adaptive
    assert found is not None
    said = "Looked at 1,200 of 4,800 perturbed and clean images (25 %), in 3 looks."
    assert found.sentence == said + " The same command without --adaptive looks at the rest."
    whole = found.model_copy(update={"forward_passes": 4800, "looks": 1})
    assert whole.sentence == "Looked at 4,800 of 4,800 perturbed and clean images (100 %), in 1 look."


def test_profiles_from_before_assumptions_were_kept_have_none() -> None:
    assert "assumptions" not in KNOWN
    assert Provenance.model_validate(KNOWN).assumptions == []
    assumed = ["Outputs are <b>probabilities</b>.", "\u00e4"]
    found = Provenance.model_validate(KNOWN | {"assumptions": assumed})
    assert Provenance.model_validate_json(found.model_dump_json()).assumptions == assumed


@pytest.mark.parametrize("field", sorted(set(Provenance.model_fields) - {"adaptive", "assumptions"}))
def test_every_field_is_required(field: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        Provenance.model_validate({key: value for key, value in KNOWN.items() if key != field})


def test_only_the_hash_of_the_weights_and_the_part_of_the_images_may_be_unknown() -> None:
    for model, known in ((ModelInfo, KNOWN["model"]), (DatasetInfo, KNOWN["dataset"])):
        nullable = []
        for field in model.model_fields:
            try:
                model.model_validate(known | {field: None})
            except ValidationError:
                continue
            nullable.append(field)
        assert nullable == (["sha256"] if model is ModelInfo else ["split"])


@pytest.mark.parametrize(
    ("field", "value"), [("seed", 0.5), ("seed", "a"), ("versions", {"torch": 2}), ("config", []), ("created", 3)]
)
def test_a_value_of_another_type_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Provenance.model_validate(KNOWN | {field: value})
