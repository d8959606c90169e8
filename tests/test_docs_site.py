"""The site builds without a warning and needs no other host; what its pages name exists."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

import cuesense
from tests.helpers.command_line import COMMANDS, long_flags
from tests.helpers.documents import blocks, commands

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# A command inside a sentence.
INLINE = re.compile(r"`(cuesense(?: -[qv])? [a-z]+ [^`]+)`")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("mkdocs") is None or find_spec("material") is None or find_spec("mkdocstrings") is None:
        pytest.skip("the site needs mkdocs: pip install 'cuesense[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loaded(HTMLParser):
    """What a browser fetches by itself when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        names = ("src", "srcset", "poster", "data") if tag != "link" or given.get("rel") == "canonical" else ("href",)
        self.addresses += [given[name] or "" for name in names if name in given]


def test_no_page_fetches_anything_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for page in pages:
        parser = Loaded()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.addresses
        assert [address for address in parser.addresses if re.match(r"(https?:)?//", address)] == [], page


def test_pages_stand_in_the_order_in_which_a_person_needs_them(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    order = ["index", "quickstart", "report", "training", "auditing", "ci", "reference/command-line", "method"]
    navigation = re.findall(r'class="md-nav__link[^"]*"[^>]*href="(?:\./)?([^"#]+)\.html"', text)
    navigation += re.findall(r'href="(?:\./)?([^"#]+)\.html" class="md-nav__link', text)
    places = [navigation.index(name) for name in order[1:]]
    assert places == sorted(places)


def test_references_are_of_every_command_name_and_file(site: Path) -> None:
    pages = {
        name: (site / "reference" / f"{name}.html").read_text("utf-8") for name in ("command-line", "python", "json")
    }
    for command in COMMANDS:
        assert f"cuesense {command}" in pages["command-line"]
        for flag in long_flags(command):
            assert flag in pages["command-line"]
    for name in set(cuesense.__all__) - {"CueLabel", "__version__"}:
        assert f'id="cuesense.{name}"' in pages["python"], name
    for schema in (ROOT / "assets").glob("*.schema.json"):
        assert schema.name in pages["json"]
    for used in ("Profile.read", "schemas.audit.Audit.plot", "reports.plots.profile.ProfilePlots.curves"):
        assert f'id="cuesense.{used}"' in pages["python"], used
    for internal in ("Profile.problems", "CuesenseError.for_command_line"):
        assert internal not in pages["python"]
    # What stands for itself in Markdown without a backslash, such as in code, must not show one.
    for name, page in pages.items():
        assert not re.search(r"\\[|*_<\[]", re.sub(r"<[^>]+>", "", page)), name


def test_links_of_the_pages_lead_to_files_of_the_repository() -> None:
    """So that the pages can also be read where the source is shown."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def named_commands(page: Path) -> list[str]:
    """Return the commands of a page, in blocks and in sentences."""
    text = page.read_text(encoding="utf-8")
    shown = [line for block in blocks(text) if block.language == "sh" for line in commands(block.code)]
    return [line for line in [*shown, *INLINE.findall(re.sub(r"\s+", " ", text))] if line.startswith("cuesense ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    for line in named_commands(page):
        command, *arguments = [word for word in shlex.split(line)[1:] if word not in ("-q", "-v")]
        assert command in COMMANDS, line
        given = {word.partition("=")[0] for word in arguments if word.startswith("--") and " " not in word}
        assert given <= {*long_flags(command), "--help"}, line
