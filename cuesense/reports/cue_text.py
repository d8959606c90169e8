"""What a class relies on, in words: one rule for the terminal, pages, markdown and notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.reports.text import fixed
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import Cue, CueVerdict

# No verdict is certain, however near to 1 its probability is.
_LARGEST_PERCENT = 99


def relies_on(entry: ClassModel) -> str:
    """Return what a class relies on: its cue; else ``"leans shape"`` where a lean is certain; else ``"undetermined"``.

    Args:
        entry: The class; of one without images it is said that it has none.
    """
    if not entry.images:
        return "no images"
    lean = entry.leans_to
    if entry.cue is CueVerdict.UNDETERMINED and lean is not None:
        return f"leans {lean.value}"
    return entry.cue.value


def cue_percent(entry: ClassModel) -> str:
    """Return the probability of a class's cue in whole percent, at most 99; empty where the cue has none.

    Undetermined classes and those that need fine detail have none.
    """
    chance = entry.probabilities.get(entry.cue) if entry.images else None
    return "" if chance is None else f"{fixed(min(100 * chance, _LARGEST_PERCENT), 0)}\N{NO-BREAK SPACE}%"


def relies_on_with_percent(entry: ClassModel) -> str:
    """Return what a class relies on with the probability of its cue, such as ``"shape (97 %)"``."""
    percent = cue_percent(entry)
    return f"{relies_on(entry)} ({percent})" if percent else relies_on(entry)


def relies_on_remark(entry: ClassModel) -> str:
    """Return what is to be said beside ``relies_on`` where one class stands alone; empty where nothing is."""
    percent = cue_percent(entry)
    if percent:
        return f"probability {percent}"
    if entry.images and entry.cue is CueVerdict.UNDETERMINED and (lean := entry.leans_to) is not None:
        return f"its cue is undetermined, but it certainly relies on {lean.value} more than the average class"
    return ""


def undetermined_leans(classes: Sequence[ClassModel]) -> dict[Cue, int]:
    """Return how many of the undetermined classes lean to each cue; cues to which none leans are left out."""
    leans = [entry.leans_to for entry in classes if entry.images and entry.cue is CueVerdict.UNDETERMINED]
    return {cue: leans.count(cue) for cue in Cue if cue in leans}


def cue_count(profile: Profile, cue: CueVerdict) -> str:
    """Return how many classes rely on a cue; of undetermined ones also to what they lean.

    Args:
        profile: The profile.
        cue: The verdict.

    Returns:
        For instance ``"4"`` or ``"6 (leans shape 2, leans color 1)"``.
    """
    number = f"{profile.summary.labels.get(cue, 0):,}"
    leans = undetermined_leans(profile.classes) if cue is CueVerdict.UNDETERMINED else {}
    said = ", ".join(f"leans {lean.value} {count:,}" for lean, count in leans.items())
    return f"{number} ({said})" if said else number


def relies_on_caption(classes: Sequence[ClassModel]) -> str:
    """Return what stands in a column "Relies on", in a sentence to be read below the table.

    Args:
        classes: The classes in the table.
    """
    said = "Relies on: the cue, with its probability"
    if undetermined_leans(classes):
        said += (
            "; “leans shape”: the cue is undetermined, but the class certainly relies on shape more than the average "
            "class"
        )
    return f"{said}."
