"""One spelling for each class of a table of predictions, whatever Unicode form, case or blanks its rows have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cuesense.datasets.names import NameIndex, composed, one_spelling, spelling_remarks
from cuesense.predictions.table_columns import Coded, Rows

# A predicted name is another spelling of a class, beside that class itself, where at least this share of its
# predictions is for images of the class: another output ("cardigan" beside the dog "Cardigan") is predicted for other
# images. Chosen by hand.
_SAME = 0.5


def with_one_spelling(rows: Rows, class_names: Sequence[str] | None, path: Path, warnings: list[str]) -> Rows:
    """Return a table's rows with one spelling for each class and each image id.

    Args:
        rows: The rows as they were read.
        class_names: The classes, as they should be spelled (composed); None takes the labels, where names that differ
            in case or blanks alone are two classes if both are also predicted.
        path: The table, which errors name.
        warnings: Gets a sentence where a class has several spellings, and where two such names count as two classes.

    Raises:
        DatasetError: A name may be that of several classes.
    """
    called = {} if class_names is not None else _labels(rows, warnings)
    names = class_names if class_names is not None else tuple(dict.fromkeys(called.values()))
    index, spellings = NameIndex(names), defaultdict[str, set[str]](set)

    def renamed(column: Coded, what: str, others: frozenset[str] = frozenset()) -> Coded:
        new = []
        for form in column.names:
            place = None if form in others else index.find(called.get(form, form), f"each {what} of '{path}'")
            new.append(composed(form) if place is None else names[place])
            if place is not None:
                spellings[names[place]].add(form)
        return _renamed(column, new)

    labels = renamed(rows.labels, "label")
    others = _other_outputs(rows.predicted, labels, index)
    changed = replace(
        rows,
        samples=_renamed(rows.samples, [composed(name) for name in rows.samples.names]),
        labels=labels,
        predicted=renamed(rows.predicted, "predicted", others),
        corrected=None if rows.corrected is None else renamed(rows.corrected, "corrected", others),
    )
    warnings += spelling_remarks(spellings)
    return changed


def _labels(rows: Rows, warnings: list[str]) -> dict[str, str]:
    """Return what each label is called, where the labels alone say what the classes are."""
    predicted = {composed(name) for name in rows.predicted.names}
    apart: list[Sequence[str]] = []

    def both_predicted(forms: Sequence[str]) -> bool:
        found = len(forms) > 1 and predicted.issuperset(forms)
        if found:
            apart.append(forms)
        return found

    called = one_spelling(_counts(rows.labels), both_predicted)
    warnings += [
        f"{_quoted(forms)} count as different classes, because all of them are both labels "
        "and predictions. Spell them alike if they are one."
        for forms in apart
    ]
    return called


def _other_outputs(predicted: Coded, labels: Coded, index: NameIndex) -> frozenset[str]:
    """Return the predicted names that only look like a class, which is predicted under its own name as well."""
    exact = {composed(name) for name in predicted.names}
    others = []
    for code, form in enumerate(predicted.names):
        places = index.places(form)
        if len(places) != 1 or index.names[places[0]] == composed(form) or index.names[places[0]] not in exact:
            continue
        of = labels.codes[predicted.codes == code]
        same = [name == index.names[places[0]] for name in labels.names]
        if np.array(same)[of].mean() < _SAME:
            others.append(form)
    return frozenset(others)


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _counts(column: Coded) -> dict[str, int]:
    return dict(zip(column.names, np.bincount(column.codes, minlength=len(column.names)).tolist(), strict=True))


def _renamed(column: Coded, names: Sequence[str]) -> Coded:
    """Return a column with other names for its names; those that become equal are one."""
    distinct = sorted(set(names))
    place = {name: code for code, name in enumerate(distinct)}
    # An empty cell has the code -1, the last place.
    code_of = np.array([*(place[name] for name in names), -1], np.int64)
    return Coded(code_of[column.codes], distinct)
