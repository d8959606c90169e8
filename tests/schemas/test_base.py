"""Every contract reads and writes in one way, old files too, and says in one sentence what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cuesense.errors import SettingsError
from cuesense.schemas.base import UNKNOWN, Document, Estimate
from cuesense.schemas.schema_files import CONTRACTS
from tests.helpers.contract_documents import OLD, any_of, real

# What each contract is called in sentences, its file and the command that writes it: published in messages.
CALLED = {
    "profile": ("profile", "profile.json", "cuesense analyze"),
    "audit": ("audit", "audit.json", "cuesense audit"),
    "comparison": ("comparison", "compare.json", "cuesense compare"),
    "gate": ("check", "check.json", "cuesense check --json"),
    "cost": ("cost estimate", "cost.json", "cuesense analyze --dry-run --json"),
    "readings": ("table of readings", "readings.json", "cuesense analyze --probe --json"),
    "verification": ("verification", "verify.json", "cuesense verify"),
}
every_contract = pytest.mark.parametrize("name", CONTRACTS)


def read(name: str, content: object, folder: Path) -> Document:
    """Read a file with this content: a text, or a value to be written as JSON."""
    path = folder / "document.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return CONTRACTS[name].read(path)


def sentence(name: str, content: object, folder: Path) -> str:
    """Return the error of such a file, without its path."""
    with pytest.raises(SettingsError) as caught:
        read(name, content, folder)
    return str(caught.value).replace(str(folder / "document.json"), "PATH")


def refused(name: str, got: str, *, newer: bool = False) -> str:
    noun, _, command = CALLED[name]
    do = f"{'Update cuesense, or run' if newer else 'Run'} `{command}` again with this version of cuesense"
    return f"Expected PATH to be a {noun} of schema_version 1, but got {got}. {do}."


@every_contract
def test_a_document_comes_back_equal_from_its_file_and_from_its_folder(name: str, tmp_path: Path) -> None:
    document = real(name)
    path = tmp_path / CALLED[name][1]
    path.write_text(document.to_json(), encoding="utf-8")
    assert CONTRACTS[name].read(path) == CONTRACTS[name].read(str(tmp_path)) == document
    assert CONTRACTS[name].read(path).to_json() == document.to_json()
    assert CONTRACTS[name].file(tmp_path) == CONTRACTS[name].file(path) == path


@every_contract
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_document_comes_back_equal(name: str, data: st.DataObject) -> None:
    document = data.draw(any_of(CONTRACTS[name]))
    assert CONTRACTS[name].model_validate_json(document.to_json()) == document


@every_contract
def test_a_file_is_indented_ascii_with_a_final_newline(name: str) -> None:
    text = real(name).to_json()
    assert text.startswith('{\n "schema_version": 1,\n "')
    assert text.endswith("\n}\n")
    assert text.isascii()
    assert text == json.dumps(json.loads(text), indent=1) + "\n"


@every_contract
def test_old_files_read_and_keep_what_they_say(name: str, tmp_path: Path) -> None:
    document = read(name, OLD[name], tmp_path)
    assert document.schema_version == 1
    assert contains(json.loads(document.to_json()), OLD[name])


def contains(new: Any, old: Any) -> bool:
    """Whether a value holds all that an older one does, in its order; objects may have more keys."""
    if isinstance(old, dict):
        in_order = [key for key in new if key in old] == list(old)
        return in_order and all(contains(new[key], value) for key, value in old.items())
    if isinstance(old, list):
        return len(new) == len(old) and all(map(contains, new, old))
    return bool(new == old)


@every_contract
def test_a_missing_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    noun, file, command = CALLED[name]
    for path, missing in (
        (tmp_path / "none.json", tmp_path / "none.json"),
        (tmp_path, tmp_path / file),
        (tmp_path / "none.json" / "x", tmp_path / "none.json" / "x"),
    ):
        with pytest.raises(SettingsError) as caught:
            CONTRACTS[name].read(path)
        got = f"no file at {missing}. Run `{command}` first."
        assert str(caught.value) == f"Expected the {noun} to be a {file} or its folder, but got {got}"


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert sentence("audit", {}, tmp_path) == (
        "Expected PATH to be readable, but got 'Permission denied'. Change its permissions."
    )


@every_contract
def test_a_text_that_is_not_json_is_one_sentence(name: str, tmp_path: Path) -> None:
    got = "text that is not JSON (expected ident at line 1 column 2)"
    assert sentence(name, "not json", tmp_path) == refused(name, got)
    whole = real(name).to_json()
    cut = sentence(name, whole[: len(whole) // 2], tmp_path)
    assert "text that is not JSON (EOF while parsing" in cut


@every_contract
def test_bytes_that_are_no_text_are_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(b'{"\xff": 1}')
    with pytest.raises(SettingsError, match="not JSON"):
        CONTRACTS[name].read(path)


@every_contract
@pytest.mark.parametrize(("version", "shown"), [(2, "2"), (0, "0"), ("1", '"1"'), (None, "null")])
def test_another_version_is_named_before_all_that_differs_in_it(
    name: str, version: object, shown: str, tmp_path: Path
) -> None:
    got = f"{shown} ('Input should be 1') in 'schema_version'"
    said = refused(name, got, newer=version == 2)
    assert sentence(name, OLD[name] | {"schema_version": version}, tmp_path) == said
    assert sentence(name, {"new": 1, "schema_version": version}, tmp_path) == said


@every_contract
def test_a_missing_field_is_named(name: str, tmp_path: Path) -> None:
    for field in OLD[name].keys() - {"schema_version"}:
        left = {key: value for key, value in OLD[name].items() if key != field}
        assert sentence(name, left, tmp_path) == refused(name, f"no field '{field}'")


@every_contract
def test_fields_that_a_newer_version_added_are_read_kept_and_written_again(name: str, tmp_path: Path) -> None:
    newer = with_a_field_in_every_object(OLD[name])
    document = read(name, newer, tmp_path)
    assert contains_in_any_order(json.loads(document.to_json()), newer)
    assert document.model_copy(update={"schema_version": 1}).to_json() == document.to_json()


def with_a_field_in_every_object(content: Any) -> Any:
    """Return a document with an unknown field in every object whose keys are fields."""
    if isinstance(content, list):
        return [with_a_field_in_every_object(part) for part in content]
    if not isinstance(content, dict):
        return content
    inner = {key: with_a_field_in_every_object(value) for key, value in content.items()}
    # Objects by name (classes, augmentations, verdicts) take no other key; they hold one kind of value and few names.
    by_name = set(content) <= {"lemon", "hue", "color", "shape", "accuracies"}
    return inner if by_name or not content else inner | {"added_later": {"value": [1, None]}}


def contains_in_any_order(new: Any, old: Any) -> bool:
    if isinstance(old, dict):
        return all(key in new and contains_in_any_order(new[key], value) for key, value in old.items())
    if isinstance(old, list):
        return len(new) == len(old) and all(map(contains_in_any_order, new, old))
    return bool(new == old)


@every_contract
@pytest.mark.parametrize(
    ("content", "shown"), [([], "a list"), ("null", "null"), ("3", "3"), ('"text"', '"text"'), ([{}], "a list")]
)
def test_json_that_is_no_object_is_one_sentence(name: str, content: object, shown: str, tmp_path: Path) -> None:
    got = f"{shown} ('Input should be an object') as the whole file"
    assert sentence(name, content, tmp_path) == refused(name, got)


@pytest.mark.parametrize(
    ("name", "path", "value", "got"),
    [
        ("profile", ("classes", 0, "images"), "four", '"four" (\'Input should be a valid integer'),
        ("profile", ("classes", 0, "reliance", "color", "low"), {}, "an object ('Input should be a valid number')"),
        ("profile", ("policy", "global", "hue", "status"), "good", '"good" ("Input should be \'unlimited\''),
        ("audit", ("mean_accuracy", 1), [], "a list ('Input should be a valid number')"),
        ("audit", ("classes", 0, "rivals", 0, "share"), None, "null ('Input should be a valid number')"),
        ("comparison", ("labels_changed",), 0.5, "0.5 ('Input should be a valid integer"),
        ("gate", ("results", 0, "rule"), "max-loss", '"max-loss" ("Input should be \'max-drop\' or'),
        ("verification", ("seeds", 0), "a" * 100, f"\"{'a' * 59} ('Input should be a valid integer"),
    ],
)
def test_a_wrong_field_is_named_with_what_stands_there(
    name: str, path: tuple[str | int, ...], value: object, got: str, tmp_path: Path
) -> None:
    content = json.loads(json.dumps(OLD[name]))
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    said = sentence(name, content, tmp_path)
    assert f"but got {got}" in said
    assert f" in '{'.'.join(map(str, path))}'. Run `" in said
    assert "\n" not in said


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(number: str, tmp_path: Path) -> None:
    text = json.dumps(OLD["verification"]).replace('"tolerance": 0.05', f'"tolerance": {number}')
    assert "finite number" in sentence("verification", text, tmp_path)
    with pytest.raises(ValidationError, match="finite number"):
        Estimate(value=float(number), low=None, high=None)


def test_models_are_frozen() -> None:
    estimate = Estimate(value=0.5, low=0.4, high=0.6)
    with pytest.raises(ValidationError, match="frozen"):
        estimate.value = 1.0  # type: ignore[misc]


@every_contract
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_anywhere_is_one_sentence(name: str, share: float, tmp_path: Path) -> None:
    """The final newline may be missing; every other cut leaves text that is not JSON."""
    whole = real(name).to_json().removesuffix("\n")
    kept = int(share * len(whole))
    text = sentence(name, whole[:kept], tmp_path)
    got = "text that is not JSON (EOF" if kept else "an empty file"
    assert text.startswith(f"Expected PATH to be a {CALLED[name][0]} of schema_version 1, but got {got}")
    assert text.endswith(f". Run `{CALLED[name][2]}` again with this version of cuesense.")
    assert "\n" not in text
    assert read(name, whole, tmp_path) == real(name)


def places(content: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value in a JSON document, the whole left out."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, value in inner for place in ((*path, key), *places(value, (*path, key)))]


@every_contract
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_wrong_value_anywhere_is_one_sentence_that_names_its_field(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    """A value that no field takes: a document reads only where any JSON value may stand."""
    content = json.loads(json.dumps(OLD[name]))
    path = data.draw(st.sampled_from(places(content)))
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = [[{"wrong": True}]]
    try:
        document = read(name, content, tmp_path)
    except SettingsError as error:
        said = str(error)
        # The keys and indices below the field, and the branches of a union, follow its name.
        assert f"'{path[0]}" in said
        assert "\n" not in said
    else:
        assert contains(json.loads(document.to_json()), content)


@every_contract
def test_equal_documents_give_equal_bytes_and_others_do_not(name: str, tmp_path: Path) -> None:
    first, second = (read(name, json.dumps(OLD[name], indent=indent), tmp_path) for indent in (None, 4))
    assert first.to_json() == second.to_json()
    turned = dict(reversed(OLD[name].items()))
    assert read(name, turned, tmp_path).to_json() == first.to_json()
    assert real(name).to_json() != first.to_json()


def test_an_error_of_the_system_without_a_number_is_named_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> bytes:
        raise OSError("the disk went away")

    monkeypatch.setattr(Path, "read_bytes", broken)
    assert sentence("gate", {}, tmp_path) == "Expected PATH to be readable, but got an error. Change its permissions."


@pytest.mark.parametrize(("length", "shown"), [(58, 58), (59, 59), (200, 59)])
def test_a_wrong_text_is_shown_up_to_sixty_characters_with_its_quote(length: int, shown: int, tmp_path: Path) -> None:
    said = sentence("gate", OLD["gate"] | {"confidence": "b" * length}, tmp_path)
    assert said.count("b" * shown) == 1
    assert "b" * (shown + 1) not in said


@pytest.mark.parametrize("unknown", ["value", "low", "high"])
def test_an_estimate_says_of_all_three_numbers_that_they_are_not_known(unknown: str) -> None:
    known = {"value": 0.5, "low": 0.4, "high": 0.6}
    assert getattr(Estimate.model_validate(known | {unknown: None}), unknown) is None
    with pytest.raises(ValidationError, match="Field required"):
        Estimate.model_validate({key: value for key, value in known.items() if key != unknown})
    assert Estimate(value=None, low=None, high=None) == UNKNOWN
