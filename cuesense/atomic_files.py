"""Write files whole or not at all, and keep results in folders beside the settings that they were made with."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.errors import OutputError, expected

_MANIFEST = "settings.json"


def claim(folder: Path, settings: Mapping[str, Any], pattern: str, *, restart: bool = False) -> None:
    """Open a folder of a run's results, or create it.

    Args:
        folder: Where the results are.
        settings: Everything (JSON values) on which the results depend.
        pattern: Glob pattern of the results' files, such as ``"shard-*.npz"``.
        restart: Delete the results that are there.

    Raises:
        OutputError: The folder holds other files, or results of other settings, or cannot be written.
    """
    manifest = folder / _MANIFEST
    try:
        # Nothing in a folder that is not ours may be deleted or mixed with results.
        if folder.is_dir() and any(folder.iterdir()) and not manifest.is_file():
            raise OutputError(expected(str(folder), "a folder of cuesense", "other files", "Give another --output"))
        if restart:
            _delete_results(folder, pattern)
        # Settings without results are those of a run that was stopped before its first result: any run may take over.
        if manifest.is_file() and any(folder.glob(pattern)):
            _refuse_other(folder, _settings_in(manifest), settings)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(manifest, json.dumps(settings, indent=1).encode())
    except OSError as error:
        raise unwritable(folder, error) from None


def digest(settings: Mapping[str, Any], size: int = 8) -> str:
    """Return a short name for settings (JSON values), of twice as many hexadecimal digits as bytes."""
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=size).hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an ``.npz`` file, whole or not at all.

    Args:
        path: The file; its folder exists.
        arrays: What to keep, by name.

    Raises:
        OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
    """
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        # Replacing is atomic within a folder: an interrupted run leaves the temporary file, never a part of this one.
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise unwritable(path.parent, error) from None


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Read some of the arrays of an ``.npz`` file.

    Args:
        path: The file.
        names: Which arrays.

    Returns:
        The arrays by name.

    Raises:
        OutputError: The file is damaged or lacks one of them.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise OutputError(expected(str(path), "a whole file", "a damaged one", "Delete it and run again")) from None


def write_file(path: Path, content: str) -> None:
    """Write a text file whole or not at all.

    Args:
        path: The file; an older one is replaced. A device is written to.
        content: Its text, written as UTF-8.

    Raises:
        OutputError: The disk is full, the folder cannot be written, or the path is a folder.
    """
    refuse_folder(path)
    try:
        # /dev/stdout or a pipe cannot be replaced by a renamed file.
        if path.exists() and not path.is_file():
            path.write_bytes(content.encode())
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content.encode())
    except OSError as error:
        raise unwritable(path.parent, error) from None


def refuse_folder(path: Path) -> None:
    """Raise OutputError where the path of an output file is that of a folder."""
    if path.is_dir():
        raise OutputError(expected(f"the output '{path}'", "a file", "a folder", "Name a file in it"))


def refuse_same(path: Path, *sources: Path) -> None:
    """Raise OutputError where an output file is one of the files that a command reads, which it would replace.

    Args:
        path: The output file.
        sources: Files, or folders that hold a profile.json.
    """
    for source in sources:
        file = source / "profile.json" if source.is_dir() else source
        if path.exists() and file.exists() and path.samefile(file):
            do = "Name another file"
            raise OutputError(expected(f"the output '{path}'", "another file than the input", "the same file", do))


def unwritable(folder: Path, error: Exception) -> OutputError:
    """Return the error for a folder that cannot be written, with the system's reason."""
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return OutputError(
        expected(f"the output folder {folder}", "writable", f"'{reason}'", "Give another --output or free space")
    )


def _delete_results(folder: Path, pattern: str) -> None:
    for found in (_MANIFEST, pattern, "*.tmp"):
        for path in folder.glob(found):
            path.unlink()


def _settings_in(manifest: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(manifest.read_text())
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        do = "Give --restart to delete the run"
        raise OutputError(expected(str(manifest), "the settings of a run", "something else", do))
    return settings


def _refuse_other(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    # Through JSON, as the settings before: tuples become lists there, and would differ from themselves.
    now = json.loads(json.dumps(now))
    different = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if different:
        raise OutputError(
            expected(
                f"{folder.parent}",
                "empty or the result of the same settings",
                f"results with other {', '.join(different)}",
                "Give another --output, or --restart to delete them",
            )
        )


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
