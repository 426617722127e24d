"""What people do of their own accord: smooth random processes for head, lids, brows and gaze, led by the voice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

# standard deviations at sway = 1 and held = 1: degrees, degrees, degrees, units, units, share
SWAY = {"yaw": 4.0, "pitch": 1.8, "roll": 1.6, "tx": 3.0, "ty": 2.0, "scale": 0.008}
BASE = {"yaw": 5.0, "pitch": 2.0, "roll": 2.0, "tx": 4.0, "ty": 3.0, "scale": 0.012}
FARTHEST = {"yaw": 15.0, "pitch": 8.0, "roll": 8.0, "tx": 14.0, "ty": 10.0}


def head_poses(
    rng: np.random.Generator, loud: Curve, fps: float, sway: float = 1.0, held: float = 0.0
) -> dict[str, Curve]:
    """(frames,) each: `yaw`, `pitch`, `roll` (degrees), `tx`, `ty` (head units), `scale` (0 = as large as ever).

    `sway` scales how much the head moves, `held` how far it is turned on average. loud: (frames,) of `stress`, which
    lowers the head.
    """
    frames, curves = len(loud), {}
    for name, spread in SWAY.items():
        slow, quick = drift(rng, frames, 2.2, fps), drift(rng, frames, 0.7, fps)
        curves[name] = held * BASE[name] * rng.normal() + sway * spread * (0.9 * slow + 0.25 * quick)
    curves["pitch"] = curves["pitch"] + sway * rng.uniform(1.0, 3.5) * loud
    curves["ty"] = curves["ty"] + sway * rng.uniform(0, 2.5) * loud
    for name, limit in FARTHEST.items():
        curves[name] = limit * np.tanh(curves[name] / limit)
    return curves


def kept_on(gaze: dict[str, Curve], pose: dict[str, Curve]) -> dict[str, Curve]:
    """`gaze_x` and `gaze_y` of eyes that stay where they look while the head turns."""
    return {
        "gaze_x": np.clip(gaze["gaze_x"] - 0.022 * pose["yaw"], -0.9, 0.9),
        "gaze_y": np.clip(gaze["gaze_y"] - 0.02 * pose["pitch"], -0.7, 0.7),
    }


def expressions(rng: np.random.Generator, loud: Curve, fps: float, liveliness: float = 1.0) -> dict[str, Curve]:
    """(frames,) each: `brow` -1 lowered .. 1 raised, `blink` 0 open .. 1 shut, `gaze_x` and `gaze_y` -1 .. 1.

    loud: (frames,) of `stress`, which lifts the brows. `liveliness` scales brows and gaze; lids shut wholly whenever it
    is above 0: a blink has no size.
    """
    frames = len(loud)
    brow = 0.18 * drift(rng, frames, 1.2, fps) + rng.uniform(0.2, 0.9) * loud
    blink = blinks(rng, frames, fps) * (liveliness > 0)
    x, y = glances(rng, frames, fps)
    return {
        "brow": np.clip(liveliness * brow, -0.8, 1.0),
        "blink": blink,
        "gaze_x": liveliness * x,
        "gaze_y": liveliness * y,
    }


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
        near = slice(int(np.searchsorted(times, at - 0.1)), int(np.searchsorted(times, at + 0.2)))
        since = times[near] - at
        shape = np.where(since < 0, 1 + since / 0.09, 1 - since / 0.18)
        closure[near] = np.maximum(closure[near], depth * np.clip(shape * 1.25, 0, 1))
        at += rng.uniform(0.35, 0.6) if rng.random() < 0.12 else rng.gamma(4.0, 0.85) + 0.6
    return closure


def glances(rng: np.random.Generator, frames: int, fps: float) -> tuple[Curve, Curve]:
    """(frames,) horizontal and vertical gaze: fixations with quick jumps, mostly at the viewer."""
    times = frame_times(frames, fps)
    x, y = np.zeros(frames), np.zeros(frames)
    at = 0.0
    while at < times[-1] + 1:
        away = rng.random() < 0.35
        later = int(np.searchsorted(times, at))
        x[later:] = rng.normal(0, 0.34 if away else 0.05)
        y[later:] = rng.normal(0, 0.20 if away else 0.04)
        at += rng.uniform(0.4, 1.1) if away else rng.uniform(0.9, 2.6)
    return np.clip(x, -0.8, 0.8), np.clip(y, -0.6, 0.6)


def levels(chunks: Iterable[NDArray[np.float32]], rate: int, frames: int, fps: float) -> Curve:
    """(frames,) effective value of the sound of each frame, of a recording in pieces; zero beyond its end."""
    edges = np.round(np.arange(frames + 1) * (rate / fps)).astype(int)
    energy, at = np.zeros(frames), 0
    for chunk in chunks:
        power = np.square(chunk, dtype=np.float64)
        inside = np.searchsorted(edges, np.arange(at, at + len(power)), "right") - 1
        kept = inside < frames
        energy += np.bincount(inside[kept], power[kept], frames)
        at += len(power)
        if at >= edges[-1]:
            break
    heard = np.clip(at - edges[:-1], 0, np.diff(edges))
    return np.sqrt(energy / np.maximum(heard, 1))


def stress(level: Curve) -> Curve:
    """(frames,) how much louder than its surroundings the voice is, about 0..1, smooth over 0.2 s; see `levels`."""
    level = level / (level.max(initial=0.0) + 1e-9)

    def smooth(curve: Curve, sigma: float) -> Curve:
        reach = int(4 * sigma)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        return np.convolve(np.pad(curve, reach, "edge"), kernel / kernel.sum(), "valid")

    return np.clip(2.2 * (smooth(level, 2.0) - smooth(level, 14.0)), 0, 1)


def frame_times(frames: int, fps: float) -> Curve:
    """(frames,) the middle of every frame in seconds."""
    return (np.arange(frames) + 0.5) / fps
