"""Draw ``assets/value.svg``: worst class and mean of every policy in every world, told apart by shape, not by color."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from value_measures import Measure, mean, worst
from value_policies import BEST_UNIFORM, FORECAST, NONE, UNTRAINED, USUAL_DEFAULT
from value_table import Outcome, Table

_LEFT, _PANEL, _GAP, _TOP, _ROW, _BOTTOM = 104, 340, 28, 74, 22, 44
_WIDTH = _LEFT + 2 * _PANEL + _GAP + 16
_SIZE = 5
_PANELS: tuple[tuple[str, Measure], ...] = (("recall of the worst class, %", worst), ("mean recall, %", mean))
_Mark = Callable[[float, float], str]


def _circle(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_SIZE - 0.5}" fill="#fff" stroke="#333"/>'


def _cross(x: float, y: float) -> str:
    ends = f"M{x - _SIZE + 1:.1f} {y - _SIZE + 1:.1f}l{2 * _SIZE - 2} {2 * _SIZE - 2}m0 {2 - 2 * _SIZE}"
    return f'<path d="{ends}l{2 - 2 * _SIZE} {2 * _SIZE - 2}" stroke="#b00020" stroke-width="2"/>'


def _square(x: float, y: float) -> str:
    side = 2 * _SIZE - 2
    return (
        f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side}" height="{side}" fill="#fff"'
        ' stroke="#0072b2" stroke-width="1.5"/>'
    )


def _triangle(x: float, y: float) -> str:
    points = f"M{x:.1f} {y - _SIZE:.1f}l{_SIZE} {1.7 * _SIZE:.1f}h{-2 * _SIZE}z"
    return f'<path d="{points}" fill="#fff" stroke="#000" stroke-width="1.5"/>'


def _diamond(x: float, y: float) -> str:
    size = _SIZE + 0.5
    return f'<path d="M{x:.1f} {y - size:.1f}l{size} {size}l{-size} {size}l{-size} {-size}z" fill="#000"/>'


# Drawn in this order: ours on top.
_MARKS: tuple[tuple[str, _Mark], ...] = (
    (NONE, _circle),
    (USUAL_DEFAULT, _cross),
    (BEST_UNIFORM, _square),
    (UNTRAINED, _triangle),
    (FORECAST, _diamond),
)


def figure(table: Table) -> str:
    """Return the picture: a row for each world, a panel for worst class and one for mean, a mark for each policy."""
    height = _TOP + _ROW * len(table) + _BOTTOM
    parts = [*_legend(), *(part for panel in range(len(_PANELS)) for part in _axis(panel, len(table)))]
    for row, (world, found) in enumerate(table.items()):
        y = _TOP + _ROW * (row + 0.5)
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(world)}</text>')
        parts += [part for panel in range(len(_PANELS)) for part in _row(panel, y, found)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
    title = "<title>Worst class and mean recall of every policy in every world</title>"
    white = f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="12">', title, white, *parts, "</svg>\n"])


def _x(panel: int, recall: float) -> float:
    return _LEFT + panel * (_PANEL + _GAP) + _PANEL * recall


def _legend() -> list[str]:
    parts, x = [], float(_LEFT)
    for name, mark in _MARKS:
        parts += [mark(x, 20), f'<text x="{x + 11:.1f}" y="24">{escape(name)}</text>']
        x += 36 + 6.4 * len(name)
    return parts


def _axis(panel: int, rows: int) -> list[str]:
    bottom, parts = _TOP + _ROW * rows, []
    for percent in range(0, 101, 20):
        x = _x(panel, percent / 100)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{percent}</text>')
    title = f'<text x="{_x(panel, 0.5):.1f}" y="{_TOP - 14}" text-anchor="middle">{_PANELS[panel][0]}</text>'
    return [*parts, title]


def _row(panel: int, y: float, found: dict[str, Outcome]) -> list[str]:
    """Return a line from the lowest to the highest and all marks, each with its number to hover over."""
    values = {name: _PANELS[panel][1](found[name].recall) for name, _ in _MARKS if name in found}
    low, high = _x(panel, min(values.values())), _x(panel, max(values.values()))
    parts = [f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="#bbb"/>']
    for name, mark in _MARKS:
        if name in values:
            said = escape(f"{name}: {100 * values[name]:.1f} %")
            parts.append(f"<g>{mark(_x(panel, values[name]), y)}<title>{said}</title></g>")
    return parts
