"""Links to classes: the address of each, and the names in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup, escape

from cuesense.reports.text import printable


def class_id(name: str) -> str:
    """Return the id under which a class stands on the page, such as ``"class=mud turtle"``.

    HTML wants ids without blanks, but browsers and axe look for the decoded address, and the name itself is what
    somebody writes by hand.
    """
    return f"class={name}"


def class_address(name: str) -> str:
    """Return the address of a class on the page, such as ``"#class=mud%20turtle"``."""
    return f"#class={quote(name, safe='', errors='replace')}"


def with_links(sentence: str, names: Sequence[str]) -> Markup:
    """Return a sentence in which the quoted names of classes are links.

    Args:
        sentence: Plain text, in which names are in quotes and printable (``text.quoted``).
        names: Names of the classes.
    """
    known = {printable(name): name for name in names}
    longest_first = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True) if name)
    if not longest_first:
        return escape(sentence)
    parts = re.split(f"'({longest_first})'", sentence)
    return Markup("").join(link(known[part]) if at % 2 else escape(part) for at, part in enumerate(parts))


def link(name: str) -> Markup:
    """Return a link to a class."""
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(class_address(name), name)
