"""How many threads work at a time on the CPU, and how they wait for each other.

Kept free of torch at import: how OpenMP's threads wait is settled when torch loads it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

# Some 20 to 50 microseconds, which bridge the gap between two operators. On busy cores a run of mobilenet_v3_small on
# two threads took 2.4 CPU seconds with it, 2.2 without spinning, 5 with ten times as much and 24 by default.
_SPINS = "1000"
# So many numbers torch adds on two threads: its grain is 32,768.
_SHARED = 1 << 16


def limit_spinning() -> None:
    """Let GNU OpenMP's threads leave their core to others soon while they wait; call it before torch is imported.

    By default they keep it busy for milliseconds after every operator. Two runs on the same cores then wait for each
    other's waiting, which took ten times the CPU time. What the environment says of it (``GOMP_SPINCOUNT``,
    ``OMP_WAIT_POLICY``) stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def single_threads() -> ThreadPoolExecutor | None:
    """Return as many threads as an operator may use, each of which runs its operators alone.

    An operator on one image is too short to be shared: its threads would wait longer than they work.

    Returns:
        Threads that have started, and end when the pool is collected or shut down; None where one is allowed.
    """
    import torch

    count = torch.get_num_threads()
    if count == 1:
        return None
    pool = ThreadPoolExecutor(count, "cuesense-image", initializer=_use_one_thread)
    pool.submit(_shorten_spinning).result()
    # A pool starts a thread only when all others are at work: here they wait for the last one.
    started = Barrier(count)
    list(pool.map(lambda _: started.wait(), range(count)))
    # A number counts for the thread that sets it, but threads of others begin with the one that was set last.
    torch.set_num_threads(count)
    return pool


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    # A thread takes the number that was set last, by whatever thread, when it first asks for it.
    torch.get_num_threads()


def _shorten_spinning() -> None:
    """Let threads of OpenMP spin shortly, for programs that imported torch before they could say so.

    GNU's OpenMP spins a thousandth of the time where it has started more threads than there are cores. The one that
    is started here sleeps as long as the pool's thread lives.
    """
    import torch

    torch.set_num_threads(2)
    torch.zeros(_SHARED).add_(1)
    _use_one_thread()
