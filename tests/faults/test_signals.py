"""Ctrl-C and SIGTERM, once and in storms: an honest sentence, the right exit code, and a run that can go on."""

from __future__ import annotations

import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Faults
from tests.helpers.fault_runs import Run, assert_whole, content


def ended(run: Run, output: Path) -> None:
    """Check that an interrupted command says what is on the disk."""
    assert "Traceback" not in run.said, run.said
    assert "Exception ignored" not in run.said, run.said
    assert run.code in (0, 130, 143), run.said
    assert_whole(output)
    if run.code == 0:
        return
    assert run.said.count("cuesense: interrupted; ") == 1, run.said
    parts = len(list(output.rglob("shard-*.npz")))
    kept = re.search(r"kept: (\d+) finished parts? in .*/outcomes, from where the same command goes on\.", run.said)
    assert (int(kept[1]) if kept else 0) == parts, run.said
    files = [path for path in output.glob("*.*") if path.is_file() and not path.name.startswith(".")]
    assert ("written: " in run.said) == bool(files), run.said
    assert ("nothing was written" in run.said) == (not parts and not files), run.said
    assert not list(output.rglob(".cuesense*")), "temporary files and locks are removed"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("parts", [0, 1, 3])
def test_an_interruption_says_what_is_kept(
    faults: Faults, number: signal.Signals, code: int, parts: int, tmp_path: Path
) -> None:
    """Stopped where so many parts are there: the process is halted there by the signal itself, not by chance."""
    output = tmp_path / "out"
    at = {0: 5, 1: 13, 3: 33}[parts]
    run = faults.server.start(faults.inputs.command("analyze", output), output, send=[at, int(number)])
    assert run.wait() == code, run.said
    ended(run, output)
    again = faults.server.start(faults.inputs.command("analyze", output), output)
    assert again.wait() == 0, again.said
    assert content(output) == faults.undisturbed("analyze")[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_signals_ends_a_command_once(faults: Faults, seed: int, tmp_path: Path) -> None:
    source, output = random.Random(seed), tmp_path / "out"
    at = source.randrange(1, faults.undisturbed("analyze")[1])
    run = faults.server.start(faults.inputs.command("analyze", output), output, send=[at, int(signal.SIGINT)])
    while run.running() and not output.exists():
        time.sleep(0.01)
    for _ in range(40):
        time.sleep(source.random() / 100)
        run.send(source.choice([signal.SIGINT, signal.SIGTERM]))
    run.wait()
    ended(run, output)
    again = faults.server.start(faults.inputs.command("analyze", output), output)
    assert again.wait() == 0, again.said
    assert content(output) == faults.undisturbed("analyze")[0]


def test_after_a_restart_the_same_command_would_begin_anew(faults: Faults, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = [*faults.inputs.command("analyze", output), "--restart"]
    run = faults.server.start(command, output, send=[16, int(signal.SIGINT)])
    assert run.wait() == 130, run.said
    assert "from where the same command without --restart goes on." in run.said


def test_a_command_that_keeps_no_parts_says_what_it_wrote(faults: Faults, tmp_path: Path) -> None:
    changes, output = faults.undisturbed("score")[1], tmp_path / "out"
    run = faults.server.start(faults.inputs.command("score", output), output, send=[changes // 2, int(signal.SIGINT)])
    assert run.wait() == 130, run.said
    ended(run, output)
    assert f"cuesense: interrupted; written: {output}" in run.said
