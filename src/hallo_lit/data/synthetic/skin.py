"""The still parts of a face, painted once per person: skin, ears, brows, beard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hallo_lit.data.synthetic.facial_hair import beard_area, draw_beard, draw_brows
from hallo_lit.data.synthetic.geometry import curve, half_outline, lids, outline, relief
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import (
    Array,
    Lighting,
    Patch,
    Points,
    blend,
    blur,
    bump,
    noise,
    normals,
    rgb,
    to_linear,
    to_srgb,
)


@dataclass(frozen=True)
class Face:
    """Painted skin of a patch."""

    colour: Array  # (H, W, 3) sRGB 0..255
    alpha: Array  # (H, W)
    light: Array  # (H, W, 3) linear light that falls on the skin, for the lips and lids drawn later


def _albedo(who: Identity, patch: Patch, rng: np.random.Generator) -> Array:
    x, y = patch.x - who.CENTRE, patch.y
    base = to_linear(who.skin)
    d = patch.detail
    mottle = noise(rng, patch.shape, [(2.2 * d, 2.2 * d), (9 * d, 9 * d), (34 * d, 34 * d)], [0.022, 0.022, 0.03])
    colour = base * (1 + mottle[..., None])
    red = sum(bump(x, y, (s * who.half_width * 0.55, who.nose_y - 10), (27, 22)) for s in (-1, 1))
    red = who.blush * (
        0.55 * red + 0.45 * bump(x, y, (0, who.nose_y - 7), (17, 13)) + 0.2 * bump(x, y, (0, who.chin - 14), (20, 13))
    )
    colour = colour * (1 - np.asarray(red)[..., None] * rgb(0.02, 0.26, 0.22))
    under = sum(bump(x, y, (s * who.eye_dx * 0.92, who.eye_y + 13), (19, 6)) for s in (-1, 1))
    colour = colour * (1 - np.asarray(under)[..., None] * rgb(0.14, 0.17, 0.11) * (0.6 + 0.7 * who.wrinkles))
    if who.makeup:
        shadow = sum(bump(x, y, (s * (who.eye_dx + 2), who.eye_y - 10), (22, 8)) for s in (-1, 1))
        colour = colour * (1 - np.asarray(shadow)[..., None] * who.makeup * rgb(0.26, 0.36, 0.30))
    if who.freckles:
        spots = np.clip(noise(rng, patch.shape, [(2.6 * d, 2.6 * d)], [1.0]) - 1.35, 0, 1)
        where = np.maximum(np.asarray(red) * 1.2, 0.25 * bump(x, y, (0, who.nose_y - 30), (70, 40)))
        colour = colour * (1 - (spots * where * who.freckles)[..., None] * rgb(0.25, 0.42, 0.5))
    if who.stubble:
        grain = np.clip(0.75 + noise(rng, patch.shape, [(1.6 * d, 1.6 * d)], [0.3]), 0, 1.2)
        mask = blur(beard_area(who, patch), 6 * d) * grain * who.stubble * 0.42
        blend(colour, mask.astype(np.float32), to_linear(who.hair) * 0.8 + 0.15 * base)
    return colour.astype(np.float32)


def _occlusion(who: Identity, patch: Patch, height: Array) -> Array:
    """(H, W) how much of the sky the skin sees: cavities of the relief plus drawn creases."""
    d = patch.detail
    open_sky = np.ones(patch.shape, np.float32)
    for sigma, gain in ((3.0, 0.10), (9.0, 0.045), (20.0, 0.018)):
        open_sky *= np.exp(-gain * np.maximum(blur(height, sigma * d) - height, 0))
    x, y = patch.x - who.CENTRE, patch.y
    open_sky *= 1 - 0.16 * bump(x, y, (0, who.nose_y + 6), (who.nose_half * 1.05, 5))
    w = who.wrinkles
    for s in (-1, 1):
        c = who.CENTRE
        wing = [
            (c + s * (who.nose_half + 1.5), who.nose_y - 13),
            (c + s * (who.nose_half + 3.5), who.nose_y - 6),
            (c + s * (who.nose_half - 1), who.nose_y + 2.5),
        ]
        open_sky *= 1 - 0.34 * patch.stroke(curve(wing), 1.8, 1.5)
        fold = [
            (who.nose_half + 4, who.nose_y - 9),
            (who.nose_half + 15, who.nose_y + 8),
            (who.mouth_half + 11, who.mouth_y - 8),
            (who.mouth_half + 12, who.mouth_y + 4),
        ]
        open_sky *= 1 - (0.10 + 0.34 * w) * patch.stroke(curve([(c + s * a, b) for a, b in fold]), 2.2, 2.6)
        bag = [
            (who.eye_dx - who.eye_half * 0.9, who.eye_y + 9),
            (who.eye_dx - 3, who.eye_y + 15.5),
            (who.eye_dx + who.eye_half * 0.7, who.eye_y + 12),
        ]
        open_sky *= 1 - (0.10 + 0.26 * w) * patch.stroke(curve([(c + s * a, b) for a, b in bag]), 1.5, 1.6)
        for k in (-1, 0, 1):
            foot = [
                (who.eye_dx + who.eye_half + 4, who.eye_y + 2 * k),
                (who.eye_dx + who.eye_half + 15, who.eye_y + 6 * k + 1),
            ]
            open_sky *= 1 - 0.30 * max(0.0, w - 0.15) * patch.stroke([(c + s * a, b) for a, b in foot], 1.2, 0.9)
        hollow = patch.polygon(_ellipse((c + s * who.nose_half * 0.47, who.nose_y - 0.4), (4.3, 1.9), 16 * s), 0.8)
        open_sky *= 1 - 0.74 * hollow
    for k in range(3):
        line = [(who.CENTRE + a, who.brow_y - 22 - 11 * k + 0.0022 * a * a) for a in np.linspace(-52, 52, 9)]
        open_sky *= 1 - 0.30 * max(0.0, w - 0.2) * patch.stroke(line, 1.5, 1.5)
    return open_sky


def _ellipse(centre: tuple[float, float], axes: tuple[float, float], degrees: float) -> Points:
    t, a = np.linspace(0, 2 * np.pi, 40), np.deg2rad(degrees)
    x, y = axes[0] * np.cos(t), axes[1] * np.sin(t)
    return np.stack([centre[0] + x * np.cos(a) - y * np.sin(a), centre[1] + x * np.sin(a) + y * np.cos(a)], 1)


def ear_outline(who: Identity, side: int) -> Points:
    """Closed outline of one ear; its inner edge lies under the face."""
    half = half_outline(who)
    root = float(np.interp(who.eye_y + 22, half[12:, 1], half[12:, 0]))
    shape = [(-8, -24), (3, -27), (11, -22), (14, -8), (11, 8), (7, 22), (1, 31), (-6, 28), (-9, 10)]
    points = curve([*shape, shape[0]])
    return np.stack([who.CENTRE + side * (root + points[:, 0]), who.eye_y + 22 + points[:, 1]], 1)


def _ears(who: Identity, patch: Patch, light: Lighting, colour: Array, alpha: Array) -> None:
    for side in (-1, 1):
        shape = ear_outline(who, side)
        mask = patch.polygon(shape, 0.6)
        inner = shape.mean(0) + (shape - shape.mean(0)) * (0.62, 0.72) + (0, -2)
        height = 9 * patch.polygon(shape, 3.5) - 6 * patch.polygon(inner, 2.5) + 3 * patch.stroke(inner[4:60], 2.5, 1.2)
        shade = light.diffuse(normals(height.astype(np.float32), patch.detail), 0.35)
        shade *= (1 - 0.45 * patch.polygon(shape.mean(0) + (inner - shape.mean(0)) * 0.55, 2.2))[..., None]
        blend(colour, mask, to_srgb(to_linear(who.skin) * rgb(0.95, 0.80, 0.78) * shade * 0.85))
        np.maximum(alpha, mask, out=alpha)


def paint_face(who: Identity, patch: Patch, light: Lighting) -> Face:
    """Skin with everything that does not move by itself; eyes and lips are drawn per frame."""
    rng = np.random.default_rng([who.seed, 7002])
    height = relief(who, patch)
    normal = normals(height, patch.detail)
    shade = light.diffuse(normal) * _occlusion(who, patch, height)[..., None] ** rgb(0.82, 1.0, 1.05)
    pores = 1 + noise(rng, patch.shape, [(1.3 * patch.detail, 1.3 * patch.detail)], [0.25])
    x, y = patch.x - who.CENTRE, patch.y
    oil = 0.35 + 0.65 * np.clip(
        bump(x, y, (0, who.nose_y - 20), (16, 50)) + bump(x, y, (0, who.brow_y - 28), (60, 28)), 0, 1
    )
    gloss = (0.050 * light.specular(normal, 9) + 0.085 * light.specular(normal, 42)) * oil * pores
    colour = to_srgb(_albedo(who, patch, rng) * shade + gloss[..., None].astype(np.float32))
    skin = colour.copy()
    alpha = np.zeros(patch.shape, np.float32)
    _ears(who, patch, light, skin, alpha)
    face = patch.polygon(outline(who), 0.5)
    blend(skin, face, colour)
    np.maximum(alpha, face, out=alpha)
    skin = draw_brows(who, patch, rng, skin)
    if who.beard:
        skin = draw_beard(who, patch, rng, skin, shade)
    return Face(skin, alpha, shade.astype(np.float32))


def lid_box(who: Identity, side: int) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of everything an eye may touch."""
    eye = lids(who, side, 0.0)
    return float(eye.x[0]) - 12, who.eye_y - 30, float(eye.x[-1]) + 12, who.eye_y + 20
