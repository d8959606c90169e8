"""Bars of the evidence for each cue of a class, and of how many classes rely on each cue."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from cuesense.reports.text import CUE_LETTERS, css_class, with_interval
from cuesense.schemas.base import Estimate
from cuesense.types import Cue, CueVerdict

# The bar has 107 units beside a letter of 13; three rows of 12 make a cell of the table two lines of text high. One
# unit more in the viewBox keeps a whisker at 1 from being cut in half.
_LEFT, _LENGTH, _ROW = 13, 107, 12


def evidence_bars(reliance: Mapping[Cue, Estimate]) -> Markup:
    """Draw one bar a cue from 0 to 1, with a whisker where the bounds are known.

    Args:
        reliance: The class's evidence; what lies outside [0, 1] is drawn at the border.

    Returns:
        A 121 x 36 graphic with the numbers as its title.
    """
    known = {cue: reliance[cue] for cue in Cue if cue in reliance}
    title = ", ".join(f"{cue.value} {with_interval(part.value, part.low, part.high)}" for cue, part in known.items())
    bars = "".join(_bar(cue, part, _ROW * row) for row, (cue, part) in enumerate(known.items()))
    return Markup(f'<svg class="evidence" viewBox="0 0 121 36" role="img"><title>{title}</title>{bars}</svg>')


def _bar(cue: Cue, part: Estimate, top: int) -> str:
    letter = f'<text x="0" y="{top + 9}">{CUE_LETTERS[CueVerdict(cue.value)]}</text>'
    track = f'<path class="track" d="M{_LEFT} {top + 6}h{_LENGTH}"/>'
    if part.value is None:
        return letter + track
    end = _x(part.value) - _LEFT
    bar = f'<path class="{cue.value}" d="M{_LEFT} {top + 2}h{end:.4g}v7h-{end:.4g}z"/>'
    return letter + track + bar + _whisker(part, top + 6)


def _whisker(part: Estimate, y: int) -> str:
    if part.low is None or part.high is None:
        return ""
    low, high = _x(part.low), _x(part.high)
    return f'<path class="whisker" d="M{low:.4g} {y}H{high:.4g}M{low:.4g} {y - 2}v4M{high:.4g} {y - 2}v4"/>'


def _x(share: float) -> float:
    return _LEFT + _LENGTH * min(max(share, 0.0), 1.0)


def cue_counts_bar(classes: Mapping[CueVerdict, int]) -> Markup:
    """Draw how many classes rely on each cue as one stacked bar, in the order of CueVerdict.

    Args:
        classes: Number of classes by cue.

    Returns:
        A graphic as wide as its container; cues without classes take no room.
    """
    counts = {cue: classes.get(cue, 0) for cue in CueVerdict}
    total = max(sum(counts.values()), 1)
    title = ", ".join(f"{cue.value} {count}" for cue, count in counts.items() if count) or "no classes"
    parts, start = [], 0.0
    for cue, count in counts.items():
        width = 100 * count / total
        if count:
            parts.append(f'<rect class="{css_class(cue)}" x="{start:.4g}%" width="{width:.4g}%" height="100%"/>')
        start += width
    return Markup(f'<svg class="stack" role="img"><title>{title}</title>{"".join(parts)}</svg>')
