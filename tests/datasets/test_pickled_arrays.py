"""Pickles of arrays: what NumPy writes in every protocol, and programs, which never run."""

import datetime
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.datasets.pickled_arrays import read_pickled
from cuesense.errors import DatasetError


def written(path, value, protocol=2):
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def refused(path):
    with pytest.raises(DatasetError) as caught:
        read_pickled(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [np.arange(12, dtype=np.uint8).reshape(3, 4), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
     np.arange(4, dtype=">i4"), np.zeros((0, 3)), np.array([True, False])],
    ids=["uint8", "fortran", "big endian", "empty", "bool"],
)  # fmt: skip
def test_arrays_in_every_protocol(array, protocol, tmp_path):
    found = read_pickled(written(tmp_path / "x", {b"data": array, "labels": [1, 2], "names": [b"a", "b"]}, protocol))
    np.testing.assert_array_equal(found["data"], array)
    assert found["data"].dtype == array.dtype
    assert (found["labels"], found["names"]) == ([1, 2], ["a", "b"])


def test_a_pickle_of_python_2(tmp_path):
    """Texts are bytes there, also an array's content, as in the published CIFAR."""
    raw = bytes(range(256))
    state = b"(K\x01K\x10K\x10\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89T" + len(raw).to_bytes(4, "little") + raw
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R" + state + b"tb"
    (tmp_path / "x").write_bytes(b"\x80\x02}U\x04data" + made + b"s.")
    np.testing.assert_array_equal(read_pickled(tmp_path / "x")["data"].ravel(), np.arange(256))


class Program:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize(
    "value",
    [Program(), datetime.date(2020, 1, 1), OrderedDict(a=1), np.array([object()]), {1, 2}.__class__, print],
    ids=["program", "date", "ordered", "objects", "type", "function"],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_names_of_anything_else_are_refused(value, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Expected" in refused(written(tmp_path / "x", {"data": value}, protocol))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "code",
    [b"cos\nsystem\n(S'touch ran'\ntR.", b"(S'touch ran'\nios\nsystem\n.", b"cbuiltins\neval\n(S'1'\ntR.",
     b"\x82\x01.", b"P1\n.", b"cnumpy\nload\n.", b"cnumpy.core.multiarray\nfromfile\n.", b"c_codecs\nopen\n."],
)  # fmt: skip
def test_instructions_that_name_programs_are_refused(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_bytes(code)
    refused(tmp_path / "x")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "code",
    [b"\x8e" + (2**40).to_bytes(8, "little"), b"\x96" + (2**40).to_bytes(8, "little"), b"B\xff\xff\xff\xff",
     b"\x95" + (2**50).to_bytes(8, "little"), b"]r\xff\xff\xff\x7f.", b"X\xff\xff\xff\xff"],
)  # fmt: skip
def test_sizes_that_the_file_does_not_have_take_no_memory(code, tmp_path):
    (tmp_path / "x").write_bytes(code + b"abc")
    refused(tmp_path / "x")


def test_a_shape_that_the_bytes_do_not_fill_is_refused(tmp_path):
    content = pickle.dumps({"data": np.zeros((2, 3), np.uint8)}, 2)
    wrong = content.replace(b"K\x02K\x03\x86", b"K\x7fK\x7f\x86")
    assert wrong != content
    (tmp_path / "x").write_bytes(wrong)
    assert "another length" in refused(tmp_path / "x")


def test_other_values_and_files(tmp_path, monkeypatch):
    assert "a list where a dictionary" in refused(written(tmp_path / "x", [1]))
    assert "No such file" in refused(tmp_path / "gone")
    monkeypatch.setattr("cuesense.datasets.pickled_arrays._LARGEST", 3)
    assert "at most 3 bytes" in refused(written(tmp_path / "y", {}))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_is_one_sentence(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("p") / "x"
    content = bytearray(pickle.dumps({"data": np.arange(6, dtype=np.uint8), "labels": [1, 2]}, 2))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        read_pickled(path)
    except DatasetError as error:
        assert "\n" not in str(error)  # noqa: PT017 (some damage is harmless)
