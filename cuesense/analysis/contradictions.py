"""Whether a verdict contradicts the shares that the profile prints beside it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from itertools import chain

from cuesense.types import Cue, CueEvidence, CueVerdict, Interval

# What a reader takes for nearly all and nearly nothing of a class. Chosen by hand, so that a share near a threshold of
# hypotheses.SCALES is hardly ever a contradiction; docs/method.md ("Contradictions") says how often it acts.
NEARLY_ALL = 0.8
NEARLY_NOTHING = 0.2
# Besides, the share's interval must not reach beyond one half: of a few images nearly all may be lost by chance.
HALF = 0.5


def contradiction(verdict: CueVerdict, evidence: Mapping[Cue, CueEvidence]) -> str | None:
    """Return what disagrees with a verdict among the shares of its class, or None.

    A share is *nearly nothing* at 0.2 or less with an upper limit of at most 0.5, and *nearly all* at 0.8 or more with
    a lower limit of at least 0.5. Every verdict excludes some:

    - A single cue is needed and is enough: removing it must not cost nearly nothing, by the first ablation or on
      average over both; with it alone, not nearly nothing may be kept; removing another cue must not cost nearly all;
      and no other cue may both cost more when removed and keep more alone.
    - Mixed needs several cues: removing some cue must cost more than nearly nothing, and more than chance; and no cue
      alone may keep nearly all.
    - Redundant and insensitive need no cue: removing one must not cost nearly all, by the first ablation or on average
      over both.
    - Fine detail and undetermined exclude nothing, and a share that was not measured contradicts nothing.

    Args:
        verdict: The verdict.
        evidence: Its evidence for each cue, as the profile prints it.

    Returns:
        A clause such as ``"keeps 100 of 100 points with color alone"``, about the first share that disagrees.
    """
    if verdict in (CueVerdict.FINE_DETAIL, CueVerdict.UNDETERMINED):
        return None
    if verdict is CueVerdict.MIXED:
        return _against_mixed(evidence)
    if verdict in (CueVerdict.REDUNDANT, CueVerdict.INSENSITIVE):
        return _first(_costs_nearly_all(cue, _losses(found)) for cue, found in evidence.items())
    return _against_single(Cue(verdict.value), evidence)


def _against_single(cue: Cue, evidence: Mapping[Cue, CueEvidence]) -> str | None:
    found = evidence[cue]
    others = {other: part for other, part in evidence.items() if other is not cue}
    costs_nothing = (
        f"keeps {_points(1 - lost.value)} of 100 points without {cue}{how}"
        for lost, how in _losses(found)
        if lost.value is not None and _nearly_nothing(lost)
    )
    not_enough = (
        f"keeps only {_points(share.value)} of 100 points with {cue} alone"
        for share in (found.sufficiency,)
        if share.value is not None and _nearly_nothing(share)
    )
    another = (_costs_nearly_all(other, [(part.necessity, "")]) for other, part in others.items())
    beaten = (
        f"loses more without {other} than without {cue}, and keeps more with {other} alone"
        for other, part in others.items()
        if _above(part.necessity, found.necessity) and _above(part.sufficiency, found.sufficiency)
    )
    return _first(chain(costs_nothing, not_enough, another, beaten))


def _against_mixed(evidence: Mapping[Cue, CueEvidence]) -> str | None:
    lost = [found.necessity for found in evidence.values() if found.necessity.value is not None]
    if lost and all(map(_nearly_nothing, lost)):
        most = max(share.value or 0.0 for share in lost)
        return f"loses at most {_points(most)} of 100 points when one cue is removed"
    if not any(found.necessary for found in evidence.values()):
        return "has no loss without a cue that is certainly more than chance"
    return _first(
        f"keeps {_points(found.sufficiency.value)} of 100 points with {cue} alone"
        for cue, found in evidence.items()
        if found.sufficiency.value is not None and _nearly_all(found.sufficiency)
    )


def _costs_nearly_all(cue: Cue, losses: Iterable[tuple[Interval, str]]) -> str | None:
    return _first(
        f"loses {_points(lost.value)} of 100 points without {cue}{how}"
        for lost, how in losses
        if lost.value is not None and _nearly_all(lost)
    )


def _losses(found: CueEvidence) -> list[tuple[Interval, str]]:
    """Return what is lost without a cue, by the first ablation and on average over both, and how to say that."""
    first, second = found.necessity, found.second
    if first.value is None or second.value is None:
        return [(first, "")]
    mean = Interval(*(_mean(one, two) for one, two in zip(astuple(first), astuple(second), strict=True)))
    return [(first, ""), (mean, " (mean of two suppressions)")]


def _mean(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else (one + two) / 2


def _nearly_all(share: Interval) -> bool:
    return share.value is not None and share.value >= NEARLY_ALL and (share.low is None or share.low >= HALF)


def _nearly_nothing(share: Interval) -> bool:
    return share.value is not None and share.value <= NEARLY_NOTHING and (share.high is None or share.high <= HALF)


def _above(one: Interval, other: Interval) -> bool:
    return one.value is not None and other.value is not None and one.value > other.value


def _first(found: Iterable[str | None]) -> str | None:
    return next((text for text in found if text is not None), None)


def _points(share: float) -> str:
    return f"{100 * share:.0f}"
