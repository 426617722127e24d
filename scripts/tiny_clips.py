"""Close-ups of a clip store in memory, and what a camera may do to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hallo_lit.data.store import ClipStore
from hallo_lit.faces.regions import region_masks


class Clips:
    """The training clips of a store in memory."""

    def __init__(self, corpus: Path) -> None:
        store = ClipStore(corpus)
        rows = [k for k in range(len(store)) if store.split(k) != "test"]
        self.pixels = [store[k].read("pixels") for k in rows]  # (f, H, W, 3) uint8 each
        self.points = [store[k].read("landmarks").astype(np.float64) for k in rows]  # (f, 478, 3) in pixels
        self.audio = [torch.from_numpy(store[k].read("audio")).float() for k in rows]
        self.identity = torch.stack([torch.from_numpy(store[k].read("identity")) for k in rows])

    def __len__(self) -> int:
        return len(self.pixels)

    def look(self, clip: int, chosen: list[int], augment: Augment | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Frames (n, 3, H, W) in [-1, 1], and regions (3, h, w) and locator (1, H, W) inference makes of the first."""
        frames, points = self.pixels[clip][chosen], self.points[clip][chosen[0]]
        if augment is not None:
            frames, points = augment(frames, points)
        made = region_masks(points, frames.shape[1:3])
        images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
        regions, locator = (torch.from_numpy(mask).float() / 255 for mask in (made.regions, made.locator))
        if augment is not None and augment.mirrored:
            images, regions, locator = images.flip(-1), regions.flip(-1), locator.flip(-1)
        return images, regions, locator[None]


@dataclass(frozen=True)
class Augment:
    """One change for all frames of a clip: where the crop lies, and how the camera sees colours."""

    angle: float  # degrees
    zoom: float
    shift: tuple[float, float]  # of the side
    gain: NDArray[np.float32]  # per colour
    gamma: float
    grey: float  # 0 as it is, 1 without colour
    mirrored: bool

    @classmethod
    def draw(cls, generator: torch.Generator) -> Augment:
        u = (2 * torch.rand(10, generator=generator) - 1).tolist()
        grey = 1.0 if u[8] > 0.9 else max(0.0, 0.6 * u[8])
        gain = np.exp(0.15 * np.array(u[4:7]) + 0.15 * u[7]).astype(np.float32)
        return cls(6 * u[0], math.exp(0.06 * u[1]), (0.03 * u[2], 0.03 * u[3]), gain, 1.25 ** u[7], grey, u[9] > 0)

    def __call__(
        self, frames: NDArray[np.uint8], points: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Frames (n, H, W, 3) and landmarks (478, 3) of one of them; mirroring is left to the caller."""
        height, width = frames.shape[1:3]
        move = cv2.getRotationMatrix2D((width / 2, height / 2), self.angle, self.zoom)
        move[:, 2] += self.shift[0] * width, self.shift[1] * height
        moved = points.copy()
        moved[:, :2] = points[:, :2] @ move[:, :2].T + move[:, 2]
        curve = (np.arange(256, dtype=np.float32) / 255) ** self.gamma * 255
        made = []
        for frame in frames:
            warped = cv2.warpAffine(frame, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            seen = curve[warped] * self.gain
            seen = seen + self.grey * (seen.mean(-1, keepdims=True) - seen)
            made.append(np.clip(seen, 0, 255).astype(np.uint8))
        return np.stack(made), moved
