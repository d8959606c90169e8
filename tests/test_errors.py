"""Errors are one sentence, which names flags on the command line and arguments of the public functions in Python."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cuesense
from cuesense.datasets.load import DatasetOptions
from cuesense.errors import (
    CuesenseError,
    DatasetError,
    ModelError,
    OutputError,
    SettingsError,
    UnreadableImageError,
    argument_of,
    expected,
    first_line,
    name_arguments,
    naming,
    nearest,
    unknown,
)
from cuesense.workflows.preview import ModelOptions, PreviewOptions, preview
from tests.helpers.command_line import COMMANDS, long_flags

# The public functions that do a command's work.
FUNCTIONS = {
    "analyze": (cuesense.analyze,),
    # In Python, analyze is called again, with part="merge/N".
    "merge": (),
    "score": (cuesense.score,),
    "recommend": (cuesense.recommend, cuesense.export, cuesense.forecast),
    "verify": (cuesense.verify,),
    "audit": (cuesense.audit,),
    "transfer": (cuesense.transfer,),
    "compare": (cuesense.compare, cuesense.analyze),
    "check": (cuesense.check,),
    "demo": (),
    # No public functions: a profile has its classes by name, and perturb changes images.
    "explain": (),
    "preview": (preview, PreviewOptions, ModelOptions, DatasetOptions),
    "report": (cuesense.report,),
    "list": (),
}
# What only the command line does: printing, and writing what a function returns. Errors about it are raised there.
ONLY_ON_THE_COMMAND_LINE = {
    ("recommend", "--output"),
    ("compare", "--output"),
    ("demo", "--output"),
    ("check", "--junit"),
    *((command, "--json") for command in COMMANDS),
    # In Python, perturbations are registered by a call, and readings are tried by a function of their own.
    *((command, "--plugin") for command in ("score", "recommend", "verify")),
    ("analyze", "--probe"),
    ("analyze", "--dry-run"),
    # A question is asked at a terminal alone.
    ("analyze", "--yes"),
    # In Python the argument is called format; that of recommend names a library.
    ("report", "--format"),
    ("check", "--format"),
    # In Python, compare takes profiles, and models are analyzed by analyze.
    ("compare", "--dataset"),
    # In Python one argument names the images, and another the model.
    ("preview", "--dataset"),
}


def arguments(command: str) -> set[str]:
    return {name for function in FUNCTIONS[command] for name in inspect.signature(function).parameters}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_is_an_argument_of_the_function_behind_the_command(command: str) -> None:
    flags = long_flags(command) - {"--resume"}
    others = {flag for flag in flags if argument_of(flag).partition("=")[0] not in arguments(command)}
    assert others <= {flag for name, flag in ONLY_ON_THE_COMMAND_LINE if name == command}


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text in the package's code that is no docstring, apart from the command line's own."""
    root = Path(inspect.getfile(cuesense)).parent
    for path in sorted(root.rglob("*.py")):
        if "cli" in path.relative_to(root).parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
                yield path.relative_to(root), node.value


def test_no_message_names_a_flag_that_does_not_exist() -> None:
    known = {flag for command in COMMANDS for flag in long_flags(command)}
    # Exporters and readers of flags name those of another library's program, and pages the names of CSS variables.
    elsewhere = {"timm.py", "timm_flags.py", "torchvision_flags.py", "errors.py"}
    found = {
        (path.name, flag)
        for path, text in texts()
        if path.name not in elsewhere
        for flag in re.findall(r"(?<![\w/.-])--[a-z]+(?:-[a-z]+)*(?![\w:(])", text)
    }
    assert {entry for entry in found if entry[1] not in known} == set()
    assert ("validation.py", "--std") in found


@pytest.mark.parametrize(
    ("flag", "argument"),
    [
        ("--image-size", "image_size"),
        ("--train", "train"),
        ("--from", "start"),
        ("--train-size", "image_size"),
        ("--format", "library"),
        ("--restart", "restart=True"),
        ("--head", "head=True"),
        ("--per-class", 'scope="per_class"'),
        ("--grouped", 'scope="grouped"'),
    ],
)
def test_a_sentence_names_the_readers_word(flag: str, argument: str) -> None:
    error = SettingsError(f"Give {flag}, or leave {flag} out.")
    assert error.for_command_line == f"Give {flag}, or leave {flag} out."
    assert str(error) == f"Give {argument}, or leave {argument} out."


@pytest.mark.parametrize(
    "kept",
    [
        "Run `cuesense recommend PROFILE --train DATASET` first.",
        "no file at '--image-size'.",
        "no file at 'my photos --train and --test/a'.",
        "no file at /data/--train/a.",
        "a wrong--word, three --- dashes and -- two.",
    ],
)
def test_commands_names_of_files_and_dashes_stay(kept: str) -> None:
    assert str(SettingsError(kept)) == kept


def test_an_apostrophe_quotes_nothing() -> None:
    sentence = "The profile's size is not --image-size, but got 'a' and the runs' --mean."
    assert name_arguments(sentence) == "The profile's size is not image_size, but got 'a' and the runs' mean."


@given(st.text(alphabet="ab'`-/ .", max_size=30))
def test_naming_arguments_twice_changes_nothing_more(text: str) -> None:
    once = name_arguments(f"{text} --image-size")
    assert name_arguments(once) == once or "`" in text or "'" in text


def test_one_call_raises_both_names(tmp_path: Path) -> None:
    with pytest.raises(CuesenseError) as caught:
        cuesense.score(tmp_path / "none.csv", image_size=0)
    assert str(caught.value).startswith("Expected image_size to be a whole number")
    assert caught.value.for_command_line.startswith("Expected --image-size to be a whole number")


def test_the_usual_sentence() -> None:
    assert expected("--seed", "3", 4, "Change it") == "Expected --seed to be 3, but got 4. Change it."
    assert expected("--seed", "3", 4, "Did you mean '3'?") == "Expected --seed to be 3, but got 4. Did you mean '3'?"


def test_an_unknown_name_gets_the_nearest_or_all() -> None:
    assert unknown("preset 'quik'", "quik", ("standard", "quick")) == "Unknown preset 'quik'. Did you mean 'quick'?"
    assert unknown("preset 'x'", "x", ("standard", "quick")) == "Unknown preset 'x'. Choose one of quick, standard."
    assert nearest("x", ("b", "a")) == "Choose one of a, b"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one.\ntwo", "one"),
        ("  \n one", "one"),
        ("a" * 201, "a" * 200),
        (ValueError("wrong."), "wrong"),
        (ValueError(), "ValueError"),
        ("", "str"),
    ],
)
def test_the_first_line_of_what_went_wrong(text: object, line: str) -> None:
    assert first_line(text) == line


def test_an_unreadable_image_keeps_its_reason_apart_from_its_name() -> None:
    named = UnreadableImageError("it is empty", "the image 'a.jpg'")
    assert (str(named), named.reason) == ("Cannot read the image 'a.jpg': it is empty.", "it is empty")
    assert str(UnreadableImageError("it is empty")) == "it is empty"


def test_an_error_of_one_of_several_models_names_it_once() -> None:
    def said(name: str, error: CuesenseError) -> str:
        with pytest.raises(type(error)) as caught, naming(name):
            raise error
        return caught.value.for_command_line

    assert said("runs/a.pt", ModelError("Expected logits.")) == "In 'runs/a.pt': Expected logits."
    assert said("runs/a.pt", ModelError("Expected runs/a.pt to be whole.")) == "Expected runs/a.pt to be whole."
    assert said("a", DatasetError("Expected a thing.")) == "In 'a': Expected a thing."
    assert said("a", DatasetError("Expected 'a' to be.")) == "Expected 'a' to be."
    assert said("a", OutputError("Expected space.")) == "Expected space."
