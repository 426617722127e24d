"""How skin follows jaw, lips and brows, and how the head turns: displacement fields with exact forward and inverse."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.geometry import Lips
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.paint import Array, Patch, Points, smoothstep


def field(who: Identity, x: Array, y: Array, controls: Controls, mouth: Lips) -> tuple[Array, Array]:
    """(dx, dy) by which the skin that shows at (x, y) has moved from its rest position.

    The whole jaw descends, sides included, so that the outline lengthens instead of pinching.
    """
    x = np.asarray(x, np.float32) - np.float32(who.CENTRE)
    y = np.asarray(y, np.float32)
    a = np.abs(x)
    drop = 0.80 * mouth.gap
    aside = smoothstep(mouth.half * 0.55, mouth.half * 1.45, a)
    begin = who.mouth_y - 8 + aside * (who.nose_y - 34 - who.mouth_y + 8)
    end = who.mouth_y + mouth.gap + 10 + aside * (who.chin - 22 - who.mouth_y - mouth.gap - 10)
    dy = drop * smoothstep(begin, end, y)
    spread = mouth.half - who.mouth_half
    dx = (
        spread
        * np.sign(x)
        * np.clip(a / mouth.half, 0, 1)
        * np.exp(-((np.maximum(a - mouth.half, 0) / 24) ** 2) - ((y - who.mouth_y - 0.3 * mouth.gap) / 26) ** 2)
    )
    lift = controls.brow * np.where(controls.brow > 0, 7.0, 4.5)
    brows = np.exp(
        -((np.maximum(a - who.eye_dx, who.eye_dx - a) / 38) ** 2) - ((y - who.brow_y + 3 + 0.5 * lift) / 17) ** 2
    )
    return dx.astype(np.float32), (dy - lift * brows).astype(np.float32)


def warp_maps(who: Identity, patch: Patch, controls: Controls, mouth: Lips, step: int = 4) -> tuple[Array, Array]:
    """Pixel maps for cv2.remap within `patch`; the smooth field is evaluated on every `step`-th pixel."""
    height, width = -(-patch.height // step), -(-patch.width // step)
    coarse = Patch(patch.left, patch.top, width, height, patch.detail / step)
    dx, dy = field(who, coarse.x + 0 * coarse.y, coarse.y, controls, mouth)
    full = (width * step, height * step)
    dx = cv2.resize(dx, full)[: patch.height, : patch.width]
    dy = cv2.resize(dy, full)[: patch.height, : patch.width]
    columns = np.arange(patch.width, dtype=np.float32)[None]
    rows = np.arange(patch.height, dtype=np.float32)[:, None]
    return columns - dx * np.float32(patch.detail), rows - dy * np.float32(patch.detail)


def carry(who: Identity, points: Points, controls: Controls, mouth: Lips) -> Points:
    """Where skin at rest positions (n, 2) shows up: the inverse of what `warp_maps` samples."""
    moved = np.asarray(points, float).copy()
    for _ in range(12):
        dx, dy = field(who, moved[:, 0], moved[:, 1], controls, mouth)
        moved = np.stack([points[:, 0] + dx, points[:, 1] + dy], 1)
    return moved


@dataclass(frozen=True)
class Camera:
    """What part of the head plane a square picture shows."""

    size: int
    zoom: float = 1.0  # 1 shows 512 units
    centre: tuple[float, float] = (256.0, 268.0)

    @property
    def per_unit(self) -> float:
        return self.size * self.zoom / 512

    def pixels(self, points: Points) -> Points:
        """Head plane -> continuous picture coordinates; the middle of the first pixel is (0.5, 0.5)."""
        return (np.asarray(points) - self.centre) * self.per_unit + self.size / 2

    def plane(self, columns: Array, rows: Array) -> tuple[Array, Array]:
        """Continuous picture coordinates -> head plane."""
        scale = np.float32(1 / self.per_unit)
        return (columns - self.size / 2) * scale + np.float32(self.centre[0]), (
            rows - self.size / 2
        ) * scale + np.float32(self.centre[1])


PLANE_Z = 34.0  # depth that stays in place when the head turns


@dataclass(frozen=True)
class Pose:
    """Rotation of the head about a point in the neck, then shift and scale, in the head plane."""

    pivot: tuple[float, float]
    controls: Controls

    def _trig(self) -> tuple[float, ...]:
        yaw, pitch, roll = np.deg2rad([self.controls.yaw, self.controls.pitch, self.controls.roll])
        return np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch), np.sin(roll), np.cos(roll)

    def forward(self, points: Points, depth: Points) -> Points:
        """(n, 2) head-plane points of the given depth -> where they appear, (n, 2)."""
        sy, cy, sp, cp, sr, cr = self._trig()
        x, y, z = points[:, 0] - self.pivot[0], points[:, 1] - self.pivot[1], depth - PLANE_Z
        u = x * cy + z * sy
        v = y * cp + (z * cy - x * sy) * sp
        c = self.controls
        return np.stack(
            [
                c.scale * (cr * u - sr * v) + self.pivot[0] + c.tx,
                c.scale * (sr * u + cr * v) + self.pivot[1] + c.ty,
            ],
            1,
        )

    def inverse(self, x: Array, y: Array, depth: Array, patch: Patch) -> tuple[Array, Array]:
        """Head-plane coordinates seen at (x, y), by fixed-point iteration over the depth map of `patch`."""
        sy, cy, sp, cp, sr, cr = (np.float32(v) for v in self._trig())
        c = self.controls
        dx = (x - np.float32(self.pivot[0] + c.tx)) / np.float32(c.scale)
        dy = (y - np.float32(self.pivot[1] + c.ty)) / np.float32(c.scale)
        u, v = cr * dx + sr * dy, cr * dy - sr * dx
        px, py = u / cy, v / cp
        for _ in range(7 if abs(c.yaw) + abs(c.pitch) > 0.05 else 0):
            columns = (px + np.float32(self.pivot[0] - patch.left)) * np.float32(patch.detail) - np.float32(0.5)
            rows = (py + np.float32(self.pivot[1] - patch.top)) * np.float32(patch.detail) - np.float32(0.5)
            z = cv2.remap(depth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - np.float32(PLANE_Z)
            px = 0.25 * px + 0.75 * (u - z * sy) / cy
            py = 0.25 * py + 0.75 * (v - (z * cy - px * sy) * sp) / cp
        return px + np.float32(self.pivot[0]), py + np.float32(self.pivot[1])

    def plane_matrix(self, z: float) -> Points:
        """(2, 3) affine map of a flat sheet at depth z, head plane -> where it appears."""
        origin = np.array([self.pivot, (self.pivot[0] + 1, self.pivot[1]), (self.pivot[0], self.pivot[1] + 1)], float)
        moved = self.forward(origin, np.full(3, z))
        linear = np.stack([moved[1] - moved[0], moved[2] - moved[0]], 1)
        return np.concatenate([linear, (moved[0] - linear @ origin[0])[:, None]], 1)
