"""Brows and beards, painted once per person."""

from __future__ import annotations

import cv2
import numpy as np

from hallo_lit.data.synthetic.geometry import brow_line, brow_thickness, outline
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import Array, Patch, Points, blend, blur, bump, smoothstep


def beard_area(who: Identity, patch: Patch) -> Array:
    """Where a beard grows, 0..1."""
    x, y = patch.x - who.CENTRE, patch.y
    side = np.interp(
        np.abs(x), [0, who.nose_half, who.mouth_half + 8, who.half_width * 0.72, who.half_width], [9, 9, 16, -4, -34]
    )
    area = smoothstep(0, 12, y - who.nose_y - side) * (
        1 - 0.9 * bump(x, y, (0, who.mouth_y + 1), (who.mouth_half + 4, 9))
    )
    cheek = bump(x, y, (who.half_width * 0.46, who.mouth_y - 12), (18, 20)) + bump(
        x, y, (-who.half_width * 0.46, who.mouth_y - 12), (18, 20)
    )
    return (area * (1 - 0.65 * cheek) * patch.polygon(outline(who), 1.0)).astype(np.float32)


def _strokes(patch: Patch, colour: Array, strands: list[tuple[Points, float, Array]]) -> Array:
    """Draw (points, thickness, colour) strands over a copy of `colour`."""
    picture = np.clip(colour, 0, 255).astype(np.uint8)
    for points, thickness, tint in strands:
        pixels = np.round(patch.pixels(points) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(picture, [pixels], False, tint.tolist(), max(1, round(thickness * patch.detail)), cv2.LINE_AA, 4)
    return picture.astype(np.float32)


def draw_brows(who: Identity, patch: Patch, rng: np.random.Generator, colour: Array) -> Array:
    """`colour` (sRGB) with brows of single hairs."""
    tint = np.asarray(who.hair, np.float32) * 0.62 + np.asarray(who.skin, np.float32) * 0.10
    strands: list[tuple[Points, float, Array]] = []
    for side in (-1, 1):
        q = np.linspace(0, 1, 30)
        body = np.concatenate(
            [
                brow_line(who, side, q) - np.stack([q * 0, brow_thickness(who, q) / 2], -1),
                (brow_line(who, side, q) + np.stack([q * 0, brow_thickness(who, q) / 2], -1))[::-1],
            ]
        )
        blend(colour, patch.polygon(body, 1.5) * 0.62, tint * 1.05)
        for _ in range(190):
            q0, v = rng.uniform(0, 0.97), rng.uniform(-0.5, 0.5)
            start = brow_line(who, side, np.array(q0)) + np.array([0.0, v * float(brow_thickness(who, np.array(q0)))])
            lean = np.array([side * (1.2 + 4.2 * q0), -4.2 * (1 - q0) - 6 * v * (q0 > 0.25)]) * rng.uniform(0.7, 1.2)
            strands.append(
                (np.stack([start, start + 0.5 * lean + (0, -0.4), start + lean]), 0.55, tint * rng.uniform(0.8, 1.5))
            )
    fine = _strokes(patch, colour, strands)
    return colour + 0.5 * (fine - colour)


def draw_beard(who: Identity, patch: Patch, rng: np.random.Generator, colour: Array, light: Array) -> Array:
    """`colour` (sRGB) with a full beard."""
    area = beard_area(who, patch)
    tint = np.asarray(who.hair, np.float32)
    blend(
        colour,
        np.clip(blur(area, 2 * patch.detail) * who.beard * 0.8, 0, 1),
        tint * 0.55 * (0.5 + 0.5 * np.clip(light.mean(2, keepdims=True), 0, 1)),
    )
    strands: list[tuple[Points, float, Array]] = []
    for _ in range(int(5200 * who.beard)):
        x, y = rng.uniform(-who.half_width, who.half_width), rng.uniform(who.nose_y - 30, who.chin)
        row, column = (int(v) for v in patch.pixels((who.CENTRE + x, y))[::-1])
        if area[row, column] * rng.uniform(0.6, 1.4) < 0.45:
            continue
        flow = np.array([x * 0.035 + rng.normal(0, 1.2), 5.0 + rng.normal(0, 1)])
        shade = (0.55 + 0.75 * float(np.clip(light[row, column].mean(), 0, 1.1))) * rng.uniform(0.6, 1.2)
        start = np.array([who.CENTRE + x, y])
        strands.append(
            (np.stack([start, start + 0.6 * flow, start + flow + (-0.02 * x, 0)]), 0.8, np.clip(tint * shade, 0, 255))
        )
    fine = _strokes(patch, colour, strands)
    return colour + 0.75 * (fine - colour)
