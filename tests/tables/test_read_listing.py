"""Lists of images in text, JSON and Parquet files: what is read, and one sentence for what cannot be."""

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import DatasetError
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_listing import read_listing

ROWS = [{"path": "a.jpg", "label": "x"}, {"path": "b.jpg", "label": "y"}]


def read(path):
    file = TableFile(path, f"the table '{path.name}'", (), "Save it again")
    return read_listing(file, lambda cell: cell in ("path", "label"), lambda cell: cell.endswith(".jpg"))[0]


def written(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def refused(path):
    with pytest.raises(DatasetError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "path,label\na.jpg,x\nb.jpg,y\n"),
        ("x.tsv", "path\tlabel\na.jpg\tx\nb.jpg\ty\n"),
        ("x.txt", "path label\na.jpg x\n\nb.jpg   y\n"),
        ("x.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("x.ndjson", "\ufeff" + "\n\n".join(map(json.dumps, ROWS)) + "\n"),
        ("x.json", ROWS),
        ("x.json", {"data": ROWS, "version": 1}),
        ("x.json", {"path": ["a.jpg", "b.jpg"], "label": ["x", "y"]}),
        ("x.json", {"a.jpg": "x", "b.jpg": "y"}),
        ("x.json", {"x": ["a.jpg"], "y": ["b.jpg"]}),
        ("x.json", {"a.jpg": {"label": "x"}, "b.jpg": {"label": "y"}}),
        ("x.json", {"path": {"0": "a.jpg", "1": "b.jpg"}, "label": {"0": "x", "1": "y"}}),
    ],
)
def test_every_form_gives_the_same_rows(name, content, tmp_path):
    assert read(written(tmp_path, name, content)).to_dict("records") == ROWS


def test_lists_of_objects_under_several_keys_are_parts(tmp_path):
    found = read(written(tmp_path, "x.json", {"train": ROWS[:1], "val": ROWS[1:]}))
    assert found.to_dict("records") == [{**ROWS[0], "split": "train"}, {**ROWS[1], "split": "val"}]


def test_lists_in_cells_stay_lists(tmp_path):
    pd.DataFrame({"path": ["a.jpg"], "label": [[1, 2]], "deep": [{"x": 1}]}).to_parquet(tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet")
    assert list(found.columns) == ["path", "label"]
    assert list(found["label"][0]) == [1, 2]


def test_a_key_that_some_rows_lack_is_empty_there(tmp_path):
    found = read(written(tmp_path, "x.jsonl", '{"path": "a.jpg", "label": 1}\n{"path": "b.jpg"}\n'))
    assert found["label"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", '{"path": "a.jpg"}\n{"path": \n', "line 2, which is none"),
        ("x.jsonl", "", "an empty file"),
        ("x.json", {"images": [], "annotations": [], "categories": []}, "COCO annotations"),
        ("x.json", [1, 2], "JSON of another form"),
        ("x.json", "[" * 100_000, "Expected"),
        ("x.txt", "a.jpg 0\nb.jpg 1\nc.jpg\n", "one word in line 3"),
        ("x.csv", "path,path\na.jpg,b\n", "path twice"),
        ("x.csv", 'path,label\n"a.jpg,b\n', "never closed"),
    ],
)
def test_what_is_wrong_is_named(name, content, said, tmp_path):
    assert said in refused(written(tmp_path, name, content))


@settings(max_examples=60, deadline=None)
@given(suffix=st.sampled_from(["csv", "tsv", "txt", "jsonl", "json", "parquet"]), data=st.binary(max_size=80))
def test_any_bytes_are_rows_or_one_sentence(suffix, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("b") / f"x.{suffix}"
    path.write_bytes(data)
    try:
        read(path)
    except DatasetError as error:
        assert "\n" not in str(error)  # noqa: PT017
