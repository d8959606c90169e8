"""From curves to a cue label with its evidence: what this model relies on for each class. Pure NumPy.

Everything is measured in prior-corrected recall, relative to what a class has to lose: its clean accuracy above its
prior, which is what it would keep on destroyed images. Two rules must agree, and the winner must beat the runner-up on
the same images, before a cue is named (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.scoring import Bools, Floats, drops, interval, only, sign_test, wilson
from cuesense.types import Cue, CueLabel, CueReliance, Curve, Interval

Dose = tuple[str, float]

DECISIVE: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("patch_shuffle", 4.0),
    Cue.TEXTURE: ("median_blur", 0.16),
    Cue.COLOR: ("grayscale", 1.0),
}
SECOND: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("patch_rotation", 4.0),
    Cue.TEXTURE: ("bilateral_blur", 0.11),
    Cue.COLOR: ("channel_permutation", 1.0),
}
ALONE: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("grayscale_median_blur", 0.16),
    Cue.TEXTURE: ("grayscale_patch_shuffle", 4.0),
    Cue.COLOR: ("patch_shuffle_gaussian_blur", 4.0),
}
SHAM: Dose = ("tile_jitter", 0.036)

NECESSARY = 0.25
DESTROYED = 0.5
SHAM_SHARE = 0.5
FEWEST_IMAGES = 10
_CUES = (Cue.SHAPE, Cue.TEXTURE, Cue.COLOR)


@dataclass(frozen=True)
class Drop:
    """Relative drops of every class at one dose: the share of explainable accuracy that is lost, shape (C,) each."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Evidence:
    """What the labels are decided on; every drop is relative, and a dose that was not measured is missing.

    Attributes:
        images: Images per class, (C,).
        recognized: Whether clean accuracy is above the prior with confidence, (C,).
        decisive: Drop per cue when it is suppressed.
        beats: For each ordered pair of cues, the p-value that suppressing the first loses more images, (C,).
        second: Drop per cue under the second mechanism.
        alone: Drop per cue when nothing but this cue is left.
        sham: Drop under the sham shuffle, or None.
    """

    images: NDArray[np.int64]
    recognized: Bools
    decisive: Mapping[Cue, Drop]
    beats: Mapping[tuple[Cue, Cue], Floats]
    second: Mapping[Cue, Drop]
    alone: Mapping[Cue, Drop]
    sham: Drop | None


def gather(
    curves: Mapping[str, Curve],
    decisive_correct: Mapping[Cue, Bools],
    labels: NDArray[np.int64],
    confidence: float,
) -> Evidence:
    """Turn counts into evidence.

    Args:
        curves: Prior-corrected counts by perturbation name; at least one.
        decisive_correct: Per cue, whether each image is right under the decisive suppression, (N,) each.
        labels: Class of each image, (N,).
        confidence: Level of the intervals, simultaneous over a class's three cues (Bonferroni).

    Returns:
        The evidence.
    """
    first = next(iter(curves.values()))
    clean = first.clean_correct / np.maximum(first.n, 1)
    prior = first.n / max(1, int(first.n.sum()))
    low, _ = wilson(first.clean_correct, first.n, confidence)
    level = 1 - (1 - confidence) / len(_CUES)

    def relative(doses: Mapping[Cue, Dose]) -> dict[Cue, Drop]:
        found = {cue: _relative(curves, dose, clean - prior, level) for cue, dose in doses.items()}
        return {cue: drop for cue, drop in found.items() if drop is not None}

    return Evidence(
        images=first.n,
        recognized=np.nan_to_num(low) > prior,
        decisive=relative(DECISIVE),
        beats={
            (cue, other): sign_test(*only(decisive_correct[other], decisive_correct[cue], labels, len(clean)))
            for cue in decisive_correct
            for other in decisive_correct
            if cue != other
        },
        second=relative(SECOND),
        alone=relative(ALONE),
        sham=_relative(curves, SHAM, clean - prior, level),
    )


def label_classes(evidence: Evidence, confidence: float) -> list[CueReliance]:
    """Decide the label of every class.

    Args:
        evidence: From gather.
        confidence: Level at which the winning cue must beat each of the two others.

    Returns:
        One CueReliance a class.
    """
    return [_label_class(evidence, index, confidence) for index in range(len(evidence.images))]


def _relative(curves: Mapping[str, Curve], dose: Dose, explainable: Floats, level: float) -> Drop | None:
    name, value = dose
    if name not in curves or value not in curves[name].perturbation.ladder:
        return None
    severity = curves[name].perturbation.ladder.index(value)
    scale = np.where((explainable > 0) & (curves[name].n > 1), explainable, np.nan)
    return Drop(*(part[severity] / scale for part in drops(curves[name], level)))


def _label_class(evidence: Evidence, index: int, confidence: float) -> CueReliance:
    intervals = {cue: _interval(evidence.decisive.get(cue), index) for cue in _CUES}
    label, reason = _decide(evidence, index, intervals, confidence)
    return CueReliance(label=label, evidence=intervals, why=reason)


def _interval(drop: Drop | None, index: int) -> Interval:
    return Interval() if drop is None else interval(drop.value[index], drop.low[index], drop.high[index])


def _decide(
    evidence: Evidence, index: int, intervals: Mapping[Cue, Interval], confidence: float
) -> tuple[CueLabel, str]:
    impossible = _impossible(evidence, index)
    if impossible:
        return CueLabel.UNDETERMINED, impossible
    losses = {cue: float(evidence.decisive[cue].value[index]) for cue in _CUES}
    if all((intervals[cue].high or 0.0) < NECESSARY for cue in _CUES):
        return _no_single_cue(evidence, index, losses)
    first, second = _by_color_first(losses), max(_CUES, key=losses.__getitem__)
    if first != second:
        return CueLabel.UNDETERMINED, f"{_losses(losses)}; the two rules disagree ({first} and {second})"
    doubt = _doubt(evidence, index, first, intervals, confidence)
    if doubt:
        return CueLabel.UNDETERMINED, f"{_losses(losses)}; {doubt}"
    return CueLabel(first.value), f"{_losses(losses)}{_support(evidence, index, first)}"


def _impossible(evidence: Evidence, index: int) -> str | None:
    """Say why nothing can be decided for a class, or return None."""
    images = int(evidence.images[index])
    if images < FEWEST_IMAGES:
        return f"has {images} image{'' if images == 1 else 's'}; at least {FEWEST_IMAGES} are needed"
    if not evidence.recognized[index]:
        return "is not recognized above chance on clean images"
    missing = [DECISIVE[cue] for cue in _CUES if cue not in evidence.decisive]
    if missing:
        return "was not measured under " + ", ".join(f"{name} at {value:g}" for name, value in missing)
    return None


def _by_color_first(losses: Mapping[Cue, float]) -> Cue:
    if losses[Cue.COLOR] > NECESSARY:
        return Cue.COLOR
    return Cue.TEXTURE if losses[Cue.TEXTURE] > losses[Cue.SHAPE] else Cue.SHAPE


def _no_single_cue(evidence: Evidence, index: int, losses: Mapping[Cue, float]) -> tuple[CueLabel, str]:
    """Tell a class that needs nothing from one that can do with any of several cues."""
    pairs = [drop for drop in evidence.alone.values() if not np.isnan(drop.value[index])]
    if any(drop.low[index] > DESTROYED for drop in pairs):
        worst = max(float(drop.value[index]) for drop in pairs)
        reason = f"{_losses(losses)}, yet {_points(worst)} when two cues are removed together"
        return CueLabel.REDUNDANT, reason
    if len(pairs) == len(_CUES) and all(drop.high[index] < DESTROYED for drop in pairs):
        return CueLabel.INSENSITIVE, f"{_losses(losses)}, and little when two cues are removed together"
    return CueLabel.UNDETERMINED, f"{_losses(losses)}; no cue is needed alone, and the pairs do not decide"


def _doubt(
    evidence: Evidence, index: int, cue: Cue, intervals: Mapping[Cue, Interval], confidence: float
) -> str | None:
    """Say what speaks against the winning cue, or return None."""
    if (intervals[cue].low or 0.0) <= 0:
        return f"the loss without {cue} may be chance"
    others = [other for other in _CUES if other != cue]
    rival = max(others, key=lambda other: float(evidence.beats[cue, other][index]))
    if evidence.beats[cue, rival][index] > (1 - confidence) / len(others):
        return f"{cue} and {rival} cannot be told apart with {int(evidence.images[index])} images"
    if cue == Cue.SHAPE and evidence.sham is not None:
        sham = float(evidence.sham.value[index])
        if sham > SHAM_SHARE * float(evidence.decisive[cue].value[index]):
            return f"a sham shuffle that keeps the layout costs {_points(sham)} as well"
    return None


def _losses(losses: Mapping[Cue, float]) -> str:
    ranked = sorted(_CUES, key=lambda cue: -losses[cue])
    parts = [f"{_points(losses[cue])} without {cue} ({DECISIVE[cue][0]})" for cue in ranked]
    return f"loses {parts[0]}, {parts[1]} and {parts[2]}"


def _support(evidence: Evidence, index: int, cue: Cue) -> str:
    text = ""
    if cue in evidence.second:
        other = float(evidence.second[cue].value[index])
        verdict = "agrees" if other > NECESSARY else "does not show it"
        text += f"; {SECOND[cue][0]} {verdict} ({_points(other)})"
    if cue in evidence.alone:
        text += f"; keeps {_points(1 - float(evidence.alone[cue].value[index]))} when only {cue} is left"
    return text


def _points(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.0f} %"
