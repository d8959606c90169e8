"""What ends a command early: once, with the exit code of the signal, and at once where the user insists."""

from __future__ import annotations

import signal
import subprocess

import pytest

from cuesense.cli.signals import TerminationError, exit_code
from tests.helpers.command_line import run_python

# Jobs in the background of a shell ignore Ctrl-C: where the tests run as one, the child must heed it all the same.
START = (
    "import os, signal, sys, time\nfrom cuesense.cli import signals\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler); signals.end_once()\n"
    "def send(name): os.kill(os.getpid(), getattr(signal, name)); time.sleep(0.01)\n"
)


def ran(code: str) -> subprocess.CompletedProcess[str]:
    return run_python(START + code)


def test_exit_codes_are_those_of_shells() -> None:
    assert exit_code(KeyboardInterrupt()) == 130
    assert exit_code(TerminationError()) == 143


@pytest.mark.parametrize(("first", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_what_follows_the_first_signal_does_not_disturb_the_cleaning_up(first: str, code: int) -> None:
    done = ran(
        f"try:\n    send('{first}')\nexcept KeyboardInterrupt as end:\n"
        "    for _ in range(50): send('SIGINT'); send('SIGTERM')\n"
        "    print('cleaned up'); sys.exit(signals.exit_code(end))"
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "cleaned up\n", "")


def test_a_later_signal_ends_a_cleaning_up_that_hangs() -> None:
    done = ran(
        "signals._SAME_WISH_SECONDS = 0.2\ntry:\n    send('SIGINT')\nexcept KeyboardInterrupt:\n"
        "    send('SIGINT'); time.sleep(0.3); send('SIGINT'); print('not reached')"
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "cuesense: interrupted again; ended at once.\n"


def test_signals_that_a_shell_ignores_stay_ignored() -> None:
    done = run_python(
        "import os, signal\nfrom cuesense.cli.signals import end_once\n"
        "for name in ('SIGINT', 'SIGTERM'): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
        "end_once()\nos.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGTERM); print('goes on')"
    )
    assert (done.returncode, done.stdout) == (0, "goes on\n"), done.stderr


def test_other_threads_install_nothing() -> None:
    done = run_python(
        "import signal, threading\nfrom cuesense.cli.signals import end_once\n"
        "thread = threading.Thread(target=end_once); thread.start(); thread.join()\n"
        "assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM)])
def test_a_command_can_be_interrupted_while_it_is_imported(name: str, code: int) -> None:
    done = ran(
        "class Slow:\n    def find_spec(self, name, *_):\n"
        f"        if name == 'cuesense.cli.app': send('{name}')\n"
        "sys.meta_path.insert(0, Slow())\nfrom cuesense.__main__ import main\nmain()"
    )
    assert (done.returncode, done.stdout) == (128 + code, "")
    assert done.stderr == "cuesense: interrupted; nothing was written.\n"
