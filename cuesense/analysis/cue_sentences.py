"""The sentences of a verdict: numbers that a reader can check against the curves, to follow the class's name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cuesense.analysis.class_evidence import ClassEvidence
from cuesense.errors import readable_name
from cuesense.perturbations.ablations import ALL_REMOVED, CUES, PRIMARY_ABLATION, REPLICATE_ABLATION, Ablation
from cuesense.types import Cue, CueVerdict


def why(found: ClassEvidence, verdict: CueVerdict) -> str:
    """Return what a verdict rests on.

    Args:
        found: The evidence of the class.
        verdict: Any verdict but undetermined.

    Returns:
        A clause, for instance ``"loses 98 of 100 points when color is removed; two color suppressions agree"``.
    """
    if verdict is CueVerdict.MIXED:
        return _mixed(found)
    if verdict is CueVerdict.REDUNDANT:
        return _redundant(found)
    if verdict is CueVerdict.INSENSITIVE:
        stays = found.every.shares[ALL_REMOVED].stays[found.index]
        return f"keeps {points(stays)} of 100 images when shape, texture and color are all removed"
    return _single(found, Cue(verdict.value))


def losses(found: ClassEvidence) -> str:
    """Return what the class loses at least without each cue: by the removal that harms it least."""
    kept = {cue: found.kept(found.removal(cue)) for cue in CUES}
    parts = [f"{points(1 - share)} without {cue}" for cue, share in kept.items() if share is not None]
    return f"loses at least {', '.join(parts)} of 100 points" if parts else "was not measured"


def points(share: float | NDArray[np.float64]) -> str:
    """Return a share in whole percentage points, such as ``"42"``."""
    return f"{100 * float(share):.0f}"


def fine_detail(found: ClassEvidence) -> str:
    """Return what the class loses where texture and thin lines are erased alike; both ways must have been measured."""
    ways = [of_cue[Cue.TEXTURE] for of_cue in (PRIMARY_ABLATION, REPLICATE_ABLATION)]
    lost = [f"{points(1 - (found.kept(way) or 0.0))} by {ablation_name(way)}" for way in ways]
    return f"loses {' and '.join(lost)}, which erase texture and thin lines alike"


def ablation_name(ablation: Ablation) -> str:
    """Return an ablation in words with its value, such as ``"patch shuffle at 3"``."""
    return f"{readable_name(ablation.perturbation)} at {ablation.value:g}"


def counted(images: int) -> str:
    """Return a number of images in words, such as ``"1 image"``."""
    return f"{images} image{'' if images == 1 else 's'}"


def _single(found: ClassEvidence, cue: Cue) -> str:
    text = f"loses {points(found.lost(cue))} of 100 points when {cue} is removed{_by(found.removal(cue), cue)}"
    alone = found.kept(found.alone(cue))
    text += "" if alone is None else f"; keeps {points(alone)} when only {cue} is left"
    agree = found.agree(cue)
    if agree is None:
        return text
    if agree:
        return f"{text}; two {cue} suppressions agree"
    second = found.kept(REPLICATE_ABLATION[cue]) or 0.0
    return f"{text}; a second {cue} suppression disagrees ({points(1 - second)})"


def _by(removal: Ablation, cue: Cue) -> str:
    """Name the mechanism where it is not the usual one, so that the number is found among the curves."""
    return "" if removal == PRIMARY_ABLATION[cue] else f" by {ablation_name(removal)}"


def _mixed(found: ClassEvidence) -> str:
    needed = [cue for cue in CUES if not found.recognized_without(cue)]
    # Together the ablations may show that a cue is needed although none of them does by itself: name the largest loss.
    needed = needed or [max(CUES, key=found.lost)]
    text = "loses " + " and ".join(f"{points(found.lost(cue))} without {cue}" for cue in needed) + " of 100 points"
    return text + _alone(found, "; keeps only")


def _redundant(found: ClassEvidence) -> str:
    most = max(map(found.lost, CUES))
    return f"loses at most {points(most)} of 100 points when one cue is removed" + _alone(found, "; keeps")


def _alone(found: ClassEvidence, verb: str) -> str:
    kept = {cue: found.kept(found.alone(cue)) for cue in CUES}
    parts = [f"{points(value)} with {cue} alone" for cue, value in kept.items() if value is not None]
    return f"{verb} {', '.join(parts)}" if parts else ""
