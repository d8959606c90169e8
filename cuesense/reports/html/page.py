"""What every page shares: its templates, its styles and scripts, and a content security policy for them."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cuesense.reports.html.links import class_name
from cuesense.reports.profile_text import BUDGET_MEANINGS, BUDGET_WORDS
from cuesense.reports.text import CUE_LETTERS, DASH, css_class, percent, points, points_with_unit, readable_name
from cuesense.types import CueVerdict

# Runs before anything is drawn: controls are hidden without scripts, and of a long table the rows that the script will
# hide need not be laid out first.
_EARLY = 'document.documentElement.classList.add("script")'


# A command or text in backticks, and an option of the command line.
_CODE = re.compile("`([^`]+)`|(--[a-z][a-z-]*)")


def with_code(sentence: str) -> Markup:
    """Return a sentence with what stands in backticks, and options, as code."""
    return Markup(_CODE.sub(lambda found: f"<code>{found[1] or found[2]}</code>", str(escape(sentence))))


def template_environment() -> Environment:
    """Return a new environment of the templates beside this file, with what all of them use.

    Everything is escaped unless it is Markup: names of classes and files are text from outside.
    """
    environment = Environment(
        loader=PackageLoader("cuesense", "reports/html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {
        "class_name": class_name,
        "css_class": css_class,
        "percent": percent,
        "points": points,
        "points_with_unit": points_with_unit,
        "readable": readable_name,
        "with_code": with_code,
    }
    environment.globals |= {"DASH": DASH, "CUE_LETTERS": CUE_LETTERS, "CUE_VERDICTS": list(CueVerdict)}
    environment.globals |= {"BUDGET_WORDS": BUDGET_WORDS, "BUDGET_MEANINGS": BUDGET_MEANINGS}
    return environment


def head_variables(title: str, styles: tuple[str, ...], scripts: tuple[str, ...]) -> dict[str, Any]:
    """Return the variables of ``head.html.j2`` and of the script at the end of a page.

    Args:
        title: The page's title.
        styles: Names of style sheets beside this file, joined in this order.
        scripts: Names of scripts beside this file, joined in this order.

    Returns:
        Title, style, script, what runs early, and the hashes by which the content security policy of the page allows
        exactly these elements (CSP Level 3, section 2.3.1): markup that got into the page could run nothing.
    """
    style, script = _joined(styles), _joined(scripts)
    return {
        "title": title,
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": _csp_hash(style),
        "script_hash": _csp_hash(script),
        "early": Markup(_EARLY),
        "early_hash": _csp_hash(_EARLY),
    }


def _joined(names: tuple[str, ...]) -> str:
    folder = files("cuesense.reports.html")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _csp_hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
