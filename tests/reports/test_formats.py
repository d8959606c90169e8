"""Every kind of result in every format that it has."""

from __future__ import annotations

import pytest

from cuesense.errors import SettingsError
from cuesense.reports import formats
from cuesense.reports.formats import file_name, formats_of, render_document
from cuesense.schemas.base import Document
from cuesense.schemas.documents import KINDS
from cuesense.schemas.profile import Profile
from cuesense.schemas.readings import ReadingTable
from tests.helpers.contract_documents import real


def _name(kind: type[Document]) -> str:
    """Return what the helper calls a document: the result of a check is its gate."""
    return "gate" if kind.NOUN == "check" else kind.NOUN


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NOUN)
def test_every_format_of_every_kind_is_text(kind: type[Document]) -> None:
    known = real(_name(kind))
    names = set()
    for name in formats_of(kind):
        text = render_document(known, name)
        assert text.strip(), name
        names.add(file_name(known, name))
    assert len(names) == len(formats_of(kind))
    assert render_document(known, "json") == known.to_json()


def test_files_are_named_after_their_document() -> None:
    named = {kind.NOUN: {file_name(real(_name(kind)), name) for name in formats_of(kind)} for kind in KINDS}
    assert named["profile"] == {"report.html", "report.md", "report.json", "model-card.md"}
    assert named["verification"] == {"verify.html", "verify.json"}
    assert named["audit"] == {"audit.html", "audit.json"}
    assert named["check"] == {"check.md", "check.txt", "check.json"}


@pytest.mark.parametrize("name", ["pdf", "", "github"])
def test_another_format_is_one_sentence_that_names_those_there_are(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        render_document(real("profile"), name)
    assert str(error.value) == (
        "Expected the format to be html, markdown, model-card or json, the formats of this profile, but got "
        f"'{name}'. Name one of them."
    )


def test_other_documents_have_json_alone() -> None:
    assert formats_of(ReadingTable) == ("json",)
    assert set(formats._RENDERERS) == set(KINDS)
    assert formats_of(Profile)[0] == "html"
