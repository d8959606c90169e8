"""The code blocks of a Markdown page, and running them in the order in which a reader would."""

from __future__ import annotations

import importlib.util
import re
import runpy
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cuesense.cli.app import app

# Languages whose blocks are for a reader's eyes: what a command prints.
SHOWN = ("text",)
_FENCE = re.compile(r"^(?P<indent> *)```(?P<head>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that its title names, and its text without indentation."""

    language: str
    file: str | None
    code: str


def blocks(markdown: str) -> list[Block]:
    """Return the fenced code blocks of a page, also those inside tabs and lists."""
    found = []
    for match in _FENCE.finditer(markdown):
        language, _, attributes = match["head"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', attributes)
        code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        found.append(Block(language, title[1] if title else None, code))
    return found


def commands(code: str) -> list[str]:
    """Return the commands of a shell block; a backslash at the end of a line joins it to the next."""
    joined = re.sub(r"\\\n\s*", " ", code)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


@dataclass
class Reader:
    """Someone who follows a page in the current folder: saves the files that it shows and runs what it says.

    Attributes:
        not_run: Beginnings of commands, or names of files, that cannot run on a bare machine, and why.
        scope: The variables of the page's Python blocks, which run one after another.
        output: What the commands printed, in order.
    """

    not_run: dict[str, str]
    scope: dict[str, Any] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Save the block if it has a file's name; else run it."""
        if block.file:
            self.save(block)
        elif block.language in ("sh", "bash", "console"):
            for command in commands(block.code):
                self.run(command)
        elif block.language == "python":
            exec(compile(block.code, "page", "exec"), self.scope)
        elif block.language == "yaml":
            yaml.safe_load(block.code)
        elif block.language not in SHOWN:
            pytest.fail(f"a block in {block.language!r} is neither run nor shown:\n{block.code}")

    def save(self, block: Block) -> None:
        """Write the block's file; Python must compile, and the commands of a workflow for CI run."""
        path = Path(block.file or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding="utf-8")
        if block.language == "python":
            compile(block.code, str(path), "exec")
        if block.language == "yaml":
            for step in steps(yaml.safe_load(block.code)):
                for command in commands(step):
                    self.run(command)

    def run(self, command: str) -> None:
        """Run a command that the page gives, in this process, and expect exit code 0."""
        if any(command.startswith(beginning) for beginning in self.not_run):
            self.left_out.append(command)
            return
        command, _, target = re.sub(r" >> ?", " > ", command).partition(" > ")
        program, *arguments = shlex.split(command)
        if program == "cuesense":
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, (command, done.output, done.exception)
            self.output.append(done.output)
            if target:
                Path(target.strip('"').replace("$", "")).write_text(done.stdout, encoding="utf-8")
        elif program == "python":
            run_file(arguments)
        else:
            pytest.fail(f"what should run {command!r}? Say in the test why it cannot")


def run_file(arguments: list[str]) -> None:
    """Run a Python file with arguments as ``python FILE ARGUMENT...`` does."""
    before, sys.argv = sys.argv, arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    finally:
        sys.argv = before


def steps(workflow: object) -> list[str]:
    """Return the scripts of a workflow's steps (``run`` of GitHub, ``script`` of GitLab), wherever they stand."""
    if isinstance(workflow, dict):
        found = []
        for key, value in workflow.items():
            if key in ("run", "script"):
                found += [value] if isinstance(value, str) else list(value)
            else:
                found += steps(value)
        return found
    return [step for entry in workflow for step in steps(entry)] if isinstance(workflow, list) else []


def script(name: str) -> ModuleType:
    """Return a script of ``docs/`` as a module."""
    path = Path(__file__).parents[2] / "docs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"docs_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
