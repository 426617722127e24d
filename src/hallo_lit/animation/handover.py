"""What one clip passes on to the next: the motion frames (paper, section 3.3)."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Handover(Protocol):
    """Remembers the last frames of a video; a fresh one is made for every video."""

    def past(self, portrait: Tensor, portrait_latents: Tensor, count: int) -> Tensor:
        """The `count` frames before the next clip, (1, m, 3, H, W) or (1, m, c, h, w); at the start the portrait
        (1, 3, H, W), latents (1, c, h, w), repeated."""

    def keep(self, pixels: Tensor, latents: Tensor) -> None:
        """Remember a finished clip: pixels (f, 3, H, W) in [-1, 1] and latents (f, c, h, w)."""

    def state(self) -> Tensor | None:
        """What a resumed video needs to go on, to be given to `restore`."""

    def restore(self, state: Tensor | None) -> None: ...


class _Remembered:
    def __init__(self) -> None:
        self.frames: Tensor | None = None

    def state(self) -> Tensor | None:
        return self.frames

    def restore(self, state: Tensor | None) -> None:
        self.frames = state

    def last(self, start: Tensor, count: int) -> Tensor:
        if self.frames is None:
            return start[:, None].expand(-1, count, -1, -1, -1)
        return self.frames[max(0, len(self.frames) - count) :][None].to(start)


class PixelHandover(_Remembered):
    """Decoded frames, encoded again for the next clip, as the original does."""

    def past(self, portrait: Tensor, portrait_latents: Tensor, count: int) -> Tensor:
        """Encoding the portrait again would give its latents, so those stand for it."""
        return self.last(portrait_latents if self.frames is None else portrait, count)

    def keep(self, pixels: Tensor, latents: Tensor) -> None:
        self.frames = pixels.clamp(-1, 1)


class LatentHandover(_Remembered):
    """Latents as they left the sampler: no trip through the codec, so no drift from it and no time lost."""

    def past(self, portrait: Tensor, portrait_latents: Tensor, count: int) -> Tensor:
        return self.last(portrait_latents, count)

    def keep(self, pixels: Tensor, latents: Tensor) -> None:
        self.frames = latents.to(torch.float32)
