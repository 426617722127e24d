"""Head motion beside what lips, lids, brows and eyes do, partly led by the stress of the speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.articulation import articulate, at_frames
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.phonemes import Phone
from hallo_lit.signals.idle_motion import drift, expressions, levels, stress

# standard deviations at motion = 1: degrees, degrees, degrees, units, units, share
SWAY = {"yaw": 4.0, "pitch": 1.8, "roll": 1.6, "tx": 3.0, "ty": 2.0, "scale": 0.008}
BASE = {"yaw": 5.0, "pitch": 2.0, "roll": 2.0, "tx": 4.0, "ty": 3.0, "scale": 0.012}


def perform(
    phones: Sequence[Phone],
    samples: NDArray[np.float32],
    rate: int,
    frames: int,
    rng: np.random.Generator,
    motion: float = 1.0,
    fps: float = 25.0,
    posture: float | None = None,
    sway: float | None = None,
) -> NDArray[np.float32]:
    """(frames, 16) control curves of a person saying this; `motion` scales everything but the speech.

    `posture` scales how the head is held on average, by default as `motion` does; motion=0, posture=1 is a person who
    looks somewhere and keeps still. `sway` scales how much the head moves, by default as `motion` does too: motion=1,
    sway=0 is a live face on a still head. Lids shut wholly whenever motion is above 0: a blink has no size.
    """
    held = motion if posture is None else posture
    swayed = motion if sway is None else sway
    curves = {name: np.zeros(frames) for name in CONTROLS}
    speech = at_frames(articulate(phones, frames / fps), frames, fps)
    for name, column in zip(CONTROLS, speech.T, strict=False):
        curves[name] = column
    loud = stress(levels([samples], rate, frames, fps))
    for name, spread in SWAY.items():
        slow, quick = drift(rng, frames, 2.2, fps), drift(rng, frames, 0.7, fps)
        curves[name] = held * BASE[name] * rng.normal() + swayed * spread * (0.9 * slow + 0.25 * quick)
    curves["pitch"] = curves["pitch"] + swayed * rng.uniform(1.0, 3.5) * loud
    curves["ty"] = curves["ty"] + swayed * rng.uniform(0, 2.5) * loud
    curves["scale"] = 1 + curves["scale"]
    for name, limit in (("yaw", 15.0), ("pitch", 8.0), ("roll", 8.0), ("tx", 14.0), ("ty", 10.0)):
        curves[name] = limit * np.tanh(curves[name] / limit)
    curves.update(expressions(rng, loud, fps, motion))
    curves["gaze_x"] = np.clip(curves["gaze_x"] - 0.022 * curves["yaw"], -0.9, 0.9)
    curves["gaze_y"] = np.clip(curves["gaze_y"] - 0.02 * curves["pitch"], -0.7, 0.7)
    return np.stack([curves[name] for name in CONTROLS], 1).astype(np.float32)
