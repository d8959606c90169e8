"""The parts of a dataset (train, val, test, ...): which a dataset is, and what a reader without parts says."""

from __future__ import annotations

from cuesense.errors import DatasetError, SplitError, expected
from cuesense.types import Dataset


def split_of(dataset: Dataset) -> str | None:
    """Return which part of a larger dataset a dataset is, as its reader calls it; None where it is no part."""
    found: str | None = getattr(dataset, "split", None)
    return found


def refuse_split(what: str, split: str | None) -> None:
    """Raise SplitError where a part is asked for of something that has none.

    Args:
        what: What was named, such as ``"the folder 'photos'"``.
        split: What the user gave.
    """
    if split is not None:
        to_be = f"left out for {what}, which has no parts such as train and val"
        raise SplitError(expected("--split", to_be, f"'{split}'", "Leave it out"))


def refuse_download(what: str, *, download: bool) -> None:
    """Raise DatasetError where something is to be downloaded that nobody offers.

    Args:
        what: What was named, such as ``"the folder 'photos'"``.
        download: Whether the user asked for it.
    """
    if download:
        to_be = f"left out for {what}, which is read where it is"
        raise DatasetError(expected("--download", to_be, "it", "Leave it out"))
