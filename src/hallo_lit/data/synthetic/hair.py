"""Hair as painted layers: the one on the head and, for long hair, the one behind the neck."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import (
    Array,
    Lighting,
    Patch,
    Points,
    blur,
    noise,
    rgb,
    smoothstep,
    to_linear,
    to_srgb,
)
from hallo_lit.data.synthetic.strands import LONG, Strands, dome, hairline, strands_of


@dataclass(frozen=True)
class Layer:
    """A painted sheet, colour not premultiplied."""

    colour: Array  # (H, W, 3) sRGB 0..255
    alpha: Array  # (H, W)


def _draw(
    picture: np.ndarray, mask: np.ndarray, patch: Patch, strands: Strands, offset: Points, gain: float, width: float
) -> None:
    """Draw strands as grey levels (tint x gain x 128) and coverage."""
    paths = np.round(patch.pixels(strands.paths + offset) * 16).astype(np.int32)
    thick = max(1, round(width * patch.detail))
    for path, tint in zip(paths, strands.tint.tolist(), strict=True):
        line = [path.reshape(-1, 1, 2)]
        cv2.polylines(picture, line, False, (min(255.0, 128 * gain * tint),), thick, cv2.LINE_AA, 4)
        cv2.polylines(mask, line, False, (255.0,), thick, cv2.LINE_AA, 4)


def _dome_light(who: Identity, patch: Patch, light: Lighting, streak: Array) -> tuple[Array, Array]:
    """Linear light on the mass of hair, and its ring of gloss."""
    across = (patch.x - who.CENTRE) / (who.half_width + who.volume + 4)
    up: Array = np.clip((patch.y - who.eye_y) / (who.eye_y - who.top + who.volume), -1.0, 0.35) + 0 * across
    across = np.clip(across, -1, 1) + 0 * up
    forward = np.sqrt(np.maximum(1 - 0.8 * across**2 - 0.75 * up**2, 0.03))
    normal = np.dstack([across, up, forward])
    normal = (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)
    key = np.asarray(light.key)
    band = np.exp(-(((up + 0.66 - 0.18 * across**2) / 0.13) ** 2)) * (
        0.55 + 0.75 * np.clip(across * np.sign(key[0]), -0.6, 1)
    )
    return light.diffuse(normal, 0.35), (np.clip(band, 0, 1.3) * streak).astype(np.float32)


def _stubble(who: Identity, patch: Patch, rng: np.random.Generator) -> Array:
    """Coverage of hair too short to show strands."""
    x, y = patch.x - who.CENTRE, patch.y
    line = hairline(who, patch.x[0] - who.CENTRE)[None]
    skull = dome(who, 2, 3)
    scalp = patch.polygon(
        np.concatenate([skull, [[skull[-1, 0], who.eye_y + 20], [skull[0, 0], who.eye_y + 20]]])
        + np.array([who.CENTRE, 0.0]),
        0.8,
    )
    crown = np.interp(patch.x[0] - who.CENTRE, skull[:, 0], skull[:, 1])[None]
    line = np.maximum(line, crown + 26)  # however high the temples recede, top and sides stay one piece
    grown = smoothstep(5, -5, y - line) * scalp
    if who.style == "bald":
        grown = (
            grown * smoothstep(0.76, 0.92, np.abs(x) / who.half_width) * smoothstep(who.brow_y - 40, who.brow_y - 4, y)
        )
    grain = 0.82 + noise(rng, patch.shape, [(1.4 * patch.detail, 1.4 * patch.detail)], [0.16])
    return np.clip(grown * grain * 0.80, 0, 1).astype(np.float32)


def paint_hair(who: Identity, patch: Patch, light: Lighting) -> Layer:
    """The hair that moves with the skull."""
    rng = np.random.default_rng([who.seed, 7003])
    offset = np.array([who.CENTRE, 0.0])
    grey = np.full(patch.shape, 105 if who.style == "curly" else 70, np.uint8)  # seen between the strands
    mask = np.zeros(patch.shape, np.uint8)
    if who.style in ("buzz", "bald"):
        alpha = _stubble(who, patch, rng)
    else:
        sets = strands_of(who, rng)
        for strands in sets:
            under = Strands(strands.paths[::2], strands.tint[::2], strands.width)
            curly = who.style == "curly"
            below = np.zeros_like(mask)
            _draw(grey, below, patch, under, offset, 0.72 if curly else 0.56, 3.6 if curly else 4.4)
            inset = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(1.5 * patch.detail) + 1,) * 2)
            np.maximum(mask, cv2.erode(below, inset), out=mask)
            _draw(grey, mask, patch, strands, offset, 1.0, strands.width)
        if who.style == "curly":  # skin between coils deep inside the hair would look like holes
            gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(3.5 * patch.detail) + 1,) * 2)
            np.maximum(mask, cv2.erode(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, gap), gap), out=mask)
        alpha = blur(mask, 0.35 * patch.detail).astype(np.float32) / 255
    tone = grey.astype(np.float32) / 128
    streak = np.clip(0.30 + 0.9 * (tone - 0.55), 0, 1.4)
    lit, gloss = _dome_light(who, patch, light, streak)
    base = to_linear(who.hair)
    shine = (
        (0.30 * np.sqrt(base) + 0.045)
        * gloss[..., None]
        * (0.35 if who.style in ("curly", "buzz", "bald", "crop") else 0.8)
    )
    colour = to_srgb(base * (tone**1.6)[..., None] * (0.22 + 1.02 * lit) + shine)
    return Layer(colour.astype(np.float32), alpha)


def paint_back_hair(who: Identity, patch: Patch, light: Lighting) -> Layer | None:
    """The hair behind head and neck, whole, so that a turning head uncovers hair and not the wall."""
    if who.style not in LONG:
        return None
    rng = np.random.default_rng([who.seed, 7004])
    wide = who.half_width + who.volume - 4
    low = {"bob": who.chin - 4, "fringe": who.chin + 62}.get(who.style, who.chin + 112)
    count = 1500
    side = rng.uniform(-1, 1, count)
    t = np.linspace(0, 1, 16)[None]
    rise = who.eye_y - who.top + 0.3 * who.volume
    top = who.eye_y - rise * np.sqrt(1 - side**2)
    y = top[:, None] + (low + rng.normal(0, 8, count) - top)[:, None] * t
    wave = 5.0 if who.style == "wavy" else 1.0
    taper = -13.0 if who.style == "bob" else 8.0
    round_ = np.sqrt(np.clip(1 - (np.minimum(y - who.eye_y, 0) / (rise + 2)) ** 2, 0, 1))
    narrow = 14 * np.clip((who.eye_y + 60 - y) / 60, 0, 1)  # at the temples the front covers it from any side
    reach = (wide - narrow) * np.clip(round_, 0, 1) + taper * t**2
    x = side[:, None] * reach + wave * np.sin(y / 15 + 3 * side[:, None])
    strands = Strands(np.stack([x, y], 2), np.clip(rng.normal(0.62, 0.12, count), 0.3, 1), 1.3)
    grey, mask = np.full(patch.shape, 40, np.uint8), np.zeros(patch.shape, np.uint8)
    offset = np.array([who.CENTRE, 0.0])
    _draw(grey, mask, patch, strands, offset, 0.8, 7.0)
    _draw(grey, mask, patch, strands, offset, 1.0, 1.3)
    tone = grey.astype(np.float32) / 128
    edge = 0.55 + 0.45 * np.clip(np.abs(patch.x - who.CENTRE) / wide, 0, 1) ** 2
    shade = light.diffuse(np.zeros((*patch.shape, 3), np.float32) + rgb(0, -0.2, 0.98), 0.3)
    colour = to_srgb(to_linear(who.hair) * (tone**1.6)[..., None] * (0.25 + 0.7 * shade) * edge[..., None])
    return Layer(colour.astype(np.float32), blur(mask, 0.5 * patch.detail).astype(np.float32) / 255)


def cast_shadow(hair: Layer, patch: Patch, light: Lighting) -> Array:
    """(H, W) how much of the key light the hair keeps from the skin below it."""
    shift = np.array([[1, 0, -5 * light.key[0] * patch.detail], [0, 1, 8 * patch.detail]], np.float32)
    moved = cv2.warpAffine(hair.alpha, shift, patch.shape[::-1])
    return np.clip(0.75 * blur(moved, 2.5 * patch.detail) + 0.5 * blur(moved, 7.0 * patch.detail), 0, 1) * 0.5
