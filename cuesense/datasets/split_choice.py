"""Which part of a dataset is read where it has several and none, or one of another spelling, was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cuesense.errors import SplitError, expected, listed

# Images that a network was trained on tell nothing about it: a validation or test part goes first. A test part comes
# second, because those of competitions have no labels.
_PREFERRED = ("val", "test", "train")
_SAME = {
    "val": ("val", "valid", "validation", "eval", "dev"),
    "test": ("test", "testing"),
    "train": ("train", "training"),
}
_WORDS = {word: name for name, words in _SAME.items() for word in words}
_NAME = re.compile(r"([a-z]+?)[-_ ]?(?:set|data|images|split)?[-_ \d]*", re.IGNORECASE)
_SHOWN = 8


def kind_of_split(name: str) -> str | None:
    """Return ``"train"``, ``"val"`` or ``"test"`` for the name of a part ("Validation", "val2017"), else None."""
    found = _NAME.fullmatch(name.strip())
    return _WORDS.get(found[1].casefold()) if found else None


def choose_split(names: Sequence[str], asked: str | None, what: str) -> tuple[str, str | None]:
    """Return the part to read, and what to say of a choice that was not the user's.

    Args:
        names: The parts that there are, at least one.
        asked: What the user gave, which may be spelled otherwise (``val`` for ``validation``).
        what: The dataset, for the sentences.

    Raises:
        SplitError: There is no such part.
    """
    if asked is not None:
        kind = kind_of_split(asked)
        for fits in (str.__eq__, lambda a, b: a.casefold() == b.casefold(), lambda a, _: kind_of_split(a) == kind):
            found = [name for name in names if fits(name, asked)]
            if found and (kind or found[0].casefold() == asked.casefold()):
                return found[0], None
        do = f"Give one of {listed(list(names), _SHOWN)}"
        raise SplitError(expected("--split", f"a part of {what}", f"'{asked}'", do))
    for wanted in _PREFERRED:
        chosen = next((name for name in names if kind_of_split(name) == wanted), None)
        if chosen is not None:
            break
    else:
        chosen = names[0]
    if len(names) == 1:
        return chosen, None
    others = listed([name for name in names if name != chosen], _SHOWN)
    return chosen, f"Of the parts of {what}, '{chosen}' was read, not {others}: choose with --split."
