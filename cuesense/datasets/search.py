"""Images of a table none of which is where the table says: looked for by what is left of their names."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.errors import DatasetError, expected, listed

# Files that are looked at beside a table. Chosen by hand: some 3 s on a local disk.
_MOST_FILES = 1_000_000
# Names that a sentence lists.
_SHOWN = 3
_LAST_NUMBER = re.compile(r"(\d+)\D*$")
# Longer runs of digits are dates, sizes or ids of another kind.
_MOST_DIGITS = 12


def search(names: Sequence[str], bases: Sequence[Path], table: Path) -> tuple[list[Path], str]:
    """Return the files of names that stand nowhere as they are written, and how they were found.

    In this order, all names are looked up from the working directory; by the end of their paths (a table from another
    machine, or names whose folders were left out); by names without suffix; and, where names are numbers, by the last
    number in a file's name.

    Args:
        names: As the table writes them, with ``/`` between folders.
        bases: The folders below which the images are looked for, the likeliest first.
        table: The table.

    Raises:
        DatasetError: No rule finds a file of its own for most names.
    """
    here = [Path(name) for name in names]
    if 2 * sum(map(_is_file, here)) > len(here):
        return here, "The paths of the table start from the working directory and not from its own folder."
    for base in bases:
        files = list(_files(base))
        for rule, how in _RULES:
            found = rule(names, files)
            there = {path for path in found if path is not None}
            # Two names of one file are a sign that the rule is wrong; a few files may be missing.
            if len(there) == len(found) - found.count(None) and 2 * len(there) > len(found):
                name, path = next((n, p) for n, p in zip(names, found, strict=True) if p is not None)
                said = f"The images are not where the table says: they were found by {how} ('{name}' is '{path}')."
                return [base / (path or name) for name, path in zip(names, found, strict=True)], said
    raise DatasetError(_nowhere(names, bases[0], table))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _files(base: Path) -> Iterator[str]:
    """Yield the images below a folder, relative to it, in a fixed order."""
    count = 0
    for folder, inside, files in os.walk(base):
        inside[:] = sorted(name for name in inside if not is_litter(name))
        relative = Path(folder).relative_to(base).as_posix()
        for name in sorted(files):
            if is_image_name(name) and not is_litter(name):
                yield name if relative == "." else f"{relative}/{name}"
        count += len(files)
        if count > _MOST_FILES:
            return


def _by_end(names: Sequence[str], files: Sequence[str]) -> list[str | None]:
    """Return for each name the file that has the longest end of its path, where there is one."""
    of_name = _grouped((PurePosixPath(path).name, path) for path in files)
    return [_longest(name, of_name.get(PurePosixPath(name).name, [])) for name in names]


def _by_stem(names: Sequence[str], files: Sequence[str]) -> list[str | None]:
    of_stem = _grouped((PurePosixPath(path).stem.casefold(), path) for path in files)
    keys = (_bare(name).casefold() for name in names)
    return [_longest(name, of_stem.get(key, [])) for name, key in zip(names, keys, strict=True)]


def _bare(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if is_image_name(name) else path.name


def _by_number(names: Sequence[str], files: Sequence[str]) -> list[str | None]:
    """Return the files whose last number is a name; nothing unless each name is a number and each has a file."""
    of_number: dict[int, list[str]] = defaultdict(list)
    for path in files:
        match = _LAST_NUMBER.search(PurePosixPath(path).stem)
        if match and len(match[1]) <= _MOST_DIGITS:
            of_number[int(match[1])].append(path)
    numbers = [int(name) if _is_number(name) else -1 for name in names]
    found = [of_number.get(number, []) for number in numbers]
    return [paths[0] for paths in found] if all(len(paths) == 1 for paths in found) else [None] * len(names)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, path in pairs:
        found[key].append(path)
    return found


def _longest(name: str, paths: Sequence[str]) -> str | None:
    """Return the path that shares most folders with a name; None where two share as many, or folders contradict it.

    ``train/a/1.png`` is not ``val/a/1.png``: one of the two must be the end of the other.
    """
    folders = PurePosixPath(name).parts[-2::-1]
    shared = {path: _shared(folders, PurePosixPath(path).parts[-2::-1]) for path in paths}
    most = max(shared.values(), default=-1)
    best = [path for path, count in shared.items() if count == most]
    return best[0] if len(best) == 1 and most >= 0 else None


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many folders two paths share, the innermost first; -1 where one is not the beginning of the other."""
    count = min(len(one), len(other))
    return count if one[:count] == other[:count] else -1


def _nowhere(names: Sequence[str], base: Path, table: Path) -> str:
    """Return the sentence about a table none of whose images is there."""
    shown = listed([f"'{name}'" for name in names], _SHOWN)
    first = next(_files(base), None)
    there = f"'{first}', for instance, is another image there" if first else "no image lies there"
    got = f"none of {len(names)} that is there ({shown}); {there}"
    to_be = f"files in '{base}' or below"
    if all(map(_is_number, names)):
        got = f"numbers and not names of files ({shown}); {there}"
        do = "Write the name of each image's file into the table"
    else:
        do = "Correct the paths, or name the folder that they start from with --data-root"
    return expected(f"the images of the table '{table}'", to_be, got, do)


_RULES: tuple[tuple[Callable[[Sequence[str], Sequence[str]], list[str | None]], str], ...] = (
    (_by_end, "the ends of their paths"),
    (_by_stem, "their names without suffix"),
    (_by_number, "the numbers in their names"),
)
