"""Names for numbered classes, from a file that lies beside the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cuesense.datasets.labels import Labels
from cuesense.datasets.name_files import read_names
from cuesense.errors import DatasetError

_FILES = (
    "classes.txt", "class_names.txt", "classnames.txt", "names.txt", "labels.txt", "label_names.txt", "categories.txt",
    "classes.json", "class_names.json", "labels.json", "label_map.json", "label_names.json", "class_to_idx.json",
    "classes.csv", "class_names.csv",
)  # fmt: skip


def name_classes(labels: Labels, folders: Sequence[Path]) -> tuple[Labels, str | None]:
    """Return numbered classes by the names that a file gives, and what to say of it.

    Args:
        labels: The classes; they stay as they are unless all are numbers.
        folders: Where a file such as ``classes.txt`` may lie.

    Returns:
        The classes in the order of the file, and a sentence; or the same classes and None where there is no file with
        a name for every number.
    """
    if not all(name.isdecimal() for name in labels.names):
        return labels, None
    path = next((folder / name for folder in folders for name in _FILES if (folder / name).is_file()), None)
    try:
        names = read_names(path).names if path is not None else ()
    except DatasetError:
        return labels, None
    numbers = [int(name) for name in labels.names]
    # Counted from 1 only where it cannot be from 0.
    first = int(numbers[0] == 1 and numbers[-1] == len(names))
    if path is None or len(set(names)) != len(names) or "" in names or numbers[-1] - first >= len(names):
        return labels, None
    said = f"The classes are named by the file '{path.name}'" + (", counted from 1." if first else ".")
    return Labels(names, tuple(numbers[index] - first for index in labels.indices)), said
