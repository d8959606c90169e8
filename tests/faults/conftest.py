"""What all tests of faults share: one server, its inputs, and what each command leaves when nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.fault_runs import Inputs, Server, content, served


@dataclass(frozen=True)
class Faults:
    """Commands on small inputs, and what they leave when nothing goes wrong.

    Attributes:
        server: What runs them.
        inputs: What they read.
        folder: Where the undisturbed runs are.
    """

    server: Server
    inputs: Inputs
    folder: Path

    def undisturbed(self, command: str, network: str = "0.0_0.pt") -> tuple[dict[str, bytes], int, Path]:
        """Return what a command leaves, by how many system calls, and where; it runs once for all tests."""
        output, counted = self.folder / network / command, self.folder / f"{network}-{command}"
        if not counted.exists():
            self.inputs.prepare(command, output)
            changes = self.server.changes(self.inputs.command(command, output, network), output)
            counted.write_text(str(changes))
        return content(output), int(counted.read_text()), output


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    folder = tmp_path_factory.mktemp("faults")
    with served(folder / "logs") as server:
        yield Faults(server, Inputs.made(folder / "inputs", server), folder / "undisturbed")
