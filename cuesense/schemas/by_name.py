"""A list whose entries are also found by their names, as in ``profile.classes["lemon"]``."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Protocol, SupportsIndex, TypeVar, get_args, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from cuesense.errors import UnknownClassError, expected, listed

# Names that fit a sentence. Chosen by hand.
_NEAREST, _LISTED = 3, 10


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


class ByName(list[T]):
    """A list of things with names, in JSON and in all else an ordinary list."""

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> ByName[T]: ...
    def __getitem__(self, key: SupportsIndex | slice | str) -> T | ByName[T]:
        """Return the entry at an index or of a name, or those of a slice.

        Raises:
            IndexError: The index is out of range.
            UnknownClassError: No entry has this name, several have it, or it is neither a name nor an index.
        """
        if isinstance(key, str):
            return self._of_name(key)
        if isinstance(key, slice):
            return ByName(super().__getitem__(key))
        if not isinstance(key, SupportsIndex):
            shown = f"an object of type {type(key).__name__}"
            raise UnknownClassError(expected("a class", "asked for by its name or index", shown, "Pass one of these"))
        try:
            return super().__getitem__(key)
        except IndexError:
            last = f"a list of {len(self)} is asked for the index {key}"
            raise IndexError(f"Unknown class: {last}.") from None

    def __contains__(self, entry: object) -> bool:
        """Return whether an entry, or one of this name, is in the list."""
        if isinstance(entry, str):
            return any(known.name == entry for known in self)
        return super().__contains__(entry)

    def _of_name(self, name: str) -> T:
        found = [at for at, entry in enumerate(self) if entry.name == name]
        if not found:
            raise UnknownClassError(f"Unknown class '{name}'. {_hint(name, [entry.name for entry in self])}")
        if len(found) > 1:
            got = f"{len(found)}, at the indices {', '.join(map(str, found))}"
            raise UnknownClassError(expected(f"the class '{name}'", "the only one of its name", got, "Take an index"))
        return self[found[0]]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of an ordinary list: files and their JSON Schema do not know of names."""
        (entry,) = get_args(source)
        entries = core_schema.list_schema(handler.generate_schema(entry))
        return core_schema.no_info_after_validator_function(cls, entries)


def nearest_names(name: str, known: Sequence[str]) -> list[str]:
    """Return the names that an unknown one may mean, capitals or not, the likeliest first.

    Args:
        name: The unknown name.
        known: The names that exist.

    Returns:
        Up to three. Those of which it is a part come first: they are closer than what happens to have the same letters.
    """
    wanted, folded = name.strip().casefold(), {entry.casefold(): entry for entry in known}
    parts = [entry for key, entry in folded.items() if wanted and wanted in key]
    close = [folded[key] for key in get_close_matches(wanted, folded, n=_NEAREST)]
    return list(dict.fromkeys([*parts, *close]))[:_NEAREST]


def _hint(name: str, known: list[str]) -> str:
    """Return the nearest names, else the first ones: there may be thousands."""
    close = nearest_names(name, known)
    if close:
        return f"Did you mean {' or '.join(map(repr, close))}?"
    return f"Choose one of {listed(known, _LISTED)}."
