"""A run in parts: what its parts must have in common, and which of them a command does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from cuesense.atomic_files import write_file
from cuesense.errors import OutputError, SettingsError, UnfinishedError, expected, listed
from cuesense.inference.options import WHOLE, Part
from cuesense.predictions.shards import FOLDER

FILE = "parts.json"
MERGE = "merge"
"""In the place of the number of a part: none of the work is done, and the profile is built of what the parts did."""
# What may differ between the parts of a run: none of it decides which work a part does, or what comes out.
_OWN = {"part", "output", "workers", "device", "json", "yes", "restart"} | {
    "engine",
    "ray_address",
    "ray_workers",
    "gpus_per_worker",
}


# By launcher: which task this is, how many there are, and, where they do not count from 0, the first one and the step.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "", ""),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
)


class Recorded(NamedTuple):
    """What a part left for the others.

    Attributes:
        parts: How many there are.
        folder: Where the command ran, against which its relative paths are meant.
        arguments: The arguments of the command that the parts have in common.
    """

    parts: int
    folder: Path
    arguments: dict[str, Any]


def part_of(text: str) -> Part:
    """Return the part that ``K/N`` names; part 0, for ``merge/N``, does none of the work and builds the profile.

    Raises:
        SettingsError: It is no such text, or K is not from 1 to N.
    """
    number, slash, count = text.partition("/")
    parts = int(count) if slash and count.isdecimal() else 0
    if number == MERGE and parts:
        return Part(0, parts)
    if not (number.isdecimal() and 1 <= int(number) <= parts):
        do = "Give for instance --part 1/3, --part 2/3 and --part 3/3 to three jobs"
        if parts and number.isdecimal() and int(number) == 0:
            do = f"Add 1 in every job: parts count from 1/{parts} to {parts}/{parts}"
        raise SettingsError(expected("--part", "K/N, with K from 1 to N", f"'{text}'", do))
    return Part(int(number), parts)


def part_in(environment: Mapping[str, str]) -> tuple[Part, str] | None:
    """Return the part that a launcher gave this process, and where it says so; None where it is alone.

    torchrun and its kin set RANK (from 0) and WORLD_SIZE, Slurm's job arrays SLURM_ARRAY_TASK_ID, _COUNT, _MIN and
    _STEP.

    Args:
        environment: The environment variables.

    Raises:
        SettingsError: They name no part, as those of an array of tasks 1, 5 and 9.
    """
    for number, count, *counted in _LAUNCHERS:
        if number not in environment or environment.get(count, "1") == "1":
            continue
        said = f"{number}={environment[number]}, {count}={environment[count]}"
        found = _numbers(environment, number, count)
        first, step = _numbers(environment, *counted) or (0, 1)
        place, rest = divmod(found[0] - first, max(1, step)) if found else (-1, 0)
        if found is None or rest or not 0 <= place < found[1]:
            do = "Give --part K/N, or --part 1/1 for all of the work"
            raise SettingsError(expected("the part that the launcher names", "one of those from 1 on", said, do))
        return Part(place + 1, found[1]), said
    return None


def chosen_part(text: str | None) -> tuple[Part, str]:
    """Return the part that a command does, and a sentence about it where nobody asked for it; all of it by default."""
    if text is not None:
        return part_of(text), ""
    found = part_in(os.environ)
    if found is None:
        return WHOLE, ""
    part, said = found
    return part, f"This is part {part.number} of {part.of} ({said}); --part 1/1 does all of the work."


def text_of(part: Part) -> str:
    """Return a part as ``part_of`` reads it."""
    return f"{part.number or MERGE}/{part.of}"


@contextmanager
def shared_arguments(folder: Path, arguments: Mapping[str, Any], part: Part) -> Iterator[None]:
    """Keep a command's arguments for other parts and ``cuesense merge``, unless it fails before any predictions.

    Args:
        folder: The output folder of all parts.
        arguments: The command's arguments, by name.
        part: Which part it does.

    Raises:
        OutputError: The other parts have other arguments, or the folder cannot be written.
    """
    shared = {name: _plain(value) for name, value in arguments.items() if name not in _OWN}
    content = json.dumps({"parts": part.of, "folder": str(Path.cwd()), "arguments": shared}, indent=1) + "\n"
    file = folder / FILE
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    if not (_begun(folder) and _has_same(folder, shared | {"parts": part.of})):
        write_file(file, content)
    try:
        yield
    except UnfinishedError:
        _write_missing(file, content)
        raise
    except BaseException:
        if not _begun(folder):
            with suppress(OSError):
                file.unlink(missing_ok=True)
                for path in made:
                    path.rmdir()
        raise
    _write_missing(file, content)


def _write_missing(file: Path, content: str) -> None:
    """Write the arguments again where another part that began at the same time has failed and removed them."""
    if not file.exists():
        write_file(file, content)


def _begun(folder: Path) -> bool:
    """Return whether any part has kept predictions."""
    return any(folder.glob(f"{FOLDER}/shard-*.npz"))


def _has_same(folder: Path, given: Mapping[str, Any]) -> bool:
    """Return whether the arguments of other parts are there, or raise OutputError where they are others."""
    try:
        before = recorded(folder)
    except OutputError:
        return False
    known = before.arguments | {"parts": before.parts}
    different = sorted(name for name in given.keys() | known.keys() if given.get(name) != known.get(name))
    if different:
        to_be = "the same in all parts of a run"
        flags = ["--part (K/N)" if name == "parts" else f"--{name.replace('_', '-')}" for name in different]
        got = f"other {listed(flags, len(flags))} than in the part that began {folder}"
        do = "Give the same arguments, another --output, or delete its parts.json"
        raise OutputError(expected("the arguments", to_be, got, do))
    return True


def recorded(folder: Path) -> Recorded:
    """Return what the parts of a run left in its folder.

    Raises:
        OutputError: There is nothing, or something else.
    """
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Recorded(int(content["parts"]), Path(content["folder"]), dict(content["arguments"]))
    except (OSError, ValueError, TypeError, KeyError):
        to_be = "the output folder of a run in parts"
        do = "Run its parts first: cuesense analyze ... --part 1/3 and so on, all with the same --output"
        raise OutputError(expected(f"'{folder}'", to_be, f"no readable {FILE} in it", do)) from None


def _numbers(environment: Mapping[str, str], *names: str) -> tuple[int, int] | None:
    found = [environment.get(name, "") for name in names]
    if not all(text.isdecimal() for text in found):
        return None
    first, second = map(int, found)
    return first, second


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
