"""Running commands as a user does, in this process or in one of their own, and reading the table of commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner, Result

from cuesense.cli.app import app

COMMANDS = (
    "analyze",
    "merge",
    "score",
    "recommend",
    "verify",
    "audit",
    "transfer",
    "compare",
    "check",
    "demo",
    "report",
    "explain",
    "preview",
    "list",
)
# What makes a small network read small images as they are.
SMALL_IMAGES = ["--image-size", "16", "--resize", "16", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]


def run(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def analyze(model: object, data: object, output: Path, *more: object, quiet: bool = False) -> Result:
    """Analyze a small network with the smallest preset; quietly where it refuses only what it tries to run."""
    return run(
        *["-q"] * quiet,
        "analyze",
        model,
        "--dataset",
        data,
        "--output",
        output,
        "--config",
        "quick",
        *SMALL_IMAGES,
        *more,
    )


def run_in_process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return run_python("import cuesense.cli.app; cuesense.cli.app.main()", *arguments, **options)


def run_python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own; what it prints comes back as text."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def without(modules: set[str]) -> str:
    """Return a program that runs the command in its arguments and fails where one of these modules was imported."""
    return (
        "import sys; from cuesense.cli.app import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"found = {modules!r} & set(sys.modules)\nassert not found, found"
    )


def parameters(command: str) -> dict[str, Any]:
    """Return the arguments and options of a command by the name of their Python parameter, without --help."""
    return {entry.name: entry for entry in get_command(app).commands[command].params}  # type: ignore[attr-defined]


def long_flags(command: str) -> set[str]:
    """Return the long names of a command's options."""
    found = (name for entry in parameters(command).values() for name in [*entry.opts, *entry.secondary_opts])
    return {name for name in found if name.startswith("--")}


def assert_one_sentence(result: Result, said: str) -> None:
    """Check that a command refused its input in one line on stderr, which has these words."""
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("cuesense: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
