"""The JSON Schemas in ``assets/``: true, fulfilled by every document, and readable without the code."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cuesense import package_files
from cuesense.schemas.base import JsonModel
from cuesense.schemas.schema_files import CONTRACTS, schema_files, write_schemas
from tests.helpers.contract_documents import OLD, any_of, real

VALIDATORS = {name: jsonschema.Draft202012Validator(contract.json_schema()) for name, contract in CONTRACTS.items()}
every_contract = pytest.mark.parametrize("name", CONTRACTS)


@every_contract
def test_the_schema_in_assets_is_that_of_the_model(name: str) -> None:
    file = f"{name}.schema.json"
    path = package_files.folder("assets") / file
    stored = path.read_text(encoding="utf-8") if path.is_file() else ""
    if stored != schema_files()[file]:
        pytest.fail(f"assets/{file} is not what the model says: run `python -m cuesense.schemas`", pytrace=False)


def test_one_command_writes_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "folder", lambda name: tmp_path / name)
    runpy.run_module("cuesense.schemas", run_name="__main__")
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "assets").iterdir()}
    assert written == schema_files()
    assert sorted(written) == [
        "audit.schema.json",
        "comparison.schema.json",
        "cost.schema.json",
        "gate.schema.json",
        "profile.schema.json",
        "readings.schema.json",
        "verification.schema.json",
    ]


def test_what_is_written_again_is_the_same(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    first = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    write_schemas(tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == first


@every_contract
def test_a_schema_is_a_valid_one_of_a_named_dialect(name: str) -> None:
    schema = CONTRACTS[name].json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


@every_contract
def test_real_and_old_documents_fulfill_their_schema(name: str) -> None:
    VALIDATORS[name].validate(json.loads(real(name).to_json()))
    VALIDATORS[name].validate(OLD[name])


@every_contract
def test_no_document_fulfills_another_contract(name: str) -> None:
    content = json.loads(real(name).to_json())
    assert [other for other, validator in VALIDATORS.items() if validator.is_valid(content)] == [name]


@every_contract
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_document_fulfills_its_schema(name: str, data: st.DataObject) -> None:
    VALIDATORS[name].validate(json.loads(data.draw(any_of(CONTRACTS[name])).to_json()))


def objects(content: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a document, itself included."""
    if isinstance(content, dict):
        yield content
    for value in content.values() if isinstance(content, dict) else content:
        if isinstance(value, dict | list):
            yield from objects(value)


@every_contract
@settings(max_examples=60)
@given(data=st.data())
def test_the_schema_and_the_reader_refuse_the_same_keys(name: str, data: st.DataObject) -> None:
    """One key less or more anywhere in a document: both accept it (optional, or a table by name) or both refuse it."""
    content = json.loads(json.dumps(OLD[name]))
    holder = data.draw(st.sampled_from(list(objects(content))))
    key = data.draw(st.sampled_from([*holder, "extra"]))
    if holder.pop(key, holder) is holder:
        holder[key] = None
    try:
        CONTRACTS[name].model_validate_json(json.dumps(content))
    except ValidationError:
        assert not VALIDATORS[name].is_valid(content)
    else:
        assert VALIDATORS[name].is_valid(content)


def models(found: type[JsonModel]) -> Iterator[type[JsonModel]]:
    for model in found.__subclasses__():
        yield model
        yield from models(model)


def test_every_field_and_every_object_is_described() -> None:
    missing = [
        f"{model.__name__}.{name}"
        for model in models(JsonModel)
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert missing == []
    for contract in CONTRACTS.values():
        assert all(part["description"] for part in contract.json_schema()["$defs"].values())
