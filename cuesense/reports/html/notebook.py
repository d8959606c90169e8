"""A profile as a notebook shows it: the headline, the cue map, and the classes that lose most."""

from __future__ import annotations

from markupsafe import Markup

from cuesense.reports.charts.labels import shortened
from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.cue_map import CORNERS, HEIGHT, CueMap, Spot, cue_map
from cuesense.reports.headline import headline
from cuesense.reports.profile_text import value_text
from cuesense.reports.summaries import profile_line
from cuesense.reports.text import CUE_LETTERS, DASH, percent, points, printable, readable_name
from cuesense.reports.usual_losses import UsualLoss, worst_first
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import Cue

# Rows of the table, letters of a name in it, and classes whose names are written beside their dots. Chosen by hand.
_ROWS, _LETTERS, _NAMED_DOTS = 10, 40, 20
# The triangle's side and margin in units of the graphic.
_SIDE, _MARGIN = 300, 28
# Text takes the notebook's own color, and lines a part of it: both read in light and in dark themes.
_LINE = "1px solid color-mix(in srgb, currentColor 25%, transparent)"
_CELL = f"padding:2px 10px;text-align:left;border-bottom:{_LINE};background:none;color:inherit"


def profile_html(profile: Profile) -> str:
    """Return a profile as a piece of HTML for a notebook.

    It fetches nothing, runs no script and sets no style outside itself; names of classes and files are escaped.

    Args:
        profile: The profile.

    Returns:
        One ``<div>`` with the headline, the cue map as SVG, and a table of the ten classes that lose most.
    """
    found = headline(profile)
    sentences = [sentence for sentence in (*found.findings, found.advice) if sentence]
    listed = Markup("").join(Markup("<li>%s</li>") % printable(sentence) for sentence in sentences)
    return Markup(
        '<div style="color:inherit;font-variant-numeric:tabular-nums;max-width:76rem">'
        "<p><strong>%s</strong></p><ul>%s</ul>"
        '<div style="display:flex;flex-wrap:wrap;gap:1.5rem;align-items:flex-start">%s%s</div>'
        "<p>%s</p></div>"
    ) % (profile_line(profile), listed, _map(profile), _table(profile), found.measured)


def _map(profile: Profile) -> Markup:
    found = cue_map(profile)
    named = len(found.spots) <= _NAMED_DOTS
    placed = [(spot, entry) for spot, entry in zip(found.spots, profile.classes, strict=True) if spot is not None]
    dots = Markup("").join(_dot(found, spot, entry, named=named) for spot, entry in placed)
    corners = " ".join(f"{x:g},{y:g}" for x, y in map(_place, CORNERS.values()))
    labels = Markup("").join(_corner(found, cue) for cue in Cue)
    return Markup(
        '<svg viewBox="0 0 %s %s" width="%s" role="img" aria-label="%s" font-size="11" fill="currentColor">'
        '<polygon points="%s" fill="none" stroke="currentColor" stroke-opacity=".4"/>%s%s%s</svg>'
    ) % (
        _SIDE + 2 * _MARGIN,
        round(_SIDE * HEIGHT) + 2 * _MARGIN,
        _SIDE + 2 * _MARGIN,
        "Cue map: every class between shape (top), texture (left) and color (right); hollow dots are uncertain",
        corners,
        labels,
        dots,
        _mean(found),
    )


def _mean(found: CueMap) -> Markup:
    if found.mean is None:
        return Markup("")
    x, y = _place(found.point(found.mean))
    return Markup(
        '<path d="M%s %sm-6 0h12m-6 -6v12" stroke="currentColor" stroke-width="2"><title>average class</title></path>'
    ) % (x, y)


def _place(point: tuple[float, float]) -> tuple[float, float]:
    """Return where a point of the triangle stands in the graphic, whose y grows downward."""
    x, y = point
    return round(_MARGIN + _SIDE * x, 1), round(_MARGIN + _SIDE * (HEIGHT - y), 1)


def _corner(found: CueMap, cue: Cue) -> Markup:
    x, y = _place(CORNERS[cue])
    return Markup('<text x="%s" y="%s" text-anchor="middle">%s</text>') % (
        x,
        y + (-9 if cue is Cue.SHAPE else 18),
        found.corner(cue),
    )


def _dot(found: CueMap, spot: Spot, entry: ClassModel, *, named: bool) -> Markup:
    (x, y), color = _place(found.point(spot)), CUE_COLORS[entry.cue]
    fill = color if spot.sure else "none"
    name = printable(entry.name)
    label = Markup('<text x="%s" y="%s" font-size="8">%s</text>') % (x + 7, y + 3, shortened(name, 20)) if named else ""
    circle = Markup(
        '<circle cx="%s" cy="%s" r="%s" fill="%s" stroke="%s" stroke-width="1.5"><title>%s: %s</title></circle>'
    )
    return circle % (x, y, 5 if named else 3, fill, color, name, entry.cue.value) + label


def _table(profile: Profile) -> Markup:
    """Return the classes that lose most under a usual augmentation; where none was measured, the least accurate."""
    worst = [(loss, entry) for entry, loss in worst_first(profile) if entry.images][:_ROWS]
    heads = ("class", "images", "recognized", "cue", "largest loss", "under", "most often to")
    head = Markup("").join(Markup('<th style="%s">%s</th>') % (_CELL, title) for title in heads)
    rows = Markup("").join(_row(entry, loss) for loss, entry in worst)
    return Markup(
        '<table style="border-collapse:collapse;font-size:13px"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>'
    ) % (
        head,
        rows,
    )


def _row(entry: ClassModel, loss: UsualLoss | None) -> Markup:
    dot = Markup('<span style="color:%s">●</span> %s %s') % (
        CUE_COLORS[entry.cue],
        CUE_LETTERS[entry.cue],
        entry.cue.value,
    )
    cells = (
        shortened(printable(entry.name), _LETTERS),
        f"{entry.images:,}",
        percent(entry.clean_accuracy),
        dot,
        DASH if loss is None else f"{points(loss.drop)} points",
        DASH if loss is None else f"{readable_name(loss.augmentation)} {value_text(loss.value, loss.unit)}",
        shortened(printable(loss.rival), _LETTERS) if loss and loss.rival else DASH,
    )
    return Markup("<tr>%s</tr>") % Markup("").join(Markup('<td style="%s">%s</td>') % (_CELL, cell) for cell in cells)
