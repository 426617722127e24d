"""What a puppet's portrait does not show: the inside of the mouth and shut lids, in the tones of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.paint import Array, Patch, Pixels, Points, blend, blur, rgb, smoothstep

LASHES = 0.06  # how far the lashes of an open eye reach over its lid, in eye distances


@dataclass(frozen=True)
class Tone:
    """How light and how colourful a portrait is around the mouth; a drawing in grey gets grey teeth."""

    brightness: float
    chroma: float

    @classmethod
    def of(cls, image: Pixels, ring: Points) -> Tone:
        lips = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(lips, [np.round(ring).astype(np.int32)], (255,))
        around = cv2.dilate(lips, np.ones((9, 9), np.uint8)) > 0
        mean = image[around].astype(np.float32).mean(0) if around.any() else rgb(150, 120, 110)
        spread = float(mean.max() - mean.min())
        return cls(float(np.clip(mean.mean() / 130, 0.45, 1.2)), float(np.clip(spread / 45, 0, 1)))


def paint_lid(picture: Array, awake: Points, shut: Points, lower: Points, yard: float, blink: float) -> None:
    """Paint the fallen part of an upper lid over `picture` (RGB) in place: skin as around the eye, a lash line."""
    height, width = picture.shape[:2]
    box = np.concatenate([awake, shut, lower])
    (x0, y0), (x1, y1) = box.min(0) - 0.2 * yard, box.max(0) + 0.2 * yard
    left, top, right, bottom = max(int(x0), 0), max(int(y0), 0), min(int(x1), width), min(int(y1), height)
    if right - left < 4 or bottom - top < 4:
        return
    patch = Patch(left, top, right - left, bottom - top, 1.0)
    view = picture[top:bottom, left:right]
    down = np.array([lower[4] - awake[4]]) / max(float(np.linalg.norm(lower[4] - awake[4])), 1e-6)
    over, under = awake - LASHES * yard * down, lower + 0.05 * yard * down
    lid_skin = _mean(view, patch, over - 0.04 * yard * down, over)
    cheek_skin = _mean(view, patch, under, under + 0.07 * yard * down)
    # the open eye's lashes lie above its lid: they must go, too, without a seam towards the skin over them
    edge = shut + (lower - shut) * blink**4 + 0.012 * blink * yard * down
    cover = patch.polygon(np.concatenate([awake, edge[::-1]]), 0.006 * yard)
    lashes = blur(patch.polygon(np.concatenate([over, edge[::-1]]), 0.012 * yard), 0.012 * yard)
    fade = float(smoothstep(0.03, 0.25, blink))
    depth = (patch.x + 0.5 - over[4, 0]) * down[0, 0] + (patch.y + 0.5 - over[4, 1]) * down[0, 1]
    t = np.clip(depth / max(float(np.linalg.norm(lower[4] - over[4])), 1e-6), 0, 1)
    skin = lid_skin + (cheek_skin - lid_skin) * (0.6 * t)[..., None]
    ball = 0.97 + 0.06 * np.sin(np.pi * t) - 0.06 * t  # the eye bulges below the lid
    blend(view, np.maximum(cover, lashes * fade), skin * ball[..., None])
    crease = patch.stroke(awake - 0.02 * yard * down, max(1.0, 0.012 * yard), 0.006 * yard)
    view *= 1 - (0.20 - 0.12 * blink) * blur(crease, 0.008 * yard)[..., None]
    view *= 1 - 0.60 * patch.stroke(edge, max(1.0, 0.018 * yard), 0.005 * yard)[..., None]


def _mean(view: Array, patch: Patch, top: Points, bottom: Points) -> Array:
    """(3,) the colour between two lines."""
    inside = patch.polygon(np.concatenate([top, bottom[::-1]]), 1.0)
    return np.asarray((view * inside[..., None]).sum((0, 1)) / max(float(inside.sum()), 1e-6), np.float32)


def paint_inside(patch: Patch, mesh: Points, yard: float, controls: Controls, tone: Tone) -> Array:
    """(H, W, 3) sRGB of cavity, tongue and upper teeth behind the lips of the placed mesh."""
    unit = yard / 130
    axis = (mesh[308] - mesh[78]) / max(float(np.linalg.norm(mesh[308] - mesh[78])), 1e-6)
    dx, dy = patch.x + 0.5 - mesh[13, 0], patch.y + 0.5 - mesh[13, 1]
    x = (dx * axis[0] + dy * axis[1]) / unit
    y = (dy * axis[0] - dx * axis[1]) / unit
    half = float(np.linalg.norm(mesh[308] - mesh[78])) / 2 / unit
    gap = max(float(np.linalg.norm(mesh[13] - mesh[14])) / unit, 1.0)
    inside = rgb(52, 20, 20) * (0.6 + 0.5 * smoothstep(0, gap, y))[..., None]
    centre = gap * (0.92 - 0.5 * controls.tongue)
    r = (x / (0.58 * half)) ** 2 + ((y - centre) / max(0.42 * gap, 4.5)) ** 2
    blend(inside, smoothstep(1.05, 0.7, r) * 0.9, rgb(178, 88, 86) * np.clip(1.1 - 0.4 * r, 0.5, 1.1)[..., None])
    tile = np.abs(((x + 4.2) / 8.4) % 1 - 0.5)
    length = min(9.0, 3.6 + 0.3 * gap) * (1 - 0.45 * np.clip(x / half, -1, 1) ** 2)
    row = smoothstep(1.0, -0.6, y - length) * smoothstep(0.88, 0.72, np.abs(x) / half) * (1 - 0.6 * controls.round)
    shade = (0.92 - 0.35 * np.clip(x / half, -1, 1) ** 2) * (1 - 0.14 * smoothstep(0.43, 0.5, tile))
    blend(inside, row, rgb(232, 224, 210) * shade[..., None])
    inside = inside * (tone.brightness * (1 - 0.4 * np.exp(-np.clip(y, 0, None) / 2.4)))[..., None]
    grey = inside.mean(2, keepdims=True)
    return np.asarray(grey + tone.chroma * (inside - grey), np.float32)
