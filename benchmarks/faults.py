"""Kill commands at random moments, and start two runs in one folder at once: nothing may be lost or mixed.

    PYTHONPATH=. python benchmarks/faults.py --trials 200

A trial of ``kill`` ends one of the commands that keep work with SIGKILL, every second time before a system call that
changes its folder, else after a random time, and lets the same command run again: it must end with the same bytes as an
undisturbed run (but for the time of its start). A trial of ``two`` starts two analyses of different networks in one
folder within half a second: one must end as if alone, and the other must be refused. Prints the counts as JSON, and
ends with 1 if one trial went wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.fault_runs import COMMANDS, Inputs, Server, assert_whole, content, served

NETWORKS = ("0.0_0.pt", "1.0_0.pt")


class Trials:
    """The inputs, and what undisturbed runs leave."""

    def __init__(self, server: Server, folder: Path, seed: int) -> None:
        self.server, self.folder, self.source = server, folder, random.Random(seed)
        self.inputs = Inputs.made(folder / "inputs", server)
        self.expected: dict[str, dict[str, bytes]] = {}
        self.changes: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        for name in COMMANDS:
            self.undisturbed(name, name)
        for network in NETWORKS:
            self.undisturbed(network, "analyze", network)

    def undisturbed(self, key: str, name: str, network: str = NETWORKS[0]) -> None:
        """Keep what a command leaves, in how many changes and how long it takes."""
        output = self.folder / "undisturbed" / key
        self.inputs.prepare(name, output)
        start = time.monotonic()
        self.changes[key] = self.server.changes(self.inputs.command(name, output, network), output)
        self.seconds[key] = time.monotonic() - start
        self.expected[key] = content(output)

    def kill(self, number: int) -> str:
        """Kill a command and resume it; return what came of it."""
        name, output = COMMANDS[number % len(COMMANDS)], self.folder / "trial"
        self.inputs.prepare(name, output)
        command = self.inputs.command(name, output)
        if number // len(COMMANDS) % 2:
            run = self.server.start(command, output, kill_at=self.source.randint(1, self.changes[name]))
        else:
            run = self.server.start(command, output)
            time.sleep(self.source.random() * self.seconds[name])
            run.send(signal.SIGKILL)
        ended = run.wait()
        assert_whole(output)
        again = self.server.start(command, output)
        if again.wait() != 0 or content(output) != self.expected[name]:
            return f"{name}: WRONG"
        return f"{name}: " + ("killed and resumed" if ended == -signal.SIGKILL else "ended before")

    def two(self, _: int) -> str:
        """Start two runs in one folder; return what came of them."""
        output, networks = self.folder / "trial", self.source.sample(NETWORKS, 2)
        first = self.server.start(self.inputs.command("analyze", output, networks[0]), output)
        time.sleep(self.source.random() / 2)
        second = self.server.start(self.inputs.command("analyze", output, networks[1]), output)
        codes = first.wait(), second.wait()
        well = [network for network, code in zip(networks, codes, strict=True) if code == 0]
        if len(well) != 1 or sorted(codes) != [0, 2] or content(output) != self.expected[well[0]]:
            return "WRONG"
        return "one ended as if alone, the other was refused"


def main() -> None:
    """Run the trials and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=["kill", "two"], action="append")
    given = parser.parse_args()
    counts: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "logs") as server:
        trials = Trials(server, Path(folder), given.seed)
        for kind in given.kind or ["kill", "two"]:
            counts[kind] = {}
            for number in range(given.trials):
                found = getattr(trials, kind)(number)
                counts[kind][found] = counts[kind].get(found, 0) + 1
                shutil.rmtree(trials.folder / "trial", ignore_errors=True)
                print(f"{kind} {number + 1} of {given.trials}: {found}", file=sys.stderr, flush=True)
    print(json.dumps(counts, indent=1, sort_keys=True))
    sys.exit(any("WRONG" in found for results in counts.values() for found in results))


if __name__ == "__main__":
    main()
