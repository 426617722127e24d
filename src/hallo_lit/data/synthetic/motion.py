"""Head motion, blinks, brows and gaze: smooth random processes, partly led by the melody and stress of the speech."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.articulation import articulate, at_frames, frame_times
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.phonemes import Phone

Curve = NDArray[np.float64]
# standard deviations at motion = 1: degrees, degrees, degrees, units, units, share
SWAY = {"yaw": 4.0, "pitch": 1.8, "roll": 1.6, "tx": 3.0, "ty": 2.0, "scale": 0.008}
BASE = {"yaw": 5.0, "pitch": 2.0, "roll": 2.0, "tx": 4.0, "ty": 3.0, "scale": 0.012}


def drift(rng: np.random.Generator, frames: int, seconds: float, fps: float) -> Curve:
    """(frames,) Gaussian process of unit variance whose memory lasts about `seconds`."""
    sigma = seconds * fps / 2
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    white = rng.standard_normal(frames + 2 * reach)
    return np.convolve(white, kernel / np.sqrt((kernel**2).sum()), "valid")


def blinks(rng: np.random.Generator, frames: int, fps: float) -> Curve:
    """(frames,) lid closure: shut within 90 ms, open again within 180 ms, every few seconds, sometimes twice."""
    times = frame_times(frames, fps)
    closure = np.zeros(frames)
    at = rng.uniform(0.3, 3.5)
    while at < times[-1] + 0.3:
        depth = rng.uniform(0.88, 1.0)
        since = times - at
        shape = np.where(since < 0, 1 + since / 0.09, 1 - since / 0.18)
        closure = np.maximum(closure, depth * np.clip(shape * 1.25, 0, 1))
        at += rng.uniform(0.35, 0.6) if rng.random() < 0.12 else rng.gamma(4.0, 0.85) + 0.6
    return closure


def glances(rng: np.random.Generator, frames: int, fps: float) -> tuple[Curve, Curve]:
    """(frames,) horizontal and vertical gaze: fixations with quick jumps, mostly at the viewer."""
    times = frame_times(frames, fps)
    x, y = np.zeros(frames), np.zeros(frames)
    at = 0.0
    while at < times[-1] + 1:
        away = rng.random() < 0.35
        later = times >= at
        x[later] = rng.normal(0, 0.34 if away else 0.05)
        y[later] = rng.normal(0, 0.20 if away else 0.04)
        at += rng.uniform(0.4, 1.1) if away else rng.uniform(0.9, 2.6)
    return np.clip(x, -0.8, 0.8), np.clip(y, -0.6, 0.6)


def stress(samples: NDArray[np.float32], rate: int, frames: int, fps: float) -> Curve:
    """(frames,) how much louder than its surroundings the voice is, about 0..1, smooth over 0.2 s."""
    step = rate / fps
    edges = np.round(np.arange(frames + 1) * step).astype(int)
    loudness = [np.square(samples[a:b], dtype=np.float64).mean() if b > a else 0.0 for a, b in pairwise(edges)]
    level = np.sqrt(np.array(loudness))
    level /= level.max() + 1e-9

    def smooth(curve: Curve, sigma: float) -> Curve:
        reach = int(4 * sigma)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        return np.convolve(np.pad(curve, reach, "edge"), kernel / kernel.sum(), "valid")

    return np.clip(2.2 * (smooth(level, 2.0) - smooth(level, 14.0)), 0, 1)


def perform(
    phones: Sequence[Phone],
    samples: NDArray[np.float32],
    rate: int,
    frames: int,
    rng: np.random.Generator,
    motion: float = 1.0,
    fps: float = 25.0,
    posture: float | None = None,
) -> NDArray[np.float32]:
    """(frames, 16) control curves of a person saying this; `motion` scales everything but the speech.

    `posture` scales how the head is held on average, by default as `motion` does; motion=0, posture=1 is a person who
    looks somewhere and keeps still. Lids shut wholly whenever motion is above 0: a blink has no size.
    """
    held = motion if posture is None else posture
    curves = {name: np.zeros(frames) for name in CONTROLS}
    speech = at_frames(articulate(phones, frames / fps), frames, fps)
    for name, column in zip(CONTROLS, speech.T, strict=False):
        curves[name] = column
    loud = stress(samples, rate, frames, fps)
    for name, spread in SWAY.items():
        slow, quick = drift(rng, frames, 2.2, fps), drift(rng, frames, 0.7, fps)
        curves[name] = held * BASE[name] * rng.normal() + motion * spread * (0.9 * slow + 0.25 * quick)
    curves["pitch"] = curves["pitch"] + motion * rng.uniform(1.0, 3.5) * loud
    curves["ty"] = curves["ty"] + motion * rng.uniform(0, 2.5) * loud
    curves["scale"] = 1 + curves["scale"]
    for name, limit in (("yaw", 15.0), ("pitch", 8.0), ("roll", 8.0), ("tx", 14.0), ("ty", 10.0)):
        curves[name] = limit * np.tanh(curves[name] / limit)
    curves["brow"] = np.clip(motion * (0.18 * drift(rng, frames, 1.2, fps) + rng.uniform(0.2, 0.9) * loud), -0.8, 1.0)
    curves["blink"] = blinks(rng, frames, fps) * (motion > 0)
    x, y = glances(rng, frames, fps)
    curves["gaze_x"] = np.clip(motion * x - 0.022 * curves["yaw"], -0.9, 0.9)
    curves["gaze_y"] = np.clip(motion * y - 0.02 * curves["pitch"], -0.7, 0.7)
    return np.stack([curves[name] for name in CONTROLS], 1).astype(np.float32)
