"""The evidence of one class, out of the arrays over all classes. Pure NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.analysis.evidence import Evidence, Share
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import ALONE, PRIMARY_ABLATION, REMOVALS, REPLICATE_ABLATION, SINGLE_CUE, Ablation
from cuesense.stats.intervals import interval, wilson
from cuesense.types import Cue, CueEvidence, Interval

# Level of the interval that tells recall from chance; chosen by hand, the usual 95 %.
_ABOVE_CHANCE = 0.95


@dataclass(frozen=True)
class ClassEvidence:
    """What is known of one class.

    Attributes:
        every: The evidence of all C classes.
        index: Which class, from 0.
        class_names: Names of the C classes.
        recognized_under: Per ablation, whether each class is rather recognized than not, (C,).
        shapley: Per cue, the Shapley share of each class, (C,); empty where it is not known.
    """

    every: Evidence
    index: int
    class_names: Sequence[str]
    recognized_under: Mapping[Ablation, NDArray[np.bool_]]
    shapley: Mapping[Cue, Floats]

    @property
    def images(self) -> int:
        """Clean images."""
        return int(self.every.images[self.index])

    @property
    def fewest(self) -> int:
        """Images under the clean condition or primary ablation that has fewest of them."""
        return int(self.every.fewest[self.index])

    @property
    def accuracy(self) -> float:
        """Share of the clean images that are recognized, in [0, 1]; NaN without images."""
        return float(self.every.recognized[self.index])

    @property
    def mistaken(self) -> float:
        """Share of the strongest rival's clean images that are taken for this class, in [0, 1]."""
        return float(self.every.mistaken[self.index])

    @property
    def told_apart(self) -> float:
        """Clean accuracy less what is mistaken for this class, in [-1, 1]."""
        return self.accuracy - self.mistaken

    @property
    def told(self) -> float:
        """How far what is recognized when nothing is removed is no guessing, in [0, 1]: the least of all ablations."""
        known = [float(share.told[self.index]) for share in self.every.shares.values()]
        return min((part for part in known if not np.isnan(part)), default=1.0)

    @property
    def rival(self) -> str | None:
        """Name of the class whose images are most often taken for this one; None where none are."""
        rival = int(self.every.rival[self.index])
        return self.class_names[rival] if rival >= 0 else None

    @property
    def above_chance(self) -> bool:
        """Whether clean images are certainly recognized more often than those of other classes are taken for it."""
        low, _ = wilson(self.images * self.accuracy, self.images, _ABOVE_CHANCE)
        return bool(low > self.every.chance[self.index])

    def share(self, ablation: Ablation) -> Share | None:
        """Return the shares of all classes at one ablation, None where it was not measured."""
        return self.every.shares.get(ablation)

    def kept(self, ablation: Ablation) -> float | None:
        """Return the share of the explainable images that is kept, in [0, 1]; None where it is not known."""
        share = self.share(ablation)
        return None if share is None or np.isnan(share.kept[self.index]) else float(share.kept[self.index])

    def high(self, ablation: Ablation) -> float | None:
        """Return the upper limit of the share that is kept, in [0, 1]; None where it is not known."""
        share = self.share(ablation)
        return None if share is None or np.isnan(share.high[self.index]) else float(share.high[self.index])

    def lost(self, cue: Cue) -> float:
        """Return the share that is lost when a cue is removed, in [0, 1]; all where it is not known."""
        return 1 - (self.kept(self.removal(cue)) or 0.0)

    def removal(self, cue: Cue) -> Ablation:
        """Return, of the ablations that remove a cue, the one that keeps most of the class."""
        return self._keeping_most(REMOVALS[cue], PRIMARY_ABLATION[cue])

    def alone(self, cue: Cue) -> Ablation:
        """Return, of the ablations that leave a cue alone, the one that keeps most of the class."""
        return self._keeping_most(ALONE[cue], SINGLE_CUE[cue])

    def _keeping_most(self, mechanisms: Sequence[Ablation], otherwise: Ablation) -> Ablation:
        kept = {ablation: share for ablation in mechanisms if (share := self.kept(ablation)) is not None}
        return max(kept, key=lambda ablation: kept[ablation], default=otherwise)

    def recovered(self, ablation: Ablation) -> float:
        """Return the share of the images that only the prior correction recognizes; NaN where it is not known."""
        share = self.share(ablation)
        return np.nan if share is None else float(share.stays[self.index] - share.unaided[self.index])

    def false_discovery(self, cue: Cue) -> float | None:
        """Return the rate at which the cue's ablation costs more than a sham, in [0, 1]; None where not tested."""
        q = self.every.q.get(cue)
        return None if q is None or np.isnan(q[self.index]) else float(q[self.index])

    def carried(self, cue: Cue) -> float | None:
        """Return the cue's Shapley share; None where it is not known."""
        part = self.shapley.get(cue)
        return None if part is None or np.isnan(part[self.index]) else float(part[self.index])

    def recognized_without(self, cue: Cue) -> bool:
        """Return whether the class is rather recognized than not when a cue is removed."""
        return bool(self.recognized_under[PRIMARY_ABLATION[cue]][self.index])

    def agree(self, cue: Cue) -> bool | None:
        """Return whether two independent suppressions agree; None where one was not measured."""
        both = (PRIMARY_ABLATION[cue], REPLICATE_ABLATION[cue])
        if any(self.kept(ablation) is None for ablation in both):
            return None
        first, second = (bool(self.recognized_under[ablation][self.index]) for ablation in both)
        return first == second

    def of_cue(self, cue: Cue, *, necessary: bool) -> CueEvidence:
        """Return the evidence for one cue.

        Args:
            cue: The cue.
            necessary: Whether it counts as necessary.

        Returns:
            Its shares with their intervals; each is None where it was not measured.
        """
        primary, alone = self.share(self.removal(cue)), self.share(self.alone(cue))
        replicate = self.share(REPLICATE_ABLATION[cue])
        return CueEvidence(
            necessity=_lost(self._interval(primary)),
            sufficiency=self._interval(alone),
            second=_lost(self._interval(replicate)),
            raw=_lost(Interval() if primary is None else interval(primary.raw[self.index], np.nan, np.nan)),
            agree=self.agree(cue),
            q=self.false_discovery(cue),
            necessary=necessary,
            images=self._of(primary),
            sufficiency_images=self._of(alone),
            shapley=self.carried(cue),
        )

    def _interval(self, share: Share | None) -> Interval:
        if share is None:
            return Interval()
        return interval(share.kept[self.index], share.low[self.index], share.high[self.index])

    def _of(self, share: Share | None) -> float | None:
        return None if share is None else float(share.of[self.index])


def _lost(kept: Interval) -> Interval:
    """Turn a share that is kept into the share that is lost."""
    flipped = (None if part is None else 1 - part for part in (kept.value, kept.high, kept.low))
    return Interval(*flipped)
