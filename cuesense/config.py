"""Presets and files become validated settings: names become perturbations here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cuesense import package_files, registry
from cuesense.errors import SettingsError, expected, first_line, unknown
from cuesense.types import Condition, Perturbation
from cuesense.validation import is_number

_KEYS = ("description", "repeats", "perturbations")
_WHOLE_LADDER = "ladder"
# More repeats than this are a mistake: the time of a run grows with them. Chosen by hand.
_MOST_REPEATS = 100
# A configuration has a few lines. Chosen by hand.
_LARGEST_FILE = 16 * 1024**2
# The longest part of a wrong value that a message shows.
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class Config:
    """What is measured.

    Attributes:
        name: The preset's name or the file's path.
        description: One line for a list.
        perturbations: What is applied, each with the ladder to measure.
        repeats: How often each condition is drawn for each image.
        repeats_of: Perturbations that are drawn another number of times, by name.
    """

    name: str
    description: str
    perturbations: tuple[Perturbation, ...]
    repeats: int = 1
    repeats_of: Mapping[str, int] = field(default_factory=dict)

    def conditions(self) -> list[Condition]:
        """Return the clean condition and then, per perturbation, severity and repeat, the others."""
        perturbed = [
            Condition(perturbation, severity, repeat)
            for perturbation in self.perturbations
            for severity in perturbation.severities
            for repeat in range(self.repeats_of.get(perturbation.name, self.repeats))
        ]
        return [Condition(), *perturbed]

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON values."""
        listed = {
            "preset": self.name,
            "repeats": self.repeats,
            "perturbations": {perturbation.name: list(perturbation.ladder) for perturbation in self.perturbations},
        }
        # Only where it says something, so that what earlier versions wrote without it is still the same configuration.
        return listed | ({"repeats_of": dict(self.repeats_of)} if self.repeats_of else {})


def presets() -> dict[str, Config]:
    """Return the presets that come with the package, by name."""
    return {path.stem: load_config(path.stem) for path in sorted(package_files.folder("configs").glob("*.toml"))}


def load_config(spec: str | Path) -> Config:
    """Read a preset or a TOML file.

    The file has a table ``[perturbations]`` with a list of values, mild to strong, for each name (or ``"ladder"`` for
    the registered one), and may have ``description`` and ``repeats``: how often each condition is drawn for each image,
    or a table of these numbers by perturbation, where those that are not named are drawn once.

    Args:
        spec: A preset's name, or the path of a ``.toml`` file.

    Returns:
        The configuration.

    Raises:
        SettingsError: The preset, a perturbation or a key is unknown (the nearest name is suggested), or a value is
            out of range.
    """
    path = Path(spec)
    if path.suffix != ".toml":
        path = package_files.folder("configs") / f"{spec}.toml"
        if not path.is_file():
            known = [preset.stem for preset in package_files.folder("configs").glob("*.toml")]
            raise SettingsError(unknown(f"preset '{spec}'", str(spec), known) + " A .toml file will do, too.")
    return _parse(str(spec), _read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        # A file that is no configuration may be of any size; reading it whole would take all memory.
        if path.is_file() and path.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"a file of more than {_LARGEST_FILE // 1024**2} MB")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            expected(str(path), "a TOML file", _reason(error), "Start from a file in configs/")
        ) from None


def _reason(error: Exception) -> str:
    """Return why a file is no TOML; texts from the file are cut to a line."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError):
        return f"'{error.strerror or type(error).__name__}'"
    if isinstance(error, RecursionError):
        return "lists nested too deeply"
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else first_line(error)


def _parse(name: str, content: Mapping[str, Any]) -> Config:
    for key in content:
        if key not in _KEYS:
            raise SettingsError(unknown(f"key '{key}' in {name}", key, _KEYS))
    table = content.get("perturbations")
    if not isinstance(table, dict) or not table:
        raise SettingsError(
            expected(
                f"[perturbations] in {name}",
                "a table of values by name",
                _shown(table),
                "Start from configs/quick.toml",
            )
        )
    perturbations = tuple(with_ladder(registry.get("perturbations", key), values) for key, values in table.items())
    repeats, repeats_of = _repeats(name, content.get("repeats", 1), list(table))
    return Config(name, str(content.get("description", "")), perturbations, repeats, repeats_of)


def _repeats(name: str, repeats: object, known: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Return how often every perturbation is drawn, and the exceptions by name."""
    given: dict[str, Any] = repeats if isinstance(repeats, dict) else {"": repeats}
    for key, number in given.items():
        of = f" of {key}" if key else ""
        if key and key not in known:
            raise SettingsError(unknown(f"perturbation '{key}' in the repeats of {name}", key, known))
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _MOST_REPEATS:
            to_be = f"a whole number from 1 to {_MOST_REPEATS}"
            raise SettingsError(expected(f"repeats{of} in {name}", to_be, _shown(number), "Change it"))
    return (1, given) if isinstance(repeats, dict) else (given[""], {})


def _shown(value: object) -> str:
    """Return a wrong value as it stands in a file, cut to a line."""
    return repr(value)[:_SHOWN_CHARACTERS]


def with_more(config: Config, names: Sequence[str]) -> Config:
    """Return a configuration that also measures some perturbations, each with its own ladder.

    Args:
        config: The configuration.
        names: Names of perturbations; those that it has already stay as they are.

    Returns:
        The configuration.

    Raises:
        SettingsError: A name is unknown (the nearest one is suggested).
    """
    had = {perturbation.name for perturbation in config.perturbations}
    more = tuple(registry.get("perturbations", name) for name in dict.fromkeys(names) if name not in had)
    return replace(config, perturbations=config.perturbations + more)


def with_ladder(perturbation: Perturbation, values: object) -> Perturbation:
    """Return a perturbation with another ladder.

    Args:
        perturbation: The registered perturbation.
        values: ``"ladder"`` to keep its own, or a list of numbers from mild to strong, without its identity.

    Returns:
        The perturbation.

    Raises:
        SettingsError: The values are no numbers, out of the limits, or not in the order from mild to strong.
    """
    if values == _WHOLE_LADDER:
        return perturbation
    if not isinstance(values, list) or not values or not all(is_number(value) for value in values):
        raise SettingsError(
            expected(
                f"the values of {perturbation.name}", 'a list of numbers or "ladder"', _shown(values), "Change them"
            )
        )
    for value in values:
        perturbation.check(value)
        if value == perturbation.identity:
            to_be = f"other than {perturbation.identity:g}, which changes nothing"
            raise SettingsError(expected(f"every value of {perturbation.name}", to_be, f"{value:g}", "Leave it out"))
    distances = [abs(value - perturbation.identity) for value in values]
    if sorted(set(distances)) != distances:
        raise SettingsError(
            expected(f"the values of {perturbation.name}", "in order from mild to strong", _shown(values), "Sort them")
        )
    return replace(perturbation, ladder=tuple(float(value) for value in values))
