"""What a camera may do to a clip: one change of place and one of colour, the same for all of its frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """How far clips may be changed; each number is the end of a range that is drawn from uniformly.

    angle: degrees to either side. zoom: of its natural logarithm. shift: of the side. gain: logarithm of the brightness
    of each colour, and of all together. gamma: its natural logarithm. faded: share of the colour that may be lost.
    grey: share of clips without any colour. mirrored: share of clips seen in a mirror. sound: standard deviation of
    noise on the audio features.
    """

    angle: float = 6.0
    zoom: float = 0.06
    shift: float = 0.03
    gain: float = 0.15
    gamma: float = 0.22
    faded: float = 0.6
    grey: float = 0.1
    mirrored: float = 0.5
    sound: float = 0.05

    def draw(self, generator: torch.Generator) -> Change:
        """A change of one clip."""
        u = torch.rand(12, generator=generator).tolist()
        to_either_side = [2 * value - 1 for value in u]
        angle, zoom, right, down, red, green, blue, light, gamma = to_either_side[:9]
        gain = tuple(math.exp(self.gain * (colour + light)) for colour in (red, green, blue))
        return Change(
            math.radians(self.angle * angle),
            math.exp(self.zoom * zoom),
            (self.shift * right, self.shift * down),
            (gain[0], gain[1], gain[2]),
            math.exp(self.gamma * gamma),
            1.0 if u[9] < self.grey else self.faded * u[10],
            u[11] < self.mirrored,
        )

    def hear(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Audio features with noise."""
        return features + self.sound * torch.randn(features.shape, generator=generator)


class Change(NamedTuple):
    """angle in radians, clockwise in the picture; shift (right, down) as shares of the sides, before mirroring."""

    angle: float
    zoom: float
    shift: tuple[float, float]
    gain: tuple[float, float, float]
    gamma: float
    faded: float  # 0 as it is, 1 without colour
    mirrored: bool

    def frames(self, images: Tensor) -> Tensor:
        """Pictures (n, 3, H, W) in [-1, 1]; what comes into view at an edge is reflected there."""
        height, width = images.shape[-2:]
        inverse = np.linalg.inv(self._matrix((height, width)))
        # pixel centres to [-1, 1] as grid_sample counts them
        unit = np.array([[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]])
        theta = torch.from_numpy((np.linalg.inv(unit) @ inverse @ unit)[:2]).to(images)
        grid = F.affine_grid(theta.expand(len(images), 2, 3), list(images.shape), align_corners=False)
        moved = F.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)
        light = (moved.clamp(-1, 1) + 1) / 2
        seen = light**self.gamma * images.new_tensor(self.gain)[:, None, None]
        seen = seen + self.faded * (seen.mean(1, keepdim=True) - seen)
        return seen.clamp(0, 1) * 2 - 1

    def points(self, landmarks: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
        """Landmarks (..., 2 or more) in pixels of a picture of `size` (height, width)."""
        matrix = self._matrix(size)
        moved = landmarks.copy()
        moved[..., :2] = landmarks[..., :2] @ matrix[:2, :2].T + matrix[:2, 2]
        return moved

    def _matrix(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """(3, 3) from pixels before to pixels after."""
        height, width = size
        cos, sin = self.zoom * math.cos(self.angle), self.zoom * math.sin(self.angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        turn[:2, 2] = np.array([x, y]) - turn[:2, :2] @ [x, y] + np.array(self.shift) * [width, height]
        flip = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]]) if self.mirrored else np.eye(3)
        made: NDArray[np.float64] = flip @ turn
        return made
