"""The graded answer as text: what a class keeps in each column, to which cue it leans, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.reports.text import CUE_LETTERS, DASH, fixed, readable_name, two_decimals
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import ClassModel, LeanModel, Profile
from cuesense.schemas.profile_graded import strongest
from cuesense.types import CueVerdict

# Below this the order of the classes in a column, or by a cue, may be another with other images: the stability that the
# summary of leans calls stable.
_RELIABLE = 0.8


def is_graded(profile: Profile) -> bool:
    """Return whether any class has a share that is kept; profiles of earlier versions have none."""
    return bool(known_columns(profile))


def known_columns(profile: Profile) -> list[str]:
    """Return the columns in which some class has a value, in the profile's order."""
    known = {name for entry in profile.classes for name, part in entry.kept.items() if part.value is not None}
    return [name for name in profile.summary.graded.columns if name in known]


def short_title(profile: Profile, column: str) -> str:
    """Return a column's heading for a narrow table: the cue's letter, after a minus sign where the cue is removed."""
    found = profile.summary.graded.columns[column]
    letter = CUE_LETTERS[CueVerdict(found.cue.value)]
    return letter if found.alone else f"\N{MINUS SIGN}{letter}"


def in_percent(part: Estimate | None, *, bounds: str = "") -> str:
    """Return a share in whole percent without the sign, for instance ``"91"``.

    Args:
        part: The share and its interval in [0, 1]; None and unknown shares become a dash.
        bounds: ``"short"`` adds how far the farther bound is away (``"91±13"``), ``"full"`` both bounds
            (``"91 [78,97]"``).
    """
    if part is None or part.value is None:
        return DASH
    value = _points(part.value)
    if not bounds or part.low is None or part.high is None:
        return value
    if bounds == "short":
        return f"{value}±{_points(max(part.high - part.value, part.value - part.low))}"
    return f"{value} [{_points(part.low)},{_points(part.high)}]"


def kept_title(entry: ClassModel) -> str:
    """Return the title above what a class keeps, which says of which images the percentages are."""
    # Shares are of images that are recognized after the correction for sinks, which may be some where none is before.
    of = "its recognized images"
    if not entry.clean_accuracy:
        of = "the images that are recognized after the correction for sinks; before it, none is"
    return f"What it keeps, % of {of}"


def largest_lean(entry: ClassModel) -> tuple[CueVerdict, LeanModel] | None:
    """Return the cue to which a class leans most, and how much; None where no lean is known."""
    cue = strongest(entry.lean)
    return None if cue is None else (CueVerdict(cue.value), entry.lean[cue])


def lean_text(entry: ClassModel) -> str:
    """Return the largest lean as the cue's letter and points, for instance ``"C+21"``; a dash where none is known."""
    found = largest_lean(entry)
    if found is None or found[1].value is None:
        return DASH
    cue, lean = found
    points = _points(lean.value or 0.0)
    return f"{CUE_LETTERS[cue]}{'' if points.startswith(chr(0x2212)) else '+'}{points}"


def graded_notes(profile: Profile) -> list[str]:
    """Return what to know of the columns and leans, in sentences.

    Returns:
        Columns in which all classes are alike, columns and orders that other images would change, and how many pairs of
        classes are told apart. Nothing where there are no two classes to compare.
    """
    graded = profile.summary.graded
    if not graded.pairs.pairs:
        return []
    columns = {name: graded.columns[name] for name in known_columns(profile)}
    alike = [column.sentence for column in columns.values() if column.alike]
    unsure = [
        f"{readable_name(name)} {two_decimals(column.reliability)}"
        for name, column in columns.items()
        if not column.alike and column.reliability is not None and column.reliability < _RELIABLE
    ]
    noisy = f"Columns in which other images may order the classes differently (reliability below {_RELIABLE:g}): "
    orders = [
        lean.sentence
        for lean in graded.lean.values()
        if lean.mean.value is not None and (lean.rank_reliability is None or lean.rank_reliability < _RELIABLE)
    ]
    found = [*alike, *([f"{noisy}{', '.join(unsure)}."] if unsure else []), *orders, graded.pairs.sentence]
    return [sentence for sentence in found if sentence]


def strongest_leans(classes: Sequence[ClassModel], limit: int) -> set[int]:
    """Return the positions of the classes that lean most, at most ``limit``; those without a known lean come last."""
    known = [largest_lean(entry) for entry in classes]
    leans = [None if found is None else found[1].value for found in known]
    order = sorted(range(len(classes)), key=lambda at: (leans[at] is None, -(leans[at] or 0.0)))
    return set(order[:limit])


def _points(share: float) -> str:
    return fixed(100 * share, 0)
