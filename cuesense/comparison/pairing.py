"""Two profiles side by side: their classes matched by name, their images one by one where both predictions are there.

Data: two folders of analyses (profile.json, predictions.parquet) -> Pair -> one contrast a condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from cuesense.arrays import Floats, Ints
from cuesense.errors import SettingsError, expected
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.table import read
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.stats.model_difference import Contrast, paired
from cuesense.types import Role

PREDICTIONS = "predictions.parquet"

_LISTED = 3
_SAME_DOSE = 1e-5


@dataclass(frozen=True)
class Source:
    """A profile and where it was read.

    Attributes:
        profile: The profile.
        path: Its file, beside which its predictions may lie; None where it never was in a file.
    """

    profile: Profile
    path: Path | None = None

    @classmethod
    def of(cls, profile: Profile | Path | str) -> Source:
        """Read a profile.json, named by itself or its folder; a Profile stays as it is.

        Raises:
            SettingsError: There is none, or it is none of this schema version.
        """
        if isinstance(profile, Profile):
            return cls(profile)
        return cls(Profile.read(profile), Profile.file(profile))

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return self.profile.provenance.model.spec if self.path is None else str(self.path)

    @property
    def table(self) -> Path | None:
        """The file of its predictions, or None where there is none."""
        path = None if self.path is None else self.path.with_name(PREDICTIONS)
        return path if path is not None and path.is_file() else None


@dataclass(frozen=True)
class _Images:
    """Two predictions of the same images in one order, and their classes in A."""

    labels: Ints
    a: Predictions
    b: Predictions


class Pair:
    """Two profiles of the same classes; A is the reference, and its order of the classes holds.

    Attributes:
        a: The reference.
        b: What is compared with it.
        places: The place in B of each class of A, (C,).
        unpaired: Why the two cannot be compared image by image, a clause; None where they can.
    """

    def __init__(self, a: Source, b: Source) -> None:
        """Match the classes and, where both predictions are there, the images.

        Raises:
            SettingsError: The classes, or the confidence of the two, are not the same.
            DatasetError: A file of predictions is damaged.
        """
        _check_confidence(a, b)
        self.a, self.b = a, b
        self.places = _places(a, b)
        found = self._matched()
        self.unpaired = found if isinstance(found, str) else None
        self._images = None if isinstance(found, str) else found

    @property
    def confidence(self) -> float:
        """The level of both profiles, in (0.5, 1)."""
        return self.a.profile.policy.confidence

    @cached_property
    def doses(self) -> dict[str, float]:
        """The strongest dose of each augmentation that both measured, in the order of A's curves."""
        of_b = {curve.perturbation: curve.values for curve in augmentations(self.b.profile)}
        common = {
            curve.perturbation: [value for value in curve.values if _rung(of_b.get(curve.perturbation, ()), value) >= 0]
            for curve in augmentations(self.a.profile)
        }
        return {name: values[-1] for name, values in common.items() if values}

    def contrast(self, augmentation: str | None = None) -> Contrast:
        """Return how many images of each class the two recognize.

        Args:
            augmentation: One of ``doses``, or None for the clean images.

        Returns:
            The contrast of C classes, in the order of A.
        """
        if self._images is not None:
            found = self._images
            share_a, share_b = (self._share(part, augmentation) for part in (found.a, found.b))
            return paired(found.labels, share_a, share_b, len(self.places))
        n_a, right_a = self._counts(self.a.profile, augmentation)
        n_b, right_b = self._counts(self.b.profile, augmentation)
        return Contrast(n_a, n_b[self.places], right_a, right_b[self.places])

    def _share(self, predictions: Predictions, augmentation: str | None) -> Floats:
        rows = _rows(predictions, augmentation, None if augmentation is None else self.doses[augmentation])
        return np.asarray(np.mean([predictions.right(row) for row in rows], axis=0))

    def _counts(self, profile: Profile, augmentation: str | None) -> tuple[Floats, Floats]:
        if augmentation is None:
            return _clean_counts(profile)
        curve = next(curve for curve in augmentations(profile) if curve.perturbation == augmentation)
        return perturbed_counts(curve, _rung(curve.values, self.doses[augmentation]))

    def _matched(self) -> _Images | str:
        """Return the images of both, or why there is no matching them."""
        if self.a.profile.provenance.dataset.fingerprint != self.b.profile.provenance.dataset.fingerprint:
            return "the datasets differ"
        for source in (self.a, self.b):
            if source.table is None:
                return f"no {PREDICTIONS} lies beside {source.name}"
        tables = []
        for source in (self.a, self.b):
            found = None if source.table is None else read(source.table)[0]
            if found is None or not self._fits(found, source.profile):
                return f"{source.table} is not that of its profile"
            tables.append(found)
        return self._aligned(*tables)

    def _fits(self, predictions: Predictions, profile: Profile) -> bool:
        """Whether predictions give the clean counts of a profile, and have the doses to compare."""
        n, right = _clean_counts(profile)
        labels, classes = predictions.answers[0].labels, len(predictions.class_names)
        return (
            predictions.paired
            and np.array_equal(np.bincount(labels, minlength=classes), n)
            and np.array_equal(np.bincount(labels[predictions.right(0)], minlength=classes), right)
            and all(_rows(predictions, name, dose) for name, dose in self.doses.items())
        )

    def _aligned(self, a: Predictions, b: Predictions) -> _Images | str:
        """Return the images; prediction_table.read has sorted them by their ids."""
        labels, back = a.answers[0].labels, np.argsort(self.places)
        same = list(a.sample_ids) == list(b.sample_ids)
        if not same or not np.array_equal(labels, back[b.answers[0].labels]):
            return "the images or their labels differ"
        return _Images(labels, a, b)


def is_profile(spec: str) -> bool:
    """Return whether a user named a profile: a folder, a ``.json`` file or one that starts as JSON does."""
    path = Path(spec)
    if path.is_dir() or path.suffix == ".json":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(1) == b"{"


def augmentations(profile: Profile) -> list[CurveModel]:
    """Return the curves of a profile's augmentations."""
    return [curve for curve in profile.curves if curve.role is Role.AUGMENTATION]


def perturbed_counts(curve: CurveModel, rung: int) -> tuple[Floats, Floats]:
    """Return how many images a perturbation left to each class and how many of them were recognized.

    Args:
        curve: The curve.
        rung: The place of the dose in its values.

    Returns:
        Images and those that are recognized, (C,) each, as means over the repeats.
    """
    if curve.unpaired is not None:
        n, right = curve.unpaired.n[rung], curve.unpaired.correct[rung]
        return np.array(n) / curve.repeats, np.array(right) / curve.repeats
    change = (np.array(curve.gained[rung]) - np.array(curve.lost[rung])) / curve.repeats
    return np.array(curve.n, np.float64), np.array(curve.clean_correct) + change


def _clean_counts(profile: Profile) -> tuple[Floats, Floats]:
    n = np.array([entry.images for entry in profile.classes], np.float64)
    return n, np.rint(n * [entry.clean_accuracy or 0.0 for entry in profile.classes])


def _rung(values: Sequence[float], dose: float) -> int:
    """Return the place of a dose, -1 where it is none of the values."""
    return next((place for place, value in enumerate(values) if abs(value - dose) <= _SAME_DOSE * abs(dose)), -1)


def _rows(predictions: Predictions, augmentation: str | None, dose: float | None) -> list[int]:
    if augmentation is None or dose is None:
        return [0]
    values = [value for name, value in predictions.rows if name == augmentation]
    rung = _rung(values, dose)
    return predictions.rows[augmentation, values[rung]] if rung >= 0 else []


def _check_confidence(a: Source, b: Source) -> None:
    first, second = (source.profile.policy.confidence for source in (a, b))
    if first != second:
        do = "Analyze one of them again with the confidence of the other"
        raise SettingsError(expected(f"the confidence of {b.name}", f"that of {a.name}, {first:g}", f"{second:g}", do))


def _places(a: Source, b: Source) -> Ints:
    names_a, names_b = ([entry.name for entry in source.profile.classes] for source in (a, b))
    for source, names in ((a, names_a), (b, names_b)):
        _check_distinct(source, names)
    missing, more = sorted(set(names_a) - set(names_b)), sorted(set(names_b) - set(names_a))
    if missing or more:
        found = " and ".join(
            f"{words} {_some(names)}" for words, names in (("without", missing), ("with", more)) if names
        )
        do = "Analyze both on the same classes, with the same --class-names"
        raise SettingsError(expected(f"the classes of {b.name}", f"those of {a.name}", f"classes {found}", do))
    place = {name: index for index, name in enumerate(names_b)}
    return np.array([place[name] for name in names_a], np.int64)


def _check_distinct(source: Source, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        do = "Analyze again with --class-names that differ"
        raise SettingsError(expected(f"the class names of {source.name}", "distinct", f"{_some(twice)} twice", do))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
