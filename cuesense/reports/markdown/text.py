"""What every markdown report is made of: escaped text, tables and collapsed blocks.

The dialect is GitHub's (GitHub Flavored Markdown 0.29), which the Hugging Face hub shows as well. Names of classes and
files are text from outside: what could be read as markup becomes a character reference, which no parser takes for
structure (CommonMark 0.31, section 2.5), also within HTML and within the cells of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cuesense.reports.text import printable

# Whatever means something to markdown, to HTML, or to GitHub's formulas, wherever it stands.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|~$#@]")
# GitHub looks for these in the text itself, after the markup: mentions and addresses (@), issues (#), emoji and links
# (:). A word joiner, which has no width, stands between the sign and the word that would make it one.
_FOUND_IN_TEXT = re.compile(r"([@#](?=\w)|:(?=[a-zA-Z/+-]))")
_WORD_JOINER = "\u2060"
# A command in a sentence; what holds a bar could not stand in a table.
_COMMAND = re.compile("`([^`|]+)`")
# The separators of lines and paragraphs are blanks: parsers differ in whether they are breaks.
_BLANKS = re.compile("[ \u2028\u2029]")
# "www." begins a link by itself.
_WEB = re.compile(r"(www)\.", re.IGNORECASE)
# What means something at the beginning of a line only: lists, headings that are underlined, rules.
_AT_START = re.compile(r"^([-+=]|\d+[.)])")
# A longer name would make a column of a table wider than the page. Chosen by hand.
_LONGEST = 80


def escaped(text: str) -> str:
    """Return text from outside for the middle of a line or for a cell; it shows as it is, on one line.

    Args:
        text: Any text. Blanks are joined, line breaks and control characters become U+FFFD.
    """
    return _marked(_one_line(text))


def code(text: str) -> str:
    """Return text that is to be copied: a code span, in which nothing is added; not within HTML.

    Args:
        text: Any text. With a backtick or a bar in it it is ``escaped``, and may not be the same when it is copied.
    """
    plain = _one_line(text)
    return f"`{plain}`" if _COMMAND.fullmatch(f"`{plain}`") else _marked(plain)


def line(text: str) -> str:
    """Return text from outside for a line of its own; what stands in backticks is a code span, to be copied."""
    parts = _COMMAND.split(_one_line(text))
    marked = "".join(f"`{part}`" if number % 2 else _marked(part) for number, part in enumerate(parts))
    return _AT_START.sub(lambda found: found[0][:-1] + _reference(found[0][-1]), marked)


def name(text: str) -> str:
    """Return the name of a class or a file, escaped, and cut where it is longer than 80 characters."""
    return escaped(shortened(text))


def shortened(text: str) -> str:
    """Return a name, cut where it is longer than 80 characters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> list[str]:
    """Return the lines of a table.

    Args:
        headings: One heading a column; markdown.
        rows: The cells of each row; markdown without line breaks, text from outside ``escaped``.
        numbers: Columns that are aligned to the right.
    """
    right = set(numbers)
    rule = ["--:" if column in right else "---" for column in range(len(headings))]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def bullets(items: Iterable[str]) -> list[str]:
    """Return the lines of a list of sentences from outside."""
    return [f"- {line(item)}" for item in items]


def details(summary: str, lines: Sequence[str]) -> list[str]:
    """Return a block that is closed until somebody opens it; nothing where there are no lines.

    Args:
        summary: What stands on the closed block; plain text.
        lines: Markdown.
    """
    if not lines:
        return []
    # Only after an empty line does markdown begin within HTML.
    return ["<details>", f"<summary>{escaped(summary)}</summary>", "", *lines, "", "</details>"]


def document(blocks: Iterable[Sequence[str]]) -> str:
    """Return blocks of lines as text, with an empty line between two blocks."""
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(filter(None, _BLANKS.split(printable(text))))


def _marked(plain: str) -> str:
    """Return one line of text with references for what could be read as markup."""
    joined = _FOUND_IN_TEXT.sub(rf"\1{_WORD_JOINER}", plain)
    return _WEB.sub(r"\1&#46;", _MARKUP.sub(lambda found: _reference(found[0]), joined))


def _reference(character: str) -> str:
    return f"&#{ord(character)};"
