"""report as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.audits import audit
from tests.helpers.command_line import analyze, assert_one_sentence, run, run_python, without
from tests.helpers.profiles import profile


def test_a_report_can_be_made_again(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    analyze(model_file, photos_folder, tmp_path / "out")
    result = run("report", tmp_path / "out", "--output", tmp_path / "again.html")
    assert result.exit_code == 0
    assert (result.stdout, result.stderr) == ("", f"Report: {tmp_path / 'again.html'}\n")
    assert "grass" in (tmp_path / "again.html").read_text(encoding="utf-8")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """The file of a profile in a folder of its own."""
    path = tmp_path / "known" / "profile.json"
    path.parent.mkdir()
    path.write_text(profile(12).to_json(), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "file"), [("html", "report.html"), ("markdown", "report.md"), ("model-card", "model-card.md")]
)
def test_every_format_has_its_file_and_can_be_printed(
    name: str, file: str, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    printed = run("report", known.parent, "--format", name, "--output", "-")
    assert (printed.exit_code, printed.stderr, list(known.parent.iterdir())) == (0, "", [known])
    for source in (known, known.parent):
        (known.parent / file).write_text("an older page")
        written = run("report", source, "--format", name)
        assert (written.exit_code, written.stdout, written.stderr) == (0, "", f"Report: {known.parent / file}\n")
        assert printed.stdout == (known.parent / file).read_text(encoding="utf-8")
    assert not list(elsewhere.iterdir())


def test_the_output_names_the_format(known: Path, tmp_path: Path) -> None:
    written = run("report", known, "--output", tmp_path / "summary.md")
    printed = run("report", known, "--format", "markdown", "--output", "-")
    assert (written.exit_code, (tmp_path / "summary.md").read_text(encoding="utf-8")) == (0, printed.stdout)
    assert_one_sentence(run("report", known, "--output", tmp_path / "x.pdf"), "FILE.html, FILE.md or FILE.json")


@pytest.mark.parametrize("more", [(), ("--output", "-")])
def test_json_is_the_profile_itself_and_printed(known: Path, more: tuple[str, ...]) -> None:
    result = run("report", known, "--format", "json", *more)
    assert (result.exit_code, result.stdout, result.stderr) == (0, known.read_text(encoding="utf-8"), "")
    assert list(known.parent.iterdir()) == [known]


def test_another_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text(audit().to_json(), encoding="utf-8")
    result = run("report", tmp_path)
    assert (result.exit_code, result.stderr) == (0, f"Report of the audit: {tmp_path / 'audit.html'}\n")
    assert_one_sentence(run("report", tmp_path, "--format", "model-card"), "html or json, the formats of this audit")


def test_another_format_is_one_sentence(known: Path, tmp_path: Path) -> None:
    for more in ([], ["--output", "-"], ["--output", tmp_path / "x.pdf"]):
        assert_one_sentence(run("report", known, "--format", "pdf", *more), "Expected the format to be html, markdown")
    assert not (tmp_path / "x.pdf").exists()


def test_pages_need_no_torch(known: Path) -> None:
    done = run_python(without({"torch"}), "report", known, "--format", "markdown", "--output", "-")
    assert done.returncode == 0, done.stderr


def test_what_is_no_profile_is_one_sentence(tmp_path: Path) -> None:
    assert_one_sentence(run("report", tmp_path, "--output", tmp_path / "page.html"), "profile.json")
    assert not (tmp_path / "page.html").exists()
