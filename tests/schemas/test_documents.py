"""A result is found by its file, its folder or itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuesense.errors import SettingsError
from cuesense.schemas.documents import KINDS, document_of, file_of
from cuesense.schemas.profile import Profile
from tests.helpers.contract_documents import real

NAMES = ("profile", "verification", "comparison", "audit", "gate")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_with_its_usual_name_a_folder_and_the_result_itself_are_the_same(name: str, tmp_path: Path) -> None:
    known = real(name)
    file = tmp_path / type(known).FILE_NAME
    file.write_text(known.to_json(), encoding="utf-8")
    for source in (known, file, str(file), tmp_path):
        assert document_of(source) == known
    assert file_of(tmp_path) == file_of(file) == file


def test_of_several_in_a_folder_the_profile_is_meant(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / type(real(name)).FILE_NAME).write_text(real(name).to_json(), encoding="utf-8")
    assert isinstance(document_of(tmp_path), Profile)
    (tmp_path / "profile.json").unlink()
    assert document_of(tmp_path) == real("verification")
    assert tuple(type(real(name)) for name in NAMES) == KINDS


def test_a_file_of_another_name_is_a_profile(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(real("profile").to_json(), encoding="utf-8")
    assert document_of(tmp_path / "old.json") == real("profile")
    (tmp_path / "old.json").write_text(real("audit").to_json(), encoding="utf-8")
    with pytest.raises(SettingsError, match="a profile of schema_version 1"):
        document_of(tmp_path / "old.json")


@pytest.mark.parametrize("wrong", ["nowhere", "a\0b", 3, None])
def test_what_is_none_is_one_sentence(wrong: str | int | None) -> None:
    with pytest.raises(SettingsError, match=r"[Pp]rofile"):
        document_of(wrong)  # type: ignore[arg-type]
