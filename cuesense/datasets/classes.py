"""Names of a model's outputs, and which output stands for which class of a dataset."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from unicodedata import normalize

from cuesense.datasets.name_files import read_names
from cuesense.datasets.names import composed, loose_key, refuse_same
from cuesense.errors import DatasetError, expected
from cuesense.imagenet_names import imagenet_lemmas, imagenet_names, imagenet_synsets
from cuesense.types import ClassNames

# A WordNet id, also with a name behind it, as in the Stanford dogs' folders: "n02085620-Chihuahua".
_SYNSET = re.compile(r"n\d{8}(?!\d)")
# A number before a name, as in "001.Black_footed_Albatross" or "12_rose".
_NUMBERED = re.compile(r"\d{1,9}\s*[-._ ]\s*(?=\w)")
# Examples that a message names.
_SHOWN = 3
# A class name of the outputs counts as a misspelling of another from this similarity on (difflib's ratio): below it,
# "nearest" names are unrelated ('zucchini' to '1000'). Chosen by hand; not tuned.
_SIMILAR = 0.6
# Longer runs of digits are names, such as a product's number.
_MOST_DIGITS = 9


def read_class_names(spec: str) -> ClassNames:
    """Return the names of a model's outputs, in the order of the outputs.

    Args:
        spec: ``"imagenet"``, or a file in one of the forms of ``name_files.read_names``: lines, JSON, YAML, a Python
            literal, or a table.

    Returns:
        The names, all different, and the synsets where they are known.

    Raises:
        DatasetError: The file is missing, unreadable, empty or in another form, or repeats a name.
    """
    if spec == "imagenet":
        return ClassNames(imagenet_names(), imagenet_synsets())
    found = read_names(Path(spec))
    check_names(found, f"the class names in '{spec}'")
    return ClassNames(tuple(map(composed, found.names)), found.synsets)


def check_names(found: ClassNames, what: str) -> None:
    """Raise DatasetError where a name is empty or given twice, or there is none; ``what`` begins the sentence."""
    problem = None
    if not any(found.names):
        problem = "no name at all"
    elif "" in found.names:
        problem = f"an empty name for output {found.names.index('')}"
    else:
        # The two Unicode forms of one text are one name.
        name, count = Counter(map(composed, found.names)).most_common(1)[0]
        problem = f"'{name}' {count} times" if count > 1 else None
    if problem:
        do = "Give every output one name of its own"
        raise DatasetError(expected(what, "different from each other", problem, do))


def match_classes(dataset_classes: Sequence[str], outputs: ClassNames) -> tuple[int, ...]:
    """Return which output of the model stands for each class of the dataset.

    A class is matched by its synset, else by its name: exactly; else in one Unicode form; else ignoring case and
    blanks (``names.NameIndex``); else also punctuation; else by the first lemma of a list such as
    ``"tench, Tinca tinca"``; else by any lemma, WordNet's among them where the outputs' synsets are known; else without
    a number before the name (``"001.Name"``). Where no class is a name and all are integers below the number of
    outputs, they are indices; where they are 1 to K for K outputs, they count the outputs from 1.

    Args:
        dataset_classes: Names of the dataset's classes, length C.
        outputs: Names of the model's outputs, length K.

    Returns:
        One output index a class, length C, all different.

    Raises:
        DatasetError: A class has no output or several, or two classes have the same output or the same name.
    """
    do = "Merge these classes, or rename one of them"
    refuse_same(dataset_classes, "the classes of the dataset", do)
    found = _find(dataset_classes, outputs)
    if _are_indices(dataset_classes, found):
        first = _first_index(dataset_classes, len(outputs.names))
        if not first:
            _refuse_indices_beyond(dataset_classes, len(outputs.names))
        found = [{int(name) - first} for name in dataset_classes]
    failed = [name for name, hits in zip(dataset_classes, found, strict=True) if len(hits) != 1]
    if failed:
        raise DatasetError(_unmatched(failed, found[dataset_classes.index(failed[0])], len(found), outputs))
    matched = tuple(index for (index,) in found)
    _check_one_to_one(dataset_classes, matched, outputs)
    return matched


def counted_from_1(dataset_classes: Sequence[str], outputs: ClassNames) -> bool:
    """Return whether match_classes takes the classes for the outputs' numbers, counted from 1."""
    if not all(map(_is_number, dataset_classes)) or not _first_index(dataset_classes, len(outputs.names)):
        return False
    return _are_indices(dataset_classes, _find(dataset_classes, outputs))


def display_names(dataset_classes: Sequence[str], outputs: ClassNames, matched: Sequence[int]) -> tuple[str, ...]:
    """Return readable names for a report.

    Args:
        dataset_classes: Names of the dataset's classes, length C.
        outputs: Names of the model's outputs.
        matched: The output of each class, length C, from match_classes.

    Returns:
        One name a class, in Unicode's composed form: its output's where it is called by its synset or its index, else
        its own.
    """
    return tuple(
        composed(outputs.names[index] if _SYNSET.match(name) or name.isdecimal() else name)
        for name, index in zip(dataset_classes, matched, strict=True)
    )


def _find(dataset_classes: Sequence[str], outputs: ClassNames) -> list[set[int]]:
    """Return for each class the outputs that the strictest rule with any hit finds."""
    # WordNet's lemmas are known for ILSVRC-2012's synsets alone; other synsets are matched by id and name.
    known = [imagenet_lemmas().get(synset, "") for synset in outputs.synsets] or [""] * len(outputs.names)
    both = list(zip(outputs.names, known, strict=True))
    synsets = _table([synset] for synset in outputs.synsets)
    exact = _table([name] for name in outputs.names)
    one_form = _table([composed(name)] for name in outputs.names)
    loose = _table([loose_key(name)] for name in outputs.names)
    folded = _table((_fold(name), _fold(lemma)) for name, lemma in both)
    first = _table((_first(name), _first(lemma)) for name, lemma in both)
    every = _table([_fold(part) for text in texts for part in text.split(",")] for texts in both)

    unnumbered = _table(
        {_without_number(part) for text in texts for part in (text, *text.split(","))} for texts in both
    )

    def hits(name: str) -> set[int]:
        synset = _SYNSET.match(name)
        alike = (name, composed(name), loose_key(name), _fold(name))
        keys = (synset[0] if synset else "", *alike, _first(name), _first(name), _without_number(name))
        tables = (synsets, exact, one_form, loose, folded, first, every, unnumbered)
        return next((table[key] for table, key in zip(tables, keys, strict=True) if key and key in table), set())

    return [hits(name) for name in dataset_classes]


def _table(keys_of_outputs: Iterable[Iterable[str]]) -> Mapping[str, set[int]]:
    table: dict[str, set[int]] = defaultdict(set)
    for index, keys in enumerate(keys_of_outputs):
        for key in keys:
            table[key].add(index)
    return table


def _fold(name: str) -> str:
    return " ".join(re.findall(r"\w+", normalize("NFKC", name).replace("_", " ").casefold()))


def _without_number(name: str) -> str:
    return _fold(_NUMBERED.sub("", name, count=1) if _NUMBERED.match(name) else name)


def _first(name: str) -> str:
    return _fold(name.partition(",")[0])


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS


def _are_indices(names: Sequence[str], found: Sequence[set[int]]) -> bool:
    return not any(found) and all(map(_is_number, names))


def _first_index(names: Sequence[str], outputs: int) -> int:
    """Return the number of the first output: 1 where the numbers are exactly 1 to that of the outputs, else 0."""
    return int(sorted(map(int, names)) == list(range(1, outputs + 1)))


def _refuse_indices_beyond(names: Sequence[str], outputs: int) -> None:
    """Refuse class folders that are numbers of which some are no index of an output."""
    if max(map(int, names)) >= outputs:
        got = f"'{max(names, key=int)}' with {outputs:,} outputs (indices 0 to {outputs - 1:,})"
        do = "Give the outputs' names with --class-names, or number the classes as the outputs are"
        raise DatasetError(expected("each class of the dataset", "the name or the index of an output", got, do))


def _unmatched(failed: Sequence[str], hits: set[int], classes: int, outputs: ClassNames) -> str:
    shown = ", ".join(f"'{composed(name)}'" for name in failed[:_SHOWN]) + (", ..." if len(failed) > _SHOWN else "")
    return expected(
        "each class of the dataset",
        "one output of the model",
        f"{len(failed)} of {classes} without one: {shown} ({_nearest(failed[0], hits, outputs)})",
        "Rename the classes, or give the outputs' names with --class-names",
    )


def _nearest(name: str, hits: set[int], outputs: ClassNames) -> str:
    """Return what a class may have meant; where no output has a similar name, what the outputs are called."""
    if hits:
        rivals = " and ".join(f"'{outputs.names[index]}'" for index in sorted(hits)[:_SHOWN])
        return f"'{composed(name)}' may be {rivals}"
    by_fold = {_first(output): output for output in outputs.names}
    close = get_close_matches(_first(name), by_fold, n=1, cutoff=_SIMILAR)
    if close:
        return f"the nearest output to '{composed(name)}' is '{by_fold[close[0]]}'"
    called = ", ".join(f"'{output}'" for output in outputs.names[:_SHOWN])
    return f"the {len(outputs.names):,} outputs are called {called}{', ...' if len(outputs.names) > _SHOWN else ''}"


def _check_one_to_one(dataset_classes: Sequence[str], matched: Sequence[int], outputs: ClassNames) -> None:
    owner: dict[int, str] = {}
    for name, index in zip(dataset_classes, matched, strict=True):
        if index in owner:
            found = f"'{composed(owner[index])}' and '{composed(name)}' both at '{outputs.names[index]}'"
            do = "Rename or merge the classes"
            raise DatasetError(expected("each class of the dataset", "an output of its own", found, do))
        owner[index] = name
