"""What every page shares: its templates, its style and script, and a policy that allows these two and nothing else."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cuesense.reports import text
from cuesense.types import CueVerdict


def environment() -> Environment:
    """Return a new environment of the templates beside this file, with what all of them use."""
    found = Environment(
        loader=PackageLoader("cuesense", "reports/html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    found.filters |= {"percent": text.percent, "points": text.points, "words": text.words}
    found.globals |= {"DASH": text.DASH, "GLYPHS": text.GLYPHS, "LABELS": list(CueVerdict)}
    return found


def head(title: str, styles: tuple[str, ...], script: str) -> dict[str, Any]:
    """Return what ``head.html.j2`` and the end of a page need.

    Args:
        title: The page's title.
        styles: Names of style sheets beside this file, joined in this order.
        script: Name of the script beside this file.
    """
    style, source = "".join(map(_resource, styles)), _resource(script)
    return {
        "title": title,
        "style": Markup(style),
        "script": Markup(source),
        "style_hash": _hash(style),
        "script_hash": _hash(source),
    }


def _resource(name: str) -> str:
    return files("cuesense.reports.html").joinpath(name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
