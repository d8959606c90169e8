"""Results in the formats that a report can have: a page, markdown, JSON, a model card, annotations of a CI run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from cuesense.errors import SettingsError, expected
from cuesense.schemas.audit import Audit
from cuesense.schemas.base import Document
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.gate import GateResult
from cuesense.schemas.profile import Profile
from cuesense.schemas.verification import Verification

JSON = "json"
# "module:function" by kind of document and format, imported when they are used: pages bring a template engine.
_RENDERERS: Mapping[type[Document], Mapping[str, str]] = {
    Profile: {
        "html": "cuesense.reports.html.profile:render",
        "markdown": "cuesense.reports.markdown.profile:render",
        "model-card": "cuesense.reports.markdown.model_card:render",
    },
    Audit: {"html": "cuesense.reports.html.audit:render"},
    Verification: {"html": "cuesense.reports.html.verification:render"},
    Comparison: {"html": "cuesense.reports.html.comparison:render"},
    GateResult: {
        "markdown": "cuesense.reports.markdown.gate:render",
        "github": "cuesense.reports.github:commands",
    },
}
# The usual name of a file in each format; the name of a page is that of its document.
_ENDINGS = {"html": ".html", "markdown": ".md", JSON: ".json", "model-card": ".md", "github": ".txt"}
_STEMS = {"model-card": "model-card"}
_OF_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".json": JSON}


def formats_of(kind: type[Document]) -> tuple[str, ...]:
    """Return the names of the formats that a kind of document has."""
    return (*_RENDERERS.get(kind, {}), JSON)


def render_document(document: Document, name: str) -> str:
    """Return a result in a format.

    Args:
        document: A profile, audit, verification, comparison or the result of a gate.
        name: The name of the format, for instance ``"markdown"``.

    Returns:
        The text of a file.

    Raises:
        SettingsError: The document has no such format; the sentence names those that it has.
    """
    _check(document, name)
    if name == JSON:
        return document.to_json()
    return _renderer(_RENDERERS[type(document)][name])(document)


def file_name(document: Document, name: str) -> str:
    """Return the usual name of a document's file in a format, for instance ``"report.md"`` or ``"verify.html"``.

    Raises:
        SettingsError: The document has no such format.
    """
    _check(document, name)
    stem = "report" if isinstance(document, Profile) else type(document).FILE_NAME.removesuffix(".json")
    return _STEMS.get(name, stem) + _ENDINGS[name]


def format_of(path: Path) -> str:
    """Return the name of the format that the ending of a file stands for: ``.html``, ``.htm``, ``.md`` or ``.json``.

    A file without an ending, such as a device, gets a page.

    Raises:
        SettingsError: It stands for none of them.
    """
    ending = path.suffix.lower() or ".html"
    if ending not in _OF_ENDINGS:
        do = "Give the file such a name, or name the format"
        raise SettingsError(expected("the report's file", "FILE.html, FILE.md or FILE.json", f"'{path.name}'", do))
    return _OF_ENDINGS[ending]


def _check(document: Document, name: str) -> None:
    kind = type(document)
    *others, last = formats_of(kind)
    if name not in (*others, last):
        to_be = f"{', '.join(others)} or {last}, the formats of this {kind.NOUN}" if others else f"{last}"
        raise SettingsError(expected("the format", to_be, f"'{name}'", "Name one of them"))


def _renderer(target: str) -> Callable[[Document], str]:
    module, _, function = target.partition(":")
    found: Callable[[Document], str] = getattr(import_module(module), function)
    return found
