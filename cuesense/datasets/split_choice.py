"""Which part of a dataset is read where it has several and none, or one of another spelling, was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.datasets.splits import split_kind
from cuesense.errors import SplitError, expected, listed

# Images that a network was trained on tell nothing about it: a validation or test part goes first. A test part comes
# second, because those of competitions have no labels.
_PREFERRED = ("val", "test", "train")
_SHOWN = 8


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
        kind = split_kind(asked)
        for fits in (str.__eq__, lambda a, b: a.casefold() == b.casefold(), lambda a, _: split_kind(a) == kind):
            found = [name for name in names if fits(name, asked)]
            if found and (kind or found[0].casefold() == asked.casefold()):
                return found[0], None
        do = f"Give one of {listed(list(names), _SHOWN)}"
        raise SplitError(expected("--split", f"a part of {what}", f"'{asked}'", do))
    for wanted in _PREFERRED:
        chosen = next((name for name in names if split_kind(name) == wanted), None)
        if chosen is not None:
            break
    else:
        chosen = names[0]
    if len(names) == 1:
        return chosen, f"The only part of {what}, '{chosen}', was read."
    others = listed([name for name in names if name != chosen], _SHOWN)
    return chosen, f"Of the parts of {what}, '{chosen}' was read, not {others}: choose with --split."
