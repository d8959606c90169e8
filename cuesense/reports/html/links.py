"""Links to classes, and the short names under which a page speaks of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup, escape

from cuesense.reports.text import printable

# A name of one letter before the colon is a drive of Windows, not a kind of model.
_SCHEME = re.compile(r"[A-Za-z][\w.+-]+")


def class_id(name: str) -> str:
    """Return the id under which a class stands on the page, such as ``"class=mud%20turtle"``: an id has no blanks."""
    return f"class={quote(name, safe='', errors='replace')}"


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
    return Markup('<a href="#{}"><bdi>{}</bdi></a>').format(class_id(name), name)


def short_spec(spec: str) -> str:
    """Return a model or dataset as a title has it: a file's or folder's name without the folders before it.

    Args:
        spec: As on the command line: a path, ``"torchvision:resnet18"``, or ``"folder/code.py:build"``.
    """
    scheme, colon, rest = spec.partition(":")
    if colon and _SCHEME.fullmatch(scheme):
        is_path = rest.startswith(("/", "~", "./", "../", "\\")) or re.match(r"[A-Za-z]:[\\/]", rest)
        return f"{scheme}:{_last(rest)}" if is_path else spec
    if colon and ("/" in scheme or "\\" in scheme):
        return f"{_last(scheme)}:{rest}"
    return _last(spec)


def _last(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or path
