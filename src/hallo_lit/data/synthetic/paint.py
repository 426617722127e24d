"""Raster primitives of the portrait painter: patches in head units, soft masks, noise, shading colours.

A head unit is one pixel of a 512 x 512 portrait at zoom 1; x grows to the right of the picture, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
"""float32: pictures (H, W, C), masks and fields (H, W)."""
Points = NDArray[Any]
"""float64: (..., 2) in head units unless said otherwise."""
Pixels = NDArray[Any]
"""uint8."""


def rgb(*values: float) -> Array:
    """One factor or value per channel."""
    return np.array(values, np.float32)


def smoothstep(low: ArrayLike, high: ArrayLike, x: ArrayLike) -> Array:
    start = np.asarray(low, np.float32)
    t = np.clip((np.asarray(x, np.float32) - start) / (np.asarray(high, np.float32) - start), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def bump(x: Array, y: Array, centre: tuple[float, float], radii: tuple[float, float]) -> Array:
    """exp(-(dx / rx)^2 - (dy / ry)^2)."""
    return np.exp(-(((x - centre[0]) / radii[0]) ** 2) - ((y - centre[1]) / radii[1]) ** 2).astype(np.float32)


def blur(image: NDArray, sigma: float) -> NDArray:
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.05 else image


def noise(
    rng: np.random.Generator, shape: tuple[int, int], scales: list[tuple[float, float]], gains: list[float]
) -> Array:
    """Sum of smooth noise octaves; a scale is the (horizontal, vertical) distance of independent values in pixels."""
    total = np.zeros(shape, np.float32)
    for (wide, high), gain in zip(scales, gains, strict=True):
        grid = rng.standard_normal((int(shape[0] / high) + 3, int(shape[1] / wide) + 3)).astype(np.float32)
        total += gain * cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return total


def blend(image: Array, mask: Array, colour: ArrayLike) -> None:
    """Paint `colour` over `image` (H, W, C) in place where `mask` (H, W) in [0, 1] says so."""
    image += mask[..., None] * (np.asarray(colour, np.float32) - image)


def to_linear(colour: ArrayLike) -> Array:
    """sRGB 0..255 -> linear light 0..1."""
    return (np.asarray(colour, np.float32) / 255) ** 2.2


def to_srgb(light: Array) -> Array:
    """Linear light -> sRGB 0..255 with a soft shoulder above 0.8 instead of hard clipping."""
    over = np.maximum(light - 0.8, 0)
    return 255 * np.minimum(np.clip(light, 0, 0.8) + over / (1 + 4 * over), 1) ** np.float32(1 / 2.2)


@dataclass(frozen=True)
class Patch:
    """A rectangle of the head plane rastered at `detail` pixels per unit; pixel centres lie at +0.5."""

    left: float
    top: float
    width: int
    height: int
    detail: float

    @classmethod
    def around(cls, box: tuple[float, float, float, float], detail: float) -> Patch:
        """The patch that covers left, top, right, bottom (units)."""
        left, top, right, bottom = box
        return cls(left, top, round((right - left) * detail), round((bottom - top) * detail), detail)

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @cached_property
    def x(self) -> Array:
        """(1, W) unit coordinates of the columns."""
        return ((np.arange(self.width, dtype=np.float32) + 0.5) / self.detail + np.float32(self.left))[None]

    @cached_property
    def y(self) -> Array:
        """(H, 1) unit coordinates of the rows."""
        return ((np.arange(self.height, dtype=np.float32) + 0.5) / self.detail + np.float32(self.top))[:, None]

    def pixels(self, points: ArrayLike) -> Points:
        """Unit coordinates (..., 2) -> pixel-centre coordinates of this patch."""
        return (np.asarray(points, np.float64) - (self.left, self.top)) * self.detail - 0.5

    def cut(self, box: tuple[float, float, float, float]) -> tuple[Patch, slice, slice]:
        """The part inside left, top, right, bottom (units) and the row and column slices that select it."""
        first, last = self.pixels(box[:2]) + 0.5, self.pixels(box[2:]) + 0.5
        x0, y0 = np.clip(np.floor(first).astype(int), 0, (self.width - 1, self.height - 1)).tolist()
        x1, y1 = np.clip(np.ceil(last).astype(int), (x0 + 1, y0 + 1), (self.width, self.height)).tolist()
        part = Patch(self.left + x0 / self.detail, self.top + y0 / self.detail, x1 - x0, y1 - y0, self.detail)
        return part, slice(y0, y1), slice(x0, x1)

    def _fixed(self, points: ArrayLike) -> NDArray[np.int32]:
        return np.round(self.pixels(points) * 16).astype(np.int32).reshape(-1, 1, 2)

    def polygon(self, points: ArrayLike, soft: float = 0.0) -> Array:
        """Antialiased mask in [0, 1]; `soft` is a Gaussian blur in units."""
        fine = Patch(self.left, self.top, 2 * self.width, 2 * self.height, 2 * self.detail)
        mask = np.zeros(fine.shape, np.uint8)  # OpenCV fills half a pixel too much all around: halved by drawing finer
        cv2.fillPoly(mask, [fine._fixed(points)], (255,), cv2.LINE_AA, 4)
        small = cv2.resize(mask, (self.width, self.height), interpolation=cv2.INTER_AREA)
        return blur(small, soft * self.detail).astype(np.float32) * np.float32(1 / 255)

    def stroke(self, points: ArrayLike, thickness: float, soft: float = 0.0) -> Array:
        """Antialiased open polyline; a line thinner than a pixel is drawn fainter, so that detail keeps its weight."""
        mask = np.zeros(self.shape, np.uint8)
        pixels = thickness * self.detail
        value = 255 if pixels >= 1 else max(1, round(255 * pixels))
        cv2.polylines(mask, [self._fixed(points)], False, (value,), max(1, round(pixels)), cv2.LINE_AA, 4)
        return blur(mask, soft * self.detail).astype(np.float32) * np.float32(1 / 255)


@dataclass(frozen=True)
class Lighting:
    """One warm key light, a cool fill from the other side and the sky; shading is in linear light."""

    key: tuple[float, float, float]  # unit vector towards the light; +z towards the viewer, +y downwards
    strength: float = 1.0

    def diffuse(self, normal: Array, wrap: float = 0.25) -> Array:
        """(H, W, 3) light on a surface; red wraps further round the terminator, as light scatters under skin."""
        key = normal @ np.asarray(self.key, np.float32)
        fill = normal @ np.asarray((-0.82 * np.sign(self.key[0] or 1), 0.05, 0.57), np.float32)
        wraps = rgb(wrap + 0.16, wrap, wrap - 0.05)
        lit = np.maximum((key[..., None] + wraps) / (1 + wraps), 0) ** 1.25
        sky = 0.5 - 0.5 * normal[..., 1:2]
        light = self.strength * rgb(1.07, 1.03, 0.98) * lit
        light = light + rgb(0.20, 0.215, 0.24) * np.maximum(fill, 0)[..., None]
        return (light + rgb(0.09, 0.094, 0.108) * (0.45 + sky)).astype(np.float32)

    def specular(self, normal: Array, sharpness: float) -> Array:
        """(H, W) Blinn-Phong highlight of the key light seen from the front."""
        half = np.asarray(self.key, np.float32) + np.asarray((0, 0, 1), np.float32)
        half /= np.linalg.norm(half)
        return (np.maximum(normal @ half, 0) ** sharpness).astype(np.float32)


def normals(height: Array, detail: float) -> Array:
    """(H, W, 3) unit normals of a height field given in units."""
    dy, dx = np.gradient(height, 1 / detail)
    n = np.dstack([-dx, -dy, np.ones_like(height)])
    return (n / np.linalg.norm(n, axis=2, keepdims=True)).astype(np.float32)
