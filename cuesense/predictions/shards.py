"""Predictions of a network, kept in shards: the only module that knows how they lie on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.stores.arrays import ArrayStore
from cuesense.types import Condition

FOLDER = "outcomes"
# An interrupted run repeats at most one shard: 128 images take seconds to minutes. Chosen by hand; not tuned.
SHARD_SIZE = 128
# The prior correction needs the scores of the likeliest classes; those beyond carry hardly any probability, and 1,000
# classes would fill the disk. Chosen by hand; not tuned.
KEPT_SCORES = 32
# Networks of no more outputs keep the scores of all of them, so that the same predictions serve a dataset with more or
# fewer of the classes: hardly larger than 32 scores and the outputs that they belong to. Chosen by hand.
MOST_WHOLE = 64
# Raise it when a shard's arrays or their meaning change: it belongs to the settings, so that older shards are refused.
SHARD_VERSION = 4
# What ``Shard.chosen_from`` says where the scores are those of all outputs.
ALL_OUTPUTS = "all"


@dataclass(frozen=True)
class Shard:
    """What a network predicted for some images under some conditions, condition-major.

    Attributes:
        images: Identity of each readable image (``image_identity``), (n,).
        digests: Hash of the pixels that the network was given of each, (n,): equal for copies of an image.
        largest: Largest value of each that has more than 8 bits a channel, (n,), NaN for the others.
        white: The value that was taken for white there, (n,), NaN where values were stretched.
        predicted: Output with the largest logit, (M, n) for M conditions.
        p_true: Softmax probability of the true class's output, (M, n).
        margin: Logit of the true output minus the largest other logit, (M, n).
        scores: Log-probabilities, (M, n, m): of all outputs, or of the best KEPT_SCORES of the dataset's classes.
        outputs: The output of each score, (M, n, m); (M, n, 0) where the scores are those of all outputs in order.
        conditions: Identity of each condition (``condition_identity``), length M.
        chosen_from: ``ALL_OUTPUTS``, or which outputs the scores are the best of (``outputs_identity``).
        skipped: Identity, id and reason of every image that could not be decoded.
    """

    images: NDArray[np.uint64]
    digests: NDArray[np.uint64]
    largest: NDArray[np.float64]
    white: NDArray[np.float64]
    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    outputs: NDArray[np.int16 | np.int32]
    conditions: tuple[str, ...]
    chosen_from: str = ALL_OUTPUTS
    skipped: tuple[tuple[int, str, str], ...] = ()

    @property
    def name(self) -> str:
        """The name of its file: the same images under the same conditions have the same one."""
        parts = [repr(sorted([*self.images.tolist(), *(entry[0] for entry in self.skipped)])), self.chosen_from]
        text = "\0".join([*parts, *self.conditions])
        return f"shard-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}.npz"


_PATTERN = "shard-*.npz"
OF_IMAGES = ("digests", "largest", "white")
OF_CONDITIONS = ("predicted", "p_true", "margin", "scores", "outputs")
_TEXTS = ("conditions", "chosen_from", "skipped")
_ARRAYS = ("images", *OF_IMAGES, *OF_CONDITIONS, *_TEXTS)


@dataclass(frozen=True)
class Held:
    """What a shard holds, without its predictions.

    Attributes:
        readable: Identity of each of its images that can be read, in the order of its arrays, (n,).
        images: Those of all its images.
        conditions: Identities of its conditions.
        chosen_from: As for Shard.
    """

    readable: NDArray[np.uint64]
    images: NDArray[np.uint64]
    conditions: tuple[str, ...]
    chosen_from: str


def image_identity(sample_id: str, content: str, output: int) -> int:
    """Return 64 bits that tell an image from others: its id, its content, and the output that is right for it.

    Args:
        sample_id: Its id in the dataset.
        content: A digest of its file or its pixels.
        output: The output of its class: the probability and the margin of the true class are predictions, too.
    """
    text = f"{sample_id}\0{content}\0{output}"
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def condition_identity(condition: Condition, code: Mapping[str, str]) -> str:
    """Return what tells a condition from others: perturbation, value and repeat, and the code of foreign ones.

    Args:
        condition: The condition. Its severity does not count: the same value may stand elsewhere in another ladder.
        code: A digest of the code by the name of each perturbation that does not come with cuesense.
    """
    changed = code.get(condition.name)
    return f"{condition.name} {condition.value!r} {condition.repeat}" + (f" {changed}" if changed else "")


def outputs_identity(outputs: Iterable[int], count: int) -> str:
    """Return what the scores are chosen from: all outputs of a small network, else those of the dataset's classes.

    Args:
        outputs: The output of each class.
        count: The network's outputs.
    """
    if count <= MOST_WHOLE:
        return ALL_OUTPUTS
    return hashlib.blake2b(repr(sorted(outputs)).encode(), digest_size=8).hexdigest()


@dataclass
class OutcomeStore:
    """Shards in a folder, or in memory where there is none.

    Attributes:
        files: The ``outcomes`` folder, or None to keep everything in memory.
        code: A digest of the code by the name of each perturbation that does not come with cuesense.
        of_one_dataset: Whether a run is refused of whose images it holds none, but others: results of another dataset
            lie beside the shards.
    """

    files: ArrayStore | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    of_one_dataset: bool = False
    _memory: dict[str, Shard] = field(default_factory=dict)
    _held: dict[str, Held] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: Mapping[str, Any],
        *,
        code: Mapping[str, str] | None = None,
        of_one_dataset: bool = False,
        restart: bool = False,
        made_of_it: Sequence[str] = (),
        shared: bool = False,
    ) -> OutcomeStore:
        """Open or create a folder of shards.

        Args:
            folder: Where the shards are; created where missing.
            settings: Everything (JSON values) that decides what is predicted for an image under a condition.
            code: As for the attribute.
            of_one_dataset: Likewise.
            restart: Throw away what is there.
            made_of_it: Files beside the folder that a restart deletes as well (see ``ArrayStore.open``).
            shared: Whether other parts of the run may be writing to the folder at this moment.

        Returns:
            The store.

        Raises:
            OutputError: The folder holds shards of other settings, or cannot be written.
        """
        files = ArrayStore.open(
            folder, settings, _PATTERN, _ARRAYS, restart=restart, made_of_it=made_of_it, shared=shared
        )
        return cls(files, code or {}, of_one_dataset)

    @classmethod
    def view(cls, folder: Path, settings: Mapping[str, Any], code: Mapping[str, str] | None = None) -> OutcomeStore:
        """Open a folder of shards to read them; it may be missing, and nothing in it is made, changed or removed.

        Args:
            folder: As for ``open``.
            settings: Likewise.
            code: Likewise.

        Raises:
            OutputError: The folder holds shards of other settings, or cannot be read.
        """
        return cls(ArrayStore.view(folder, settings, _PATTERN, _ARRAYS), code or {})

    def look(self) -> None:
        """Take in the shards that other parts of the run have written since."""
        if self.files is not None:
            self.files.look()

    @property
    def names(self) -> list[str]:
        """The names of the shards that are there, in the order in which they are read."""
        return sorted(self._memory if self.files is None else self.files.whole)

    def write(self, shard: Shard) -> None:
        """Keep a shard.

        Args:
            shard: What was predicted.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.files is None:
            self._memory[shard.name] = shard
            return
        arrays = {name: getattr(shard, name) for name in _ARRAYS if name not in _TEXTS}
        self.files.write(shard.name, arrays | {name: np.array(json.dumps(getattr(shard, name))) for name in _TEXTS})

    def held(self, name: str) -> Held:
        """Return which images and conditions a shard holds."""
        if name not in self._held:
            found = self.read(name, ("images",))
            skipped = np.array([entry[0] for entry in found.skipped], dtype=np.uint64)
            images = np.concatenate([found.images, skipped])
            self._held[name] = Held(found.images, images, found.conditions, found.chosen_from)
        return self._held[name]

    def under(self, name: str, conditions: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Read what a shard holds under some of its conditions.

        Args:
            name: The shard's name.
            conditions: Identities of conditions that it has.

        Returns:
            The arrays of OF_CONDITIONS by name, (len(conditions), n, ...).

        Raises:
            OutputError: The file is damaged.
        """
        rows = [self.held(name).conditions.index(condition) for condition in conditions]
        if self.files is not None:
            return self.files.rows(name, OF_CONDITIONS, rows)
        return {array: getattr(self._memory[name], array)[rows] for array in OF_CONDITIONS}

    def read(self, name: str, arrays: Sequence[str]) -> Shard:
        """Read a shard.

        Args:
            name: Its name.
            arrays: Its arrays that are wanted; the others stay empty.

        Raises:
            OutputError: The file is damaged, or comes from elsewhere.
        """
        if self.files is None:
            return self._memory[name]
        found = self.files.read(name, [*arrays, *_TEXTS])
        texts = {text: json.loads(str(found[text])) for text in _TEXTS}
        wanted: dict[str, Any] = {name: found.get(name, np.empty(0)) for name in _ARRAYS if name not in _TEXTS}
        return Shard(
            **wanted,
            conditions=tuple(texts["conditions"]),
            chosen_from=texts["chosen_from"],
            skipped=tuple((identity, name, reason) for identity, name, reason in texts["skipped"]),
        )
