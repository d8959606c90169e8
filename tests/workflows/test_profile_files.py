"""A profile's page is written again from the profile or its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cuesense import check, compare, forecast, recommend
from cuesense.errors import OutputError, SettingsError
from cuesense.reports.html.profile import render
from cuesense.schemas.profile import Profile
from cuesense.workflows.profile_files import report
from tests.helpers.profiles import profile


def test_the_page_of_a_profile_its_file_and_its_folder_are_the_same(tmp_path: Path) -> None:
    known = profile()
    file = tmp_path / "profile.json"
    file.write_text(known.to_json())
    for number, source in enumerate((known, file, str(file), tmp_path)):
        page = report(source, tmp_path / f"{number}.html")
        assert page == tmp_path / f"{number}.html"
        assert page.read_text() == render(known)


def test_the_default_is_a_page_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert report(profile()) == Path("report.html")
    assert (tmp_path / "report.html").is_file()


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Run `cuesense analyze` first"):
        report(tmp_path / "missing.json", tmp_path / "page.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(OutputError, match=r"folder\.html"):
        report(profile(), tmp_path / "folder.html")


@pytest.mark.parametrize("wrong", [3, None, b"profile.json", ["profile.json"]])
def test_arguments_of_other_types_are_one_sentence(wrong: Any, tmp_path: Path) -> None:
    for call in (
        lambda: report(wrong, tmp_path / "page.html"),
        lambda: compare(wrong, profile()),
        lambda: check(profile(), baseline=wrong if wrong is not None else 3, max_drop=0.1),
        lambda: recommend(wrong),
        lambda: forecast(wrong, head=True),
        lambda: Profile.read(wrong),
    ):
        with pytest.raises(SettingsError, match=r"[Pp]rofile"):
            call()
    with pytest.raises(SettingsError, match="Expected output to be a path, but got"):
        report(profile(), wrong)


def test_a_path_that_no_file_can_have_is_one_sentence() -> None:
    for path in ("a\0b", "x" * 5000):
        with pytest.raises(SettingsError, match=r"null character|File name too long|no file"):
            Profile.read(path)


def test_the_page_does_not_replace_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(profile().to_json())
    with pytest.raises(OutputError, match="the same file"):
        report(tmp_path, file)
    assert Profile.read(file) == profile()
