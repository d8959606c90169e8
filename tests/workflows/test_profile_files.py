"""A profile's page is written again from the profile or its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cuesense import check, compare, forecast, recommend
from cuesense.errors import OutputError, SettingsError
from cuesense.reports.formats import render_document
from cuesense.reports.html.profile import render
from cuesense.reports.pictures import read_pictures
from cuesense.schemas.profile import Profile
from cuesense.workflows import profile_files
from cuesense.workflows.profile_files import earlier_profile, report, write_outputs
from tests.helpers.contract_documents import real
from tests.helpers.graded_profiles import graded
from tests.helpers.profiles import pictures, profile


def test_the_page_of_a_profile_its_file_and_its_folder_are_the_same(tmp_path: Path) -> None:
    known = profile()
    file = tmp_path / "profile.json"
    file.write_text(known.to_json())
    for number, source in enumerate((known, file, str(file), tmp_path)):
        page = report(source, tmp_path / f"{number}.html")
        assert page == tmp_path / f"{number}.html"
        # An object lies in no folder that the page could name.
        assert page.read_text() == render(known, folder=None if source is known else tmp_path)


def test_the_next_command_of_a_page_names_the_folder_without_those_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, folder = profile(), tmp_path / "private" / "my out"
    write_outputs(known, folder)
    page = (folder / "report.html").read_text()
    assert '<code id="command">cuesense recommend &#39;my out&#39; --train TRAIN</code>' in page
    assert "private" not in page
    assert report(folder).read_text() == page
    monkeypatch.chdir(folder)
    write_outputs(known, Path())
    assert (folder / "report.html").read_text() == page
    assert '<code id="command">cuesense recommend DIR --train TRAIN</code>' in render(known, folder=Path("/"))


def test_the_default_of_an_object_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert report(profile()) == Path("report.html")
    assert (tmp_path / "report.html").is_file()


def test_a_profile_that_was_read_or_written_has_the_page_of_its_folder(tmp_path: Path) -> None:
    written = profile()
    write_outputs(written, tmp_path / "out", pictures(written))
    page = report(tmp_path / "out").read_text()
    assert page == render(written, read_pictures(tmp_path / "out", written), tmp_path / "out") != render(written)
    read = Profile.read(tmp_path / "out")
    for number, known in enumerate((written, read, read.model_copy())):
        assert known.report(tmp_path / f"{number}.html").read_text() == page
    assert read == profile()
    assert (read.to_json(), read.model_dump()) == (profile().to_json(), profile().model_dump())


@pytest.mark.parametrize(
    ("name", "file"), [("html", "report.html"), ("markdown", "report.md"), ("json", "report.json")]
)
def test_the_default_of_a_file_lies_beside_it(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(profile().to_json())
    for source in (tmp_path, str(tmp_path / "profile.json")):
        assert report(source, format=name) == tmp_path / file
        (tmp_path / file).unlink()
    assert Profile.read(tmp_path) == profile()


@pytest.mark.parametrize(
    ("name", "file"), [("markdown", "report.md"), ("json", "report.json"), ("model-card", "model-card.md")]
)
def test_other_formats_have_files_of_their_own(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = profile()
    assert report(known, format=name) == Path(file)
    assert (tmp_path / file).read_text(encoding="utf-8") == render_document(known, name)


@pytest.mark.parametrize(
    ("file", "name"), [("x.html", "html"), ("x.HTM", "html"), ("x", "html"), ("x.md", "markdown"), ("x.json", "json")]
)
def test_the_ending_of_a_file_stands_for_its_format_where_none_is_given(file: str, name: str, tmp_path: Path) -> None:
    known = profile()
    for written in (report(known, tmp_path / file), known.report(tmp_path / f"again-{file}")):
        assert written.read_text(encoding="utf-8") == render_document(known, name)
    report(known, tmp_path / file, format="model-card")
    assert (tmp_path / file).read_text(encoding="utf-8") == render_document(known, "model-card")


def test_an_ending_that_stands_for_no_format_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"to be FILE\.html, FILE\.md or FILE\.json, but got 'x\.pdf'"):
        report(profile(), tmp_path / "x.pdf")
    assert not list(tmp_path.iterdir())
    report(profile(), tmp_path / "x.pdf", format="markdown")


def test_other_results_are_written_beside_their_files_and_not_over_themselves(tmp_path: Path) -> None:
    found = real("audit")
    (tmp_path / "audit.json").write_text(found.to_json())
    assert report(tmp_path) == tmp_path / "audit.html"
    assert (tmp_path / "audit.html").is_file()
    with pytest.raises(OutputError, match="the same file"):
        report(tmp_path / "audit.json", format="json")
    with pytest.raises(SettingsError, match="Expected the format to be html or json, the formats of this audit"):
        report(found, format="markdown")


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
        report(profile(), wrong if wrong is not None else 4)


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


def of_model(sha256: str | None, **changes: object) -> Profile:
    """Return a profile of a model with these weights; seed and preprocessing can be changed."""
    found = profile()
    seed = changes.pop("seed", 0)
    model = found.provenance.model.model_copy(update={"sha256": sha256, **changes})
    return found.model_copy(update={"provenance": found.provenance.model_copy(update={"model": model, "seed": seed})})


@pytest.mark.parametrize(
    ("earlier", "same"),
    [
        (of_model("a"), True),
        (of_model("b"), False),
        (of_model("a", seed=1), False),
        (of_model("a", preprocessing={"resize": 64}), False),
        (of_model(None), False),
    ],
)
def test_a_profile_of_other_predictions_is_gone_before_the_first_new_file(
    earlier: Profile, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed between two files leaves no profile beside the predictions of another model."""
    written: list[tuple[str, bool]] = []
    write = profile_files.write_file

    def noted(path: Path, text: str) -> None:
        written.append((path.name, (tmp_path / "profile.json").exists()))
        write(path, text)

    (tmp_path / "profile.json").write_text(earlier.to_json())
    monkeypatch.setattr(profile_files, "write_file", noted)
    write_outputs(of_model("a"), tmp_path)
    assert [name for name, _ in written] == ["report.html", "classes.csv", "curves.csv", "profile.json"]
    assert {there for _, there in written} == {same}
    assert Profile.read(tmp_path) == of_model("a")


def test_nobody_knows_whether_models_without_a_digest_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(of_model(None).to_json())
    assert earlier_profile(of_model(None), tmp_path) is None
    (tmp_path / "profile.json").write_text(of_model("a").to_json())
    assert earlier_profile(of_model("a"), tmp_path) == of_model("a")
    assert earlier_profile(of_model("a"), tmp_path / "elsewhere") is None


def test_classes_are_written_in_the_order_of_their_leans_with_what_they_keep(tmp_path: Path) -> None:
    known = graded(12, empty=1, seed=3)
    write_outputs(known, tmp_path)
    table = pd.read_csv(tmp_path / "classes.csv", index_col="index")
    assert table["name"].tolist() == [entry.name for entry in known.classes_by_lean] != [e.name for e in known.classes]
    for entry in known.classes:
        assert table.loc[entry.index, "name"] == entry.name
        if entry.images:
            kept = entry.kept["without_color"]
            assert table.loc[entry.index, ["without_color", "without_color_low"]].tolist() == [kept.value, kept.low]
    again = Profile.read(tmp_path)
    assert [entry.name for entry in again.classes] == [entry.name for entry in known.classes]
