"""The shape of a head in its own plane: outline, relief for the light, depth for the pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import Array, Patch, Points, blur, bump, smoothstep


def curve(points: list[tuple[float, float]] | Points, samples: int = 12) -> Points:
    """Centripetal-free Catmull-Rom through the points, `samples` per span."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, samples, endpoint=False)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*spans, p[-2:-1]])


def half_outline(who: Identity) -> Points:
    """Right half of the face outline from the crown to the chin, (n, 2) of (offset from the centre, y)."""
    fw, height = who.half_width, who.chin - who.top
    skull = 0.40
    angle = np.linspace(0, np.pi / 2, 24)
    crown = np.stack([fw * np.sin(angle) ** 0.92, who.top + skull * height * (1 - np.cos(angle))], 1)
    lower = [
        (1.0, skull),
        (0.995, 0.52),
        (0.945, 0.63),
        (0.5 + 0.48 * who.jaw, 0.73),
        (who.jaw, 0.815),
        (0.60 * who.jaw + 0.58 * who.chin_width, 0.885),
        (0.24 * who.jaw + 0.98 * who.chin_width, 0.935),
        (who.chin_width * 1.02, 0.97),
        (who.chin_width * 0.70, 0.989),
        (who.chin_width * 0.36, 0.9975),
        (0.0, 1.0),
    ]
    side = curve([(fw * w, who.top + t * height) for w, t in lower])
    return np.concatenate([crown[:-1], side])


def outline(who: Identity) -> Points:
    """The closed face outline, clockwise from the crown."""
    half = half_outline(who)
    centre = np.array([who.CENTRE, 0.0])
    return np.concatenate([half + centre, half[-2:0:-1] * (-1, 1) + centre])


def radius(who: Identity, patch: Patch) -> Array:
    """Distance from the middle of the face over the distance of the outline in that direction; 1 on the outline."""
    half = half_outline(who)
    middle = who.eye_y + 22
    angle = np.arctan2(half[:, 0], half[:, 1] - middle)[::-1]
    reach = np.hypot(half[:, 0], half[:, 1] - middle)[::-1]
    x, y = np.abs(patch.x - who.CENTRE), patch.y - middle
    theta = np.arctan2(x, y)
    return (np.hypot(x, y) / np.interp(theta, angle, reach)).astype(np.float32)


def _nose(who: Identity, x: Array, y: Array) -> Array:
    root = who.eye_y - 8
    t = np.clip((y - root) / (who.nose_y - 5 - root), 0, 1)
    end = 1 - smoothstep(who.nose_y - 11, who.nose_y + 7, y)
    ridge = who.nose_depth * (3 + 15.5 * t**1.35) * end * smoothstep(root - 26, root + 8, y)
    body = ridge * np.exp(-((x / (8 + (who.nose_half - 9) * 0.75 * t)) ** 2))
    tip = 6.0 * bump(x, y, (0, who.nose_y - 9), (10, 9))
    wing = sum(7.5 * bump(x, y, (s * who.nose_half * 0.78, who.nose_y - 5), (6.2, 6.8)) for s in (-1, 1))
    return (body + who.nose_depth * (tip + wing)).astype(np.float32)


def relief(who: Identity, patch: Patch) -> Array:
    """Height of the skin towards the viewer in units, as the light sees it."""
    x, y = patch.x - who.CENTRE, patch.y
    r = np.minimum(radius(who, patch), 1)
    z = 92 * np.sqrt(np.maximum(1 - r**2.7, 0.002))
    z = z + _nose(who, x, y)
    ridge = 2.6 if who.female else 4.8
    for s in (-1, 1):
        z -= 9.5 * bump(x, y, (s * who.eye_dx * 0.95, who.eye_y - 5), (27, 15))
        z -= 4.5 * bump(x, y, (s * (who.eye_dx - who.eye_half - 4), who.eye_y - 3), (9, 13))
        z += 8.0 * bump(x, y, (s * who.eye_dx, who.eye_y + 1), (21, 13))
        z += ridge * bump(x, y, (s * who.eye_dx * 0.92, who.brow_y + 2), (33, 9))
        z += 7.5 * who.cheek * bump(x, y, (s * who.half_width * 0.56, who.nose_y - 17), (30, 25))
        z -= (2.5 + 2 * who.wrinkles) * bump(x, y, (s * who.half_width * 0.62, who.mouth_y - 4), (20, 26))
        z -= 3.0 * bump(x, y, (s * who.half_width * 0.86, who.brow_y), (14, 26))
        z += 1.0 * bump(x, y, (s * 4.2, who.nose_y + 15), (2.6, 10))
        z -= 3.2 * bump(x, y, (s * (who.mouth_half + 5), who.mouth_y + 1), (6, 8))
    z += 6.5 * bump(x, y, (0, who.mouth_y), (42, 24)) - 1.8 * bump(x, y, (0, who.nose_y + 14), (3.2, 10))
    z += 8 * bump(x, y, (0, who.chin - 17), (23, 14)) - 4.5 * bump(x, y, (0, who.mouth_y + who.lower_lip + 11), (24, 6))
    return blur(z.astype(np.float32), 1.3 * patch.detail)


def pose_depth(who: Identity, patch: Patch) -> Array:
    """Smooth depth in units for turning the head: 0 at the outline, negative behind it, gentle enough not to fold
    within 25 degrees of yaw."""
    x, y = patch.x - who.CENTRE, patch.y
    r = radius(who, patch)
    z = np.where(r < 1, 84 * (1 - r**2), np.maximum(-150 * (r - 1), -70))
    z = z + 0.8 * _nose(who, x, y) + 5 * bump(x, y, (0, who.mouth_y), (40, 26))
    return blur(z.astype(np.float32), 5.0 * patch.detail)


@dataclass(frozen=True)
class Lips:
    """Lip curves over the columns `x`, all (n,) in units: y of the four borders from top to bottom."""

    x: Points
    outer_upper: Points
    inner_upper: Points
    inner_lower: Points
    outer_lower: Points
    half: float  # half the mouth width
    gap: float  # inner lip distance in the middle


_BOW = curve([(0, 0.80), (0.10, 0.86), (0.22, 1.0), (0.45, 0.80), (0.70, 0.45), (0.88, 0.17), (1.0, 0.0)])
_BELLY = curve([(0, 1.0), (0.2, 0.985), (0.42, 0.87), (0.65, 0.58), (0.85, 0.24), (1.0, 0.0)])
MAX_GAP = 32.0


def lips(who: Identity, open_: float, width: float, round_: float, press: float, tuck: float) -> Lips:
    """The mouth of these controls; `gap` is exactly what the rendered picture shows before the head turns."""
    t = np.linspace(-1, 1, 61)
    a = np.abs(t)
    half = who.mouth_half * (1 + 0.20 * width - 0.34 * round_)
    gap = float(open_ * MAX_GAP * (1 - 0.12 * round_))
    full = 0.9 - 0.32 * min(1.0, gap / 22) - 0.22 * round_  # wide open and rounded mouths have round corners
    sag = (1 - a ** (2.3 - 0.3 * round_)) ** full
    tubercle = 1.1 * np.exp(-((t / 0.16) ** 2)) - 0.8 * np.exp(-(((a - 0.42) / 0.22) ** 2))
    corner = gap * 0.36 - who.content - 2.2 * max(width, 0.0) + 1.5 * round_
    middle = who.mouth_y + tubercle * (1 - 0.6 * min(1.0, gap / 10)) * (1 - 0.6 * press) + corner * a**2
    inner_upper = middle - gap * 0.14 * sag - 1.2 * tuck * sag
    inner_lower = middle + gap * 0.86 * sag - 1.2 * tuck * sag
    plump = 1 + 0.24 * round_ - 0.12 * max(width, 0.0) - 0.40 * press - 0.10 * min(1.0, gap / 20)
    upper = who.upper_lip * plump * np.interp(a, _BOW[:, 0], _BOW[:, 1])
    lower = who.lower_lip * plump * (1 - 0.45 * tuck) * np.interp(a, _BELLY[:, 0], _BELLY[:, 1])
    x = who.CENTRE + t * half
    return Lips(x, inner_upper - upper - 0.3, inner_upper, inner_lower, inner_lower + lower + 0.3, half, gap)


@dataclass(frozen=True)
class Lids:
    """One eye over the columns `x` from the left of the picture to the right, (n,) each, in units."""

    x: Points
    upper: Points
    lower: Points
    open_upper: Points  # where the upper lid is when the eye is open
    fold: Points
    side: int  # -1 = left half of the picture


def lids(who: Identity, side: int, blink: float) -> Lids:
    """The lid borders; the upper one falls nine tenths of the way, the lower one rises to meet it."""
    q = np.linspace(0, 1, 49)  # 0 = inner corner, 1 = outer corner
    x = who.eye_dx - who.eye_half + 2 * who.eye_half * q
    tilt = -who.eye_tilt * (2 * q - 1) * who.eye_half
    top = 9.6 * who.eye_open * np.sin(np.pi * q**0.86) ** 0.78 * (0.94 + 0.12 * np.exp(-(((q - 0.42) / 0.25) ** 2)))
    bottom = 5.9 * who.eye_open * np.sin(np.pi * q**1.22) ** 0.95
    open_upper, low = who.eye_y - top + tilt, who.eye_y + bottom + tilt
    meet = who.eye_y + tilt + 0.86 * bottom + 0.4
    upper = open_upper + (meet - open_upper) * blink
    upper -= 8 * np.sin(np.pi * q) * blink * (1 - blink)  # half shut it still follows the ball of the eye
    lower = low + (meet - low) * blink
    fold = open_upper - who.fold * (0.35 + 0.65 * np.sin(np.pi * np.clip(q * 0.92 + 0.1, 0, 1)) ** 0.6)
    if side < 0:
        x, upper, lower, open_upper, fold = -x[::-1], upper[::-1], lower[::-1], open_upper[::-1], fold[::-1]
    return Lids(who.CENTRE + x, upper, lower, open_upper, fold, side)


def brow_line(who: Identity, side: int, q: Points) -> Points:
    """The middle of a brow, q from 0 at the nose to 1 at the temple, (n, 2)."""
    half = who.eye_half * 1.38
    arch = who.brow_arch * (1 - ((q - 0.62) / 0.62) ** 2)
    return np.stack([who.CENTRE + side * (who.eye_dx - half + 2 * half * q), who.brow_y - arch + 1.5 * q], -1)


def brow_thickness(who: Identity, q: Points) -> Points:
    """Height of a brow along q."""
    rise = np.clip((q + 0.12) / 0.28, 0, 1)
    return who.brow_thick * np.clip(1.05 - 0.75 * q**1.8, 0.1, 1) * rise * rise * (3 - 2 * rise)
