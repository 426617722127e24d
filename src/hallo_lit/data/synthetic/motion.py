"""Head motion beside what lips, lids, brows and eyes do, partly led by the stress of the speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.articulation import articulate, at_frames
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.phonemes import Phone
from hallo_lit.signals.idle_motion import expressions, head_poses, kept_on, levels, stress


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
    pose = head_poses(rng, loud, fps, swayed, held)
    face = expressions(rng, loud, fps, motion)
    curves |= pose | {"scale": 1 + pose["scale"]} | face | kept_on(face, pose)
    return np.stack([curves[name] for name in CONTROLS], 1).astype(np.float32)
