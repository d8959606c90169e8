"""What ``import cuesense`` gives: quick, typed, and shown by ``help``."""

from __future__ import annotations

import ast
import inspect
import pydoc
import re
from importlib.metadata import version

import pytest

import cuesense
from cuesense.types import CueVerdict
from tests.helpers.command_line import run_python

OBJECTS = [name for name in cuesense.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", OBJECTS)
def test_every_public_name_is_an_object_with_a_docstring(name: str) -> None:
    found = getattr(cuesense, name)
    assert callable(found)
    assert inspect.getdoc(found)


def test_names_for_type_checkers_are_those_that_are_imported_later() -> None:
    tree = ast.parse(inspect.getsource(cuesense))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    declared = {(alias.asname or alias.name): (node.module, alias.name) for node in imports for alias in node.names}
    assert set(declared) == set(OBJECTS)
    for name, (module, original) in declared.items():
        found = getattr(cuesense, name)
        assert (found.__module__, found.__name__) == (module, original)


def test_the_verdict_keeps_its_first_name() -> None:
    assert cuesense.CueLabel is cuesense.CueVerdict is CueVerdict


def test_the_version_is_that_of_the_distribution() -> None:
    assert cuesense.__version__ == version("cuesense")


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'cuesense' has no attribute 'analyse'"):
        cuesense.analyse  # noqa: B018
    assert not hasattr(cuesense, "version")


def test_dir_shows_the_public_names_alone() -> None:
    assert dir(cuesense) == sorted(cuesense.__all__)


def test_importing_brings_nothing_heavy() -> None:
    heavy = {"torch", "numpy", "pandas", "scipy", "pydantic", "typer", "rich", "importlib.metadata"}
    code = f"import sys, cuesense; found = {heavy} & set(sys.modules); assert not found, found"
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_the_command_line_and_statistics_of_a_profile_need_no_torch() -> None:
    names = ("recommend", "export", "report", "score", "compare", "check")
    code = f"import sys, cuesense; [getattr(cuesense, name) for name in {names}]; assert 'torch' not in sys.modules"
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_help_is_short_and_says_of_every_public_name_what_it_is_for() -> None:
    shown = pydoc.render_doc("cuesense", renderer=pydoc.plaintext)
    assert len(shown.splitlines()) <= 300
    overview = shown.partition("PACKAGE CONTENTS")[0]
    assert "cuesense.analyze(" in overview
    old = {"CueLabel"}
    assert {name for name in OBJECTS if not re.search(rf"\b{name}\b", overview)} == old
    assert "\nFUNCTIONS\n" not in shown
    assert "\nCLASSES\n" not in shown


def test_every_public_function_has_a_line_of_its_own_with_arguments_that_it_takes() -> None:
    overview = cuesense.__doc__ or ""
    functions = {name for name in OBJECTS if inspect.isfunction(getattr(cuesense, name))}
    lines = dict(re.findall(r"^    (\w+)\(([^)]*)\)+ +\S", overview, re.MULTILINE))
    assert functions <= lines.keys()
    # What register takes is itself made of arguments.
    for name in functions - {"register"}:
        named = [part for part in lines[name].split(", ") if part.isidentifier()]
        assert named
        assert set(named) <= set(inspect.signature(getattr(cuesense, name)).parameters)


def test_what_help_says_of_a_profile_and_a_policy_is_there() -> None:
    found = re.findall(r"^    (?:Profile|Policy)? +(\w+)(?:\.\w+)?[\[(]", cuesense.__doc__ or "", re.MULTILINE)
    assert {"classes", "to_frame", "plot", "ranking", "report", "to_fiftyone", "export"} == set(found)
    known = {*dir(cuesense.Profile), *cuesense.Profile.model_fields, *dir(cuesense.Policy)}
    assert set(found) <= known


def test_a_star_import_brings_every_public_name() -> None:
    found: dict[str, object] = {}
    exec("from cuesense import *", found)
    assert set(cuesense.__all__) <= found.keys()


def test_the_names_that_editors_read_are_those_that_are_there() -> None:
    tree = ast.parse(inspect.getsource(cuesense))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    (names,) = (node.value for node in block.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(names) == cuesense.__all__


def test_help_lists_rooms_and_not_every_module() -> None:
    shown = pydoc.render_doc("cuesense", renderer=pydoc.plaintext)
    contents = re.search(r"PACKAGE CONTENTS\n(.*?)\n\n", shown, re.DOTALL)
    assert contents is not None
    files = [line for line in contents[1].splitlines() if not line.endswith(" (package)")]
    # At most thirteen files beside the rooms: __init__ and py.typed are the two that pydoc does not list.
    assert len(files) <= 11
