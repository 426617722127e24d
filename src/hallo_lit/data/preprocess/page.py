"""One picture of a run: which clips were kept, which were not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hallo_lit.data.atomic import replacing
from hallo_lit.data.preprocess.filters import KEPT, UNDECIDED
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import THUMB
from hallo_lit.data.preprocess.report import Line, Summary, counts, reasons, summarise

FILE = "report.png"
_COLUMNS, _LINES, _LINE, _EDGE, _ROW, _HEAD = 8, 5, 13, 10, 18, 30
_TILE = (THUMB + 14, THUMB + 18 + _LINE * _LINES)  # width, height
_COLOURS = {KEPT: (40, 140, 70), UNDECIDED: (190, 130, 20)}
_OTHER, _BLACK = (180, 50, 50), (20, 20, 20)


def write_page(root: Path, lines: Sequence[Line], most: int = 48) -> Path:
    """Draws STORE/report.png: the summary, then up to `most` kept and `most` other entries, evenly picked."""
    records, summary = Records(root), summarise(lines)
    good = _pick([e for e in _entries(lines) if e["verdict"] in _COLOURS], most)
    bad = _pick([e for e in _entries(lines) if e["verdict"] not in _COLOURS], most)
    heights = [_HEAD + _TILE[1] * -(-len(group) // _COLUMNS) for group in (good, bad)]
    top = 2 * _EDGE + _ROW * (max(len(counts(summary)), len(reasons(summary))) + 1)
    page = Image.new("RGB", (2 * _EDGE + _COLUMNS * _TILE[0], top + sum(heights) + _EDGE), (250, 250, 248))
    draw = ImageDraw.Draw(page)
    _table(draw, summary)
    for name, group, height in zip(("In the store", "Not in the store"), (good, bad), heights, strict=True):
        draw.text((_EDGE, top), f"{name} ({len(group)} shown)", _BLACK, _font(17))
        for i, entry in enumerate(group):
            place = (_EDGE + i % _COLUMNS * _TILE[0], top + _HEAD + i // _COLUMNS * _TILE[1])
            _tile(page, draw, place, entry, records)
        top += height
    path = root / FILE
    with replacing(path) as part:
        page.save(part, "PNG")
    return path


def _table(draw: ImageDraw.ImageDraw, summary: Summary) -> None:
    font = _font(13)
    for i, (name, *numbers) in enumerate(counts(summary)):
        draw.text((_EDGE, _EDGE + _ROW * i), name, _BLACK, font)
        for column, number in enumerate(numbers):
            draw.text((160 + 70 * column, _EDGE + _ROW * i), number, _BLACK, font, anchor="ra")
    draw.text((320, _EDGE), f"{summary.seconds:.1f} s in the store", _BLACK, font)
    for i, (number, reason) in enumerate(reasons(summary), 1):
        draw.text((350, _EDGE + _ROW * i), number, _OTHER, font, anchor="ra")
        draw.text((360, _EDGE + _ROW * i), reason, _BLACK, font)


def _entries(lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    """One per clip, and one per input without clips."""
    for line in lines:
        for clip in line["clips"] or [{"verdict": line["verdict"], "reasons": line["reasons"]}]:
            yield {**clip, "source": line["source"], "content": line.get("content", "")}


def _pick(entries: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    if len(entries) <= most:
        return entries
    return [entries[i * len(entries) // most] for i in range(most)]


def _tile(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    entry: dict[str, Any],
    records: Records,
) -> None:
    font = _font(10)
    colour = _COLOURS.get(entry["verdict"], _OTHER)
    x, y = place
    draw.rectangle((x, y, x + THUMB + 5, y + THUMB + 5), colour)
    draw.rectangle((x + 3, y + 3, x + THUMB + 2, y + THUMB + 2), (225, 225, 225))
    thumb = _thumb(entry, records)
    if thumb is not None:
        page.paste(thumb, (x + 3 + (THUMB - thumb.width) // 2, y + 3 + (THUMB - thumb.height) // 2))
    reasons = "; ".join(entry["reasons"]) or _numbers(entry.get("measured") or {})
    words = _wrapped(draw, Path(entry["source"]).name, font, 1)
    if "start" in entry:
        draw.text(
            (x + 6, y + 5),
            f"{entry['start']:.1f}-{entry['end']:.1f} s",
            _BLACK,
            font,
            stroke_width=2,
            stroke_fill="white",
        )
    words += _wrapped(draw, f"{entry['verdict']}: {reasons}" if reasons else entry["verdict"], font, _LINES - 1)
    for i, line in enumerate(words):
        draw.text((x, y + THUMB + 8 + _LINE * i), line, colour if i else _BLACK, font)


def _numbers(measured: dict[str, float | None]) -> str:
    shown = {"face": "face {:.0f} px", "sync_r": "sync {:.2f}", "yaw": "yaw {:.0f}°", "speed": "speed {:.1f}"}
    return ", ".join(text.format(measured[name]) for name, text in shown.items() if measured.get(name) is not None)


def _thumb(entry: dict[str, Any], records: Records) -> Image.Image | None:
    for key in (entry.get("id"), entry["content"]):
        if not key:
            continue
        try:
            data = np.frombuffer(records.path("thumbs", key, ".jpg").read_bytes(), np.uint8)
        except (OSError, ValueError):  # ValueError: a damaged report
            continue
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is not None:
            return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    return None


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: Any, most: int) -> list[str]:
    """At most `most` lines that fit under a thumb; what is cut off ends in dots."""
    lines = [""]
    for word in text.split():  # at line breaks, too: Pillow measures single lines only
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) <= THUMB + 6:
            lines[-1] = longer
        elif lines[-1]:
            lines.append(word)
        else:
            lines[-1] = word
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] += " …"
    return [_shortened(draw, line, font) for line in lines]


@cache
def _font(size: int) -> Any:
    """DejaVu, which knows more letters than Pillow's own font, comes with matplotlib, which comes with mediapipe."""
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def _shortened(draw: ImageDraw.ImageDraw, line: str, font: Any) -> str:
    while draw.textlength(line, font) > THUMB + 10 and len(line) > 2:
        line = line[: -3 if line.endswith("…") else -2] + "…"
    return line
