"""One writer of CSV files: names are escaped, numbers stay numbers, and the reader gives names back."""

import io
from pathlib import Path

import pandas as pd

from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv
from cuesense.tables.write_csv import csv_text

NAMES = ["=HYPERLINK(1)", "+a", "-0.05", "@b", "\tc", "\rd", "e\x1b\x00f", "plain, with comma", '"quoted"', "'g", "'=h"]


def frame() -> pd.DataFrame:
    return pd.DataFrame({"class": NAMES, "accuracy": [-0.05 * place for place in range(len(NAMES))], "=head": 1})


def test_no_cell_is_a_formula_and_numbers_stay_numbers() -> None:
    text = csv_text(frame())
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert "'=head" in cells.columns
    for cell in cells["class"]:
        assert cell[0] not in "=+@\t\r"
        assert cell[0] != "-" or cell == "-0.05"
        assert cell.isprintable()
    assert cells["accuracy"].tolist()[1] == "-0.05"


def test_an_index_with_a_name_is_the_first_column() -> None:
    named = frame().rename_axis("index")
    assert csv_text(named).splitlines()[0] == "index,class,accuracy,'=head"
    assert csv_text(named).splitlines()[1].startswith("0,'=HYPERLINK(1),")


def test_the_reader_gives_the_names_back(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(frame()), encoding="utf-8")
    assert read_csv(TableFile(path, "the table", ("class",), ""), keep=("class",))["class"].tolist() == NAMES
