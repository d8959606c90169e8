"""What the analysis answers on kept predictions: right, open or wrong on single cues, and graded answers' validity."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.labels import Network, labels
from benchmarks.outside.battery import BATTERY, CHECKS
from benchmarks.outside.kept import OUTSIDE
from cuesense.perturbations.ablations import COLUMNS, Ablation
from cuesense.types import CueVerdict

# Clean accuracy below which a class counts as not recognized: whatever is answered on it is listed apart.
RECOGNIZED = 0.5
# Share kept from which on a check counts as passed; chosen by hand, not tuned.
HALF = 0.5
GROUPS = ("recognized", "confirmed", "not_recognized")
_HALVES = 50

Stored = Mapping[str, NDArray[Any]]


def judged(path: Path) -> dict[str, Any]:
    """Return what the analysis answers for every class of a single-cue set, with the counts.

    Args:
        path: A file of ``outside.kept.keep``, named SET-GROUPING-NETWORK-SEED-SIDE.npz.

    Returns:
        For a JSON file: the set, the network, and how many answers are right, open and wrong (any answer but the
        set's cue) among the ``recognized`` classes, those of them of which an outside check has ``confirmed`` that the
        network relies on the cue, and the ``not_recognized``; ``wrong_words``; and every class.
    """
    network = Network(path.stem, path)
    truth, given = network.truth[0], labels(network, None, 0)
    names, clean, relied = network.stored["names"], _clean(network.stored), relies(network.stored, truth)
    classes = [
        {
            "name": str(name),
            "clean": round(accuracy, 3),
            "cue": answer.cue.value,
            "outcome": _outcome(answer.cue, truth),
            "confirmed": bool(confirmed),
            "probabilities": {cue.value: round(float(p), 3) for cue, p in answer.probabilities.items()},
            "why": answer.why,
        }
        for name, accuracy, answer, confirmed in zip(names, clean, given, relied, strict=True)
    ]
    recognized = [entry for entry in classes if entry["clean"] >= RECOGNIZED]
    unknown = [entry for entry in classes if entry["clean"] < RECOGNIZED]
    return {
        **_parts(path),
        "truth": truth.value,
        "recognized": _counts(recognized),
        "confirmed": _counts(entry for entry in recognized if entry["confirmed"]),
        "not_recognized": _counts(unknown),
        "wrong_words": dict(Counter(entry["cue"] for entry in recognized if entry["outcome"] == "wrong")),
        "classes": classes,
    }


def relies(stored: Stored, truth: CueVerdict) -> NDArray[np.bool_]:
    """Return for which classes an outside check confirms that the network relies on the only cue there is, (C,).

    Shape: less than half is kept on a collage of crops of an eighth of the side. Texture: half or more is, and less in
    random order of the pixels. Color: half or more is kept in random order. A drawing that fails is recognized by its
    strokes, whatever it was made to show.
    """
    kept = _kept(stored, np.arange(len(stored["labels"])))
    collage, order = (np.nan_to_num(kept[f"{OUTSIDE}{name}", 1.0]) >= HALF for name in CHECKS)
    if truth is CueVerdict.SHAPE:
        return ~collage
    return collage & ~order if truth is CueVerdict.TEXTURE else order


def _counts(classes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found = Counter(entry["outcome"] for entry in classes)
    return {"all": found.total(), **{outcome: found[outcome] for outcome in ("right", "open", "wrong")}}


def _parts(path: Path) -> dict[str, Any]:
    name, grouping, network, seed, side = path.stem.split("-")
    return {"set": name, "grouping": grouping, "network": network, "seed": int(seed), "side": int(side)}


def _outcome(answer: CueVerdict, truth: CueVerdict) -> str:
    if answer is truth:
        return "right"
    return "open" if answer is CueVerdict.UNDETERMINED else "wrong"


def _clean(stored: Stored) -> list[float]:
    """Return the network's own accuracy on the clean images of each class."""
    right = stored["predicted"][0] == stored["labels"]
    return [float(right[stored["labels"] == label].mean()) for label in range(len(stored["names"]))]


def table(found: Iterable[Mapping[str, Any]]) -> str:
    """Return right, open and wrong by set, grouping, network and size, and in all, as a Markdown table."""
    every = list(found)
    keys = ("truth", "set", "grouping", "network", "side")
    rows: dict[tuple[str, ...], Counter[str]] = {}
    for entry in every:
        names = tuple(str(entry[key]) for key in keys)
        for row in (names, (entry["truth"], "all", "", "", ""), ("all", "", "", "", "")):
            rows.setdefault(row, Counter()).update(_counted(entry))
    lines = [
        "| cue | set | classes | network | side | recognized: right / open / wrong | as | confirmed | not recognized |"
    ]
    lines.append("|" + "---|" * 9)
    for row, counts in sorted(rows.items()):
        words = ", ".join(f"{word[6:]} {n}" for word, n in sorted(counts.items()) if word.startswith("words_") and n)
        groups = [
            f"{counts[f'{group}_all']}: "
            + " / ".join(str(counts[f"{group}_{part}"]) for part in ("right", "open", "wrong"))
            for group in GROUPS
        ]
        lines.append(f"| {' | '.join([*row, groups[0], words or '-', *groups[1:]])} |")
    return "\n".join(lines)


def _summary(counts: Mapping[str, int], group: str) -> str:
    parts = " / ".join(str(counts[f"{group}_{outcome}"]) for outcome in ("right", "open", "wrong"))
    return f"{counts[f'{group}_all']}: {parts}"


def _counted(entry: Mapping[str, Any]) -> dict[str, int]:
    numbers = {f"{group}_{part}": count for group in GROUPS for part, count in entry[group].items()}
    return numbers | {f"words_{word}": count for word, count in entry["wrong_words"].items()}


def validity(path: Path) -> dict[str, Any]:
    """Compare what classes keep under the tool's ablations with what they keep under the outside battery.

    What a class keeps is the share of its images recognized clean that are still recognized, both after the correction
    for the class prior; a column is the mean (or the best) over its mechanisms.

    Args:
        path: A file of ``outside.kept.keep`` with photographs and the battery among its conditions.

    Returns:
        For a JSON file: by column, Pearson's r over the recognized classes between the tool's column and the battery,
        and each manipulation of it; the reliability of both (random halves, Spearman-Brown); and what each class keeps.
    """
    network = Network(path.stem, path)
    stored, places = network.stored, np.arange(len(network.stored["labels"]))
    usable = np.array(_clean(stored)) >= RECOGNIZED
    kept = _kept(stored, places)
    columns: dict[str, Any] = {}
    for column in COLUMNS:
        # Predictions that were kept before a mechanism was added lack it, and a new column may have no battery yet.
        if column.name not in BATTERY or not kept.keys() >= set(column.mechanisms):
            continue
        outside = [f"{OUTSIDE}{name}" for name in BATTERY[column.name]]
        ours = _column(kept, column.mechanisms, column.combined)[usable]
        theirs = {name: kept[name, 1.0][usable] for name in outside}
        columns[column.name] = {
            "r": _correlation(ours, np.mean(list(theirs.values()), axis=0)),
            "r_each": {name.removeprefix(OUTSIDE): _correlation(ours, values) for name, values in theirs.items()},
            "reliability": _reliability(stored, column.mechanisms, column.combined, usable),
            "reliability_outside": _reliability(stored, [Ablation(name, 1.0) for name in outside], "mean", usable),
            "kept": np.round(ours, 3).tolist(),
            "kept_outside": np.round(np.mean(list(theirs.values()), axis=0), 3).tolist(),
        }
    names = [str(name) for name, known in zip(stored["names"], usable, strict=True) if known]
    return {**_parts(path), "classes": names, "columns": columns}


def _kept(stored: Stored, places: NDArray[np.intp]) -> dict[tuple[str, float], NDArray[np.float64]]:
    """Return by condition what each class keeps on some of the images, (C,); NaN where none is recognized clean."""
    labels, classes = stored["labels"][places], len(stored["names"])
    right = stored["corrected"][:, places] == labels
    clean = np.bincount(labels[right[0]], minlength=classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            (str(name), float(value)): np.bincount(labels[right[0] & row], minlength=classes) / clean
            for (name, value), row in zip(stored["doses"], right, strict=True)
        }


def _column(
    kept: Mapping[tuple[str, float], NDArray[np.float64]], mechanisms: Iterable[tuple[str, float]], combined: str
) -> NDArray[np.float64]:
    parts = np.stack([kept[name, value] for name, value in mechanisms])
    return np.asarray(parts.mean(axis=0) if combined == "mean" else parts.max(axis=0))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < 3 or first[known].std() == 0 or second[known].std() == 0:
        return None
    return round(float(np.corrcoef(first[known], second[known])[0, 1]), 3)


def _reliability(
    stored: Stored, mechanisms: Iterable[tuple[str, float]], combined: str, usable: NDArray[np.bool_]
) -> float | None:
    """Return the mean correlation between random halves of each class's images, for the whole by Spearman-Brown."""
    mechanisms, found = list(mechanisms), []
    for draw in range(_HALVES):
        random = np.random.default_rng(draw)
        order = random.permutation(len(stored["labels"]))
        ordered = order[np.argsort(stored["labels"][order], kind="stable")]
        halves = [_column(_kept(stored, ordered[start::2]), mechanisms, combined)[usable] for start in (0, 1)]
        found.append(_correlation(*halves))
    known = [value for value in found if value is not None]
    if not known:
        return None
    mean = float(np.mean(known))
    return round(2 * mean / (1 + mean), 3)


def validity_table(found: Iterable[Mapping[str, Any]]) -> str:
    """Return the validity and reliability of every column as a Markdown table, one row a network and column."""
    lines = ["| network | side | classes | column | r | each | reliability | of the battery |", "|" + "---|" * 8]
    for entry in found:
        for name, column in entry["columns"].items():
            each = ", ".join(f"{key} {value}" for key, value in column["r_each"].items())
            numbers = (column["r"], each, column["reliability"], column["reliability_outside"])
            head = (entry["network"], entry["side"], len(entry["classes"]), name)
            lines.append(f"| {' | '.join(map(str, (*head, *numbers)))} |")
    return "\n".join(lines)
