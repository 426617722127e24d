"""Eyes, drawn per frame: ball, iris, lids that close, lashes."""

from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.geometry import Lids, curve, lids
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

IRIS_RADIUS = 9.3


def iris_centre(who: Identity, side: int, controls: Controls) -> tuple[float, float]:
    """Units; both eyes look the same way."""
    return who.CENTRE + side * who.eye_dx + 5.0 * controls.gaze_x, who.eye_y - 1.6 + 3.2 * controls.gaze_y


def _stack(x: Points, y: Points) -> Points:
    return np.stack([x, y], 1)


def _ball(who: Identity, patch: Patch, eye: Lids, controls: Controls, light: Lighting) -> Array:
    """The eyeball as seen between the lids, sRGB."""
    cx, cy = iris_centre(who, eye.side, controls)
    x, y = patch.x, patch.y
    middle = who.CENTRE + eye.side * who.eye_dx
    r = np.clip(np.hypot((x - middle) / (who.eye_half * 1.12), (y - who.eye_y) / 19), 0, 1)
    white = to_linear((224, 217, 213)) * (0.94 - 0.60 * r**2)[..., None]
    inner = middle - eye.side * who.eye_half
    pink = bump(x, y, (inner, who.eye_y + 2), (6.5, 8)) + 0.25 * bump(
        x, y, (middle + eye.side * who.eye_half, who.eye_y), (7, 8)
    )
    white = white * (1 - np.clip(pink, 0, 1)[..., None] * rgb(0.12, 0.55, 0.52))
    distance = np.hypot(x - cx, y - cy)
    angle = np.arctan2(y - cy, x - cx)
    rim = distance / IRIS_RADIUS
    fibres = 0.10 * np.sin(angle * 23 + who.seed % 7) + 0.07 * np.sin(angle * 41 + 1.7) + 0.06 * np.sin(angle * 9)
    glow = (
        0.62
        + 0.75 * np.clip((y - cy) / IRIS_RADIUS, -0.4, 1)
        + 0.16 * np.clip(-np.sign(light.key[0]) * (x - cx) / IRIS_RADIUS, -1, 1)
    )
    iris = (
        to_linear(who.iris)
        * (np.clip(glow, 0.4, 1.5) * (1.05 + fibres * rim) * (1.15 - 0.75 * smoothstep(0.72, 1.04, rim)))[..., None]
        * 1.35
    )
    edge = smoothstep(1.06, 0.90, rim) * 0.97
    ball = white + edge[..., None] * (iris - white)
    ball = ball * (1 - 0.97 * smoothstep(0.50, 0.38, rim))[..., None]
    lid = np.interp(patch.x[0], eye.x, eye.upper)[None].astype(np.float32)
    ball = ball * (1 - 0.62 * np.exp(-np.clip(y - lid, 0, None) / 3.0))[..., None]
    spot = (cx + 3.2 * np.sign(light.key[0]), cy - 3.4)
    ball = ball + (0.95 * np.exp(-((np.hypot(x - spot[0], y - spot[1]) / 2.05) ** 4)))[..., None]
    return to_srgb(ball + (0.10 * bump(x, y, (cx - 3.5 * np.sign(light.key[0]), cy + 4), (2.4, 2.0)))[..., None])


def _lash_line(who: Identity, patch: Patch, eye: Lids, blink: float) -> Array:
    """Opacity of the upper lash line, thicker outwards, with single lashes."""
    q = np.linspace(0, 1, len(eye.x))
    outward = q if eye.side > 0 else 1 - q
    thick = (0.9 + 1.7 * outward**0.8) * (0.75 + 0.4 * who.makeup + 0.2 * who.female)
    tail = np.clip((outward - 0.93) / 0.07, 0, 1)
    line = np.concatenate(
        [_stack(eye.x, eye.upper - thick * 0.75), _stack(eye.x, eye.upper + thick * 0.35 * (1 - tail))[::-1]]
    )
    mask = 0.92 * patch.polygon(line, 0.35)
    count = 24 if who.female else 14
    for k in range(count):
        u = 0.16 + 0.82 * (k + 0.3 * np.sin(7.0 * k)) / (count - 1)
        at = u if eye.side > 0 else 1 - u
        x, y = eye.x[0] + at * (eye.x[-1] - eye.x[0]), float(np.interp(at, q, eye.upper))
        length = (2.0 + 3.6 * u**1.3) * (0.88 + 0.2 * np.cos(5.0 * k)) * (0.62 + 0.5 * who.makeup + 0.2 * who.female)
        down = 1.7 * blink - 1.0  # shut lashes point down
        tip = (x + eye.side * length * (0.15 + 0.65 * u), y + length * 0.8 * down)
        knee = (x + eye.side * length * 0.25, y + length * 0.30 * down + 0.3)
        mask = np.maximum(mask, 0.5 * patch.stroke(curve([(x, y), knee, tip], 4), 0.6))
    return mask


def draw_eye(
    who: Identity, patch: Patch, picture: Array, side: int, controls: Controls, light: Lighting, skin_light: Array
) -> None:
    """Paint one eye over `picture` (the sRGB pixels of `patch`) in place."""
    eye = lids(who, side, float(np.clip(controls.blink, 0, 1)))
    columns, y = patch.x[0], patch.y
    upper, fold = (np.interp(columns, eye.x, edge)[None].astype(np.float32) for edge in (eye.upper, eye.fold))
    inside = smoothstep(-2, 5, columns - eye.x[0]) * smoothstep(-2, 5, eye.x[-1] - columns)
    skin = to_linear(who.skin) * (1 - 0.18 * who.makeup * rgb(0.6, 1, 0.9))
    # the lid: a strip of a ball between fold and lashes; it grows as it falls
    strip = _stack(eye.x, eye.fold - 0.5), _stack(eye.x, eye.upper)
    depth = np.clip((y - fold) / np.maximum(upper - fold, 1.0), 0, 1)
    bend = 0.75 - 1.25 * depth
    normal = np.dstack(
        [
            np.broadcast_to((columns - eye.x.mean()) / (who.eye_half * 1.7), patch.shape),
            -bend * 0.8,
            np.ones(patch.shape),
        ]
    )
    normal = (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)
    ambient = np.clip(skin_light.mean(2, keepdims=True), 0.15, 1)
    shade = light.diffuse(normal) * (0.42 + 0.58 * ambient) * (0.80 + 0.16 * depth)[..., None]
    shine = 0.05 * light.specular(normal, 24)[..., None]
    blend(
        picture,
        patch.polygon(np.concatenate([strip[0], strip[1][::-1]]), 0.8) * inside[None],
        to_srgb(skin * shade + shine),
    )
    ball = patch.polygon(np.concatenate([_stack(eye.x, eye.upper), _stack(eye.x, eye.lower)[::-1]]), 0.45)
    blend(picture, ball, _ball(who, patch, eye, controls, light))
    # wet rim of the lower lid, then creases and lashes
    rim = _stack(eye.x, eye.lower + 0.55)
    open_ = 1 - controls.blink
    blend(picture, 0.45 * open_ * patch.stroke(rim[4:-4], 1.1, 0.4), to_srgb(skin * rgb(1.0, 0.78, 0.74) * 0.8))
    picture *= 1 - (0.30 * patch.stroke(_stack(eye.x, eye.lower + 1.7)[3:-3], 1.0, 0.8))[..., None] * rgb(0.8, 1, 1)
    crease = _stack(eye.x, eye.fold + 1.0 * controls.blink)
    picture *= 1 - ((0.50 - 0.22 * controls.blink) * patch.stroke(crease[2:-2], 1.2, 0.9))[..., None] * rgb(
        0.75, 0.95, 1
    )
    lash = np.minimum(np.asarray(who.hair, np.float32) * 0.25, np.asarray(who.skin, np.float32) * 0.22) + rgb(14, 9, 8)
    blend(
        picture,
        _lash_line(who, patch, eye, controls.blink) * (0.95 if who.female or sum(who.hair) < 260 else 0.8),
        lash,
    )
