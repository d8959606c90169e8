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


def test_help_begins_with_the_public_names_and_says_what_each_is_for() -> None:
    shown = pydoc.render_doc("cuesense", renderer=pydoc.plaintext)
    overview = shown.partition("PACKAGE CONTENTS")[0]
    assert "cuesense.analyze(" in overview
    old = {"CueLabel"}
    assert {name for name in OBJECTS if not re.search(rf"\b{name}\b", overview)} == old


def test_help_shows_every_public_function_and_class_with_its_docstring_and_no_other() -> None:
    shown = pydoc.render_doc("cuesense", renderer=pydoc.plaintext)
    classes, _, functions = shown.partition("\nFUNCTIONS\n")
    names = set(re.findall(r"^    (\w+)\(", functions.partition("\nDATA\n")[0], re.MULTILINE))
    assert names == {name for name in OBJECTS if inspect.isfunction(getattr(cuesense, name))}
    assert set(re.findall(r"^    class (\w+)\(", classes, re.MULTILINE)) >= {"Profile", "Policy", "CuesenseError"}
    for name in names:
        assert inspect.getdoc(getattr(cuesense, name)).splitlines()[0] in functions  # type: ignore[union-attr]


def test_help_lists_rooms_and_not_every_module() -> None:
    shown = pydoc.render_doc("cuesense", renderer=pydoc.plaintext)
    contents = re.search(r"PACKAGE CONTENTS\n(.*?)\n\n", shown, re.DOTALL)
    assert contents is not None
    files = [line for line in contents[1].splitlines() if not line.endswith(" (package)")]
    # At most thirteen files beside the rooms: __init__ and py.typed are the two that pydoc does not list.
    assert len(files) <= 11
