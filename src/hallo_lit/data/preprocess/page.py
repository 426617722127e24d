"""One picture of a run: which clips were kept, which were not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hallo_lit.data.atomic import replacing
from hallo_lit.data.preprocess.filters import KEPT, UNDECIDED
from hallo_lit.data.preprocess.records import Records
from hallo_lit.data.preprocess.render import THUMB
from hallo_lit.data.preprocess.report import Line, summarise, table

FILE = "report.png"
_COLUMNS, _LINES, _LINE, _EDGE = 8, 4, 13, 10
_TILE = (THUMB + 14, THUMB + 18 + _LINE * _LINES)  # width, height
_COLOURS = {KEPT: (40, 140, 70), UNDECIDED: (190, 130, 20)}
_OTHER = (180, 50, 50)


def write_page(root: Path, lines: Sequence[Line], most: int = 48) -> Path:
    """Draws STORE/report.png: the summary, then up to `most` kept and `most` other entries, evenly picked."""
    records = Records(root)
    good = _pick([e for e in _entries(lines) if e["verdict"] in _COLOURS], most)
    bad = _pick([e for e in _entries(lines) if e["verdict"] not in _COLOURS], most)
    text = table(summarise(lines)).splitlines()
    rows = [-(-len(group) // _COLUMNS) for group in (good, bad)]
    top = 2 * _EDGE + 18 * len(text)
    height = top + sum(30 + _TILE[1] * count for count in rows) + _EDGE
    page = Image.new("RGB", (2 * _EDGE + _COLUMNS * _TILE[0], height), (250, 250, 248))
    draw = ImageDraw.Draw(page)
    mono, small, title = (ImageFont.load_default(size) for size in (14, 11, 17))
    for i, words in enumerate(text):
        _aligned(draw, words, _EDGE, _EDGE + 18 * i, mono)
    for name, group, count in zip(("In the store", "Not in the store"), (good, bad), rows, strict=True):
        draw.text((_EDGE, top), f"{name} ({len(group)} shown)", (20, 20, 20), title)
        for i, entry in enumerate(group):
            place = (_EDGE + i % _COLUMNS * _TILE[0], top + 30 + i // _COLUMNS * _TILE[1])
            _tile(page, draw, place, entry, records, small)
        top += 30 + _TILE[1] * count
    path = root / FILE
    with replacing(path) as part:
        page.save(part, "PNG")
    return path


def _entries(lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    """One per clip, and one per input without clips."""
    for line in lines:
        for clip in line["clips"] or [{"verdict": line["verdict"], "reasons": line["reasons"]}]:
            yield {**clip, "source": line["source"], "content": line.get("content", "")}


def _pick(entries: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    if len(entries) <= most:
        return entries
    return [entries[i * len(entries) // most] for i in range(most)]


def _aligned(draw: ImageDraw.ImageDraw, words: str, x: int, y: int, font: Any) -> None:
    """The default font is proportional: characters are placed one by one so that columns stay columns."""
    for i, letter in enumerate(words):
        draw.text((x + 8 * i, y), letter, (20, 20, 20), font)


def _tile(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    entry: dict[str, Any],
    records: Records,
    font: Any,
) -> None:
    colour = _COLOURS.get(entry["verdict"], _OTHER)
    x, y = place
    draw.rectangle((x, y, x + THUMB + 5, y + THUMB + 5), colour)
    draw.rectangle((x + 3, y + 3, x + THUMB + 2, y + THUMB + 2), (225, 225, 225))
    thumb = _thumb(entry, records)
    if thumb is not None:
        page.paste(thumb, (x + 3 + (THUMB - thumb.width) // 2, y + 3 + (THUMB - thumb.height) // 2))
    reasons = "; ".join(entry["reasons"]) or _numbers(entry.get("measured") or {})
    time = f" {entry['start']:.1f}-{entry['end']:.1f} s" if "start" in entry else ""
    words = _wrapped(draw, f"{Path(entry['source']).name}{time}", font, 1)
    words += _wrapped(draw, f"{entry['verdict']}: {reasons}" if reasons else entry["verdict"], font, _LINES - 1)
    for i, line in enumerate(words):
        draw.text((x, y + THUMB + 8 + _LINE * i), line, colour if i else (20, 20, 20), font)


def _numbers(measured: dict[str, float | None]) -> str:
    shown = {"face": "face {:.0f} px", "sync_r": "sync {:.2f}", "yaw": "yaw {:.0f}°", "speed": "speed {:.1f}"}
    return ", ".join(text.format(measured[name]) for name, text in shown.items() if measured.get(name) is not None)


def _thumb(entry: dict[str, Any], records: Records) -> Image.Image | None:
    for key in (entry.get("id"), entry["content"]):
        if not key:
            continue
        try:
            data = np.frombuffer(records.path("thumbs", key, ".jpg").read_bytes(), np.uint8)
        except OSError:
            continue
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is not None:
            return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    return None


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: Any, most: int) -> list[str]:
    """At most `most` lines that fit under a thumb; what is cut off ends in dots."""
    lines = [""]
    for word in text.split(" "):
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


def _shortened(draw: ImageDraw.ImageDraw, line: str, font: Any) -> str:
    while draw.textlength(line, font) > THUMB + 10 and len(line) > 2:
        line = line[: -3 if line.endswith("…") else -2] + "…"
    return line
