"""Feed damaged files to every reader; anything but an answer or one sentence counts as a failure.

    PYTHONPATH=. python benchmarks/fuzz.py --seconds 60
    PYTHONPATH=. python benchmarks/fuzz.py --reader profiles --inputs 20000 --seed 7 --keep failing
    PYTHONPATH=. python benchmarks/fuzz.py --reader profiles --replay failing/profiles-7-123.json

Good files are damaged as bytes (flipped bits, cuts, splices, tokens) and in their structure (other types, lengths,
numbers, names, metadata). An input has failed where anything but a CuesenseError escapes, a command ends with a
traceback or another exit code than 0, 1 and 2, the process dies, or an answer takes more than 10 seconds or 2 GB. Each
input follows from the seed, the reader and its number alone. Readers run in a child process, which is started again
where it has to be stopped; ``docs/reliability.md`` keeps the counts.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import torch

from benchmarks.fuzzing.good_files import GoodFile, every
from benchmarks.fuzzing.readers import READERS, damaged
from cuesense.errors import CuesenseError

_SECONDS = 10
_BYTES = 2 * 1024**3
# An input may reserve more address space than it uses; a runaway is stopped here before the machine runs out.
_ADDRESSES = 4 * 1024**3
# The child stops itself after _SECONDS where Python still runs; this much later the parent stops it.
_GRACE = 5
# Where the child is looked after, in seconds between two looks.
_LOOK = 0.1
_KEPT_OF_EACH = 3
_FORK = multiprocessing.get_context("fork")


# What readers import when they are first used: imported once before the children, which would each do it again.
_WARM = (
    "pandas",
    "jinja2",
    "rich.console",
    "pyarrow.parquet",
    "typer.testing",
    "cuesense.cli.app",
    "cuesense.reports.html.audit",
    "cuesense.reports.html.profile",
    "cuesense.reports.terminal.audit",
    "cuesense.reports.terminal.comparison",
    "cuesense.reports.terminal.profile",
    "cuesense.reports.terminal.verification",
    "cuesense.workflows.analyze",
    "cuesense.workflows.measure",
    "cuesense.workflows.audit",
    "cuesense.workflows.recommend",
    "cuesense.workflows.score",
    "cuesense.workflows.verify",
)


class _TooSlowError(BaseException):
    """An input took too long; no reader may catch it as one of its own errors."""


@dataclass
class Counts:
    """What became of the inputs of one reader.

    Attributes:
        accepted: Inputs that were read.
        refused: Inputs that ended in one sentence.
        failed: How many inputs ended in each kind of failure, by what it was and where.
    """

    accepted: int = 0
    refused: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def inputs(self) -> int:
        """All inputs."""
        return self.accepted + self.refused + self.failed.total()


def main() -> int:
    """Run the readers, print the counts, and return 1 where an input failed."""
    options = _options()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    names = options.reader or list(READERS)
    if options.replay is not None:
        return _replay(names[0], options.replay)
    options.share = None if options.seconds is None else options.seconds / len(names)
    good = every()
    for module in _WARM:
        importlib.import_module(module)
    found: dict[str, Counts] = {}
    for name in names:
        started = time.monotonic()
        found[name] = _Campaign(name, good[name], options).run()
        _print_counts(name, found[name], time.monotonic() - started)
    failed = sum(counts.failed.total() for counts in found.values())
    print(f"{sum(counts.inputs for counts in found.values()):,} inputs, {failed:,} failed")
    if options.output is not None:
        options.output.write_text(json.dumps(_to_json(found, options.seed), indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Feed damaged files to every reader.")
    parser.add_argument("--seconds", type=float, help="time for all readers together, in equal shares")
    parser.add_argument("--inputs", type=int, help="inputs for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", action="append", choices=list(READERS), help="only this one; may be repeated")
    parser.add_argument("--keep", type=Path, help="folder for failing inputs")
    parser.add_argument("--output", type=Path, help="JSON file for the counts")
    parser.add_argument("--replay", type=Path, help="read this file with one --reader and show what happens")
    options = parser.parse_args()
    if options.seconds is None and options.inputs is None:
        options.seconds = 60.0
    return options


def _to_json(found: dict[str, Counts], seed: int) -> dict[str, Any]:
    readers = {
        name: {
            "inputs": counts.inputs,
            "accepted": counts.accepted,
            "refused": counts.refused,
            "failed": dict(counts.failed),
        }
        for name, counts in found.items()
    }
    return {"seed": seed, "readers": readers}


def _print_counts(name: str, counts: Counts, seconds: float) -> None:
    numbers = f"{counts.inputs:>8,} inputs {counts.accepted:>8,} read {counts.refused:>8,} refused"
    rate = counts.inputs / max(seconds, 1e-9)
    print(f"{name:<16} {numbers} {counts.failed.total():>6,} failed  ({rate:,.0f} a second)", flush=True)
    for what, times in counts.failed.most_common():
        print(f"    {times:>6,}  {what}", flush=True)


class _Campaign:
    """The inputs of one reader, in a child process that is watched and started again."""

    def __init__(self, name: str, good: list[GoodFile], options: argparse.Namespace) -> None:
        self._name, self._good, self._seed, self._keep = name, good, options.seed, options.keep
        self._inputs = options.inputs
        self._deadline = None if options.share is None else time.monotonic() + options.share
        self._counts = Counts()
        self._next = 0

    def run(self) -> Counts:
        """Return what became of the inputs."""
        while self._goes_on():
            here, there = _FORK.Pipe(duplex=False)
            child = _FORK.Process(target=self._work, args=(there,))
            child.start()
            there.close()
            self._watch(child, here)
            child.join()
        return self._counts

    def _goes_on(self) -> bool:
        enough = self._inputs is not None and self._next >= self._inputs
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return not (enough or late)

    def _watch(self, child: BaseProcess, here: Connection) -> None:
        """Count what the child reports, until it stops or has to be stopped."""
        since = time.monotonic()
        reason = None
        while reason is None:
            try:
                if here.poll(_LOOK):
                    self._count(here.recv())
                    since = time.monotonic()
                    continue
            except EOFError:
                child.join()
                # A child stops by itself after its last input, and after one that took much memory.
                reason = f"the process died with exit code {child.exitcode}" if child.exitcode else ""
                break
            if time.monotonic() - since > _SECONDS + _GRACE:
                reason = f"no answer after {_SECONDS + _GRACE} s"
        if reason:
            child.kill()
            self._count(reason)

    def _count(self, outcome: str) -> None:
        if outcome in ("accepted", "refused"):
            setattr(self._counts, outcome, getattr(self._counts, outcome) + 1)
        else:
            self._counts.failed[outcome] += 1
            if self._keep is not None and self._counts.failed[outcome] <= _KEPT_OF_EACH:
                self._keep.mkdir(parents=True, exist_ok=True)
                file, _ = self._input(self._next)
                kept = self._keep / f"{self._name}-{self._seed}-{self._next}{file.suffix}"
                kept.write_bytes(file.content)
        self._next += 1

    def _input(self, number: int) -> tuple[GoodFile, Random]:
        """Return an input, and the random numbers for what its reader chooses."""
        random = Random(f"{self._seed}/{self._name}/{number}")
        return damaged(random, self._good), random

    def _work(self, there: Connection) -> None:
        """Read inputs and report each; runs in the child."""
        _limit_addresses()
        before = _most_resident()
        with _folder(self._good) as folder:
            while self._goes_on():
                file, random = self._input(self._next)
                path = folder / f"input{file.suffix}"
                path.write_bytes(file.content)
                outcome = _outcome(self._name, path, random)
                grown = _most_resident() - before
                if grown > _BYTES:
                    outcome = f"{grown / 1024**3:.0f} GB of memory"
                there.send(outcome)
                self._next += 1
                if grown > _BYTES / 4:
                    # The peak of memory never falls: the next input would be blamed for it.
                    break
        there.close()
        # Without the clean-up of libraries, which a limit on addresses may disturb.
        os._exit(0)


@contextlib.contextmanager
def _folder(good: list[GoodFile]) -> Iterator[Path]:
    shared_memory = Path("/dev/shm")
    where = shared_memory if os.access(shared_memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as name:
        folder, here = Path(name), Path.cwd()
        (folder / "good.json").write_bytes(good[-1].content)
        # Commands without --output write into the working directory.
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(here)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)


def _limit_addresses() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").is_file() else 0
    if pages:
        limit = pages * resource.getpagesize() + _ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _most_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise _TooSlowError


def _outcome(name: str, path: Path, random: Random) -> str:
    """Return "accepted", "refused", or what went wrong and where."""
    signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            READERS[name](path, random)
    except CuesenseError as error:
        # The sentence is formed when it is printed, and must be one line that any terminal can show.
        return "refused" if "\n" not in str(error).strip() else f"a sentence of several lines ({_place(error)})"
    except _TooSlowError as error:
        return f"no answer after {_SECONDS} s ({_place(error)})"
    except BaseException as error:  # what else escapes is what is looked for
        return f"{type(error).__name__} ({_place(error)})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "accepted"


def _place(error: BaseException) -> str:
    """Return the innermost line of the package on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/cuesense/" in frame.filename]
    if not own:
        return "outside of cuesense"
    last = own[-1]
    return f"{last.filename.rpartition('/cuesense/')[2]}:{last.lineno} {last.name}"


def _replay(name: str, path: Path) -> int:
    """Read one file without limits and show what happens."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(path.read_bytes())
        (Path(folder) / "good.json").write_bytes(every()["profiles"][-1].content)
        try:
            READERS[name](copy, Random(0))
        except CuesenseError as error:
            print(error.for_command_line)
            return 0
    print("accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
