"""One run a folder: another thread or process is refused, and what a killed run leaves behind blocks nobody."""

from __future__ import annotations

import errno
import logging
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cuesense.errors import OutputError
from cuesense.stores import lock
from cuesense.stores.lock import LOCK, locked

HOLD = "import sys, time; from pathlib import Path; from cuesense.stores.lock import locked\n"


@contextmanager
def other_process(folder: Path, code: str = "time.sleep(60)") -> Iterator[subprocess.Popen[str]]:
    """Hold a folder in another process until the end of the context."""
    program = f"{HOLD}with locked(Path({str(folder)!r})):\n    print('held', flush=True)\n    {code}"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_another_process_is_refused_with_who_holds_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with other_process(folder) as process:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(OutputError) as refused, locked(folder):
            pass
        assert sorted(tmp_path.rglob("*")) == before
    said = refused.value.for_command_line
    assert said.startswith(f"Expected the output folder '{folder}' to be used by one run at a time, but got another")
    assert f"(process {process.pid} on {platform.node()}, since 20" in said
    assert said.endswith("Wait until it ends, stop it, or give another --output.")


def test_a_killed_process_blocks_nobody(tmp_path: Path) -> None:
    with other_process(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / LOCK).is_file()
    with locked(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / LOCK).read_text()
    assert list(tmp_path.iterdir()) == []


def test_another_thread_is_refused(tmp_path: Path) -> None:
    found: list[str] = []

    def run() -> None:
        try:
            with locked(tmp_path):
                found.append("held")
        except OutputError as error:
            found.append(str(error))

    with locked(tmp_path):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert re.search(f"this process {os.getpid()} on", found[0])
    with locked(tmp_path):
        pass


def test_a_child_of_a_fork_keeps_nothing(tmp_path: Path) -> None:
    """A worker that outlives a killed run must not hold its folder."""
    with other_process(tmp_path, "import os; os.fork() or time.sleep(20); time.sleep(20)") as process:
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked(tmp_path):
            pass


def test_a_child_of_a_fork_does_not_end_its_parents_lock(tmp_path: Path) -> None:
    code = "import os\n    if os.fork(): os.wait(); print('child done', flush=True); time.sleep(60)"
    with other_process(tmp_path, code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "child done\n"
        with pytest.raises(OutputError, match="one run at a time"), locked(tmp_path):
            pass


@pytest.mark.parametrize("parents", [(), ("a", "b")])
def test_a_folder_that_stays_empty_is_removed_where_it_was_made(tmp_path: Path, parents: tuple[str, ...]) -> None:
    folder = tmp_path.joinpath(*parents, "out")
    with locked(folder) as fresh:
        assert fresh
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert list(tmp_path.iterdir()) == []
    folder.mkdir(parents=True)
    with locked(folder) as fresh:
        assert not fresh
    assert list(folder.iterdir()) == []
    with locked(folder / "new"):
        (folder / "new" / "profile.json").write_text("{}")
    assert [path.name for path in (folder / "new").iterdir()] == ["profile.json"]


def test_an_error_frees_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), locked(tmp_path / "out"):
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_no_folder_needs_no_lock() -> None:
    with locked(None) as fresh, locked(None):
        assert not fresh


def test_one_may_wait_for_a_short_run(tmp_path: Path) -> None:
    with other_process(tmp_path, "time.sleep(0.3)"), locked(tmp_path, wait=60):
        pass
    refused = pytest.raises(OutputError, match="Come again")
    with other_process(tmp_path), refused, locked(tmp_path, do="Come again", wait=0.1):
        pass


def test_a_lock_file_that_was_removed_meanwhile_is_not_taken_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run before removes its file after it was opened here: whoever comes next locks another one."""
    take, taken = lock._take, []

    def removed_before(descriptor: int) -> None:
        if not taken:
            (tmp_path / LOCK).unlink()
        taken.append(descriptor)
        take(descriptor)

    monkeypatch.setattr(lock, "_take", removed_before)
    with locked(tmp_path):
        assert len(taken) == 2
        with pytest.raises(OutputError, match="one run at a time"), locked(tmp_path):
            pass


def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_take", refused)
    with caplog.at_level(logging.WARNING), locked(tmp_path):
        pass
    assert f"The file system of {tmp_path} knows no locks (No locks available): make sure" in caplog.text


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = {
        tmp_path / "file": "a folder, but got the file",
        tmp_path / "file" / "out": "Not a directory",
        Path("/dev/full"): "a folder, but got the file",
        Path("/proc/cuesense/out"): "writable, but got",
    }
    for path, sentence in said.items():
        with pytest.raises(OutputError, match=sentence), locked(path):
            pass


def test_temporary_files_of_killed_runs_are_removed_and_young_ones_are_not(tmp_path: Path) -> None:
    old, young = tmp_path / ".cuesense-01.tmp", tmp_path / ".cuesense-02.tmp"
    for path in (old, young):
        path.write_text("half")
    long_ago = time.time() - 3600
    os.utime(old, (long_ago, long_ago))
    with locked(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, LOCK]


def test_of_many_at_once_one_holds_the_folder(tmp_path: Path) -> None:
    inside, seen, refused = [0], [], []

    def run() -> None:
        for _ in range(30):
            try:
                with locked(tmp_path / "out"):
                    inside[0] += 1
                    seen.append(inside[0])
                    time.sleep(0)
                    inside[0] -= 1
            except OutputError:
                refused.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {1}
    assert len(seen) + len(refused) == 120
