"""What moves a face: sixteen numbers per frame, the truth that every self-made clip is delivered with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Controls(NamedTuple):
    """Neutral by default. Speech moves the first six; `Controls(*row)` reads a row of a (frames, 16) table."""

    open: float = 0.0  # 0 closed .. 1 wide open
    width: float = 0.0  # -1 narrow .. 1 spread
    round: float = 0.0  # 0 .. 1 protruded
    press: float = 0.0  # 0 .. 1 lips pressed together (p, b, m)
    tuck: float = 0.0  # 0 .. 1 lower lip under the upper teeth (f, v)
    tongue: float = 0.0  # 0 low .. 1 at the teeth
    blink: float = 0.0  # 0 open .. 1 shut
    brow: float = 0.0  # -1 lowered .. 1 raised
    gaze_x: float = 0.0  # -1 .. 1, picture right positive
    gaze_y: float = 0.0  # -1 .. 1, down positive
    yaw: float = 0.0  # degrees, positive turns towards the right of the picture
    pitch: float = 0.0  # degrees, positive nods down
    roll: float = 0.0  # degrees, positive tilts clockwise
    tx: float = 0.0  # head units
    ty: float = 0.0
    scale: float = 1.0


CONTROLS = Controls._fields
SPEECH_CONTROLS = CONTROLS[:6]


def table(curves: ArrayLike) -> list[Controls]:
    """(frames, 16) -> one Controls per frame."""
    return [Controls(*row) for row in np.asarray(curves, float).tolist()]
