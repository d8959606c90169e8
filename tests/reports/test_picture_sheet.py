"""The picture sheet: every tile stands where it belongs, in its own pixels, beside a label that can be read."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.registry import get
from cuesense.reports import picture_sheet
from cuesense.reports.picture_sheet import Block, Row, draw_sheet, sheet_size

SIDE, GAP, MARGIN, NAMES = 128, 10, 20, 220


def flat(color: int, side: int = 64, height: int | None = None) -> np.ndarray:
    return np.full((height or side, side, 3), color, dtype=np.uint8)


def row(name: str, *tiles: np.ndarray) -> Row:
    return Row(get("perturbations", name), tuple(f"{at}" for at in range(len(tiles))), tiles)


def squares(sheet: np.ndarray, color: int) -> list[tuple[int, int, int, int]]:
    """Return top, left, height and width of the areas of one gray, from top to bottom, each with a row of its own."""
    found = (sheet == color).all(axis=2)
    rows = np.flatnonzero(found.sum(axis=1) > 20)
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
    boxes = []
    for group in groups:
        columns = np.flatnonzero(found[group[len(group) // 2]])
        boxes.append((int(group[0]), int(columns[0]), len(group), len(columns)))
    return boxes


def test_every_tile_stands_in_its_column_and_augmentations_come_first() -> None:
    suppressed = row("grayscale", flat(200), flat(210))
    augmented = row("color_jitter", flat(220), flat(225), flat(230), flat(235))
    sheet = draw_sheet("Title", "Note", [Block("cat", flat(100), (suppressed, augmented))])
    assert sheet.size == sheet_size([Block("cat", flat(100), (suppressed, augmented))])
    pixels = np.asarray(sheet)
    column = SIDE + GAP
    for number, color in enumerate((220, 225, 230, 235), start=1):
        assert [box[1:] for box in squares(pixels, color)] == [(MARGIN + NAMES + number * column, SIDE, SIDE)]
    clean = squares(pixels, 100)
    assert [box[1:] for box in clean] == [(MARGIN + NAMES, SIDE, SIDE)] * 2
    assert squares(pixels, 220)[0][0] == clean[0][0] < clean[1][0] == squares(pixels, 200)[0][0]


def test_each_image_has_a_block_of_its_own() -> None:
    blocks = [
        Block("a", flat(100), (row("grayscale", flat(200)),)),
        Block("b", flat(110), (row("grayscale", flat(210)),)),
    ]
    pixels = np.asarray(draw_sheet("Title", "Note", blocks))
    assert pixels.shape[:2] == sheet_size(blocks)[::-1]
    tops = [squares(pixels, color)[0][0] for color in (100, 110)]
    assert tops == [squares(pixels, color)[0][0] for color in (200, 210)]
    assert tops[0] < tops[1]


@pytest.mark.parametrize(
    ("tile", "height", "width"),
    [(flat(200, 32), 128, 128), (flat(200, 100), 100, 100), (flat(200, 512), 128, 128), (flat(200, 40, 50), 100, 80)],
)
def test_small_images_are_enlarged_by_whole_numbers_and_large_ones_made_to_fit(
    tile: np.ndarray, height: int, width: int
) -> None:
    pixels = np.asarray(draw_sheet("", "", [Block("", flat(100), (row("grayscale", tile),))]))
    assert [box[2:] for box in squares(pixels, 200)] == [(height, width)]


def test_labels_name_what_is_applied_and_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(picture_sheet, "_write", lambda _draw, _at, text, *_: written.append(text))
    draw_sheet("Title", "Note", [Block("cat/1.png", flat(100), (row("grayscale", flat(200), flat(210)),))])
    for text in ("Title", "Note", "cat/1.png", "Suppressions", "clean", "severity 1", "severity 2", "0", "1"):
        assert text in written
    assert {"grayscale", "blend, fraction", "removes color"} <= set(written)
    assert "severity 3" not in written


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("3.6\N{NO-BREAK SPACE}% (8\N{NO-BREAK SPACE}px)", "3.6 % (8 px)"),
        ("\N{MINUS SIGN}30°", "-30°"),
        ("cr\u00e8me br\u00fbl\u00e9e", "creme brulee"),
        ("\u67e0\u6aac", "??"),
        ("\x1b[31m", "?[31m"),
    ],
)
def test_a_label_is_written_in_letters_that_the_font_has(text: str, drawn: str) -> None:
    assert picture_sheet._drawable(text) == drawn
