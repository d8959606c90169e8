"""What the network answered, kept in shards: the only module that knows how predictions lie on disk."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.errors import OutputError, expected

FOLDER = "outcomes"
SHARD_SIZE = 128
KEPT_SCORES = 32
_READ_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Shard:
    """The outcomes of up to SHARD_SIZE consecutive samples, condition-major.

    Attributes:
        labels: Class of each readable sample, (n,).
        positions: Place of each in the dataset's order of ids, (n,).
        predicted: Output with the largest logit, (M, n) for M conditions.
        p_true: Softmax probability of the true class's output, (M, n).
        margin: Logit of the true output minus the largest other logit, (M, n).
        scores: Log-probabilities of the dataset's classes, the best KEPT_SCORES of them, (M, n, m).
        classes: Class index of each score, (M, n, m).
        skipped: Id and reason of every sample that could not be decoded.
    """

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]
    skipped: tuple[tuple[str, str], ...] = ()


_ARRAYS = ("labels", "positions", "predicted", "p_true", "margin", "scores", "classes")


@dataclass(frozen=True)
class ConditionOutcomes:
    """Every image's outcome under one condition; fields as in Shard without the condition axis."""

    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]


@dataclass
class OutcomeStore:
    """Shards in a folder, or in memory where there is none.

    A shard is written under a temporary name and renamed, so that a shard that exists is whole. The folder also
    holds the settings that made the shards; other settings are refused.

    Attributes:
        folder: The ``outcomes`` folder, or None to keep everything in memory.
    """

    folder: Path | None = None
    _memory: dict[int, Shard] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any], *, restart: bool = False) -> OutcomeStore:
        """Open or create a folder of shards.

        Args:
            folder: Where the shards are; created where missing.
            settings: Everything (JSON values) that decides what is in a shard.
            restart: Throw away what is there.

        Returns:
            The store.

        Raises:
            OutputError: The folder holds shards of other settings, or cannot be written.
        """
        manifest = folder / "settings.json"
        try:
            if folder.is_dir() and any(folder.iterdir()) and not manifest.is_file():
                raise OutputError(expected(str(folder), "a folder of cuesense", "other files", "Give another --output"))
            if restart:
                _throw_away(folder)
            if manifest.is_file():
                _refuse_other(folder, _settings_in(manifest), settings)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                _replace(manifest, json.dumps(settings, indent=1).encode())
        except OSError as error:
            raise unwritable(folder, error) from None
        return cls(folder)

    def __contains__(self, number: int) -> bool:
        """Return whether a shard is there."""
        return number in self._memory if self.folder is None else self._path(number).is_file()

    def write(self, number: int, shard: Shard) -> None:
        """Keep a shard.

        Args:
            number: Its number, from 0.
            shard: Its outcomes.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.folder is None:
            self._memory[number] = shard
            return
        path = self._path(number)
        temporary = path.with_suffix(".tmp")
        arrays = {name: getattr(shard, name) for name in _ARRAYS}
        try:
            with temporary.open("wb") as stream:
                np.savez(stream, skipped=np.array(json.dumps(shard.skipped)), allow_pickle=False, **arrays)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise unwritable(self.folder, error) from None

    def skipped_in(self, number: int) -> tuple[tuple[str, str], ...]:
        """Return id and reason of every sample of a shard that could not be decoded."""
        return self._read(number, ()).skipped

    def labels(self, shards: int) -> NDArray[np.int64]:
        """Return the label of every readable sample, (N,)."""
        return np.concatenate([self._read(number, ("labels",)).labels for number in range(shards)])

    def positions(self, shards: int) -> NDArray[np.int64]:
        """Return the place of every readable sample in the order of ids, (N,)."""
        return np.concatenate([self._read(number, ("positions",)).positions for number in range(shards)])

    def conditions(self, shards: int, wanted: Sequence[int]) -> Iterator[ConditionOutcomes]:
        """Yield the outcomes of some conditions, one after the other, reading a bounded amount at a time.

        Args:
            shards: How many shards there are.
            wanted: Condition numbers, in the order in which they are wanted.

        Yields:
            One ConditionOutcomes a wanted condition.
        """
        first = self._read(0, ("scores",)).scores
        bytes_each = max(1, shards * SHARD_SIZE * first.shape[2] * 6)
        step = max(1, _READ_BYTES // bytes_each)
        for start in range(0, len(wanted), step):
            yield from self._together(shards, wanted[start : start + step])

    def _together(self, shards: int, wanted: Sequence[int]) -> Iterator[ConditionOutcomes]:
        names = ("predicted", "p_true", "margin", "scores", "classes")
        read = [self._read(number, names) for number in range(shards)]
        parts = {name: [getattr(shard, name)[list(wanted)] for shard in read] for name in names}
        joined = {name: np.concatenate(arrays, axis=1) for name, arrays in parts.items()}
        for index in range(len(wanted)):
            yield ConditionOutcomes(**{name: array[index] for name, array in joined.items()})

    def _path(self, number: int) -> Path:
        return (self.folder or Path()) / f"shard-{number:05d}.npz"

    def _read(self, number: int, names: Sequence[str]) -> Shard:
        """Read a shard; arrays that are not named stay empty."""
        if self.folder is None:
            return self._memory[number]
        try:
            with self._path(number).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays: dict[str, Any] = {name: archive[name] if name in names else np.empty(0) for name in _ARRAYS}
                skipped = tuple((name, reason) for name, reason in json.loads(str(archive["skipped"])))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise OutputError(
                expected(str(self._path(number)), "a whole shard", f"'{error}'", "Delete it and run again")
            ) from None
        return Shard(**arrays, skipped=skipped)


def _throw_away(folder: Path) -> None:
    for pattern in ("settings.json", "shard-*.npz", "*.tmp"):
        for path in folder.glob(pattern):
            path.unlink()


def _settings_in(manifest: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(manifest.read_text())
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        do = "Give --restart to throw the run away"
        raise OutputError(expected(str(manifest), "the settings of a run", "something else", do))
    return settings


def _refuse_other(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    now = json.loads(json.dumps(now))
    different = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if different:
        raise OutputError(
            expected(
                f"{folder.parent}",
                "empty or the result of the same settings",
                f"results with other {', '.join(different)}",
                "Give another --output, or --restart to throw them away",
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


def write_file(path: Path, content: str) -> None:
    """Write a text file whole or not at all.

    Args:
        path: The file; an older one is replaced.
        content: Its text, written as UTF-8.

    Raises:
        OutputError: The disk is full, the folder cannot be written, or the path is a folder.
    """
    refuse_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content.encode())
    except OSError as error:
        raise unwritable(path.parent, error) from None


def refuse_folder(path: Path) -> None:
    """Raise OutputError where a folder lies at the place of an output file."""
    if path.is_dir():
        raise OutputError(expected(f"the output '{path}'", "a file", "a folder", "Name a file in it"))


def unwritable(folder: Path, error: Exception) -> OutputError:
    """Return the error for a folder that cannot be written, with the system's reason."""
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return OutputError(
        expected(f"the output folder {folder}", "writable", f"'{reason}'", "Give another --output or free space")
    )
