"""Reading and damaging the files of arrays that runs keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.training.trials import TrialStore


def settings_in(folder: Path) -> dict[str, Any]:
    """Return the settings that a folder's files were made with."""
    found: dict[str, Any] = json.loads((folder / "settings.json").read_text())
    return found


def trials_in(folder: Path) -> TrialStore:
    """Return the trainings that a run kept."""
    return TrialStore.open(folder, settings_in(folder))


def without_marks(path: Path) -> None:
    """Write a file again as older versions did, which did not say what it belongs to."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name not in {"settings", "name"}}
    np.savez(path, **arrays)


def damaged(content: bytes, how: str) -> bytes:
    """Return a file's content as an accident leaves it."""
    middle = len(content) // 2
    return {
        "cut": content[:middle],
        "empty": b"",
        "text": b"hello",
        "zeros": bytes(len(content)),
        "one bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
    }[how]


DAMAGES = ("cut", "empty", "text", "zeros", "one bit")
