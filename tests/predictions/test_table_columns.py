"""The columns of a table: the same cells from CSV and Parquet, sorted, with every mistake named by its row."""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import DatasetError
from cuesense.predictions.table_columns import REQUIRED, Coded, Rows, read_rows
from cuesense.tables.write_csv import csv_text
from tests.helpers.prediction_tables import rows, saved

NAMES = st.text("abcXYZ01 ,;\"'.-éß", min_size=1, max_size=6).filter(lambda name: name.strip() != "")
CELLS = ("sample_id", "perturbation", "severity", "repeat", "value", "label", "predicted", "corrected")


def named(column: Coded) -> list[str | None]:
    return [column.names[code] if code >= 0 else None for code in column.codes]


def cells(found: Rows) -> list[tuple[object, ...]]:
    """Return the rows as plain tuples, in the order of CELLS; what is not given is None."""
    corrected = [None] * len(found.severities) if found.corrected is None else named(found.corrected)
    values = [None if np.isnan(value) else value for value in found.values]
    columns = (named(found.samples), named(found.perturbations), found.severities.tolist(), found.repeats.tolist())
    return list(zip(*columns, values, named(found.labels), named(found.predicted), corrected, strict=True))


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Draw tables with awkward names, in any order, with and without the optional columns."""
    ids = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.strip))
    labels = {name: draw(NAMES) for name in ids}
    conditions = [("clean", 0, 0), ("fog", 1, 0), ("fog", 1, 1), ("fog", 3, 0), ("blur", 2, 0)]
    keys = draw(st.permutations(list(product(ids, conditions))))
    frame = pd.DataFrame(
        [
            {
                "sample_id": name,
                "label": labels[name],
                "perturbation": perturbation,
                "severity": severity,
                "repeat": repeat,
                "value": draw(st.none() | st.floats(-1e6, 1e6)),
                "predicted": draw(NAMES),
                "corrected": draw(st.none() | NAMES),
            }
            for name, (perturbation, severity, repeat) in keys
        ]
    )
    frame["value"] = frame["value"].astype(float)
    return frame


def as_text(name: str | None) -> str | None:
    return None if name is None or pd.isna(name) else name.strip()


@settings(max_examples=10)
@given(frame=tables())
def test_both_kinds_of_file_give_the_cells_in_the_order_of_conditions_and_samples(
    frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("t")
    expected = [
        (
            as_text(row.sample_id),
            row.perturbation,
            row.severity,
            row.repeat,
            None if pd.isna(row.value) else row.value,
            as_text(row.label),
            as_text(row.predicted),
            as_text(row.corrected),
        )
        for row in frame.itertuples()
    ]
    expected.sort(key=lambda cell: (cell[1], cell[2], cell[3], cell[0]))
    (folder / "t.csv").write_text(csv_text(frame), encoding="utf-8")
    saved(frame, folder / "t.parquet")
    for kind in ("csv", "parquet"):
        assert cells(read_rows(folder / f"t.{kind}")) == expected
    shutil.rmtree(folder)


def test_optional_columns_have_their_defaults(tmp_path: Path) -> None:
    found = read_rows(saved(rows(images=1).drop(columns="repeat"), tmp_path / "p.csv"))
    assert found.repeats.tolist() == [0] * 15
    assert np.isnan(found.values).all()
    assert found.corrected is None


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_other_columns_and_their_mistakes_do_not_matter(tmp_path: Path, kind: str) -> None:
    plain = saved(rows(), tmp_path / f"p.{kind}")
    more = saved(rows().assign(notes="none", Severity=-1), tmp_path / f"q.{kind}")
    assert cells(read_rows(more)) == cells(read_rows(plain))


@pytest.mark.parametrize("suffix", [".parquet", ".pq", ".PARQUET", ".Pq"])
def test_parquet_files_may_be_called_in_each_usual_way(tmp_path: Path, suffix: str) -> None:
    rows(images=1).to_parquet(tmp_path / f"p{suffix}")
    assert len(read_rows(tmp_path / f"p{suffix}").severities) == 15


def test_csv_files_may_start_with_a_mark_of_their_encoding_and_shout_their_suffix(tmp_path: Path) -> None:
    frame = rows(images=1).replace({"ant": "Ämse"})
    frame.to_csv(tmp_path / "P.CSV", index=False, encoding="utf-8-sig")
    assert read_rows(tmp_path / "P.CSV").labels.names == ["bee", "cow", "Ämse"]


@pytest.mark.parametrize("name", ["NA", "nan", "None", "null", "01", "1e3", "True", "-"])
def test_words_that_pandas_takes_for_something_else_are_names(tmp_path: Path, name: str) -> None:
    frame = rows(images=1).replace({"ant": name})
    for kind in ("csv", "parquet"):
        found = read_rows(saved(frame, tmp_path / f"p.{kind}"))
        assert name in found.labels.names
        assert named(found.labels).count(name) == 5


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ({"ant": "1.0", "bee": "2.0", "cow": "10.00"}, ["1", "10", "2"]),
        ({"ant": "1.0", "bee": "2.5", "cow": "10.0"}, ["1.0", "10.0", "2.5"]),
        ({"ant": "1.0", "bee": "2", "cow": "10"}, ["1.0", "10", "2"]),
        ({"ant": " 1.0 ", "bee": "-2.0", "cow": "3.0"}, ["-2", "1", "3"]),
    ],
)
def test_a_column_of_floats_names_whole_numbers_where_all_are_whole(
    tmp_path: Path, written: dict[str, str], names: list[str]
) -> None:
    frame = rows(images=1).replace({"label": written, "predicted": written})
    assert read_rows(saved(frame, tmp_path / "p.csv")).labels.names == names


def test_names_that_differ_by_spaces_alone_are_one(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[frame.severity > 1, "label"] = " " + frame["label"] + "\t"
    for kind in ("csv", "parquet"):
        assert read_rows(saved(frame, tmp_path / f"p.{kind}")).labels.names == ["ant", "bee", "cow"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_categories_and_dictionaries_are_names(tmp_path: Path, kind: str) -> None:
    frame = rows().astype({"label": pd.CategoricalDtype(["zebra", "cow", "bee", "ant"])})
    found = read_rows(saved(frame, tmp_path / f"p.{kind}"))
    assert found.labels.names == ["ant", "bee", "cow"]
    assert cells(found) == cells(read_rows(saved(rows(), tmp_path / f"q.{kind}")))


@pytest.mark.parametrize(
    ("column", "value", "fits"),
    [
        ("severity", 1_000_000, True),
        ("severity", 1_000_001, False),
        ("repeat", 1_000_000, True),
        ("repeat", 1_000_001, False),
        ("repeat", 0.5, False),
        ("repeat", -1, False),
        ("p_true", 0.0, True),
        ("p_true", 1.0, True),
        ("p_true", -1e-6, False),
        ("p_true", 1.000001, False),
        ("p_true", np.nan, False),
        ("value", -1e300, True),
        ("value", -np.inf, False),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_have_limits_and_the_row_is_that_of_the_file(
    tmp_path: Path, column: str, value: float, fits: bool, kind: str
) -> None:
    frame = rows()
    frame[column] = frame.get(column, pd.Series(0.5, frame.index)).astype(float)
    frame.loc[40, column] = value
    path = saved(frame, tmp_path / f"p.{kind}")
    if fits:
        assert len(read_rows(path).severities) == 60
    else:
        with pytest.raises(DatasetError, match=rf"Expected each {column} of .* but got '.*' in row 41\. Correct it\.$"):
            read_rows(path)


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_wrong_value_below_empty_ones_is_named_by_its_own_row(tmp_path: Path, empty: str) -> None:
    values = [empty] * 7 + ["much"] + ["0.5"] * 52
    with pytest.raises(DatasetError, match=r"each value of .* a finite number, but got 'much' in row 8"):
        read_rows(saved(rows().assign(value=values), tmp_path / "p.csv"))


def test_empty_values_are_not_known(tmp_path: Path) -> None:
    frame = rows(images=1)
    for kind, empty in (("csv", ""), ("csv", " "), ("parquet", None)):
        values = [empty] * 3 + ["0.25"] * 12
        found = read_rows(saved(frame.assign(value=values), tmp_path / f"p.{kind}"))
        assert np.isnan(found.values[found.severities == 0]).all()
        assert found.values[found.severities > 0].tolist() == [0.25] * 12


@pytest.mark.parametrize("column", ["sample_id", "label", "perturbation", "predicted"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("empty", ["", " ", None])
def test_names_are_given_in_every_row(tmp_path: Path, column: str, kind: str, empty: str | None) -> None:
    frame = rows()
    # The clean rows are twelve: an empty perturbation of severity 1 is no clean one.
    frame.loc[13, column] = empty
    with pytest.raises(DatasetError, match=f"Expected each {column} of .* to be given, but got none in row 14"):
        read_rows(saved(frame, tmp_path / f"p.{kind}"))


@pytest.mark.parametrize(
    ("kept", "got"),
    [
        (["sample_id", "perturbation", "severity", "predicted"], "no label"),
        (["label", "perturbation", "severity"], "no sample_id and no predicted"),
        (["repeat"], "no sample_id and no label and no perturbation and no severity and no predicted"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_missing_column_is_named_at_once(tmp_path: Path, kept: list[str], got: str, kind: str) -> None:
    with pytest.raises(
        DatasetError, match=f"one with the columns {', '.join(REQUIRED)}, but got {got} \\(its columns: .*\\). Name"
    ):
        read_rows(saved(rows()[kept], tmp_path / f"p.{kind}"))


@pytest.mark.parametrize("changed", ["sample_id", "perturbation", "severity", "repeat", None])
def test_a_row_is_the_same_where_all_four_keys_are(tmp_path: Path, changed: str | None) -> None:
    frame = rows(perturbations={"grayscale": 2})
    again = frame.iloc[[20]].copy()
    if changed is not None:
        again[changed] = {"sample_id": "new", "perturbation": "fog", "severity": 9, "repeat": 1}[changed]
    path = saved(pd.concat([again, frame]), tmp_path / "p.csv")
    if changed is None:
        with pytest.raises(DatasetError, match=r"'cow/0' in rows 1 and 22\. Remove the repeated rows\.$"):
            read_rows(path)
    else:
        assert len(read_rows(path).severities) == 37


def test_an_image_has_one_label_in_all_conditions(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[59, "label"] = "bee"
    with pytest.raises(DatasetError, match=r"of one label, but got bee and cow for 'cow/3'\. Correct the labels"):
        read_rows(saved(frame, tmp_path / "p.csv"))


def test_a_folder_a_missing_file_and_another_kind_each_get_their_sentence(tmp_path: Path) -> None:
    (tmp_path / "p.csv").mkdir()
    (tmp_path / "p.xlsx").write_bytes(b"x")
    for name, got in (("p.csv", "a file, but got a folder"), ("q.csv", "no file"), ("p.xlsx", "but got 'p.xlsx'")):
        with pytest.raises(DatasetError, match=f"Expected the table .*{got}"):
            read_rows(tmp_path / name)


def test_taking_rows_keeps_every_column_in_step(tmp_path: Path) -> None:
    frame = rows().assign(corrected=rows()["label"], value=np.arange(60.0))
    found = read_rows(saved(frame, tmp_path / "p.parquet"))
    picked = np.array([50, 3, 3, 17])
    assert cells(found.take(picked)) == [cells(found)[index] for index in picked]
    bare = read_rows(saved(rows(), tmp_path / "q.parquet"))
    assert bare.take(picked).corrected is None
