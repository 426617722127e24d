"""The wall behind the person."""

from __future__ import annotations

import numpy as np

from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import Array, Patch, blur, bump, noise, rgb, smoothstep, to_linear, to_srgb


def paint_wall(who: Identity, size: int) -> Array:
    """(size, size, 3) sRGB: a softly lit wall, or lights out of focus."""
    rng = np.random.default_rng([who.seed, 7006])
    patch = Patch(0, 0, size, size, size / 512)
    x, y = patch.x, patch.y
    glow = bump(x, y, (256 + 150 * np.sign(light_side(who)), 170), (330, 330))
    tone = (
        to_linear(who.backdrop)
        * (0.36 + 0.62 * glow + noise(rng, patch.shape, [(size / 3, size / 3), (size / 7, size / 7)], [0.05, 0.02]))[
            ..., None
        ]
    )
    warm = to_linear(np.asarray(who.backdrop) * (1.06, 1.0, 0.93))
    tone = tone + 0.16 * (warm - to_linear(who.backdrop)) * (y[..., None] / 512)
    if rng.random() < 0.35:
        for _ in range(26):
            spot = rng.uniform(0, 512), rng.uniform(0, 400)
            r = rng.uniform(14, 40)
            disc = smoothstep(r + 2.5, r - 2.5, np.hypot(x - spot[0], y - spot[1])) * rng.uniform(0.03, 0.13)
            tone = tone + disc[..., None] * rgb(1.0, 0.86, 0.66) * np.float32(rng.uniform(0.7, 1.2, 3))
        tone = np.stack([blur(tone[..., k].astype(np.float32), size / 170) for k in range(3)], 2)
    return to_srgb(tone.astype(np.float32))


def light_side(who: Identity) -> float:
    """Positive when the key light stands on the right of the picture."""
    return who.key[0]
