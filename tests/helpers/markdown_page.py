"""Markdown as GitHub shows it: parsed by an independent implementation of its dialect, as a tree of HTML."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from tests.helpers.html_tree import Node, parse

# What the reports write themselves; anything else would come from a name.
TAGS = {"h1", "h2", "h3", "ul", "li", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
TAGS |= {"code"}
# What GitHub and the hub look for in text: mentions, addresses, issues, emoji, links.
FOUND_IN_TEXT = re.compile(r"(?<!\w)@\w|\w@\w|#\w|:[a-zA-Z+-]+:|https?://|\bwww\.")


def page_of(markdown: str) -> Node:
    """Return what a reader sees."""
    return parse(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def check_is_plain(page: Node) -> None:
    """Assert that no text became markup, a mention, an issue, an emoji or a link."""
    assert {node.tag for node in page.find()} <= TAGS
    assert all(set(node.attributes) <= {"style"} for node in page)
    text = _outside_code(page)
    assert not FOUND_IN_TEXT.search(text), FOUND_IN_TEXT.search(text)


def _outside_code(page: Node) -> str:
    """Return the text in which mentions and links are looked for: GitHub leaves code spans as they are."""
    children = (child if isinstance(child, str) else _outside_code(child) for child in page.children)
    return " " if page.tag == "code" else "".join(children)


def rows_of(page: Node, table: int = 0) -> list[list[str]]:
    """Return the cells of the rows of a table, without the word joiners that keep names from being links."""
    body = page.find("table")[table].find("tbody")[0]
    return [[visible(cell.text) for cell in row.find("td")] for row in body.find("tr")]


def visible(text: str) -> str:
    return text.replace("\u2060", "")
