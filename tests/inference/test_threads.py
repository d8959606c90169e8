"""Threads that run operators alone, beside those of the network."""

import gc
import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from cuesense.inference.threads import limit_spinning, single_threads


def in_a_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.usefixtures("three_threads")
def test_each_thread_runs_its_operators_alone_and_all_others_do_not() -> None:
    pool = single_threads()
    assert pool is not None
    together = threading.Barrier(3)

    def count(_: int) -> tuple[str, int]:
        together.wait(timeout=10)
        return threading.current_thread().name, torch.get_num_threads()

    found = dict(pool.map(count, range(3)))
    pool.shutdown()
    assert list(found.values()) == [1, 1, 1]
    assert torch.get_num_threads() == 3
    assert in_a_new_thread() == 3


def test_one_thread_needs_no_others() -> None:
    assert torch.get_num_threads() == 1
    assert single_threads() is None


@pytest.mark.usefixtures("three_threads")
def test_threads_end_with_their_pool() -> None:
    before = threading.active_count()
    pool = single_threads()
    assert threading.active_count() == before + 3
    del pool
    gc.collect()
    for _ in range(100):
        if threading.active_count() == before:
            return
        time.sleep(0.02)
    raise AssertionError


@pytest.mark.parametrize(
    ("given", "spins"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, None)],
)
def test_what_the_environment_says_stays(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], spins: str | None
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, given.get(name, ""))
        if name not in given:
            monkeypatch.delenv(name)
    limit_spinning()
    assert os.environ.get("GOMP_SPINCOUNT") == spins


_COMMAND = """
import os, sys
from cuesense.__main__ import main
sys.argv = ["cuesense", "--version"]
try:
    main()
except SystemExit:
    print(os.environ.get("GOMP_SPINCOUNT"), "torch" in sys.modules)
"""


def test_commands_settle_it_before_torch_is_imported() -> None:
    without = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", _COMMAND], env=without, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1000 False"
