"""The mouth, drawn per frame: lips with volume, teeth, tongue, the dark behind them."""

from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.geometry import Lips, lips
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import (
    Array,
    Lighting,
    Patch,
    Points,
    blend,
    bump,
    rgb,
    smoothstep,
    to_linear,
    to_srgb,
)

TOOTH = 8.4  # width of a front tooth in units


def shape(who: Identity, controls: Controls) -> Lips:
    """The lip curves of these controls."""
    return lips(who, controls.open, controls.width, controls.round, controls.press, controls.tuck)


def mouth_box(who: Identity) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of everything the mouth may touch."""
    reach = who.mouth_half * 1.3 + 14
    return who.CENTRE - reach, who.mouth_y - 34, who.CENTRE + reach, who.mouth_y + 62


def _between(lips_: Lips, top: Points, bottom: Points) -> Points:
    return np.concatenate([np.stack([lips_.x, top], 1), np.stack([lips_.x, bottom], 1)[::-1]])


def _cavity(who: Identity, patch: Patch, mouth: Lips, controls: Controls) -> Array:
    """Teeth, tongue and gums as seen through the lips, sRGB."""
    x, y = patch.x - who.CENTRE, patch.y
    top = np.float32(mouth.inner_upper.min())
    gap = max(mouth.gap, 1.0)
    inside = to_linear((74, 26, 28)) * (0.30 + 0.45 * smoothstep(top, top + gap * 1.1, y))[..., None]
    inside = inside * np.ones((*patch.shape, 1), np.float32)
    lift = float(controls.tongue)
    tongue_y = who.mouth_y + gap * (0.80 - 0.48 * lift)
    r = (x / (mouth.half * 0.60)) ** 2 + ((y - tongue_y) / max(gap * 0.42, 4.5)) ** 2
    pink = to_linear((206, 104, 104)) * (0.34 + 0.42 * np.clip(1.1 - r, 0, 1) + 0.16 * lift)[..., None]
    pink = pink * (1 - 0.22 * np.exp(-((x / 2.2) ** 2)))[..., None]
    blend(inside, smoothstep(1.05, 0.72, r) * 0.95, pink)
    ivory = to_linear((242, 236, 222))
    arch = (x / (mouth.half * 0.95)) ** 2
    show = (1 - 0.65 * controls.round) * (1 - 0.6 * controls.press)
    # upper front teeth follow the upper lip; their edge is a row of rounded tiles
    tile = np.abs(((x + TOOTH / 2) / TOOTH) % 1 - 0.5)
    length = min(9.5, 3.6 + gap * 0.30 + 1.5 * max(controls.width, 0.0)) * (1 - 0.45 * np.clip(arch, 0, 1))
    edge = (
        who.mouth_y
        - gap * 0.14
        - 2
        + length
        + 0.9 * np.clip(1 - np.abs(x) / 14, 0, 1)
        - 1.6 * np.clip(tile - 0.36, 0, 1) / 0.14
    )
    row = smoothstep(1.1, -0.5, y - edge) * smoothstep(0.86, 0.72, np.abs(x) / mouth.half)
    shade = (
        (0.80 - 0.62 * np.clip(arch, 0, 1))
        * (1 - 0.30 * smoothstep(0.44, 0.5, tile))
        * (0.86 + 0.14 * smoothstep(top, top + 9, y))
    )
    blend(inside, (row * show).astype(np.float32), ivory * shade[..., None])
    low = who.mouth_y + gap * 0.86 - 4.2 + 2.0 * arch + 0.8 * np.clip(tile - 0.40, 0, 1) / 0.1
    row = (
        smoothstep(-0.6, 1.0, y - low)
        * smoothstep(0.62, 0.46, np.abs(x) / mouth.half)
        * smoothstep(8, 17, np.float32(gap))
    )
    blend(
        inside,
        (row * show * 0.7).astype(np.float32),
        ivory * (0.40 - 0.25 * arch)[..., None] * (1 - 0.2 * smoothstep(0.42, 0.5, tile))[..., None],
    )
    upper = np.interp(patch.x[0], mouth.x, mouth.inner_upper)[None]
    return to_srgb(inside * (1 - 0.62 * np.exp(-np.clip(y - upper, 0, None) / 2.6))[..., None].astype(np.float32))


def _lip_colour(who: Identity, patch: Patch, mouth: Lips, light: Lighting, skin_light: Array) -> tuple[Array, Array]:
    """sRGB of the red of both lips for every pixel of the patch, and 0 (upper) .. 1 (lower)."""
    columns, y = patch.x[0], patch.y
    ou, iu, il, ol = (
        np.interp(columns, mouth.x, edge)[None]
        for edge in (mouth.outer_upper, mouth.inner_upper, mouth.inner_lower, mouth.outer_lower)
    )
    lower = smoothstep(-0.6, 0.6, y - (iu + il) / 2)
    s_up = np.clip((y - ou) / np.maximum(iu - ou, 1e-2), 0, 1)
    s_low = np.clip((y - il) / np.maximum(ol - il, 1e-2), 0, 1)
    t = (columns - who.CENTRE)[None] / mouth.half
    tilt_up = 0.20 + 0.75 * s_up**1.4 - 0.55 * np.exp(-((s_up / 0.18) ** 2))  # vermilion ridge catches light
    tilt_low = -0.72 + 1.55 * s_low**1.15
    ny = tilt_up + lower * (tilt_low - tilt_up)
    nx = 0.55 * t + 0.16 * np.sign(t) * np.exp(-((np.abs(t) / 0.3) ** 2)) * (1 - lower) * np.sin(
        np.clip(np.abs(t) / 0.3, 0, 1) * np.pi
    )
    normal = np.dstack([nx * np.ones_like(ny), ny, np.ones_like(ny)])
    normal = (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)
    wrinkle = 1 - 0.055 * (0.5 + 0.5 * np.sin(columns * 2.3 + 1.5 * np.sin(columns * 0.61 + who.seed % 5)))[
        None
    ] * np.sin(np.pi * np.where(lower > 0.5, s_low, s_up))
    ambient = np.clip(skin_light.mean(2, keepdims=True), 0.2, 1)
    colour = to_linear(who.lips) * light.diffuse(normal, 0.3) * (0.52 + 0.48 * ambient) * wrinkle[..., None]
    wet = lower * bump(t * np.ones_like(s_low), s_low, (0.10 * np.sign(light.key[0]), 0.36), (0.52, 0.22))
    gloss = (0.035 + 0.06 * who.makeup) * light.specular(normal, 18) * 2 + 0.085 * (0.6 + who.makeup) * wet * wrinkle**6
    seam = np.where(lower > 0.5, s_low, 1 - s_up)
    colour = colour * (1 - 0.34 * np.exp(-seam / 0.14))[..., None]
    return to_srgb(colour + gloss[..., None].astype(np.float32)), lower


def draw_mouth(
    who: Identity, patch: Patch, picture: Array, controls: Controls, light: Lighting, skin_light: Array
) -> None:
    """Paint the mouth over `picture` (the sRGB pixels of `patch`) in place."""
    mouth = shape(who, controls)
    x, y = patch.x - who.CENTRE, patch.y
    shadow = bump(x, y, (0, float(mouth.outer_lower.max()) + 5), (mouth.half * 0.62, 4.5))
    picture *= 1 - 0.17 * shadow[..., None] * rgb(0.8, 1, 1)
    for s in (-1, 1):
        corner = bump(x, y, (s * (mouth.half + 0.5), float(mouth.inner_upper[0]) + 0.3), (4.2, 3.4))
        picture *= 1 - 0.34 * corner[..., None] * rgb(0.75, 1, 1)
    red, _ = _lip_colour(who, patch, mouth, light, skin_light)
    blend(picture, patch.polygon(_between(mouth, mouth.outer_upper, mouth.outer_lower), 0.75) * 0.96, red)
    seam = np.stack([mouth.x, mouth.inner_upper], 1)
    if mouth.gap > 0.5:
        hole = patch.polygon(_between(mouth, mouth.inner_upper, mouth.inner_lower), 0.4)
        blend(picture, hole * min(1.0, mouth.gap / 1.5), _cavity(who, patch, mouth, controls))
        picture *= 1 - 0.32 * patch.stroke(seam, 0.9, 0.6)[..., None]
    else:
        picture *= 1 - (0.66 - 0.2 * controls.press) * patch.stroke(seam[1:-1], 1.5, 0.6)[..., None] * rgb(0.9, 1, 1)
    if controls.tuck > 0.05:
        # the upper teeth rest on the lower lip
        edge = np.float32(np.interp(0, mouth.x - who.CENTRE, mouth.inner_upper))
        row = (
            smoothstep(0.62, 0.45, np.abs(x) / mouth.half)
            * smoothstep(2.6, 1.4, np.abs(y - edge - 1.6))
            * controls.tuck
        )
        tile = np.abs(((x + TOOTH / 2) / TOOTH) % 1 - 0.5)
        blend(
            picture,
            (row * 0.9).astype(np.float32),
            to_srgb(
                to_linear((242, 236, 222))
                * (0.62 - 0.12 * smoothstep(0.42, 0.5, tile))[..., None]
                * np.ones((*patch.shape, 1))
            ),
        )
