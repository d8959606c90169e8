"""A disk that is full at any moment: one sentence, exit code 2, every file whole or absent, and the run can go on."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Faults
from tests.helpers.fault_runs import COMMANDS, assert_whole, content

_ROUNDS = 1


def refused_and_resumed(faults: Faults, command: str, output: Path, **fault: Any) -> None:
    expected = faults.undisturbed(command)[0]
    faults.inputs.prepare(command, output)
    arguments = faults.inputs.command(command, output)
    run = faults.server.start(arguments, output, **fault)
    assert run.wait() == 2, f"{fault}: {run.said}"
    said = [line for line in run.said.splitlines() if line.startswith("cuesense: ")]
    assert len(said) == 1, run.said
    assert "writable, but got '" in said[0], run.said
    assert "Traceback" not in run.said
    assert "Exception ignored" not in run.said
    assert_whole(output)
    assert not list(output.rglob(".cuesense*")), "temporary files and locks are removed"
    again = faults.server.start(arguments, output)
    assert again.wait() == 0, f"{fault}: {again.said}"
    assert content(output) == expected, fault


def refusable(faults: Faults, command: str) -> range:
    """The changes of a command without the last ones, which remove its lock after the last file is written."""
    return range(1, faults.undisturbed(command)[1] - 1)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_sentence_and_the_run_can_go_on(faults: Faults, command: str, tmp_path: Path) -> None:
    for at in random.Random(command).sample(refusable(faults, command), _ROUNDS):
        refused_and_resumed(faults, command, tmp_path / str(at), full_at=at)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_may_be_full_at_any_change(faults: Faults, command: str, tmp_path: Path) -> None:
    for at in refusable(faults, command):
        refused_and_resumed(faults, command, tmp_path / str(at), full_at=at)


@pytest.mark.parametrize("limit", [1500, 3000, 10_000])
def test_a_disk_that_is_full_within_a_file_is_one_sentence(faults: Faults, limit: int, tmp_path: Path) -> None:
    refused_and_resumed(faults, "analyze", tmp_path / "out", file_limit=limit)


@pytest.mark.parametrize("command", ["analyze", "score", "audit", "transfer"])
def test_a_device_is_no_output_folder(faults: Faults, command: str, tmp_path: Path) -> None:
    arguments = ["/dev/full" if part == tmp_path else part for part in faults.inputs.command(command, tmp_path)]
    run = faults.server.start(arguments, tmp_path)
    assert run.wait() == 2, run.said
    assert "Traceback" not in run.said
    assert "\ncuesense: Expected --output to be a folder, but got the file" in f"\n{run.said}"


def test_a_shorter_disk_keeps_what_was_done(faults: Faults, tmp_path: Path) -> None:
    """Where the disk fills up after the first shards, these are kept and not computed again."""
    expected, _, undisturbed = faults.undisturbed("analyze")
    output = tmp_path / "out"
    shutil.copytree(undisturbed / "outcomes", output / "outcomes")
    max((output / "outcomes").glob("shard-*.npz")).unlink()
    kept = {path: path.stat().st_mtime_ns for path in (output / "outcomes").glob("shard-*.npz")}
    refused_and_resumed(faults, "analyze", output, full_at=2)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert content(output) == expected
