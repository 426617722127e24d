"""Where the hair grows and how it falls: strands of every style as curves in the head plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import Points

LONG = ("long", "wavy", "bob", "fringe")


@dataclass(frozen=True)
class Strands:
    """Curves in drawing order (back first)."""

    paths: Points  # (n, k, 2) units, x relative to the middle of the head
    tint: Points  # (n,) brightness of each
    width: float  # thickness in units


def hairline(who: Identity, x: Points) -> Points:
    """y of the hairline at offset x from the middle."""
    recess = 0.0 if who.female else -6 - 10 * who.wrinkles
    knots = np.array([0, 0.35, 0.62, 0.80, 0.90, 0.97, 1.1]) * who.half_width
    drop = np.array([0, 2, 10, 28, 66, 104, 130] if who.female else [0, -1, 2 + recess, 28, 66, 104, 130])
    return who.hairline + np.interp(np.abs(x), knots, drop)


def dome(who: Identity, side: float, height: float, samples: int = 64) -> Points:
    """Half ellipse over the skull from the left to the right ear, (n, 2)."""
    a = np.linspace(np.pi, 0, samples)
    base = who.eye_y - 10
    reach = base - who.top + height
    return np.stack([(who.half_width + side) * np.cos(a), base - reach * np.sin(a) ** 0.9], 1)


def _bezier(points: list[Points], samples: int) -> Points:
    t = np.linspace(0, 1, samples)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in points)
    return (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3


def _tints(rng: np.random.Generator, count: int) -> Points:
    return np.clip(rng.normal(1.0, 0.17, count), 0.55, 1.5)


def _locks(rng: np.random.Generator, along: Points, locks: int) -> tuple[Points, Points]:
    """Strands that lie together (`along` in 0..1) share a brightness factor and an offset of unit variance."""
    which = np.clip((along * locks + rng.normal(0, 0.18, len(along))).astype(int), 0, locks)
    return rng.normal(1.0, 0.13, locks + 1)[which], rng.normal(0, 1, locks + 1)[which]


def _order(strands: Strands, key: Points) -> Strands:
    index = np.argsort(key)
    return Strands(strands.paths[index], strands.tint[index], strands.width)


def curtain(
    who: Identity, rng: np.random.Generator, count: int, length: float, wave: float, lift: float = 0.0
) -> Strands:
    """Hair parted on top that falls over both sides down to y = `length`."""
    side = np.where(rng.random(count) < 0.5 + 0.3 * who.parting, -1.0, 1.0)
    back = rng.random(count) ** 0.8
    fw, vol = who.half_width, who.volume
    start_y = who.hairline - lift + (who.top - vol - who.hairline) * back
    start = np.stack([who.parting * fw * (1 - 0.5 * back) + side * rng.uniform(0, 3, count), start_y], 1)
    shade, apart = _locks(rng, back, 17)
    reach = fw * 0.965 + (vol + 3) * (0.12 + 0.88 * back) + rng.normal(0, 1.2, count) + 2.2 * apart
    span = side * reach - start[:, 0]
    knee = np.stack([start[:, 0] + 0.55 * span, start_y - 4 - lift * 0.6 + rng.normal(0, 1.5, count) + 1.5 * apart], 1)
    hip = np.stack([side * reach * 0.985, start_y + 0.36 * (who.eye_y - start_y)], 1)
    ear = np.stack([side * reach, np.full(count, who.eye_y + 12.0)], 1)
    over = _bezier([start, knee, hip, ear], 14)
    u = np.linspace(0, 1, 17)[None, 1:]
    end = length + rng.normal(0, 7, count)[:, None]
    fall = ear[:, 1:] + (end - ear[:, 1:]) * u
    inward = -14.0 if who.style == "bob" else 7.0
    phase = rng.normal(0, 0.5, count)[:, None] + np.round(back[:, None] * 3) * 1.3
    sway = wave * np.sin(fall / 17.0 + phase) * np.clip(u * 3, 0, 1)
    x = side[:, None] * (reach[:, None] + inward * u**2 + 4 * back[:, None] * u + sway)
    paths = np.concatenate([over, np.stack([x, fall], 2)], 1)
    return _order(Strands(paths, _tints(rng, count) * shade, 0.75), -back)


def bangs(who: Identity, rng: np.random.Generator, count: int) -> Strands:
    """A fringe from the crown down to the brows."""
    root = rng.uniform(-0.72, 0.72, count) * who.half_width
    far = rng.random(count)
    shade, apart = _locks(rng, root / who.half_width / 1.44 + 0.5, 16)
    end = who.brow_y - 8 + 15 * np.abs(root / who.half_width) ** 2 + rng.normal(0, 1.8, count) + 2.5 * apart
    start = np.stack([root * 0.22, who.top - who.volume * 0.85 + 20 * far + 4 * (root / who.half_width) ** 2], 1)
    knee = np.stack([root * 0.80, start[:, 1] + 3], 1)
    hip = np.stack([root * 1.16, who.hairline - 8 + 0 * far], 1)
    tip = np.stack([root * 1.13 + rng.normal(0, 1.5, count) + 2.5 * apart, end], 1)
    return _order(Strands(_bezier([start, knee, hip, tip], 16), _tints(rng, count) * shade, 0.75), far)


def cropped(who: Identity, rng: np.random.Generator, count: int, length: float, sweep: float) -> Strands:
    """Short hair: up and back from the hairline for a positive length, forward for a negative one."""
    fw, vol = who.half_width, who.volume * 0.75
    x = rng.uniform(-1.0, 1.0, count) * (fw + 4)
    front = hairline(who, x)
    skull = np.clip(1 - (x / (fw + 5)) ** 2, 0, 1) ** 0.5
    crown = who.eye_y - 10 - (who.eye_y - 10 - who.top + vol * 0.7) * skull
    back = rng.random(count) ** 0.85
    y = front + (crown - front) * back
    sides = (np.abs(x) / fw > rng.uniform(0.74, 0.86, count)).astype(float)
    y = np.where(sides > 0.9, np.minimum(y, who.eye_y + 22), y)
    size = np.abs(length) * (1 - 0.62 * sides) * rng.uniform(0.65, 1.15, count)
    leeward = (1 - sides) * (np.sign(x) == np.sign(sweep)) * np.clip((np.abs(x) / fw - 0.45) / 0.35, 0, 1)
    size *= 1 - 0.75 * leeward  # swept beyond the temple they would float beside the head
    outward = np.stack(
        [x / fw * (0.75 - 0.6 * sides) + sweep * (1 - sides), -np.sign(length) * (1 - sides) + 0.9 * sides], 1
    )
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    start = np.stack([x, y], 1)
    bow = np.stack([sweep * size * 0.30 * (1 - sides), np.zeros(count)], 1)
    tip = start + outward * size[:, None] + bow
    paths = _bezier(
        [start, start + outward * size[:, None] * 0.4, tip - outward * size[:, None] * 0.25 - bow * 0.2, tip], 8
    )
    return _order(Strands(paths, _tints(rng, count), 0.7), -back if length > 0 else back * -1 + 0)


def gathered(who: Identity, rng: np.random.Generator, count: int) -> Strands:
    """Combed back tightly from the hairline to the crown."""
    x = rng.uniform(-0.99, 0.99, count) * who.half_width
    start = np.stack([x, np.minimum(hairline(who, x), who.eye_y + 10) + rng.normal(0, 1.2, count)], 1)
    spread = rng.uniform(-1, 1, count)
    vol = who.volume * 0.55
    base, reach = who.eye_y - 10, who.eye_y - 10 - who.top + vol

    def on_skull(at: Points) -> Points:
        return base - reach * np.sqrt(np.clip(1 - (at / (who.half_width + 4)) ** 2, 0, 1))

    end = x * 0.5 + spread * 8
    tip = np.stack([end, on_skull(end) + rng.normal(0, 0.6, count)], 1)
    lateral = np.sign(x) * np.minimum(np.abs(x) * 1.06 + 3, who.half_width + 7)
    knee = np.stack([lateral, start[:, 1] - 0.50 * (start[:, 1] - tip[:, 1])], 1)
    hip = np.stack([x * 1.06, on_skull(x * 0.9) - 16 * (x / who.half_width) ** 2 - 2], 1)
    return _order(Strands(_bezier([start, knee, hip, tip], 16), _tints(rng, count), 0.7), np.abs(x) * -1)


def knot(who: Identity, rng: np.random.Generator, count: int) -> Strands:
    """A bun on the crown: arcs of a ball."""
    radius = 29.0
    turn = rng.uniform(0, np.pi, count)
    flat = rng.uniform(-1, 1, count)
    t = np.linspace(-1, 1, 12)[None]
    along, across = radius * np.sin(t * 1.45), radius * flat[:, None] * np.cos(t * 1.45)
    x = along * np.cos(turn)[:, None] - across * np.sin(turn)[:, None]
    y = along * np.sin(turn)[:, None] + across * np.cos(turn)[:, None]
    centre = who.top - who.volume * 0.5 - 17
    return Strands(np.stack([x, y * 0.86 + centre], 2), _tints(rng, count), 0.7)


def curls(who: Identity, rng: np.random.Generator, count: int) -> Strands:
    """Coils all over a wide dome, the nearest last."""
    fw = who.half_width
    rise = 16 + 1.6 * who.volume if who.female else 6 + 0.9 * who.volume
    low = who.eye_y + (78 if who.female else 6)
    x = rng.uniform(-1, 1, count) * (fw + rise)
    y = rng.uniform(who.top - rise, low, count)
    end = low + (0.0 if who.female else 1.0) * (rng.normal(0, 7, count) - 4)  # a man's sides thin out towards the ear
    base = who.eye_y - 6
    up = np.where(y < base, (base - y) / (base - who.top + rise), (y - base) / (low - base + 26))
    inside = (x / (fw + rise)) ** 2 + up**2 < 1 + rng.normal(0, 0.03, count)
    inside &= y < hairline(who, x) - 2 + rng.normal(0, 3, count)
    inside |= (np.abs(x) > fw * 1.0) & ((x / (fw + rise)) ** 2 + up**2 < 1)
    inside &= y < end
    x, y = x[inside], y[inside]
    n = len(x)
    radius = rng.uniform(3.0, 6.2, n)[:, None]
    a = rng.uniform(0, 2 * np.pi, n)[:, None] + np.linspace(0, 4.6, 10)[None]
    paths = np.stack([x[:, None] + radius * np.cos(a), y[:, None] + radius * 0.9 * np.sin(a)], 2)
    return Strands(paths, _tints(rng, n), 1.0)


def strands_of(who: Identity, rng: np.random.Generator) -> list[Strands]:
    """Everything that hangs in front of or on the skull, back first."""
    style = who.style
    shoulder = who.chin + 110
    if style in LONG:
        length = {"bob": who.chin + 2, "fringe": who.chin + 60}.get(style, shoulder)
        sets = [curtain(who, rng, 2600, length, 5.0 if style == "wavy" else 0.8)]
        return [*sets, bangs(who, rng, 1100)] if style == "fringe" else sets
    if style in ("updo", "bun"):
        top = [knot(who, rng, 420)] if style == "bun" else []
        return [*top, gathered(who, rng, 1900)]
    if style == "curly":
        return [curls(who, rng, 4200)]
    length, sweep = {"short": (26, 0.35), "swept": (34, 0.8), "crop": (-15, 0.15), "pixie": (-34, 0.75)}.get(
        style, (8, 0.0)
    )
    return [cropped(who, rng, 3000, length, sweep * (1 if who.parting > 0 else -1))]
