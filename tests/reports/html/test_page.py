"""What every page shares: escaping, hashes and the script of the table."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from cuesense.reports.html.page import head_variables, template_environment, with_code
from tests.helpers.page_checks import HOSTILE, sha256


@pytest.mark.parametrize("name", HOSTILE)
def test_every_text_is_escaped(name: str) -> None:
    source = template_environment().from_string("<b>{{ name }}</b>").render(name=name)
    inside = source.removeprefix("<b>").removesuffix("</b>")
    assert not {"<", ">", '"', "'"} & set(inside)


@pytest.mark.parametrize("name", HOSTILE)
def test_commands_and_options_are_code_and_names_stay_text(name: str) -> None:
    said = with_code(f"Run `cuesense check <B>` with --max-drop 0.1, of {name}.")
    start = "Run <code>cuesense check &lt;B&gt;</code> with <code>--max-drop</code> 0.1, of "
    assert said.startswith(start)
    rest = said.removeprefix(start).replace("<code>", "").replace("</code>", "")
    assert not {"<", ">", '"', "'"} & set(rest)


def test_a_variable_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        template_environment().from_string("{{ missing }}").render()


def test_hashes_are_of_the_files_joined_in_order() -> None:
    first, both = (
        head_variables("t", ("page.css",), scripts) for scripts in (("table.js",), ("table.js", "results.js"))
    )
    assert both["script"].startswith(first["script"])
    assert len(both["script"]) > len(first["script"])
    for found in (first, both):
        assert found["script_hash"] == sha256(found["script"])
        assert found["style_hash"] == sha256(found["style"])
    swapped = head_variables("t", ("page.css",), ("results.js", "table.js"))
    assert swapped["script_hash"] != both["script_hash"]


def test_no_script_can_end_its_element_early() -> None:
    for name in ("table.js", "profile.js", "results.js"):
        assert "</script" not in head_variables("t", (), (name,))["script"]


@pytest.mark.parametrize("name", ["profile.js", "results.js"])
def test_pages_leave_the_table_to_the_script_that_they_share(name: str) -> None:
    own, shared = (head_variables("t", (), (script,))["script"] for script in (name, "table.js"))
    assert own.count("classTable({") == 1
    for part in ('getElementById("search")', '"hashchange"', "Intl.Collator", '"beforeprint"', "aria-sort"):
        assert part in shared
        assert part not in own
