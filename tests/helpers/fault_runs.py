"""Commands that keep work, small enough for hundreds of runs, and what their folders must hold at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.helpers.planted_profiles import TEST, TRAIN, write_trainable_profile
from tests.helpers.small_networks import NAMES, picture
from tests.helpers.sweep_networks import ARCH, write_networks

COMMANDS = ("analyze", "score", "recommend", "verify", "audit", "transfer")
_IMAGES = ["--image-size", "16", "--resize", "16", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]
_CONFIG = "[perturbations]\ngrayscale = [1.0]\nhorizontal_flip = [1.0]\n"
# What differs between two equal runs (the time), and what only a killed run leaves (its lock and a temporary file).
_CREATED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\+00:00|Z)")
_LEFT_BEHIND = re.compile(r"^\.cuesense(\.lock|-\w+\.tmp)$")


@dataclass
class Run:
    """A command that runs in a process of its own.

    Attributes:
        server: What started it.
        pid: Its process.
        log: What it prints.
        code: Its exit code once it has ended; minus the signal's number where one ended it.
    """

    server: Server
    pid: int
    log: Path
    code: int | None = None

    def wait(self) -> int:
        if self.code is None:
            self.code = self.server.ask({"wait": self.pid})
        return self.code

    def send(self, number: signal.Signals) -> None:
        if self.code is None:
            os.kill(self.pid, number)

    def running(self) -> bool:
        """Return whether the process is there and no zombie."""
        status = Path(f"/proc/{self.pid}/stat")
        return self.code is None and status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Server:
    """The program of ``fault_server``, which imports everything once."""

    process: subprocess.Popen[str]
    folder: Path
    runs: list[Run] = field(default_factory=list)

    def ask(self, request: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, command: list[object], watch: Path, **fault: Any) -> Run:
        """Start a command; see ``fault_server`` for the faults."""
        log = self.folder / f"{len(self.runs)}.log"
        request = {"command": [str(part) for part in command], "watch": str(watch), "log": str(log), **fault}
        run = Run(self, self.ask(request), log)
        self.runs.append(run)
        return run

    def changes(self, command: list[object], watch: Path) -> int:
        """Run a command to its end, and return how many system calls changed the watched folder."""
        counted = self.folder / "count"
        run = self.start(command, watch, count=str(counted))
        assert run.wait() == 0, run.said
        return int(counted.read_text())


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Start the server, and end it and what it still runs at the end of the context."""
    folder.mkdir(parents=True, exist_ok=True)
    environment, root = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}, Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.helpers.fault_server"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, cwd=root, **pipes) as process:
        server = Server(process, folder)
        try:
            yield server
        finally:
            for run in server.runs:
                run.send(signal.SIGKILL)
            process.kill()


@dataclass(frozen=True)
class Inputs:
    """The files that the commands read.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @classmethod
    def made(cls, folder: Path, server: Server) -> Inputs:
        """Write networks, photographs, a configuration, a profile to train for, and a table of predictions."""
        write_networks(folder, strengths=(0.0, 1.0), seeds=1)
        for label, name in enumerate(NAMES):
            (folder / "photos" / name).mkdir(parents=True)
            for number in range(8):
                Image.fromarray(picture(100 * label + number, label)).save(folder / "photos" / name / f"{number}.png")
        (folder / "config.toml").write_text(_CONFIG)
        write_trainable_profile(folder)
        found = cls(folder)
        run = server.start(found.command("analyze", folder / "analyzed"), folder / "analyzed")
        assert run.wait() == 0, run.said
        return found

    def prepare(self, command: str, output: Path) -> None:
        """Put into an output folder what a command expects there: recommend and verify write into a profile."""
        if command in ("recommend", "verify"):
            output.mkdir(parents=True)
            shutil.copy(self.folder / "small" / "profile.json", output)

    def command(self, name: str, output: Path, network: str = "0.0_0.pt") -> list[object]:
        """Return a command that keeps its work in a folder."""
        folder, sweep = self.folder, ["--arch", ARCH, *_IMAGES, "--output", output]
        photos = ["--dataset", folder / "photos", *sweep]
        training = ["--train", TRAIN, "--epochs", "0.3", "--augmentations", "random_resized_crop"]
        commands: dict[str, list[object]] = {
            "analyze": [folder / network, "--config", folder / "config.toml", *photos],
            "score": [folder / "analyzed" / "predictions.parquet", "--output", output],
            "recommend": [output, *training, "--dataset", TEST, "--output", output / "policy.yaml"],
            "verify": [output, *training, "--test", TEST, "--seeds", "1", "--output", output / "verified"],
            "audit": [folder / "runs.csv", *photos],
            "transfer": [folder / "runs.csv", *photos],
        }
        return [name, *commands[name]]


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path, as it is but for the time at which it was made and the folder's name.

    A page names the folder in the command to run next.
    """
    named = re.compile(rb"(cuesense \w+ |<bdi>)" + re.escape(folder.name.encode()) + rb"\b")
    return {
        str(path.relative_to(folder)): named.sub(rb"\1FOLDER", _CREATED.sub(b"TIME", path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_BEHIND.match(path.name)
    }


def assert_whole(folder: Path) -> None:
    """Check that every file that is there can be read to its end, as its kind demands."""
    for path in folder.rglob("*"):
        if not path.is_file() or _LEFT_BEHIND.match(path.name):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".npz":
            with np.load(path) as archive:
                assert all(archive[name] is not None for name in archive.files)
        elif path.suffix in (".html", ".svg"):
            assert path.read_text().rstrip().endswith(("</html>", "</svg>"))
        elif path.suffix == ".parquet":
            assert path.read_bytes()[-4:] == b"PAR1"
        else:
            assert path.read_bytes().endswith(b"\n")
