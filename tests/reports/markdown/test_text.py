"""Text from outside shows as it is and makes no markup, wherever it stands."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.markdown.text import bullets, code, details, document, escaped, line, name, table
from tests.helpers.markdown_page import check_is_plain, page_of, rows_of, visible

TRICKY = st.text(alphabet=st.sampled_from(list("ab1@#:|`\\<>&*_~[](){}!$-+=./\"' \n\r\tw")), max_size=25)
ANY = st.text(max_size=25) | TRICKY


def plain(text: str) -> str:
    return re.sub("[ \u2028\u2029]+", " ", "".join("\ufffd" if ord(c) < 32 else c for c in text)).strip(" ")


@given(st.lists(TRICKY, min_size=4, max_size=4))
def test_names_in_tables_lists_headings_and_blocks_show_as_they_are(names: list[str]) -> None:
    first, second, third, fourth = names
    page = page_of(
        document(
            [
                [f"## title: {escaped(first)}"],
                table(("Class", escaped(second)), [(name(first), name(second)), (name(third), "end")]),
                [line(f"{third} ends")],
                bullets([fourth + "x", second + "y"]),
                details(third, [line(f"{first}.")]),
            ]
        )
    )
    check_is_plain(page)
    assert rows_of(page) == [[plain(first), plain(second)], [plain(third), "end"]]
    items = [visible(node.text).strip() for node in page.find("li")]
    assert items == [plain(fourth + "x"), plain(second + "y")]
    assert visible(page.find("summary")[0].text) == plain(third)
    assert [visible(node.text) for node in page.find("p")] == [plain(f"{third} ends"), plain(f"{first}.")]


@given(ANY)
def test_any_text_is_one_line(text: str) -> None:
    assert len(escaped(text).splitlines()) <= 1 or set(text) & set("\x85\x1c\x1d\x1e\x0b\x0c")
    assert "\n" not in name(text)


def test_signs_of_markup_are_references_and_words_stay_readable() -> None:
    assert (
        escaped("color-0 under grayscale, 5.4 times (n = 80): 12") == "color-0 under grayscale, 5.4 times (n = 80): 12"
    )
    assert escaped("a|b`c`<i>") == "a&#124;b&#96;c&#96;&#60;i&#62;"
    assert escaped("@user #12 :tada: www.x.org") == "&#64;\u2060user &#35;\u206012 :\u2060tada: www&#46;x.org"
    assert line("1. x") == "1&#46; x"
    assert line("- x") == "&#45; x"


def test_long_names_are_cut_and_empty_blocks_left_out() -> None:
    assert name("x" * 80) == "x" * 80
    assert name("x" * 81) == "x" * 79 + "…"
    assert details("nothing", []) == []
    assert document([["a"], [], ["b", "c"]]) == "a\n\nb\nc\n"


def test_what_is_to_be_copied_is_a_code_span_to_which_nothing_is_added() -> None:
    assert code("python:network:build") == "`python:network:build`"
    assert line("Give `--arch python:a_b:c` to settle it.") == "Give `--arch python:a_b:c` to settle it."
    assert "`" not in code("a`b|c")
    assert "|" not in line("x `a|b` y")
    assert "<" not in line("<b> `x")
