"""What is no JSON in UTF-8 is said in a clause, and no key comes twice and no number is endless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cuesense.errors import SettingsError
from cuesense.schemas import json_text
from cuesense.schemas.json_text import LARGEST_NUMBER, NotJsonError, field_name, impossible_number, quoted, read_text
from cuesense.schemas.profile import Profile


def file_of(content: bytes, folder: Path) -> Path:
    path = folder / "file.json"
    path.write_bytes(content)
    return path


def test_a_mark_of_the_byte_order_is_left_out(tmp_path: Path) -> None:
    assert read_text(file_of(b'\xef\xbb\xbf{"a": 1}', tmp_path)) == b'{"a": 1}'
    assert read_text(file_of(b'{"a": 1}', tmp_path)) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}".encode("utf-16"), "text in UTF-16, where JSON is in UTF-8"),
        ("{}".encode("utf-16-be").join([b"\xfe\xff", b""]), "text in UTF-16, where JSON is in UTF-8"),
        ('{\n"a": "\u00e9"}'.encode("cp1252"), "text that is not JSON (no UTF-8 in line 2)"),
        (b"", "an empty file"),
        (b" \n\t", "an empty file"),
        (b"\xef\xbb\xbf", "an empty file"),
    ],
)
def test_what_is_no_utf_8_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotJsonError) as caught:
        read_text(file_of(content, tmp_path))
    assert str(caught.value) == said


def test_a_profile_in_utf_16_is_to_be_saved_as_utf_8(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"text in UTF-16, where JSON is in UTF-8\. Save it as UTF-8\.$"):
        Profile.read(file_of("{}".encode("utf-16"), tmp_path))
    with pytest.raises(SettingsError, match=r"an empty file\. Run `cuesense analyze` again"):
        Profile.read(file_of(b"", tmp_path))


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sparse.json"
    with path.open("wb") as stream:
        stream.truncate(json_text.LARGEST_FILE + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    with pytest.raises(NotJsonError, match="512 MB, more than 512 MB"):
        read_text(path)


def test_a_file_at_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "LARGEST_FILE", 2)
    assert read_text(file_of(b"{}", tmp_path)) == b"{}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' twice in one object"),
        ('{"a": [1, NaN]}', "nan in 'a.1', which JSON does not have"),
        ('{"provenance": {"config": {"x": Infinity}}}', "inf in 'provenance.config.x', which JSON does not have"),
        ('{"a": 1e999}', "inf in 'a', which JSON does not have"),
        ('{"a": {"b": [[1], [2e15]]}}', "a number beyond 1e+15 in 'a.b.1.0'"),
        ('{"a": -1000000000000001}', "a number beyond 1e+15 in 'a'"),
    ],
)
def test_a_key_given_twice_and_an_endless_number_are_named(content: str, said: str) -> None:
    assert impossible_number(content.encode()) == said


@pytest.mark.parametrize(
    "document",
    [
        {"a": LARGEST_NUMBER, "b": -LARGEST_NUMBER, "c": 1e-300, "d": True, "e": None, "f": "1e999"},
        # A seed and a setting may have any size.
        {"provenance": {"seed": 2**64 - 1, "config": {"x": [1e300]}}, "recipe": {"a": 1e20}},
        [],
        {},
    ],
)
def test_usual_documents_have_no_problem(document: object) -> None:
    assert impossible_number(json.dumps(document).encode()) is None


def test_names_from_a_file_are_quoted_on_one_line_and_cut() -> None:
    assert field_name(("curves", 0, "lost")) == "'curves.0.lost'"
    assert quoted("a\nb\x1b'") == "'a\\nb\\u001b''"
    assert quoted("x" * 500) == "'" + "x" * 100 + "'"
