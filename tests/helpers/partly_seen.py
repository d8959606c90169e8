"""A profile of an adaptive run: under color jitter the stronger severities were measured on a part of the images."""

from __future__ import annotations

from cuesense.schemas.profile import Counts, CurveModel, Profile
from tests.helpers.profiles import profile

JITTER = "color_jitter"

# Two classes of 80 images, 60 and 40 of them recognized clean; the counts are of two repeats.
_IMAGES, _CLEAN = 80, [60, 40]
SEEN = [[80, 80], [80, 40], [40, 20], [20, 10]]
_LOST = [[4, 8], [8, 8], [16, 8], [16, 6]]
_GAINED = [[0, 0], [0, 0], [0, 0], [0, 2]]
# Of the first class at the strongest value: .75 of 80 images minus 16 of 2 x 20 are .35, and so on.
ACCURACIES = ([0.75, 0.725, 0.7, 0.55, 0.35], [0.5, 0.45, 0.4, 0.3, 0.3])
# With the prior correction the first class loses 12 image-repeats at the strongest value: .75 - 12 / 40.
CORRECTED = [0.75, 0.725, 0.7, 0.55, 0.45]


def partly_seen() -> Profile:
    """Return the profile; its other curves are of all images."""
    base = profile(2, images=_IMAGES)
    entries = zip(base.classes, _CLEAN, strict=True)
    classes = [entry.model_copy(update={"clean_accuracy": right / _IMAGES}) for entry, right in entries]
    curves = [_jitter(curve) if curve.perturbation == JITTER else curve for curve in base.curves]
    return base.model_copy(update={"classes": classes, "curves": curves})


def jitter_alone() -> Profile:
    """Return the profile with this one curve."""
    known = partly_seen()
    return known.model_copy(update={"curves": [jitter_curve(known)]})


def jitter_curve(known: Profile) -> CurveModel:
    """Return the curve of color jitter."""
    return next(curve for curve in known.curves if curve.perturbation == JITTER)


def _jitter(curve: CurveModel) -> CurveModel:
    counts = {"clean_correct": _CLEAN, "lost": _LOST, "gained": _GAINED}
    corrected = Counts.model_validate(counts | {"lost": [*_LOST[:3], [12, 6]]})
    return curve.model_copy(update=counts | {"repeats": 2, "seen": SEEN, "corrected": corrected})
