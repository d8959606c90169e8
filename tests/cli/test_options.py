"""An option has one name, one meaning and one help text in all commands."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from PIL import Image

from cuesense.cli import app
from cuesense.cli.options import names_in
from cuesense.errors import SettingsError
from tests.helpers.command_line import COMMANDS, parameters, run
from tests.helpers.planted_profiles import write_trainable_profile

# Options of images and networks that come together.
_IMAGES = {"--image-size", "--resize", "--mean", "--std", "--channels", "--images-per-class"}
_IMAGES |= {"--data-root", "--split", "--download"}
_PROGRAMS = {"--weights-only", "--allow-code"}
_POLICY = {"--plugin", "--augmentations", "--probability", "--tolerance", "--risk"}
_TRAINING = {
    "--train",
    "--from",
    "--arch",
    "--weights-key",
    "--epochs",
    "--seeds",
    "--train-size",
    "--images-per-class",
    "--restart",
}
_RAY = {"--engine", "--ray-address", "--ray-workers", "--gpus-per-worker"}
_SWEEP = {"--regularizer", "--order", "--tolerance", "--confidence", "--profile"}

OPTIONS = {
    "analyze": _IMAGES
    | {"--weights-only"}
    | {"--dataset", "--arch", "--class-names", "--config", "--output", "--batch-size", "--device", "--precision"}
    | {"--workers", "--seed", "--tolerance", "--confidence", "--risk", "--groups", "--restart", "--json"}
    | {"--allow-nondeterministic", "--weights-key", "--augmentations", "--plugin", "--probe", "--yes"}
    | _RAY
    | {"--pipeline", "--timm-args", "--torchvision-args", "--part", "--compile", "--dry-run", "--adaptive"},
    "merge": {"--json"},
    "score": {
        "--plugin",
        "--output",
        "--class-names",
        "--groups",
        "--image-size",
        "--tolerance",
        "--confidence",
        "--risk",
        "--json",
    },
    "recommend": _POLICY
    | _PROGRAMS
    | _TRAINING
    | _RAY
    | {
        "--format",
        "--grouped",
        "--per-class",
        "--all-but",
        "--head",
        "--model",
        "--dataset",
        "--data-root",
        "--split",
        "--download",
    }
    | {"--device", "--image-size", "--output", "--allow-nondeterministic", "--json"},
    "verify": _POLICY
    | _TRAINING
    | _RAY
    | {"--weights-only", "--allow-nondeterministic"}
    | {"--test", "--output", "--data-root", "--split", "--download", "--device", "--workers", "--json"},
    "audit": _IMAGES
    | _PROGRAMS
    | _SWEEP
    | _RAY
    | {"--dataset", "--accuracies", "--accepted", "--similarity", "--output", "--arch", "--class-names"}
    | {"--weights-key"}
    | {"--batch-size", "--device", "--workers", "--restart", "--json", "--allow-nondeterministic"},
    # It has no --batch-size: the size of the batches is fixed where features are computed.
    "transfer": _IMAGES
    | _PROGRAMS
    | _SWEEP
    | _RAY
    | {"--dataset", "--train", "--output", "--arch", "--weights-key", "--device", "--workers", "--restart", "--json"}
    | {"--allow-nondeterministic"},
    "compare": _IMAGES
    | {"--weights-only"}
    | {"--dataset", "--arch", "--weights-key", "--class-names", "--config", "--batch-size", "--workers"}
    | {"--device", "--restart"}
    | {"--output", "--json", "--allow-nondeterministic"},
    "check": {"--baseline", "--max-drop", "--max-worst-class-loss", "--format", "--junit", "--json"},
    "demo": {"--output", "--json"},
    "report": {"--format", "--output"},
    "explain": {"--json"},
    "preview": {"--dataset", "--arch", "--weights-key", "--class-names", "--config", "--augmentations", "--plugin"}
    | {"--images", "--image-size", "--seed", "--data-root", "--split", "--download", "--weights-only", "--output"},
    "list": {"--json"},
}

# Commands in which an option differs, and why.
EXCEPTIONS = {
    # These write one file, all others a folder of results.
    ("--output", "recommend"),
    ("--output", "report"),
    # The formats of a policy, of a report and of a gate are others.
    ("--format", "recommend"),
    ("--format", "report"),
    ("--format", "check"),
    ("--output", "preview"),
    # There they are measured beside those of the configuration; elsewhere they are chosen from.
    ("--augmentations", "analyze"),
    ("--augmentations", "preview"),
    # Images are named by the first argument where no model is.
}


def options(command: str) -> dict[str, Any]:
    """Return the options of a command by their first name."""
    return {entry.opts[0]: entry for entry in parameters(command).values() if entry.opts[0].startswith("--")}


def value_types(command: str) -> dict[str, frozenset[type]]:
    """Return the type of each parameter; that an option may be left out does not matter."""
    (function,) = (function for name, function, _ in app.COMMANDS if name == command)
    hints = get_type_hints(function)
    return {name: frozenset(get_args(hint) or (hint,)) - {NoneType} for name, hint in hints.items()}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_just_these_options(command: str) -> None:
    assert set(options(command)) == OPTIONS[command]


def test_the_same_option_is_the_same_in_every_command() -> None:
    seen: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for command in COMMANDS:
        types = value_types(command)
        for name, entry in options(command).items():
            if (name, command) not in EXCEPTIONS:
                seen[name].add((types[entry.name], entry.help, entry.metavar, *entry.secondary_opts))
    assert {name: kinds for name, kinds in seen.items() if len(kinds) > 1} == {}


def test_the_exceptions_are_alike() -> None:
    files = [(name, command) for name, command in EXCEPTIONS if name == "--output"]
    kinds = {(options(command)[name].help, options(command)[name].metavar) for name, command in files}
    assert kinds == {("File to write.", "FILE"), ("File to write; - for stdout.", "FILE")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_and_option_has_a_help_text_that_is_a_sentence(command: str) -> None:
    for entry in parameters(command).values():
        assert entry.help[0].isupper() or entry.name == "format_" or entry.name == "similarity", entry.name
        assert entry.help.endswith("."), entry.name


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_is_named_as_its_argument_in_the_code(command: str) -> None:
    renamed = {"--from": "start", "--format": "format_"}
    for name, entry in options(command).items():
        assert entry.name == renamed.get(name, name[2:].replace("-", "_"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, None),
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        (" color_jitter ,a", ["color_jitter", "a"]),
        ("a,,b,", ["a", "b"]),
    ],
)
def test_names_are_split_at_commas(text: str | None, names: list[str] | None) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_no_name_at_all_is_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="augmentations to be names with commas between them"):
        names_in(text)


@pytest.mark.parametrize("command", ["analyze", "audit", "transfer", "compare", "verify", "recommend"])
def test_the_part_of_a_dataset_reaches_every_command(command: str, model_file: Path, tmp_path: Path) -> None:
    for name in ("train/cat/1", "train/dog/2", "val/cat/3", "val/dog/4"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (int(name[-1]), 0, 0)).save(path)
    profile = write_trainable_profile(tmp_path)
    runs = tmp_path / "runs.csv"
    runs.write_text(f"model,regularizer,strength,seed\n{model_file},weight_decay,0,0\n{model_file},weight_decay,1,0\n")
    data = ["--dataset", tmp_path / "photos", "--split", "test"]
    given = {
        "analyze": [model_file, *data],
        "audit": [runs, *data],
        "transfer": [runs, *data],
        "compare": [model_file, model_file, *data],
        "verify": [profile, "--train", tmp_path / "photos", "--test", tmp_path / "photos", "--split", "test"],
        "recommend": [profile, "--train", tmp_path / "photos", *data],
    }[command]
    done = run("-q", command, *given, "--output", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert "to be one of 'val', 'train', but got 'test'. Name one of them." in done.stderr
    assert "--split" in done.stderr
