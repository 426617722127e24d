"""Classifier-free guidance (arXiv 2207.12598): which passes run at a step, and how they are mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from hallo_lit.structs import Conditioning, Drop

Predict = Callable[[Conditioning], Tensor]


class Guidance(Protocol):
    @property
    def nulls(self) -> tuple[Drop, ...]:
        """What each extra pass loses; every Drop is for one clip."""

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        """The prediction at timestep t in 0..999."""

    def describe(self) -> str:
        """The guidance and its scales in a few words, for logs and metadata."""


class NoGuidance:
    """One pass per step."""

    nulls: tuple[Drop, ...] = ()

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        return predict(given)

    def describe(self) -> str:
        return "none"


class JointGuidance:
    """e(null) + scale (e(given) - e(null)), the original's; at scale 1 a single pass."""

    def __init__(self, scale: float = 3.5) -> None:
        self.scale = scale
        self.nulls: tuple[Drop, ...] = () if scale == 1 else (Drop.unconditional(1),)

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        if not nulls:
            return predict(given)
        null = predict(nulls[0])
        return null + self.scale * (predict(given) - null)

    def describe(self) -> str:
        return f"joint {self.scale:g}"


class SplitGuidance:
    """e(0) + image (e(I) - e(0)) + audio (e(I, A) - e(I)) (paper, table 6); I is portrait, identity and location.

    Equal scales equal joint guidance.
    """

    def __init__(self, audio: float = 3.5, image: float = 3.5) -> None:
        self.audio, self.image = audio, image
        self.nulls: tuple[Drop, ...]
        if audio == image:
            self.nulls = JointGuidance(audio).nulls
        else:
            self.nulls = (Drop.unconditional(1), Drop.where(1, ("audio",)))

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        if self.audio == self.image:
            return JointGuidance(self.audio)(predict, t, given, nulls)
        null, silent = predict(nulls[0]), predict(nulls[1])
        return null + self.image * (silent - null) + self.audio * (predict(given) - silent)

    def describe(self) -> str:
        return f"audio {self.audio:g}, image {self.image:g}"


class AudioGuidance:
    """e(I) + scale (e(I, A) - e(I)): split guidance whose image scale is 1, in two passes instead of three."""

    def __init__(self, scale: float = 1.5) -> None:
        self.scale = scale
        self.nulls: tuple[Drop, ...] = () if scale == 1 else (Drop.where(1, ("audio",)),)

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        if not nulls:
            return predict(given)
        silent = predict(nulls[0])
        return silent + self.scale * (predict(given) - silent)

    def describe(self) -> str:
        return f"audio {self.scale:g}, image 1"


class IntervalGuidance:
    """`inner` at timesteps from `start` down to `stop`, a single pass elsewhere (arXiv 2404.07724)."""

    def __init__(self, inner: Guidance, start: int = 999, stop: int = 250) -> None:
        self.inner, self.start, self.stop = inner, start, stop
        self.nulls = inner.nulls

    def __call__(self, predict: Predict, t: int, given: Conditioning, nulls: Sequence[Conditioning]) -> Tensor:
        if self.stop <= t <= self.start:
            return self.inner(predict, t, given, nulls)
        return predict(given)

    def describe(self) -> str:
        return f"{self.inner.describe()} at timesteps {self.start} to {self.stop}"
