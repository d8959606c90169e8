"""The house: folders that say what they are for, imports without circles, few parameters, tests that mirror the code.

Read from the source alone. ``PYTHONPATH=. python benchmarks/house.py`` prints the same measures.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.helpers.package_source import (
    ROOT,
    TOP,
    Module,
    between,
    between_rooms,
    circle,
    comments_per_thousand_lines,
    imports,
    modules,
    parameters,
    wide_functions,
)

MOST_TOP_FILES = 13
MOST_PARAMETERS = 7
MOST_LINES = 500
FEWEST_COMMENTS = 15
# Folders that users import by name.
PUBLIC_ROOMS = {"testing"}

PACKAGE = modules()
TESTS = {name: source for name, source in modules("tests").items() if source.path.name.startswith("test_")}
ROOMS = {source.room: source for source in PACKAGE.values() if source.path.name == "__init__.py" and source.room != TOP}
SMALL_FILES = {name for name, source in PACKAGE.items() if source.room == TOP} - {"cuesense", "cuesense.__main__"}

# Tests of what many files do together, or of the repository itself: no single file of the package is theirs.
WITHOUT_MIRROR = {
    "tests/test_architecture.py",
    "tests/test_benchmark_families.py",
    "tests/test_benchmark_scale.py",
    "tests/test_cue_model.py",
    "tests/test_docs.py",
    "tests/test_docs_pages.py",
    "tests/test_docs_scripts.py",
    "tests/test_docs_site.py",
    "tests/test_examples.py",
    "tests/test_fuzz.py",
    "tests/test_gpu.py",
    "tests/test_inputs.py",
    "tests/test_kornia_first.py",
    "tests/test_notebook.py",
    "tests/test_public_names.py",
    "tests/test_single_cue.py",
    "tests/test_wheel.py",
    "tests/datasets/test_contract.py",
    "tests/exporters/test_exporters.py",
    "tests/faults/test_disk_full.py",
    "tests/faults/test_kill.py",
    "tests/faults/test_signals.py",
    "tests/faults/test_two_runs.py",
    "tests/hostile/test_limits.py",
    "tests/hostile/test_received.py",
    "tests/hostile/test_weights_only.py",
    "tests/models/test_libraries.py",
    "tests/perturbations/test_contract.py",
    "tests/perturbations/test_kornia.py",
    "tests/perturbations/test_references.py",
    "tests/planted/test_cues.py",
}


def test_the_top_level_holds_few_files() -> None:
    files = {path.name for path in (ROOT / "cuesense").iterdir() if path.is_file()}
    assert {"__init__.py", "__main__.py", "py.typed"} <= files
    assert len(files) <= MOST_TOP_FILES, sorted(files)


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent.relative_to(ROOT / "cuesense") for path in (ROOT / "cuesense").rglob("*.py")}
    assert {".".join(folder.parts) for folder in folders if folder.parts} == ROOMS.keys()


@pytest.mark.parametrize("room", ROOMS)
def test_a_folder_says_in_one_docstring_what_it_is_for_and_may_import(room: str) -> None:
    source = ROOMS[room]
    assert len(source.tree.body) == 1 or room in PUBLIC_ROOMS, "only a docstring"
    text = " ".join((ast.get_docstring(source.tree) or "").split())
    purpose, _, allowed = text.partition("May import ")
    assert "TODO" not in text
    assert len(purpose.split()) >= 4
    assert allowed
    if not re.match(r"everything|what ", allowed) and "below" not in allowed:
        named = set(re.findall(r"\w+", allowed.partition(".")[0]))
        used = {target for target in between_rooms(PACKAGE)[room] if not target.startswith("cuesense")}
        assert {target.partition(".")[0] for target in used} - {room} <= named


def test_no_imports_run_in_a_circle() -> None:
    assert circle(between(PACKAGE)) == []
    assert circle(between_rooms(PACKAGE)) == []


def test_the_small_files_import_only_each_other() -> None:
    edges = between(PACKAGE)
    assert {name: edges[name] - SMALL_FILES for name in SMALL_FILES if edges[name] - SMALL_FILES} == {}
    assert edges["cuesense"] == set(), "public names are imported when they are first used"


def test_no_internal_function_has_many_parameters() -> None:
    assert wide_functions(PACKAGE, MOST_PARAMETERS) == []


def test_no_severity_is_found_by_comparing_floats() -> None:
    assert [name for name, source in PACKAGE.items() if re.search(r"ladder\.index\(", source.text)] == []


def test_no_file_is_long() -> None:
    sources = [*PACKAGE.values(), *modules("tests").values(), *modules("benchmarks").values()]
    assert {str(source.path): source.lines for source in sources if source.lines > MOST_LINES} == {}


def test_comments_say_why() -> None:
    assert comments_per_thousand_lines(PACKAGE) >= FEWEST_COMMENTS


def test_no_test_imports_from_another_test() -> None:
    known = modules("tests")
    reached = {name: imports(source, known) & TESTS.keys() for name, source in TESTS.items()}
    assert {name: sorted(targets) for name, targets in reached.items() if targets} == {}


def test_tests_mirror_the_package() -> None:
    # What a browser shows is made by templates, styles and scripts, which are no modules.
    paths = {source.path for source in TESTS.values() if source.path.parent != Path("tests/browser")}
    assert {
        str(path) for path in paths if not any((ROOT / file).is_file() for file in mirrored(path))
    } == WITHOUT_MIRROR


def mirrored(path: Path) -> list[Path]:
    """The files that a test module may be about: ``test_cues_thresholds.py`` is about thresholds of ``cues.py``."""
    words = path.stem.removeprefix("test_").split("_")
    folder = Path("cuesense", *path.parts[1:-1])
    return [folder / f"{'_'.join(words[:count])}.py" for count in range(len(words), 0, -1)]


def written(tmp_path: Path, text: str, name: str = "cuesense.some") -> Module:
    (tmp_path / "some.py").write_text(text)
    return Module(tmp_path / "some.py", name)


def test_imports_are_read_everywhere_but_under_type_checking(tmp_path: Path) -> None:
    text = (
        "from cuesense import a, __version__\nimport cuesense.b\nimport numpy\n"
        "if TYPE_CHECKING:\n    import cuesense.c\nelse:\n    import cuesense.d\n"
        "def f():\n    from cuesense.e import name\n"
    )
    source = written(tmp_path, text)
    known = dict.fromkeys(("cuesense", *(f"cuesense.{letter}" for letter in "abcde"), "cuesense.some"), source)
    assert imports(source, known) == {"cuesense", "cuesense.a", "cuesense.b", "cuesense.d", "cuesense.e"}


def test_a_circle_is_found_and_its_absence_too() -> None:
    assert circle({"a": {"b", "d"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_parameters_are_counted_without_self(tmp_path: Path) -> None:
    text = (
        "def f(a, /, b, *rest, c, **more): ...\n"
        "class C:\n    def g(self, a): ...\n    @staticmethod\n    def h(a):\n        def inner(self): ...\n"
    )
    assert parameters(written(tmp_path, text)) == {"f": 5, "C.g": 1, "C.h": 1, "C.h.inner": 1}


def test_wide_functions_spare_the_public_ones_and_the_commands(tmp_path: Path) -> None:
    wide = written(tmp_path, "def run(a, b): ...\ndef hidden(a, b): ...\ndef narrow(a): ...\n")
    face = Module(tmp_path / "face.py", "cuesense")
    (tmp_path / "face.py").write_text("from cuesense.some import run")
    assert wide_functions({"cuesense": face, "cuesense.some": wide}, 1) == ["cuesense.some:hidden"]
    assert wide_functions({"cuesense": face, "cuesense.some": wide}, 2) == []


def test_comments_are_counted_without_directives_and_strings(tmp_path: Path) -> None:
    source = written(tmp_path, "# why\nx = '# no'  # because\nimport y  # noqa: F401\nz = 1  # type: ignore[x]\n")
    assert (source.comments, source.lines) == (2, 4)
