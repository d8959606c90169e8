"""Read the flags of another program's command line: those of augmentation, among all others."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cuesense.errors import SettingsError, expected

# difflib's own measure of names that are close; a refusal that is wrong costs the user a flag that does nothing.
_MISSPELLED = 0.6
# One dash and letters, such as -b 128; -0.5 is a number.
_SHORT_FLAG = re.compile(r"-[A-Za-z]")
# What stands between a flag and the next one.
Values = Sequence[str]


@dataclass(frozen=True)
class Flag:
    """A flag of augmentation.

    Attributes:
        name: The setting that it stands for.
        value: Makes the setting of what follows the flag, or raises ValueError with what is expected; None for a flag
            that nothing follows.
        default: The setting without the flag.
    """

    name: str
    value: Callable[[Values], Any] | None
    default: Any = None


@dataclass(frozen=True)
class Script:
    """What the flags of a program stand for.

    Attributes:
        name: The program, for messages.
        option: Our option that takes them.
        flags: The flags of augmentation, by name without dashes.
        elsewhere: Flags that bear on augmentation and are left out, with the end of the sentence that says why.
        others: All other flags, which say nothing of augmentation.
    """

    name: str
    option: str
    flags: Mapping[str, Flag]
    elsewhere: Mapping[str, str]
    others: frozenset[str]


def number(low: float, high: float | None = None, *, whole: bool = False) -> Callable[[Values], float]:
    """Return a function that makes the one number that follows a flag, from low to high (None: without end)."""
    kind = "a whole number" if whole else "a number"
    to_be = f"{kind} from {low:g} to {high:g}" if high is not None else f"{kind} of at least {low:g}"

    def read(values: Values) -> float:
        found = _numbers(values)
        if len(found) != 1 or not low <= found[0] <= (math.inf if high is None else high):
            raise ValueError(to_be)
        if whole and found[0] != int(found[0]):
            raise ValueError(to_be)
        return int(found[0]) if whole else found[0]

    return read


probability = number(0, 1)


def positive_range(values: Values) -> tuple[float, float]:
    """Return the two numbers above 0 that follow a flag, the smaller first."""
    found = _numbers(values)
    if len(found) != 2 or not 0 < found[0] <= found[1]:
        raise ValueError("2 numbers above 0, the smaller first")
    return found[0], found[1]


def one_of(*names: str) -> Callable[[Values], str]:
    """Return a function that makes the one name that follows a flag, one of several."""

    def read(values: Values) -> str:
        if len(values) != 1 or values[0] not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return values[0]

    return read


def _numbers(values: Values) -> tuple[float, ...]:
    """Return values as finite numbers; none where one is something else."""
    try:
        found = tuple(float(value) for value in values)
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def read_flags(text: str, script: Script) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that the flags of a text stand for, and sentences on what was left out.

    Args:
        text: A command line, or the part of it that holds the flags; ``--name value`` or ``--name=value``.
        script: The program whose flags they are; underscores count as dashes.

    Raises:
        SettingsError: The text holds no flags, a flag's value is wrong, or an unknown name is close to a
            flag of augmentation.
    """
    option = script.option
    found = {flag.name: flag.default for flag in script.flags.values()}
    remarks: list[str] = []
    silent: list[str] = []
    unknown: list[str] = []
    for name, values in _split(text, option):
        flag = script.flags.get(name)
        if flag is not None:
            found[flag.name] = _value(flag, name, values, option)
        elif name in script.elsewhere:
            remarks.append(f"--{name} of {option} is left out: {script.elsewhere[name]}.")
        else:
            (silent if name in script.others else unknown).append(name)
    for name in unknown:
        meant = meant_by(name, script.flags)
        if meant is not None:
            raise SettingsError(f"Unknown flag '--{name}' in {option}. Did you mean '--{meant}'? If not, leave it out.")
    if silent:
        remarks.append(f"Of {option}, these say nothing of augmentation: {_written(silent)}.")
    if unknown:
        remarks.append(f"Unknown to {script.name}, and left out: {_written(unknown)}.")
    return found, remarks


def meant_by(name: str, known: Iterable[str]) -> str | None:
    """Return the name that an unknown one probably stands for: a close one, or one that it begins.

    Args:
        name: The unknown name.
        known: Names that it may stand for.
    """
    names = tuple(known)
    begun = [other for other in names if name and other.startswith(name)]
    return next(iter([*get_close_matches(name, names, n=1, cutoff=_MISSPELLED), *begun]), None)


def _written(names: Iterable[str]) -> str:
    return ", ".join(f"--{name}" for name in dict.fromkeys(names))


def _split(text: str, option: str) -> list[tuple[str, list[str]]]:
    """Return the names of flags with what follows each."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SettingsError(expected(option, "a list of flags", f"'{text}' ({error})", "Close the quotes")) from None
    found: list[tuple[str, list[str]]] = []
    short = False
    for part in words:
        if _SHORT_FLAG.match(part):
            short = True
        elif part.startswith("--"):
            short = False
            name, equals, value = part[2:].partition("=")
            found.append((name.replace("_", "-"), [value] if equals else []))
        elif found and not short:
            found[-1][1].append(part)
    if not found:
        do = "Give the flags of the training script in one pair of quotes"
        raise SettingsError(expected(option, "a list of flags", f"'{text}'", do))
    return found


def _value(flag: Flag, name: str, values: Values, option: str) -> Any:
    if flag.value is None:
        return True
    try:
        return flag.value(values)
    except ValueError as error:
        got = f"'{' '.join(values)}'" if values else "nothing"
        raise SettingsError(expected(f"--{name} in {option}", str(error), got, "Correct it")) from None
