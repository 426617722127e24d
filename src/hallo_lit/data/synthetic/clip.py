"""One finished clip in memory: frames, sound, and everything that is true about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls, table
from hallo_lit.data.synthetic.corpus import FPS, Part, Spoken, speak
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.motion import perform
from hallo_lit.data.synthetic.paint import Pixels


@dataclass(frozen=True)
class Look:
    """How clips are framed and how lively they are."""

    size: int = 256  # pixels of a side
    zoom: float = 1.25  # 1 shows head and shoulders, 1.9 little more than the face
    motion: float = 1.0  # 0 = only the lips move
    posture: float | None = None  # how far heads are turned on average; None = as lively as `motion`
    sway: float | None = None  # how much heads move; None = as lively as `motion`
    speech: str = "formant"


@dataclass(frozen=True)
class Clip:
    """Rendered frame by frame on demand; equal parts and looks give equal bytes."""

    part: Part
    look: Look
    spoken: Spoken
    curves: NDArray[np.float32]  # (frames, 16) in the order of CONTROLS

    @cached_property
    def actor(self) -> Actor:
        rng = self.part.generator(3)
        zoom = self.look.zoom * (1 + 0.05 * float(rng.uniform(-1, 1)))
        who = self.part.who
        # a tight picture is centred on the face, a wide one lower, so that shoulders show
        middle = who.eye_y + 40 + 30 * float(np.clip((1.9 - zoom) / 0.8, -0.2, 1)) * 0.35
        centre = (256.0 + float(rng.uniform(-5, 5)) / zoom, middle + float(rng.uniform(-5, 5)) / zoom)
        return Actor(who, self.look.size, zoom, centre)

    @property
    def controls(self) -> list[Controls]:
        return table(self.curves)

    def frames(self) -> Iterator[Pixels]:
        """(size, size, 3) uint8 RGB each."""
        return map(self.actor.render, self.controls)

    def landmarks(self) -> NDArray[np.float32]:
        """(frames, 478, 3) true landmarks in pixels."""
        return np.stack([self.actor.landmarks(c) for c in self.controls]).astype(np.float32)

    def phone_times(self) -> NDArray[np.float32]:
        """(phones, 2) start and end in seconds."""
        return np.array([(p.start, p.end) for p in self.spoken.phones], np.float32).reshape(-1, 2)


def make_clip(part: Part, look: Look, frames: int) -> Clip:
    """Speech and motion of a clip; nothing is painted yet."""
    spoken = speak(part, frames, look.speech)
    rng = part.generator(2)
    lively = (look.motion, FPS, look.posture, look.sway)
    curves = perform(spoken.phones, spoken.samples, SAMPLE_RATE, frames, rng, *lively)
    return Clip(part, look, spoken, curves)
