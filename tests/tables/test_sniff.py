"""How a list is written: separators, headers, and lines whose last blank separates the label."""

import pytest

from cuesense.tables.sniff import Form, sniff, split_line


def form(text):
    return sniff(text, lambda cell: cell.lower() in ("path", "label"), lambda cell: cell.endswith(".jpg"))


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_every_separator(mark, header):
    lines = [mark.join(row) for row in (("a b.jpg", "cat"), ("c.jpg", "dog"))]
    text = "\n".join([mark.join(("path", "label")), *lines] if header else lines)
    assert form(text) == Form(mark, header, ("path", "label") if header else ("column 1", "column 2"))


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("path label\na.jpg 0\n", " ", ("path", "label")),
        ("a b.jpg 0\nc.jpg 1\n", " ", ("column 1", "column 2")),
        ('path;label\n"a,b.jpg";x\n', ";", ("path", "label")),
        ("path,label\na b.jpg,x y\n", ",", ("path", "label")),
        ('a.jpg,"x, y"\nb.jpg,z\n', ",", ("column 1", "column 2")),
        ("path\na.jpg\n", ",", ("path",)),
        ("name|kind\na.jpg|x;y\n", "|", ("name", "kind")),
        ("", ",", ()),
    ],
)
def test_forms(text, separator, names):
    found = form(text)
    assert (found.separator, found.names) == (separator, names)


def test_a_header_of_unknown_words_is_one_where_no_cell_is_a_value():
    assert form("what,which\na.jpg,x\n").header
    assert not form("a.jpg,x\nb.jpg,y\n").header


def test_the_last_blank_separates_a_line():
    assert split_line("a b c.jpg  17", " ") == ["a b c.jpg", "17"]
