"""The notebook in ``examples/`` is what its source says, was run without an error, and runs today."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from tests.helpers.documents import Reader, blocks, script

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "examples" / "notebook.md"
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def test_the_cells_are_those_of_the_source() -> None:
    written = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(written)
    assert [(cell.cell_type, cell.source) for cell in written.cells] == script("notebook").cells(
        SOURCE.read_text("utf-8")
    )


def test_every_cell_was_run_in_order_and_has_pictures_beside_its_text() -> None:
    code = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 4
    assert "text/html" in code[0].outputs[-1].data


def test_it_is_small_and_names_no_folder_of_the_machine_that_ran_it() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert re.findall(r"/(?:home|root|tmp|work|Users)/[\w.-]+", text) == []


# What was assumed about the images is a warning in a notebook, too.
@pytest.mark.filterwarnings("ignore::cuesense.errors.CuesenseWarning")
def test_its_programs_run_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer images, so that it takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    text = SOURCE.read_text(encoding="utf-8")
    assert text.count("images=20,") == 1
    reader = Reader({})
    for block in blocks(text.replace("images=20,", "images=3,")):
        reader.follow(block)
    plt.close("all")
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "profile.json").is_file()
