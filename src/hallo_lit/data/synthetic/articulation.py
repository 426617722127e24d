"""From timed sounds to lip curves: every sound pulls with a strength that fades exponentially away from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.phonemes import SILENCE, Phone, visemes
from hallo_lit.signals.idle_motion import frame_times

RATE = 100  # Hz of the articulators
FADE = 0.035  # s, time constant of the dominance
LEAD = 0.02  # s by which the lips are ahead of the sound
GAIN = np.array([1.30, 1.15, 1.0, 1.0, 1.0, 1.0])


def articulate(phones: Sequence[Phone], seconds: float) -> NDArray[np.float64]:
    """(RATE seconds + 2, 6) curves of SPEECH_CONTROLS at 0, 10 ms, ...; gaps between sounds count as silence."""
    times = np.arange(int(np.ceil(seconds * RATE)) + 2) / RATE
    pull, weight = np.zeros((len(times), 6)), np.full((len(times), 6), 1e-6)
    filled: list[Phone] = []
    clock = 0.0
    for phone in sorted(phones, key=lambda p: p.start):
        if phone.start - clock > 1e-3:
            filled.append(Phone(clock, phone.start, SILENCE))
        filled.append(phone)
        clock = max(clock, phone.end)
    filled.append(Phone(clock, max(clock + 0.2, seconds), SILENCE))
    for phone in filled:
        parts = visemes(phone.name)
        half = (phone.end - phone.start) / len(parts) / 2
        for k, viseme in enumerate(parts):
            middle = phone.start + half * (2 * k + 1) - LEAD
            near = np.exp(-np.clip(np.abs(times - middle) - 0.55 * half, 0, None) / FADE)
            strength = np.array([viseme.close, viseme.shape, viseme.shape, viseme.close, viseme.close, viseme.close])
            pull += near[:, None] * strength * viseme.target
            weight += near[:, None] * strength
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 1.6) ** 2)
    padded = np.pad(pull / weight, ((6, 6), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(padded[:, i], kernel / kernel.sum(), "valid") for i in range(6)], 1)
    smooth[:, 0] = (smooth[:, 0] - 0.03) * 1.06
    smooth = smooth * GAIN
    low = np.array([0.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    return np.clip(smooth, low, 1.0)


def at_frames(curves: NDArray[np.float64], frames: int, fps: float = 25.0) -> NDArray[np.float64]:
    """Sample RATE-Hz curves (n, k) at the frame centres -> (frames, k)."""
    clock = np.arange(len(curves)) / RATE
    return np.stack([np.interp(frame_times(frames, fps), clock, column) for column in curves.T], 1)
