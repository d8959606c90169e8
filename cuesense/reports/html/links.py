"""Names of classes on a page, the address of each, and the links to them in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup, escape

from cuesense.reports.text import printable

# No line ends after a hyphen inside words of this many letters, which fit beside others on a phone.
_WHOLE = 16


def class_name(name: str) -> Markup:
    """Return the name of a class as an element, whose words stay whole where they have a hyphen."""
    parts = re.split(r"(\w+(?:-\w+)+)", name)
    return Markup("<bdi>{}</bdi>").format(
        Markup("").join(_word(part) if at % 2 else part for at, part in enumerate(parts))
    )


def _word(word: str) -> Markup | str:
    return Markup('<span class="whole">{}</span>').format(word) if len(word) <= _WHOLE else word


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
    return Markup('<a href="{}">{}</a>').format(class_address(name), class_name(name))
