"""The cue map as graphics: a triangle with a dot for every class, and the same as three strips, one for each cue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup, escape

from cuesense.reports.charts.labels import free_place, shortened
from cuesense.reports.cue_map import CueMap, Spot
from cuesense.reports.text import CUE_LETTERS, css_class, fixed
from cuesense.types import Cue, CueVerdict

# A triangle of this side and its margins; a browser scales it to the width of its place.
_SIDE, _LEFT, _TOP = 460.0, 50.0, 34.0
_HEIGHT = _SIDE * sqrt(3) / 2
_WIDTH, _FULL = _SIDE + 2 * _LEFT, _HEIGHT + _TOP + 40
# Radius of a dot by how many there are, so that 1,000 leave paper between them. Chosen by eye.
_RADII = ((40, 5.5), (200, 4.2), (10**9, 3.0))
# Grid lines stand on these weights.
_GRID = (0.2, 0.4, 0.6, 0.8)
# Names beside dots: how many at most, their longest, and the size of their letters. Chosen by eye.
_MOST_NAMES, _LONGEST, _LETTER, _LINE = 24, 20, 6.2, 12.0
# Names stand in here: left, top, right and bottom.
_ROOM = (2.0, 0.0, _WIDTH - 2, _TOP + _HEIGHT + 12)
# A strip: its row, and where 0 and 100 % stand.
_ROW, _ZERO, _HUNDRED = 64.0, 96.0, 392.0
_STRIP_WIDTH = 420.0
# Height of a tick, and up to how many classes each has one of its own: more cover each other. Chosen by eye.
_TICK = 22.0
MOST_TICKS = 100


@dataclass(frozen=True)
class Dot:
    """What the map shows of one class beside its place."""

    name: str
    cue: CueVerdict


def triangle(found: CueMap, dots: Sequence[Dot]) -> Markup:
    """Draw the triangle.

    Args:
        found: The places.
        dots: Name and cue of each class.

    Returns:
        A graphic in which each dot is a circle with the class's position in ``data-at``.
    """
    placed = [(at, dot, spot) for at, (dot, spot) in enumerate(zip(dots, found.spots, strict=True)) if spot is not None]
    radius = next(size for most, size in _RADII if len(placed) <= most)
    # Sure ones last, so that they lie on top.
    order = sorted(placed, key=lambda entry: entry[2].sure)
    circles = "".join(_circle(found, at, dot, spot, radius) for at, dot, spot in order)
    title = f"Cue map of {len(placed):,} classes between shape (top), texture (left) and color (right)"
    return Markup(
        f'<svg class="triangle" viewBox="0 0 {_WIDTH:g} {_FULL:.0f}" role="img" aria-label="{title}">'
        f"{_frame(found)}{_names(found, [(dot.name, spot) for _, dot, spot in placed], radius)}"
        f'<g class="dots">{circles}</g>{_mean(found)}<circle class="here" r="{radius + 4:g}" cx="-99" cy="-99"/></svg>'
    )


def _xy(found: CueMap, spot: Spot) -> tuple[float, float]:
    right, up = found.place(spot)
    return _LEFT + _SIDE * right, _TOP + _HEIGHT * (1 - up)


def _circle(found: CueMap, at: int, dot: Dot, spot: Spot, radius: float) -> str:
    x, y = _xy(found, spot)
    kind = css_class(dot.cue) + ("" if spot.sure else " unsure")
    size = radius if spot.sure else 0.75 * radius
    return f'<circle class="{kind}" data-at="{at}" cx="{x:.1f}" cy="{y:.1f}" r="{size:g}"/>'


def _frame(found: CueMap) -> str:
    """Return outline, grid and corners; a corner says at which weight it stands."""
    top, left, right = (
        (_LEFT + _SIDE / 2, _TOP),
        (_LEFT, _TOP + _HEIGHT),
        (_LEFT + _SIDE, _TOP + _HEIGHT),
    )
    lines = "".join(_grid_line(found, which, weight) for which in range(3) for weight in _GRID)
    outline = f'<path class="outline" d="M{_at(top)}L{_at(left)}L{_at(right)}Z"/>'
    corners = [least + found.side for least in found.corners]
    shape, texture, color = (_corner_name(cue, weight) for cue, weight in zip(Cue, corners, strict=True))
    return (
        f'{outline}<path class="grid" d="{lines}"/>'
        f'<text class="corner" x="{top[0]:g}" y="{top[1] - 14:g}" text-anchor="middle">{shape}</text>'
        f'<text class="corner" x="{left[0] - 20:g}" y="{left[1] + 26:.0f}">{texture}</text>'
        f'<text class="corner" x="{right[0] + 20:g}" y="{right[1] + 26:.0f}" text-anchor="end">{color}</text>'
    )


def _corner_name(cue: Cue, weight: float) -> str:
    return f"<tspan>{cue.value}</tspan> {fixed(100 * weight, 0)}\N{NO-BREAK SPACE}%"


def _grid_line(found: CueMap, which: int, weight: float) -> str:
    """Return the line on which one cue has a weight, where it crosses the shown part."""
    along = (weight - found.corners[which]) / found.side
    if not 0.02 < along < 0.98:
        return ""
    ends = []
    for other in range(3):
        if other != which:
            parts = [0.0, 0.0, 0.0]
            parts[which], parts[other] = along, 1 - along
            ends.append((_LEFT + _SIDE * (parts[2] + parts[0] / 2), _TOP + _HEIGHT * (1 - parts[0])))
    return f"M{_at(ends[0])}L{_at(ends[1])}"


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _mean(found: CueMap) -> str:
    if found.mean is None:
        return ""
    x, y = _xy(found, found.mean)
    return (
        f'<path class="model" d="M{x - 8:.1f} {y:.1f}h16M{x:.1f} {y - 8:.1f}v16"/>'
        f'<text class="model" x="{x + 11:.1f}" y="{y + 4:.1f}">model’s mean</text>'
    )


def _names(found: CueMap, placed: Sequence[tuple[str, Spot]], radius: float) -> str:
    """Return the names of the classes farthest from the mean, where there is room for them."""
    points = [_xy(found, spot) for _, spot in placed]
    center = points[0] if found.mean is None and points else _xy(found, found.mean) if found.mean else (0.0, 0.0)
    far = sorted(range(len(placed)), key=lambda at: -_distance(points[at], center))
    taken = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    taken.append((center[0] - 10, center[1] - 10, center[0] + 90, center[1] + 10))
    shown: list[str] = []
    for at in far:
        if len(shown) == _MOST_NAMES:
            break
        name = shortened(placed[at][0], _LONGEST)
        place = free_place(points[at], (len(name) * _LETTER, _LINE), radius + 4, taken, _ROOM)
        if place is not None:
            taken.append(place)
            shown.append(f'<text class="tag" x="{place[0]:.1f}" y="{place[3] - 3:.1f}">{escape(name)}</text>')
    return "".join(shown)


def _distance(point: tuple[float, float], other: tuple[float, float]) -> float:
    return (point[0] - other[0]) ** 2 + (point[1] - other[1]) ** 2


def strips(found: CueMap) -> Markup:
    """Draw reliance on each cue as a strip of its own, 0 to 100 %: a tick a class, a triangle for the model's mean.

    Of more than ``MOST_TICKS`` classes those with the same percentage share a tick, as high as they are many: single
    ones would be a solid bar. Nothing in it is told by color alone: each strip has its letter, its name and its place.
    """
    known = [spot for spot in found.spots if spot is not None]
    rows = "".join(_strip(found, row, known) for row in range(3))
    height = 3 * _ROW + 18
    ticks = "".join(
        f'<text x="{_along(share):g}" y="{height - 3:g}" text-anchor="middle">{100 * share:g}\N{NO-BREAK SPACE}%</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    means = (
        ", ".join(f"{cue.value} {fixed(100 * share, 0)} %" for cue, share in zip(Cue, found.mean.reliance, strict=True))
        if found.mean
        else "unknown"
    )
    return Markup(
        f'<svg class="strips" viewBox="0 0 {_STRIP_WIDTH:g} {height:g}" role="img" '
        f'aria-label="Reliance of every class on each cue; the model’s mean: {means}">{rows}{ticks}</svg>'
    )


def _along(share: float) -> float:
    return round(_ZERO + (_HUNDRED - _ZERO) * share, 1)


def _strip(found: CueMap, row: int, known: Sequence[Spot]) -> str:
    cue, top = list(Cue)[row], _ROW * row
    middle = top + 34
    ticks = _ticks([spot.reliance[row] for spot in known], middle, single=len(found.spots) <= MOST_TICKS)
    mean = "" if found.mean is None else _mean_mark(_along(found.mean.reliance[row]), middle)
    letter = CUE_LETTERS[CueVerdict(cue.value)]
    return (
        f'<g class="{cue.value}"><rect class="letter" x="0" y="{middle - 10:g}" width="20" height="20" rx="4"/>'
        f'<text class="letter" x="10" y="{middle + 4.5:g}" text-anchor="middle">{letter}</text>'
        f'<text class="name" x="28" y="{middle + 4.5:g}">{cue.value}</text>'
        f'<path class="track" d="M{_ZERO:g} {middle:g}H{_HUNDRED:g}"/><path class="ticks" d="{ticks}"/>{mean}'
        f'<circle class="here" data-row="{row}" r="6" cx="-99" cy="{middle:g}"/></g>'
    )


def _ticks(shares: Sequence[float], middle: float, *, single: bool) -> str:
    if single or not shares:
        heights = [(share, _TICK) for share in shares]
    else:
        counts = Counter(round(share, 2) for share in shares)
        most = max(counts.values())
        heights = [(share, round(_TICK * count / most, 1)) for share, count in sorted(counts.items())]
    return "".join(f"M{_along(share):g} {middle - height / 2:g}v{height:g}" for share, height in heights)


def _mean_mark(x: float, middle: float) -> str:
    return f'<path class="model" d="M{x:g} {middle - 13:g}l-5 -8h10zM{x:g} {middle - 13:g}v26"/>'
