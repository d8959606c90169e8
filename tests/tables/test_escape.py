"""Cells of CSV files: formulas and control characters are escaped, and read back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.tables.escape import escape_cell, unescape_cell

NAMES = st.text(st.sampled_from("ab'=+-@\t\r\n \\x01b7f\x1b\x00\x85\uff1d,;\""), max_size=8)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", " =1", "'=1", "\uff1d1", "-"])
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert escape_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["cat", "a=b", "'tis", "-0.05", "+1e-5", "n02085620", "C:\\x", "", "café", "a-b"])
def test_other_names_and_numbers_stay(text: str) -> None:
    assert escape_cell(text) == text == unescape_cell(text)


@pytest.mark.parametrize(
    ("text", "cell"), [("\x1b[31m", r"'\x1b[31m"), ("\t=1", r"'\x09=1"), ("a\\\nb", r"'a\\\x0ab"), ("\\x1b", r"'\\x1b")]
)
def test_control_characters_are_written_out(text: str, cell: str) -> None:
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text


@given(NAMES)
def test_every_name_comes_back(text: str) -> None:
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    assert not any(ord(letter) < 32 or 126 < ord(letter) < 160 for letter in cell)
    assert cell.lstrip(" '")[:1] not in tuple("=+-@") or cell.startswith("'") or float(cell) is not None
