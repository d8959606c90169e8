"""Read the flags of another program's command line: those of augmentation, among all others."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuesense.errors import SettingsError, expected, nearest

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


def one(values: Values) -> float:
    """Return the one number that follows a flag."""
    return float(numbers(1)(values)[0])


def numbers(*counts: int) -> Callable[[Values], tuple[float, ...]]:
    """Return a function that makes numbers of what follows a flag, as many as one of the counts."""

    def read(values: Values) -> tuple[float, ...]:
        try:
            found = tuple(float(value) for value in values)
        except ValueError:
            found = ()
        if len(found) not in counts:
            wanted = " or ".join(map(str, counts))
            raise ValueError("a number" if counts == (1,) else f"{wanted} numbers")
        return found

    return read


def word(values: Values) -> str:
    """Return the one word that follows a flag."""
    if len(values) != 1:
        raise ValueError("one word")
    return values[0]


def read_flags(
    text: str, flags: Mapping[str, Flag], elsewhere: Mapping[str, str], option: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that the flags of a text stand for, and sentences on what was left out.

    Args:
        text: A command line, or the part of it that holds the flags; ``--name value`` or ``--name=value``.
        flags: The flags that are known, by name without dashes; underscores count as dashes.
        elsewhere: Flags of things that are no change of one image, with what they do.
        option: Our option that the text was given to, for messages.

    Raises:
        SettingsError: The text holds no flags, a flag's value is wrong, or a name is close to a known one.
    """
    found = {flag.name: flag.default for flag in flags.values()}
    remarks, others = [], []
    for name, values in _split(text, option):
        flag = flags.get(name)
        if flag is not None:
            found[flag.name] = _value(flag, name, values, option)
        elif name in elsewhere:
            remarks.append(f"--{name} of {option} is left out: it {elsewhere[name]}, and is no change of one image.")
        else:
            others.append(name)
    for name in others:
        # A misspelled flag must not pass for one of the many that say nothing of augmentation.
        if (hint := nearest(name, flags)).startswith("Did you mean"):
            raise SettingsError(f"Unknown flag '--{name}' in {option}. {hint}")
    if others:
        remarks.append(f"Of {option}, these say nothing of augmentation: {', '.join(f'--{name}' for name in others)}.")
    return found, remarks


def _split(text: str, option: str) -> list[tuple[str, list[str]]]:
    """Return the names of flags with what follows each."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SettingsError(expected(option, "a list of flags", f"'{text}' ({error})", "Close the quotes")) from None
    found: list[tuple[str, list[str]]] = []
    for part in words:
        if part.startswith("--"):
            name, equals, value = part[2:].partition("=")
            found.append((name.replace("_", "-"), [value] if equals else []))
        elif found:
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
