"""Files of users' own are run as modules, find what lies beside them, and their failures name the way out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cuesense.errors import SettingsError
from cuesense.pipelines.programs import run_file


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(text)
    return folder / "mine.py"


def test_what_lies_beside_the_file_and_in_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "at_the_root_of_the_project.py").write_text("A = 1\n")
    path = written(
        tmp_path / "inner",
        "import beside_the_file\nimport at_the_root_of_the_project as root\n"
        "def late():\n    import beside_the_file_later\n    return beside_the_file_later.C\n",
    )
    (path.parent / "beside_the_file.py").write_text("B = 2\n")
    (path.parent / "beside_the_file_later.py").write_text("C = 3\n")
    monkeypatch.chdir(tmp_path)
    module = run_file(path, "_mine", "mine.py:late")
    assert (module.root.A, module.beside_the_file.B) == (1, 2)
    # A function that imports when it is called does so long after the file has run.
    assert module.late() == 3


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("import nowhere_at_all.part", "Install 'nowhere_at_all' for this Python ("),
        ("import nowhere_at_all", "or run cuesense from the environment that trains"),
        ("from json import nothing_of_it", "Install the version of that library which trains"),
        ("def (:", "(mine.py, line 1). Correct the line."),
        ("1 / 0", "ZeroDivisionError: division by zero. Do this with {file}."),
        ("raise SystemExit(3)", "SystemExit: 3. Do this with {file}."),
    ],
)
def test_failures_name_the_way_out(tmp_path: Path, line: str, sentence: str) -> None:
    path = written(tmp_path, f"{line}\n")
    with pytest.raises(SettingsError) as error:
        run_file(path, "_mine", "mine.py:x", "Do this with {file}")
    assert "Expected 'mine.py:x' to be a file that can be imported" in str(error.value)
    assert sentence.format(file=path) in str(error.value)
    assert str(tmp_path) not in sys.path[:1]


def test_our_own_errors_pass(tmp_path: Path) -> None:
    path = written(tmp_path, "from cuesense.errors import SettingsError\nraise SettingsError('Mine.')\n")
    with pytest.raises(SettingsError, match=r"^Mine\.$"):
        run_file(path, "_mine", "mine.py:x")
