"""A picture sheet: images under every perturbation, mild to strong, with readable labels."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cuesense.reports.profile_text import axis_title
from cuesense.reports.text import printable, readable_name
from cuesense.types import Perturbation, Role

# Sides in pixels: what is applied is seen at 128, and seven of them still fit on a screen. Chosen by eye.
_TILE, _GAP, _MARGIN = 128, 10, 20
_NAMES = 220
_TITLE_SIZE, _NAME_SIZE, _TEXT_SIZE = 20, 15, 13
_LINE = 18
_HEADING = 40
_INK, _PALE, _PAPER = "#1a1a1a", "#595959", "#ffffff"
# Letters of a line beside a row, at 220 pixels.
_LETTERS = 30
_TITLES = {Role.AUGMENTATION: "Augmentations", Role.SUPPRESSION: "Suppressions", Role.CONTROL: "Controls"}
# What the font that comes with Pillow lacks.
_SIMPLE = str.maketrans("\N{NO-BREAK SPACE}\N{MINUS SIGN}–—", " ---")
_DRAWN = "°±…"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One image under one perturbation.

    Attributes:
        perturbation: What is applied.
        values: What stands under each tile, mild to strong.
        tiles: The image at each severity, RGB, each (H, W, 3).
    """

    perturbation: Perturbation
    values: tuple[str, ...]
    tiles: tuple[Pixels, ...]


@dataclass(frozen=True)
class Block:
    """One image under all perturbations.

    Attributes:
        title: What the image is called.
        clean: The image itself, RGB, (H, W, 3).
        rows: A row for each perturbation.
    """

    title: str
    clean: Pixels
    rows: tuple[Row, ...]


def sheet_size(blocks: Sequence[Block]) -> tuple[int, int]:
    """Return width and height of a sheet in pixels."""
    columns = 1 + max(len(row.tiles) for block in blocks for row in block.rows)
    width = 2 * _MARGIN + _NAMES + columns * (_TILE + _GAP) - _GAP
    return width, 2 * _MARGIN + 2 * _LINE + sum(_block_height(block) for block in blocks)


def draw_sheet(title: str, note: str, blocks: Sequence[Block]) -> Image.Image:
    """Draw images under every perturbation; the first column is the clean image.

    Args:
        title: What the sheet shows, in its first line.
        note: How the images were prepared, below it.
        blocks: The images, each with the same perturbations.

    Returns:
        An RGB image of ``sheet_size`` pixels.
    """
    sheet = Image.new("RGB", sheet_size(blocks), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (_MARGIN, _MARGIN - 8), title, _TITLE_SIZE)
    _write(draw, (_MARGIN, _MARGIN + 18), note, _TEXT_SIZE, _PALE)
    top = _MARGIN + 2 * _LINE
    for block in blocks:
        _draw_block(sheet, draw, block, top)
        top += _block_height(block)
    return sheet


def _row_height() -> int:
    return _TILE + _LINE + _GAP


def _block_height(block: Block) -> int:
    roles = {row.perturbation.role for row in block.rows}
    return _HEADING + len(roles) * _HEADING + len(block.rows) * _row_height()


def _draw_block(sheet: Image.Image, draw: ImageDraw.ImageDraw, block: Block, top: int) -> None:
    _write(draw, (_MARGIN, top + 12), block.title, _TITLE_SIZE)
    top += _HEADING
    for role, title in _TITLES.items():
        rows = [row for row in block.rows if row.perturbation.role is role]
        if not rows:
            continue
        draw.line([(_MARGIN, top + 6), (sheet.width - _MARGIN, top + 6)], fill=_PALE)
        _write(draw, (_MARGIN, top + 14), title, _NAME_SIZE)
        columns = max(len(row.tiles) for row in rows)
        for column in range(columns + 1):
            _write(draw, (_left(column), top + 16), f"severity {column}" if column else "clean", _TEXT_SIZE, _PALE)
        top += _HEADING
        for row in rows:
            _draw_row(sheet, draw, block.clean, row, top)
            top += _row_height()


def _draw_row(sheet: Image.Image, draw: ImageDraw.ImageDraw, clean: Pixels, row: Row, top: int) -> None:
    for number, line in enumerate(_row_labels(row.perturbation)):
        size, color = (_NAME_SIZE, _INK) if line[1] else (_TEXT_SIZE, _PALE)
        _write(draw, (_MARGIN, top + number * _LINE), line[0], size, color)
    for column, pixels in enumerate((clean, *row.tiles)):
        sheet.paste(_tile(pixels), (_left(column), top))
        value = "" if column == 0 else row.values[column - 1]
        _write(draw, (_left(column), top + _TILE + 1), value, _TEXT_SIZE)


def _row_labels(perturbation: Perturbation) -> list[tuple[str, bool]]:
    """Return the lines beside a row, and whether each belongs to the name."""
    name = [(line, True) for line in textwrap.wrap(readable_name(perturbation.name), _LETTERS - 4)]
    removes = f"removes {', '.join(cue.value for cue in perturbation.suppresses)}" if perturbation.suppresses else ""
    texts = [axis_title(perturbation.parameter, perturbation.unit), removes]
    return name + [(line, False) for text in texts for line in textwrap.wrap(text, _LETTERS)]


def _left(column: int) -> int:
    return _MARGIN + _NAMES + column * (_TILE + _GAP)


def _tile(pixels: Pixels) -> Image.Image:
    """Return an image that fits a tile; small ones are enlarged so that each pixel stays a square."""
    image = Image.fromarray(pixels)
    factor = _TILE // max(image.size)
    if factor > 1:
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS, reducing_gap=None)
    return image


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, color: str = _INK) -> None:
    draw.text(at, _drawable(text), fill=color, font=_font(size))


def _drawable(text: str) -> str:
    """Return a text in the letters that the font has: without accents, other letters as question marks."""
    simple = unicodedata.normalize("NFKD", printable(text).translate(_SIMPLE))
    kept = (letter for letter in simple if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() or letter in _DRAWN else "?" for letter in kept)
