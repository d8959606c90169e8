"""A profile as a notebook shows it: the headline, the cue map, and the classes that lose most."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cuesense.reports.charts.labels import Box, free_place, shortened
from cuesense.reports.colors import CUE_COLORS
from cuesense.reports.cue_map import CORNERS, HEIGHT, CueMap, Spot, cue_map
from cuesense.reports.cue_text import relies_on, relies_on_caption, relies_on_with_percent
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
# Names beside dots: their longest, the width of a letter and the height of a line at 8 units, and where they may stand:
# below the label of the upper corner and above those of the lower ones.
_DOT_LETTERS, _LETTER, _LINE_HEIGHT = 20, 4.9, 10.0
_ROOM: Box = (2.0, _MARGIN - 6.0, _SIDE + 2.0 * _MARGIN - 2, _MARGIN + _SIDE * HEIGHT + 7)
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
        "<p>%s %s</p></div>"
    ) % (
        profile_line(profile),
        listed,
        _map(profile),
        _table(profile),
        found.measured,
        relies_on_caption(profile.classes),
    )


def _map(profile: Profile) -> Markup:
    found = cue_map(profile)
    named = len(found.spots) <= _NAMED_DOTS
    placed = [(spot, entry) for spot, entry in zip(found.spots, profile.classes, strict=True) if spot is not None]
    dots = Markup("").join(_dot(found, spot, entry, 5 if named else 3) for spot, entry in placed)
    names = _names(found, placed) if named else Markup("")
    corners = " ".join(f"{x:g},{y:g}" for x, y in map(_place, CORNERS.values()))
    labels = Markup("").join(_corner(found, cue) for cue in Cue)
    return Markup(
        '<svg viewBox="0 0 %s %s" width="%s" role="img" aria-label="%s" font-size="11" fill="currentColor">'
        '<polygon points="%s" fill="none" stroke="currentColor" stroke-opacity=".4"/>%s%s%s%s</svg>'
    ) % (
        _SIDE + 2 * _MARGIN,
        round(_SIDE * HEIGHT) + 2 * _MARGIN,
        _SIDE + 2 * _MARGIN,
        "Cue map: every class between shape (top), texture (left) and color (right); hollow dots are uncertain",
        corners,
        labels,
        dots,
        _mean(found),
        names,
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
    # Labels of the corners at the base start and end at the graphic's borders: centered they would be cut off.
    ends = {Cue.TEXTURE: (2.0, "start"), Cue.COLOR: (_SIDE + 2 * _MARGIN - 2.0, "end")}
    x, anchor = ends.get(cue, (x, "middle"))
    return Markup('<text x="%s" y="%s" text-anchor="%s">%s</text>') % (
        x,
        y + (-9 if cue is Cue.SHAPE else 18),
        anchor,
        found.corner(cue),
    )


def _dot(found: CueMap, spot: Spot, entry: ClassModel, radius: int) -> Markup:
    (x, y), color = _place(found.point(spot)), CUE_COLORS[entry.cue]
    fill = color if spot.sure else "none"
    name = printable(entry.name)
    circle = Markup(
        '<circle cx="%s" cy="%s" r="%s" fill="%s" stroke="%s" stroke-width="1.5"><title>%s: %s</title></circle>'
    )
    return circle % (x, y, radius, fill, color, name, relies_on(entry))


def _names(found: CueMap, placed: Sequence[tuple[Spot, ClassModel]]) -> Markup:
    """Return the names beside the dots where there is room; each dot has its name as its title, too."""
    points = [_place(found.point(spot)) for spot, _ in placed]
    centers = points if found.mean is None else [*points, _place(found.point(found.mean))]
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in centers]
    shown = Markup("")
    for point, (_, entry) in zip(points, placed, strict=True):
        name = shortened(printable(entry.name), _DOT_LETTERS)
        box = free_place(point, (len(name) * _LETTER, _LINE_HEIGHT), 7, taken, _ROOM)
        if box is not None:
            taken.append(box)
            shown += Markup('<text x="%s" y="%s" font-size="8">%s</text>') % (
                round(box[0], 1),
                round(box[3] - 2.5, 1),
                name,
            )
    return shown


def _table(profile: Profile) -> Markup:
    """Return the classes that lose most under a usual augmentation; where none was measured, the least accurate."""
    worst = [(loss, entry) for entry, loss in worst_first(profile) if entry.images][:_ROWS]
    heads = ("class", "images", "recognized", "relies on", "largest loss", "under", "most often to")
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
        relies_on_with_percent(entry),
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
