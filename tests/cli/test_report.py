"""report as a user meets it."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.command_line import analyze, assert_one_sentence, run


def test_a_report_can_be_made_again(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    analyze(model_file, photos_folder, tmp_path / "out")
    result = run("report", tmp_path / "out", "--output", tmp_path / "again.html")
    assert result.exit_code == 0
    assert (result.stdout, result.stderr) == ("", f"Report: {tmp_path / 'again.html'}\n")
    assert "grass" in (tmp_path / "again.html").read_text(encoding="utf-8")


def test_what_is_no_profile_is_one_sentence(tmp_path: Path) -> None:
    assert_one_sentence(run("report", tmp_path, "--output", tmp_path / "page.html"), "profile.json")
    assert not (tmp_path / "page.html").exists()
