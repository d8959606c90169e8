"""Write ``examples/notebook.ipynb``, outputs included, from its plain source: ``python docs/notebook.py``.

Paragraphs of ``examples/notebook.md`` become cells of text, its Python blocks cells of code. They run in a folder of
their own; where a cell fails, nothing is written.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "examples" / "notebook.md"
NOTEBOOK = SOURCE.with_suffix(".ipynb")
# Where Python says that a warning comes from: another file in every run.
_CELL_FILE = re.compile(r"/[^\s\"\\]*/ipykernel_\d+/\d+\.py:\d+")
_CODE = re.compile(r"```python\n(.*?)```\n?", re.DOTALL)


def cells(markdown: str) -> list[tuple[str, str]]:
    """Return the kind (markdown or code) and the text of every cell."""
    found: list[tuple[str, str]] = []
    for place, part in enumerate(_CODE.split(markdown)):
        kind = "code" if place % 2 else "markdown"
        if part.strip():
            found.append((kind, part.strip()))
    return found


def unexecuted(markdown: str) -> NotebookNode:
    """Return the notebook without outputs; ids of cells are their numbers, so that two runs differ by outputs alone."""
    made = {"code": new_code_cell, "markdown": new_markdown_cell}
    notebook = new_notebook(cells=[made[kind](text) for kind, text in cells(markdown)])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook


def executed(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook in an empty folder with this interpreter and this repository's package."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": folder}}, kernel_name="python3")
        client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def main() -> None:
    """Write the notebook, and say how large it is."""
    notebook = executed(unexecuted(SOURCE.read_text(encoding="utf-8")))
    text = _CELL_FILE.sub("this cell", nbformat.writes(notebook)) + "\n"
    private = [
        place for place in (str(ROOT), sys.prefix, tempfile.gettempdir(), str(Path.home())) if f"{place}/" in text
    ]
    if private:
        raise SystemExit(f"The outputs name folders of this machine: {private}.")
    NOTEBOOK.write_text(text, encoding="utf-8")
    print(f"{NOTEBOOK.name}: {len(text) / 1024:.0f} KB")


if __name__ == "__main__":
    main()
