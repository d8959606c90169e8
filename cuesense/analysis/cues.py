"""From evidence to a cue label, with how sure it is and why: what this model relies on for each class. Pure NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.analysis.evidence import Evidence
from cuesense.analysis.hypotheses import QUESTIONS, VERDICTS, posterior, says_yes, shapley_shares
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    PRIMARY_ABLATION,
    REPLICATE_ABLATION,
    SINGLE_CUE,
    Ablation,
)
from cuesense.stats.intervals import interval, wilson
from cuesense.types import ClassCue, Cue, CueEvidence, CueVerdict, Interval

CERTAIN = 0.9
FALSE_DISCOVERY = 0.1
DOMINANT = 0.7
TOLD_APART = 0.5
CONFUSED = 0.2
FEWEST_IMAGES = 10
FEW_IMAGES = 20
WEAK = 0.7
SINK_RATIO = 5.0
ELIMINATION = 0.3
RECOVERED = 0.5
RECOVERED_AT_ALL = 0.7

_REVEALING = (*PRIMARY_ABLATION.values(), ALL_REMOVED)

RULE = (
    f"A label is given where its probability is at least {CERTAIN:g}, as calibrated on planted worlds. How many of the "
    "labels given are wrong on other planted worlds depends on the size of the images; docs/method.md has the table. A "
    "cue counts as necessary where its suppression costs more images than a sham (or than nothing, where "
    "none was applied), at a false discovery rate of "
    f"{FALSE_DISCOVERY:.0%} over all classes and cues (Benjamini, Hochberg 1995). A single cue is named only where it "
    f"is necessary and carries at least {DOMINANT:.0%} of what the class keeps (its Shapley share)."
)


def usable(evidence: Evidence) -> NDArray[np.bool_]:
    """Return which classes are recognized, told apart, measured and not found by elimination, (C,).

    They may have few images.
    """
    told = np.nan_to_num(evidence.recognized) - evidence.mistaken >= TOLD_APART
    measured = all(ablation in evidence.shares for ablation in PRIMARY_ABLATION.values())
    found = [_added(evidence, ablation) >= RECOVERED_AT_ALL for ablation in _REVEALING if ablation in evidence.shares]
    return np.asarray(told & (evidence.fewest > 0) & measured & ~np.any(found, axis=0))


def _added(evidence: Evidence, ablation: Ablation) -> Floats:
    """Return the share of the images recognized clean that only the prior correction still recognizes, (C,)."""
    share = evidence.shares[ablation]
    return np.asarray(share.stays - share.unaided)


def name_cues(evidence: Evidence, class_names: Sequence[str]) -> list[ClassCue]:
    """Decide the label of every class.

    Args:
        evidence: From evidence.gather.
        class_names: Names of the C classes.

    Returns:
        One CueReliance a class.
    """
    likely = posterior(evidence)
    yes = {ablation: says_yes(evidence, ablation) for ablation in QUESTIONS if ablation in evidence.shares}
    parts = shapley_shares(evidence)
    return [
        _Class(evidence, index, likely[:, index], yes, parts, class_names).reliance()
        for index in range(len(class_names))
    ]


class _Class:
    """The evidence of one class."""

    def __init__(
        self,
        evidence: Evidence,
        index: int,
        likely: Floats,
        yes: Mapping[Ablation, NDArray[np.bool_]],
        parts: Mapping[Cue, Floats],
        class_names: Sequence[str],
    ) -> None:
        self.evidence, self.index, self.likely, self.yes = evidence, index, likely, yes
        self.parts, self.names = parts, class_names

    def reliance(self) -> ClassCue:
        cue, why = self._decide()
        return ClassCue(
            cue=cue,
            probabilities=dict(zip(VERDICTS, self.likely.tolist(), strict=True)),
            evidence={cue: self._cue(cue) for cue in CUES},
            flags=self._flags(),
            why=why,
        )

    def _decide(self) -> tuple[CueVerdict, str]:
        reason = self._impossible()
        if reason:
            return CueVerdict.UNDETERMINED, reason
        order = np.argsort(-self.likely, kind="stable")
        label = VERDICTS[order[0]]
        if self.likely[order[0]] < CERTAIN:
            first, other = (f"{VERDICTS[at]} ({_points(self.likely[at])} %)" for at in order[:2])
            return CueVerdict.UNDETERMINED, f"{self._losses()}: {first} and {other} both fit"
        doubt = self._doubt(label)
        if doubt:
            return CueVerdict.UNDETERMINED, f"{self._losses()}; {doubt}"
        return label, {
            CueVerdict.MIXED: self._why_mixed,
            CueVerdict.REDUNDANT: self._why_redundant,
            CueVerdict.INSENSITIVE: self._why_insensitive,
        }.get(label, lambda: self._why_single(Cue(label.value)))()

    def _doubt(self, label: CueVerdict) -> str | None:
        """Say why a probable label may not be given, or return None."""
        recovered = self._recovered(RECOVERED) if label in (CueVerdict.REDUNDANT, CueVerdict.INSENSITIVE) else None
        if recovered:
            return recovered
        if label is CueVerdict.INSENSITIVE:
            return None
        if any(self._kept(ablation) is None for ablation in PRIMARY_ABLATION.values()):
            return "no image is lost when all cues are removed"
        return (
            self._doubt_alone(Cue(label.value))
            if label in (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR)
            else None
        )

    def _doubt_alone(self, cue: Cue) -> str | None:
        """Say why a cue may not be named alone, or return None."""
        if not self._necessary(cue):
            return f"the loss without {cue} may be chance"
        part = self._carried(cue)
        if part is not None and part < DOMINANT:
            return f"{cue} carries {_points(part)} % of what is kept (Shapley), {_points(DOMINANT)} % are needed"
        return None

    def _impossible(self) -> str | None:
        """Say why nothing can be decided, or return None."""
        images = int(self.evidence.fewest[self.index])
        if images < FEWEST_IMAGES:
            where = "" if images == self.evidence.images[self.index] else " under a decisive suppression"
            return f"has {images} image{'' if images == 1 else 's'}{where}; at least {FEWEST_IMAGES} are needed"
        if not self._recognized():
            return "is not recognized above chance on clean images"
        if self._told_apart() < TOLD_APART and not self._confused():
            return f"is recognized on {_points(self.evidence.recognized[self.index])} of 100 clean images only"
        if self._told_apart() < TOLD_APART:
            rival = self.names[int(self.evidence.rival[self.index])]
            return f"cannot be told from {rival} on clean images ({_points(self._mistaken())} of 100 are taken for it)"
        missing = [PRIMARY_ABLATION[cue] for cue in CUES if PRIMARY_ABLATION[cue] not in self.evidence.shares]
        if missing:
            return "was not measured under " + ", ".join(f"{name} at {value:g}" for name, value in missing)
        return self._recovered(RECOVERED_AT_ALL)

    def _recovered(self, much: float) -> str | None:
        """Say that the prior correction alone recognizes the class, or return None.

        It fills every class's share of the predictions: a class whose images look like no other class's is found even
        if nothing of it is recognized.
        """
        for ablation in _REVEALING:
            share = self.evidence.shares.get(ablation)
            if share is not None and _added(self.evidence, ablation)[self.index] >= much:
                unaided, stays = _points(share.unaided[self.index]), _points(share.stays[self.index])
                return (
                    f"keeps {unaided} of 100 images under {ablation.perturbation} at {ablation.value:g} as the network "
                    f"answers, {stays} after the prior correction: it may be found by elimination"
                )
        return None

    def _recognized(self) -> bool:
        images = int(self.evidence.images[self.index])
        right = images * float(self.evidence.recognized[self.index])
        low, _ = wilson(right, images, 0.95)
        return bool(low > self.evidence.chance[self.index])

    def _mistaken(self) -> float:
        return float(self.evidence.mistaken[self.index])

    def _told_apart(self) -> float:
        return float(self.evidence.recognized[self.index]) - self._mistaken()

    def _necessary(self, cue: Cue) -> bool:
        return cue in self.evidence.q and bool(self.evidence.q[cue][self.index] <= FALSE_DISCOVERY)

    def _carried(self, cue: Cue) -> float | None:
        part = self.parts.get(cue)
        return None if part is None or np.isnan(part[self.index]) else float(part[self.index])

    def _kept(self, ablation: Ablation) -> float | None:
        share = self.evidence.shares.get(ablation)
        value = np.nan if share is None else float(share.kept[self.index])
        return None if np.isnan(value) else value

    def _cue(self, cue: Cue) -> CueEvidence:
        necessity, second, alone = PRIMARY_ABLATION[cue], REPLICATE_ABLATION[cue], SINGLE_CUE[cue]
        q = self.evidence.q.get(cue)
        return CueEvidence(
            necessity=_lost(self._interval(necessity)),
            sufficiency=self._interval(alone),
            second=_lost(self._interval(second)),
            raw=_lost(self._raw(necessity)),
            agree=self._agree(cue),
            q=None if q is None or np.isnan(q[self.index]) else float(q[self.index]),
            necessary=self._necessary(cue),
            images=self._images(necessity),
            sufficiency_images=self._images(alone),
            shapley=self._carried(cue),
        )

    def _images(self, ablation: Ablation) -> float | None:
        share = self.evidence.shares.get(ablation)
        return None if share is None else float(share.of[self.index])

    def _interval(self, ablation: Ablation) -> Interval:
        share = self.evidence.shares.get(ablation)
        if share is None:
            return Interval()
        return interval(share.kept[self.index], share.low[self.index], share.high[self.index])

    def _raw(self, ablation: Ablation) -> Interval:
        share = self.evidence.shares.get(ablation)
        return Interval() if share is None else interval(share.raw[self.index], np.nan, np.nan)

    def _agree(self, cue: Cue) -> bool | None:
        """Say whether two independent suppressions give the same answer, or None where one was not measured."""
        ablations = (PRIMARY_ABLATION[cue], REPLICATE_ABLATION[cue])
        if any(self._kept(ablation) is None for ablation in ablations):
            return None
        return bool(self.yes[ablations[0]][self.index] == self.yes[ablations[1]][self.index])

    def _flags(self) -> dict[str, str]:
        found = {
            "sink": self._sink(),
            "confused_with": self._confused(),
            "by_elimination": self._eliminated(),
            "weak_class": self._weak(),
            "few_images": self._few(),
        }
        return {name: detail for name, detail in found.items() if detail}

    def _sink(self) -> str | None:
        sink = self.evidence.sinks[self.index]
        if sink is None or not sink[1] >= SINK_RATIO:
            return None
        condition, ratio = sink
        return f"predicted {ratio:.1f} times its share under {condition.name} at {condition.value:g}"

    def _confused(self) -> str | None:
        if self._mistaken() < CONFUSED or not self._told_apart() < TOLD_APART:
            return None
        return self.names[int(self.evidence.rival[self.index])]

    def _eliminated(self) -> str | None:
        recovered = self._recovered(RECOVERED)
        if recovered:
            return recovered
        for cue in CUES:
            share = self.evidence.shares.get(PRIMARY_ABLATION[cue])
            if share is None or not share.raw[self.index] - share.kept[self.index] >= ELIMINATION:
                continue
            raw, kept = _points(share.raw[self.index]), _points(share.kept[self.index])
            return f"keeps {raw} of 100 points without {cue} as the network answers, {kept} after the prior correction"
        return None

    def _weak(self) -> str | None:
        accuracy = float(self.evidence.recognized[self.index])
        return f"{_points(accuracy)} % of its clean images are recognized" if accuracy < WEAK else None

    def _few(self) -> str | None:
        images = int(self.evidence.fewest[self.index])
        return f"{images} image{'' if images == 1 else 's'}" if images < FEW_IMAGES else None

    def _losses(self) -> str:
        kept = {cue: self._kept(PRIMARY_ABLATION[cue]) for cue in CUES}
        parts = [f"{_points(1 - share)} without {cue}" for cue, share in kept.items() if share is not None]
        return f"loses {', '.join(parts)} of 100 points" if parts else "was not measured"

    def _why_single(self, cue: Cue) -> str:
        text = f"loses {self._lost(cue)} of 100 points when {cue} is removed"
        alone = self._kept(SINGLE_CUE[cue])
        text += "" if alone is None else f"; keeps {_points(alone)} when only {cue} is left"
        agree = self._agree(cue)
        if agree is None:
            return text
        if agree:
            return f"{text}; two {cue} suppressions agree"
        second = self._kept(REPLICATE_ABLATION[cue]) or 0.0
        return f"{text}; a second {cue} suppression disagrees ({_points(1 - second)})"

    def _why_mixed(self) -> str:
        needed = [cue for cue in CUES if not self.yes[PRIMARY_ABLATION[cue]][self.index]]
        needed = needed or [max(CUES, key=lambda cue: 1 - (self._kept(PRIMARY_ABLATION[cue]) or 0.0))]
        text = "loses " + " and ".join(f"{self._lost(cue)} without {cue}" for cue in needed) + " of 100 points"
        return text + self._alone("; keeps only")

    def _why_redundant(self) -> str:
        most = max(1 - (self._kept(PRIMARY_ABLATION[cue]) or 0.0) for cue in CUES)
        return f"loses at most {_points(most)} of 100 points when one cue is removed" + self._alone("; keeps")

    def _why_insensitive(self) -> str:
        share = self.evidence.shares[ALL_REMOVED]
        return f"keeps {_points(share.stays[self.index])} of 100 images when shape, texture and color are all removed"

    def _alone(self, verb: str) -> str:
        kept = {cue: self._kept(SINGLE_CUE[cue]) for cue in CUES}
        parts = [f"{_points(value)} with {cue} alone" for cue, value in kept.items() if value is not None]
        return f"{verb} {', '.join(parts)}" if parts else ""

    def _lost(self, cue: Cue) -> str:
        return _points(1 - (self._kept(PRIMARY_ABLATION[cue]) or 0.0))


def _lost(kept: Interval) -> Interval:
    """Turn a share that is kept into the share that is lost."""
    flipped = (None if part is None else 1 - part for part in (kept.value, kept.high, kept.low))
    return Interval(*flipped)


def _points(share: float | NDArray[np.float64]) -> str:
    return f"{100 * float(share):.0f}"
