"""Neck, shoulders and clothes."""

from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.geometry import curve
from hallo_lit.data.synthetic.hair import Layer
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
    smoothstep,
    to_linear,
    to_srgb,
)


def _mirror(who: Identity, right: list[tuple[float, float]]) -> Points:
    """A closed shape from the points of its right half, top to bottom, x from the middle."""
    half = np.asarray(right, float)
    return np.concatenate([half, half[::-1] * (-1, 1)]) + np.array([who.CENTRE, 0])


def _neck(who: Identity, patch: Patch, light: Lighting, rng: np.random.Generator) -> tuple[Array, Array]:
    nw, chin = who.neck * who.half_width, who.chin
    right = curve(
        [
            (nw, chin - 90),
            (nw * 0.98, chin - 10),
            (nw * 1.0, chin + 28),
            (nw * 1.16, chin + 54),
            (nw * 1.9, chin + 74),
            (215, chin + 104),
            (260, chin + 300),
        ]
    )
    mask = patch.polygon(_mirror(who, [tuple(p) for p in right]), 0.6)
    x, y = patch.x - who.CENTRE, patch.y
    wide = np.interp(y[:, 0], right[:, 1], right[:, 0])[:, None]
    height = 62 * np.sqrt(np.clip(1 - np.abs(x / wide) ** 2.2, 0.01, 1)) - 0.16 * (y - chin)
    for s in (-1, 1):
        cord = [
            (who.CENTRE + s * nw * 0.86, chin - 20),
            (who.CENTRE + s * nw * 0.62, chin + 25),
            (who.CENTRE + s * 13, chin + 68),
        ]
        height = height + 4 * patch.stroke(curve(cord), 9, 4)
        bone = [(who.CENTRE + s * 16, chin + 78), (who.CENTRE + s * 70, chin + 74), (who.CENTRE + s * 130, chin + 84)]
        height = height + 4 * patch.stroke(curve(bone), 7, 4)
    height = (
        height
        + (0 if who.female else 5) * bump(x, y, (0, chin + 30), (9, 13))
        - 4 * bump(x, y, (0, chin + 74), (10, 9))
    )
    shade = light.diffuse(normals(blur(height.astype(np.float32), 1.5 * patch.detail), patch.detail))
    jaw = who.chin - 34 * np.clip(np.abs(x) / (who.half_width * 0.8), 0, 1.3) ** 2
    dark = (
        0.66
        * smoothstep(52, -6, y - jaw - 6 * np.sign(light.key[0]) * x / nw)
        * smoothstep(nw * 1.9, nw * 0.8, np.abs(x))
    )
    mottle = 1 + noise(rng, patch.shape, [(9 * patch.detail, 9 * patch.detail)], [0.02])[..., None]
    tone = to_linear(who.skin) * rgb(0.93, 0.89, 0.88) * mottle
    return to_srgb(tone * shade * (1 - dark[..., None] * rgb(0.86, 1.0, 1.04))), mask


def _opening(who: Identity, chin: float) -> Points:
    """The neckline of the garment, a polygon above which skin shows."""
    nw = who.neck * who.half_width
    shapes = {
        "crew": [(nw + 16, chin + 40), (nw + 10, chin + 58), (nw * 0.7, chin + 76), (0, chin + 83)],
        "vee": [(nw + 18, chin + 38), (nw + 14, chin + 56), (nw * 0.6, chin + 92), (0, chin + 130)],
        "shirt": [(nw + 4, chin + 34), (nw * 0.85, chin + 52), (nw * 0.42, chin + 74), (0, chin + 92)],
        "jacket": [(nw + 4, chin + 34), (nw * 0.85, chin + 52), (nw * 0.42, chin + 72), (0, chin + 86)],
        "roll": [(nw - 1, chin + 2), (nw * 0.8, chin + 9), (nw * 0.4, chin + 14), (0, chin + 16)],
    }
    right = curve([(shapes[who.garment][0][0] + 2, chin - 60), *shapes[who.garment]])
    return _mirror(who, [tuple(p) for p in right])


def _fabric(
    who: Identity, patch: Patch, light: Lighting, rng: np.random.Generator, tone: Array, mask: Array, round_: float
) -> Array:
    d = patch.detail
    folds = noise(rng, patch.shape, [(46 * d, 90 * d), (16 * d, 50 * d)], [5.0, 1.4])
    height = blur(mask, 16 * d) * round_ + folds + noise(rng, patch.shape, [(1.6 * d, 1.6 * d)], [0.06])
    shade = light.diffuse(normals(blur(height.astype(np.float32), 0.8 * d), d), 0.15)
    return to_srgb(tone * shade)


def paint_body(who: Identity, patch: Patch, light: Lighting) -> Layer:
    """Neck, shoulders and clothes; everything below the head."""
    rng = np.random.default_rng([who.seed, 7005])
    chin, nw = who.chin, who.neck * who.half_width
    colour, alpha = _neck(who, patch, light, rng)
    broad = 196 if who.female else 222
    outer = curve(
        [
            (nw + 14, chin + 36),
            (nw * 1.9, chin + 66),
            (broad * 0.8, chin + 90),
            (broad, chin + 128),
            (broad + 26, chin + 200),
            (broad + 30, chin + 330),
        ]
    )
    if who.garment == "roll":
        outer = curve(
            [
                (nw + 3, chin - 2),
                (nw + 6, chin + 20),
                (nw + 11, chin + 42),
                (nw * 1.7, chin + 62),
                (broad * 0.8, chin + 92),
                (broad, chin + 128),
                (broad + 26, chin + 200),
                (broad + 30, chin + 330),
            ]
        )
    body = patch.polygon(_mirror(who, [tuple(p) for p in outer]), 0.6)
    neckline = _opening(who, chin)
    hole = patch.polygon(neckline, 0.5)
    cloth = np.clip(body - hole, 0, 1)
    tone = to_linear(who.cloth) * np.ones((*patch.shape, 1), np.float32)
    under = blur(hole, 4 * patch.detail)
    picture = _fabric(who, patch, light, rng, tone, cloth, 40)
    picture *= (1 - 0.35 * np.clip(under, 0, 1))[..., None]
    colour *= (1 - 0.30 * blur(cloth, 5 * patch.detail) * hole)[..., None]
    blend(colour, 1 - hole, picture)
    neck = smoothstep(chin + 34, chin + 14, patch.y) * smoothstep(nw * 1.3, nw * 1.2, np.abs(patch.x - who.CENTRE))
    alpha = np.maximum(alpha * np.maximum(hole, neck), cloth)
    if who.garment in ("crew", "vee", "roll"):
        for step in (0.0, 7.0):
            edge = neckline + np.array([0.0, step])
            colour *= 1 - (0.22 * patch.stroke(edge, 1.2, 0.7) * cloth)[..., None]
    if who.garment in ("shirt", "jacket"):
        _collar(who, patch, light, rng, colour, body)
    return Layer(colour.astype(np.float32), alpha)


def _collar(who: Identity, patch: Patch, light: Lighting, rng: np.random.Generator, colour: Array, body: Array) -> None:
    chin, nw, c = who.chin, who.neck * who.half_width, who.CENTRE
    shirt = np.asarray(who.cloth, np.float32) if who.garment == "shirt" else rgb(226, 226, 230)
    if who.garment == "jacket":
        front = (
            patch.polygon([(c - nw - 4, chin + 30), (c, chin + 260), (c + nw + 4, chin + 30), (c, chin + 80)], 0.6)
            * body
        )
        blend(
            colour,
            front,
            _fabric(who, patch, light, rng, to_linear(shirt) * np.ones((*patch.shape, 1), np.float32), front, 12),
        )
    for s in (-1, 1):
        wing = [
            (c + s * (nw + 1), chin + 24),
            (c + s * (nw + 13), chin + 40),
            (c + s * (nw * 0.86), chin + 98),
            (c + s * 3, chin + 84),
            (c + s * nw * 0.62, chin + 58),
        ]
        mask = patch.polygon(wing, 0.5)
        colour *= 1 - 0.4 * (np.clip(blur(mask, 3.0 * patch.detail) - mask, 0, 1))[..., None]
        blend(
            colour,
            mask,
            _fabric(
                who,
                patch,
                light,
                rng,
                to_linear(np.clip(shirt * 1.05, 0, 250)) * np.ones((*patch.shape, 1), np.float32),
                mask,
                22,
            ),
        )
        if who.garment == "jacket":
            lapel = [
                (c + s * (nw + 12), chin + 38),
                (c + s * (nw + 54), chin + 84),
                (c + s * (nw + 40), chin + 126),
                (c + s * 12, chin + 262),
                (c + s * 6, chin + 240),
                (c + s * (nw * 0.75), chin + 96),
            ]
            mask = patch.polygon(lapel, 0.5)
            colour *= 1 - 0.45 * (np.clip(blur(mask, 3.5 * patch.detail) - mask, 0, 1))[..., None]
            blend(
                colour,
                mask,
                _fabric(
                    who,
                    patch,
                    light,
                    rng,
                    to_linear(np.asarray(who.cloth) * 1.06) * np.ones((*patch.shape, 1), np.float32),
                    mask,
                    16,
                ),
            )
