"""The one rule for comparing names: exactly, else in one Unicode form, else without case and surplus blanks.

Every reader of names (class names, folders, groups, tables, accepted labels, profiles) asks here, so that "citrón"
from a Mac, which decomposes letters, and "citrón" from a spreadsheet are one class everywhere. A name that fits
exactly is never taken for another: where both "Lemon" and "lemon" exist, they are two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from unicodedata import category, normalize

from cuesense.errors import CuesenseError, DatasetError, expected, listed

# Names that a message lists before it counts the rest.
_LISTED = 3


def composed(name: str) -> str:
    """Return a name in Unicode's composed form (NFC), which is what is printed and written."""
    return normalize("NFC", name)


def loose_key(name: str) -> str:
    """Return what names have in common that differ in Unicode form, case, blanks or underscores alone.

    Unicode's compatibility caseless matching (The Unicode Standard, section 3.13, D146); then characters of category
    Cf (byte order marks, zero-width blanks, soft hyphens) are dropped, underscores become blanks, and runs of blanks
    one blank. Punctuation stays: "C" and "C++" are two classes.
    """
    caseless = normalize("NFKD", normalize("NFKD", normalize("NFD", name).casefold()).casefold())
    seen = "".join(letter for letter in caseless if category(letter) != "Cf")
    return normalize("NFKC", " ".join(seen.replace("_", " ").split()))


class NameIndex:
    """Finds a name in a list, however it is spelled.

    Attributes:
        names: The list.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Index names; a name's place in the list is what is found."""
        self.names = tuple(names)
        self._tables: tuple[dict[str, set[int]], ...] = tuple(defaultdict(set) for _ in _FORMS)
        for table, form in zip(self._tables, _FORMS, strict=True):
            for place, name in enumerate(self.names):
                table[form(name)].add(place)

    def places(self, name: str) -> tuple[int, ...]:
        """Return the places of all names that the strictest rule with any hit finds; none where no rule finds one."""
        keyed = ((table, form(name)) for table, form in zip(self._tables, _FORMS, strict=True))
        return next((tuple(sorted(table[key])) for table, key in keyed if key and key in table), ())

    def find(self, name: str, what: str, error: type[CuesenseError] = DatasetError) -> int | None:
        """Return the place of a name, None where it is not in the list.

        Args:
            name: The name.
            what: What it is and where it stands, which begins the sentence of an error.
            error: The class of that error.

        Raises:
            CuesenseError: Several names of the list differ from it in case or blanks alone, and none fits exactly.
        """
        found = self.places(name)
        if len(found) > 1:
            rivals = " or ".join(f"'{composed(self.names[place])}'" for place in found[:_LISTED])
            do = "Spell it exactly as one of them"
            raise error(expected(what, "the name of one class", f"'{composed(name)}', which may be {rivals}", do))
        return found[0] if found else None

    def match(self, names: Sequence[str]) -> list[int | None]:
        """Return the place of each of several names, all different; None where there is none of its own.

        A name that fits several places, or a place that another name fits better, is none.
        """
        found = [self.places(name) for name in names]
        once = Counter(places[0] for places in found if len(places) == 1)
        return [
            places[0]
            if len(places) == 1 and (once[places[0]] == 1 or composed(name) == composed(self.names[places[0]]))
            else None
            for name, places in zip(names, found, strict=True)
        ]


# From the strictest rule to the loosest.
_FORMS: tuple[Callable[[str], str], ...] = (str, composed, loose_key)


def refuse_same(names: Sequence[str], what: str, do: str, error: type[CuesenseError] = DatasetError) -> None:
    """Raise an error where two names of a list are the same text, perhaps in two Unicode forms.

    Args:
        names: The names.
        what: The list, which begins the sentence.
        do: What the user can do.
        error: The class of the error.
    """
    spelled = defaultdict(list)
    for name in names:
        spelled[composed(name)].append(name)
    twice = {name: forms for name, forms in spelled.items() if len(forms) > 1}
    if twice:
        name, forms = next(iter(twice.items()))
        how = f"'{name}' {len(forms)} times" + (" (in different Unicode forms)" if len(set(forms)) > 1 else "")
        raise error(expected(what, "different from each other", how, do))


def one_spelling(counts: Mapping[str, int], apart: Callable[[Sequence[str]], bool]) -> dict[str, str]:
    """Return what each spelling of a list without reference is called.

    Args:
        counts: How often each spelling comes.
        apart: Whether spellings (composed) that differ in case or blanks are names of different things.

    Returns:
        For each spelling its composed form; or where spellings that differ in case or blanks alone are not apart, that
        of the commonest of them, the first in order where two are equally common.
    """
    total: dict[str, int] = defaultdict(int)
    for name, count in counts.items():
        total[composed(name)] += count
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(total):
        alike[loose_key(name) or name].append(name)
    called = {}
    for forms in alike.values():
        one = max(forms, key=total.__getitem__)
        called.update(dict.fromkeys(forms, one) if not apart(forms) else {name: name for name in forms})
    return {name: called[composed(name)] for name in counts}


def respelled(values: Sequence[str], apart: Callable[[Sequence[str]], bool], what: str) -> tuple[list[str], list[str]]:
    """Return the values of a column with one spelling a name, and sentences about those that had several.

    Args:
        values: The names, one a row.
        apart: As for ``one_spelling``.
        what: What is named, in the singular.
    """
    called = one_spelling(Counter(values), apart)
    spellings: dict[str, list[str]] = defaultdict(list)
    for form, name in called.items():
        spellings[name].append(form)
    return [called[value] for value in values], spelling_remarks(spellings, what)


def spelling_remarks(spellings: Mapping[str, Iterable[str]], what: str = "class") -> list[str]:
    """Return a sentence about names that come in several spellings, or nothing.

    Args:
        spellings: For each name as it is printed, all spellings that were taken for it.
        what: What is named, in the singular.
    """
    several = {name: sorted(set(forms)) for name, forms in spellings.items() if len(set(forms)) > 1}
    if not several:
        return []
    shown = listed([_shown(name, forms) for name, forms in sorted(several.items())], _LISTED)
    return [
        f"Spellings of one {what} that differ in Unicode form, case or blanks alone were taken for the same name: "
        f"{shown}. Where they are different, name them exactly (--class-names), or else spell them alike."
    ]


def _shown(name: str, forms: Sequence[str]) -> str:
    other = sorted({composed(form) for form in forms} - {name})
    return " and ".join([f"'{name}'", *(f"'{form}'" for form in other)]) + ("" if other else " in two Unicode forms")
