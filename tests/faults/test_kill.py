"""kill -9 at any moment: every file is whole or absent, and the same command ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.faults.conftest import Faults
from tests.helpers.fault_runs import COMMANDS, assert_whole, content

_ROUNDS = {"recommend": 1, "verify": 1}


def killed_and_resumed(faults: Faults, command: str, output: Path, at: int) -> None:
    """Kill a command before one of its changes, and let it run again to its end."""
    expected = faults.undisturbed(command)[0]
    faults.inputs.prepare(command, output)
    arguments = faults.inputs.command(command, output)
    run = faults.server.start(arguments, output, kill_at=at)
    assert run.wait() == -signal.SIGKILL, f"{at}: {run.said}"
    assert_whole(output)
    again = faults.server.start(arguments, output)
    assert again.wait() == 0, f"{at}: {again.said}"
    # recommend writes where it is told to: the folder's name stands in no file.
    assert content(output) == expected, at


@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_goes_on_and_ends_the_same(faults: Faults, command: str, tmp_path: Path) -> None:
    changes = faults.undisturbed(command)[1]
    for at in random.Random(command).sample(range(1, changes + 1), _ROUNDS.get(command, 2)):
        killed_and_resumed(faults, command, tmp_path / str(at), at)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_may_be_killed_before_any_of_its_changes(faults: Faults, command: str, tmp_path: Path) -> None:
    for at in range(1, faults.undisturbed(command)[1] + 1):
        killed_and_resumed(faults, command, tmp_path / str(at), at)


def test_a_restart_that_was_killed_can_be_done_again(faults: Faults, tmp_path: Path) -> None:
    """Also with other settings: nothing of the earlier run is left at the end, and nothing blocks the next one."""
    expected, changes, _ = faults.undisturbed("analyze")
    for at in random.Random(1).sample(range(1, changes), 2):
        output = tmp_path / str(at)
        other = faults.server.start(faults.inputs.command("analyze", output, "1.0_0.pt"), output)
        assert other.wait() == 0, other.said
        command = [*faults.inputs.command("analyze", output), "--restart"]
        assert faults.server.start(command, output, kill_at=at).wait() == -signal.SIGKILL
        assert_whole(output)
        again = faults.server.start(command, output)
        assert again.wait() == 0, again.said
        assert content(output) == expected, at
