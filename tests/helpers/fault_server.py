"""A program that imports everything once and then runs each command in a fork of itself, with the fault that is asked.

It reads one JSON request a line and answers with one line each, so that a command starts in milliseconds and can be
killed. What is patched is patched here and in the fork alone: the package has no hooks for tests. The fork counts the
system calls that change the watched folder by Python's audit events (``sys.addaudithook``), and is killed before, or
told that the disk is full instead of, the one that the request names.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from cuesense.__main__ import main as run_command
from cuesense.cli.signals import end_once, exit_code
from cuesense.inference import units
from cuesense.training import linear_probe

_MODULES = (
    "cuesense.cli.app",
    "cuesense.workflows.analyze",
    "cuesense.workflows.measure",
    "cuesense.workflows.audit",
    "cuesense.workflows.forecast",
    "cuesense.workflows.score",
    "cuesense.workflows.transfer",
    "cuesense.workflows.verify",
    "cuesense.models.compact",
    "cuesense.perturbations.color",
    "cuesense.perturbations.geometry",
    "cuesense.reports.html.audit",
    "kornia.color",
    "kornia.geometry",
    "cuesense.reports.terminal.profile",
    "cuesense.reports.terminal.verification",
    "cuesense.reports.terminal.audit",
    "tests.helpers.planted_profiles",
    "tests.helpers.sweep_networks",
)
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Several shards of a few images.
_SHARD_SIZE = 8
_HELD_BACK = {signal.SIGINT, signal.SIGTERM}


class _Fault:
    """Counts what changes a folder, and kills, refuses or sends a signal at one of these."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.folder, self.kill_at, self.full_at = request["watch"], request.get("kill_at"), request.get("full_at")
        self.send_at, self.signal = request.get("send", (None, 0))
        self.count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        if not (opened or event in _CHANGES) or not str(arguments[0]).startswith(self.folder):
            return
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.count == self.send_at:
            os.kill(os.getpid(), self.signal)
        # A full disk stays full; files can still be removed.
        refused = opened or event in ("os.rename", "os.mkdir")
        if self.full_at is not None and self.count >= self.full_at and refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _run(request: dict[str, Any]) -> None:
    """Run a command in this process, which ends with it."""
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if request.get("file_limit"):
        # The kernel then refuses what is longer, which stands for a disk that is full in the middle of a file.
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_limit"], request["file_limit"]))
    fault = _Fault(request)
    sys.addaudithook(fault)
    sys.argv = ["cuesense", *request["command"]]
    code = 1
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_once()
    try:
        # From here on the command is interrupted as one that a shell started.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)
        run_command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt as interruption:
        code = exit_code(interruption)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if request.get("count"):
            Path(request["count"]).write_text(str(fault.count))
        os._exit(code)


def main() -> None:
    """Answer requests until the input ends: a command is answered by its process's number, a wait by its exit code."""
    for name in _MODULES:
        importlib.import_module(name)
    # Small work: several shards of a few images, heads of one penalty.
    units.SHARD_SIZE = _SHARD_SIZE
    linear_probe._PENALTIES, linear_probe._STEPS = (0.1,), 5  # type: ignore[assignment]
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            status = os.waitpid(request["wait"], 0)[1]
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _run(request)
        answers.write(f"{answer}\n")
        answers.flush()


if __name__ == "__main__":
    main()
