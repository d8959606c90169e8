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
from cuesense.datasets.names import NameIndex, composed
from cuesense.errors import SettingsError, expected, listed
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.table import read
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.stats.model_difference import Contrast, paired
from cuesense.types import Role

PREDICTIONS = "predictions.parquet"

# Names that a message lists before it counts the rest.
_LISTED = 3


@dataclass(frozen=True)
class Source:
    """A profile and where it was read.

    Attributes:
        profile: The profile.
        path: Its file, where it was named by it; its predictions may lie beside it.
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
        # A profile that was read or written knows its folder.
        folder = self.profile.folder if self.path is None else self.path.parent
        path = None if folder is None else folder / PREDICTIONS
        return path if path is not None and path.is_file() else None


@dataclass(frozen=True)
class CommonSeverity:
    """A value of one augmentation that two profiles measured.

    Attributes:
        value: The value, in the augmentation's unit.
        in_a: Its severity in A.
        in_b: Its severity in B.
    """

    value: float
    in_a: int
    in_b: int


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
        order: The index in B of each class of A, (C,).
        unpaired: Why the two cannot be compared image by image, a clause; None where they can.
        partly_seen: Augmentations of ``strongest`` under which they cannot, because one of the two is an adaptive run
            that looked at a part of the images there.
    """

    def __init__(self, a: Source, b: Source) -> None:
        """Match the classes and, where both predictions are there, the images.

        Raises:
            SettingsError: The classes, or the confidence of the two, are not the same.
            DatasetError: A file of predictions is damaged.
        """
        _check_confidence(a, b)
        self.a, self.b = a, b
        self.order = _order(a, b)
        found = self._matched()
        self.unpaired = found if isinstance(found, str) else None
        self._images = None if isinstance(found, str) else found
        self.partly_seen = [name for name in self.strongest if self._images is not None and not self._all_seen(name)]

    @property
    def confidence(self) -> float:
        """The level of both profiles, in (0.5, 1)."""
        return self.a.profile.policy.confidence

    @cached_property
    def strongest(self) -> dict[str, CommonSeverity]:
        """The strongest severity of each augmentation that both measured, in the order of A's curves."""
        of_b = {curve.perturbation: severities(curve) for curve in augmentations(self.b.profile)}
        found = {}
        for curve in augmentations(self.a.profile):
            other = of_b.get(curve.perturbation, {})
            for value, severity in severities(curve).items():
                if value in other:
                    found[curve.perturbation] = CommonSeverity(value, severity, other[value])
        return found

    def contrast(self, augmentation: str | None = None) -> Contrast:
        """Return how many images of each class the two recognize.

        Args:
            augmentation: One of ``strongest``, at that severity, or None for the clean images.

        Returns:
            The contrast of C classes, in the order of A.
        """
        if self._images is not None and augmentation not in self.partly_seen:
            found = self._images
            share_a = _share_right(found.a, augmentation, self._severities(augmentation)[0])
            share_b = _share_right(found.b, augmentation, self._severities(augmentation)[1])
            return paired(found.labels, share_a, share_b, len(self.order))
        n_a, right_a = _counts(self.a.profile, augmentation, self._severities(augmentation)[0])
        n_b, right_b = _counts(self.b.profile, augmentation, self._severities(augmentation)[1])
        return Contrast(n_a, n_b[self.order], right_a, right_b[self.order])

    def _all_seen(self, augmentation: str) -> bool:
        """Whether both looked at all images under an augmentation, where the images of both are known."""
        found, severities_ = self._images, self._severities(augmentation)
        sides = () if found is None else zip((found.a, found.b), severities_, strict=True)
        return all(side.seen(row).all() for side, severity in sides for row in side.rows[augmentation, severity])

    def _severities(self, augmentation: str | None) -> tuple[int, int]:
        """Return the severity to compare in A and in B; 0 for the clean images."""
        common = None if augmentation is None else self.strongest[augmentation]
        return (0, 0) if common is None else (common.in_a, common.in_b)

    def _matched(self) -> _Images | str:
        """Return the images of both, or why there is no matching them."""
        if not self.a.profile.provenance.dataset.may_be(self.b.profile.provenance.dataset):
            return "the datasets differ"
        for source in (self.a, self.b):
            if source.table is None:
                return f"no {PREDICTIONS} lies beside {source.name}"
        tables = []
        wanted_of_a = {(name, common.in_a, common.value) for name, common in self.strongest.items()}
        wanted_of_b = {(name, common.in_b, common.value) for name, common in self.strongest.items()}
        for source, wanted in ((self.a, wanted_of_a), (self.b, wanted_of_b)):
            found = None if source.table is None else read(source.table)[0]
            if found is None or not _fits(found, source.profile, wanted):
                return f"{source.table} is not that of its profile"
            tables.append(found)
        return self._aligned(*tables)

    def _aligned(self, a: Predictions, b: Predictions) -> _Images | str:
        """Return the images; table.read has sorted them by their ids."""
        labels, back = a.per_condition[0].labels, np.argsort(self.order)
        same = list(a.sample_ids) == list(b.sample_ids)
        if not same or not np.array_equal(labels, back[b.per_condition[0].labels]):
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


def severities(curve: CurveModel) -> dict[float, int]:
    """Return the severity of each value that a curve measured, mild to strong."""
    return {value: severity for severity, value in enumerate(curve.values, start=1)}


def perturbed_counts(curve: CurveModel, severity: int) -> tuple[Floats, Floats]:
    """Return the images of each class that were seen under a perturbation, and how many of them were recognized.

    Args:
        curve: The curve.
        severity: A severity that it measured, from 1.

    Returns:
        Images and those that are recognized, (C,) each, as means over the repeats.
    """
    if curve.unpaired is not None:
        n, right = curve.unpaired.n[severity - 1], curve.unpaired.correct[severity - 1]
        return np.array(n) / curve.repeats, np.array(right) / curve.repeats
    return np.array(curve.images_at(severity), np.float64), curve.recognized[severity - 1]


def _clean_counts(profile: Profile) -> tuple[Floats, Floats]:
    n = np.array([entry.images for entry in profile.classes], np.float64)
    return n, np.rint(n * [entry.clean_accuracy or 0.0 for entry in profile.classes])


def _counts(profile: Profile, augmentation: str | None, severity: int) -> tuple[Floats, Floats]:
    if augmentation is None:
        return _clean_counts(profile)
    curve = next(curve for curve in augmentations(profile) if curve.perturbation == augmentation)
    return perturbed_counts(curve, severity)


def _share_right(predictions: Predictions, augmentation: str | None, severity: int) -> Floats:
    """Return how often each image is recognized, a share of the repeats, (N,)."""
    rows = [0] if augmentation is None else predictions.rows[augmentation, severity]
    return np.asarray(np.mean([predictions.right(row) for row in rows], axis=0))


def _fits(predictions: Predictions, profile: Profile, wanted: set[tuple[str, int, float]]) -> bool:
    """Whether predictions give the clean counts of a profile, and have the severities to compare."""
    n, right = _clean_counts(profile)
    labels, classes = predictions.per_condition[0].labels, len(predictions.class_names)
    return (
        predictions.paired
        and np.array_equal(np.bincount(labels, minlength=classes), n)
        and np.array_equal(np.bincount(labels[predictions.right(0)], minlength=classes), right)
        and {(entry.name, entry.severity, entry.value) for entry in predictions.conditions} >= wanted
    )


def _check_confidence(a: Source, b: Source) -> None:
    first, second = (source.profile.policy.confidence for source in (a, b))
    if first != second:
        do = "Analyze one of them again with the confidence of the other"
        raise SettingsError(expected(f"the confidence of {b.name}", f"that of {a.name}, {first:g}", f"{second:g}", do))


def _order(a: Source, b: Source) -> Ints:
    names_a, names_b = ([composed(entry.name) for entry in source.profile.classes] for source in (a, b))
    for source, names in ((a, names_a), (b, names_b)):
        _check_distinct(source, names)
    places = NameIndex(names_b).match(names_a)
    missing = sorted(name for name, place in zip(names_a, places, strict=True) if place is None)
    more = sorted(name for place, name in enumerate(names_b) if place not in set(places))
    if missing or more:
        found = " and ".join(
            f"{words} {listed(names, _LISTED)}" for words, names in (("without", missing), ("with", more)) if names
        )
        do = "Analyze both on the same classes, with the same --class-names"
        raise SettingsError(expected(f"the classes of {b.name}", f"those of {a.name}", f"classes {found}", do))
    return np.array(places, np.int64)


def _check_distinct(source: Source, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        do = "Analyze again with --class-names that differ"
        raise SettingsError(
            expected(f"the class names of {source.name}", "distinct", f"{listed(twice, _LISTED)} twice", do)
        )
