"""Pictures in labelled rows and columns, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hallo_lit.media.image import Pixels, resize

INK, PALE, PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)
MARGIN, GAP = 12, 6
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Cell:
    """A picture with a note below it."""

    picture: Pixels
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """Rows of cells of one size; None leaves a place empty. `key` is a picture set below all rows, such as a scale."""

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[Cell | None]]
    height: int = 168
    key: Pixels | None = field(default=None)

    def draw(self) -> Pixels:
        font, bold = _font(14), _font(18)
        first = next(cell for row in self.cells for cell in row if cell is not None)
        width = max(1, round(self.height * first.picture.shape[1] / first.picture.shape[0]))
        side = max((_width(line, font) for name in self.rows for line in name.split("\n")), default=0)
        side = side + 2 * GAP if side else 0
        noted = any(cell is not None and cell.note for row in self.cells for cell in row)
        notes = max((cell.note.count("\n") + 1 for row in self.cells for cell in row if cell is not None), default=1)
        below = 17 * notes + 2 if noted else 0
        head = MARGIN + 26 + 22
        step_x, step_y = max(width, self._widest(font)) + GAP, self.height + below + GAP
        across = max(2 * MARGIN + side + step_x * len(self.columns), 2 * MARGIN + _width(self.title, bold))
        key = 0 if self.key is None else self.key.shape[0] + GAP
        page = Image.new("RGB", (across, head + step_y * len(self.rows) + key + GAP), PAPER)
        pen = ImageDraw.Draw(page)
        pen.text((MARGIN, MARGIN), self.title, INK, bold)
        for j, name in enumerate(self.columns):
            pen.text((MARGIN + side + step_x * j + width / 2, head - 12), name, INK, font, anchor="mm")
        for i, (name, row) in enumerate(zip(self.rows, self.cells, strict=True)):
            y = head + step_y * i
            pen.multiline_text((MARGIN, y + self.height / 2), name, INK, font, anchor="lm")
            for j, cell in enumerate(row):
                if cell is None:
                    continue
                x = MARGIN + side + step_x * j
                page.paste(Image.fromarray(enlarged(cell.picture, (self.height, width))), (x, y))
                pen.multiline_text((x + width / 2, y + self.height + 3), cell.note, PALE, font, "ma", align="center")
        if self.key is not None:
            page.paste(Image.fromarray(self.key), (MARGIN + side, head + step_y * len(self.rows)))
        return np.asarray(page, np.uint8)

    def _widest(self, font: Font) -> int:
        notes = [line for row in self.cells for cell in row if cell is not None for line in cell.note.split("\n")]
        return max(_width(text, font) for text in [*self.columns, *notes]) + GAP


def captioned(picture: Pixels, says: str, origin: str) -> Pixels:
    """The picture above its caption: what is seen, and paler where it comes from."""
    font, small = _font(15), _font(12)
    width = max(picture.shape[1], 560)
    said, from_where = _wrap(says, font, width - 2 * MARGIN), _wrap(origin, small, width - 2 * MARGIN)
    height = picture.shape[0] + 2 * MARGIN + 20 * len(said) + 16 * len(from_where)
    page = Image.new("RGB", (width, height), PAPER)
    page.paste(Image.fromarray(picture), (0, 0))
    pen, y = ImageDraw.Draw(page), picture.shape[0] + MARGIN // 2
    for lines, kind, ink, step in ((said, font, INK, 20), (from_where, small, PALE, 16)):
        for line in lines:
            pen.text((MARGIN, y), line, ink, kind)
            y += step
    return np.asarray(page, np.uint8)


def enlarged(picture: Pixels, size: tuple[int, int]) -> NDArray[np.uint8]:
    """To (height, width): smoothly down, smoothly up."""
    if picture.shape[0] >= size[0]:
        return resize(picture, size)
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BICUBIC), np.uint8)


def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _width(text: str, font: Font) -> int:
    return int(font.getlength(text) + 1)


def _wrap(text: str, font: Font, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and _width(f"{lines[-1]} {word}", font) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines
