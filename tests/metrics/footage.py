"""Small made-up clips whose true numbers are known."""

from __future__ import annotations

import numpy as np

from hallo_lit.metrics.video import RATE, Video


def mesh(frames: int, seed: int = 0) -> np.ndarray:
    """(F, 478, 3) pixels of a still face whose outer eye corners are 100 pixels apart, closed mouth."""
    points = np.random.default_rng(seed).uniform((100, 80, -40), (260, 280, 40), (478, 3))
    points[33], points[263], points[133], points[362] = (130, 130, 0), (230, 130, 0), (165, 130, 0), (195, 130, 0)
    points[168], points[6], points[4], points[10] = (180, 130, -15), (180, 145, -20), (180, 170, -40), (180, 80, -5)
    points[1] = (180, 175, -42)
    points[127], points[356] = (115, 140, 40), (245, 140, 40)
    points[61], points[291] = (155, 210, -5), (205, 210, -5)
    for upper, lower in ((82, 87), (13, 14), (312, 317), (0, 17)):
        points[upper] = points[lower] = (170 + upper / 40, 210, -10)
    return np.repeat(points[None], frames, 0)


def talking(opening: np.ndarray, widening: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """A mesh whose lips open by `opening` (F,) eye distances and whose mouth widens by `widening`."""
    points = mesh(len(opening), seed)
    for upper, lower in ((82, 87), (13, 14), (312, 317), (0, 17)):
        points[:, upper, 1] -= 50 * opening
        points[:, lower, 1] += 50 * opening
    if widening is not None:
        points[:, 61, 0] -= 50 * widening
        points[:, 291, 0] += 50 * widening
    return points


def curve(frames: int, seed: int = 0) -> np.ndarray:
    """(F,) smooth and random, between 0 and about 0.3."""
    noise = np.random.default_rng(seed).standard_normal(frames + 8)
    return 0.12 * np.abs(np.convolve(noise, np.hanning(9), "valid")[:frames])


def pictures(frames: int, size: tuple[int, int] = (48, 64), seed: int = 0) -> np.ndarray:
    """(F, H, W, 3) uint8 noise, smooth in space."""
    import cv2

    rows = np.random.default_rng(seed).uniform(0, 255, (frames, 6, 8, 3)).astype(np.float32)
    resized = [cv2.resize(row, size[::-1], interpolation=cv2.INTER_CUBIC) for row in rows]
    return np.clip(np.stack(resized), 0, 255).astype(np.uint8)


def tone(seconds: float, seed: int = 0) -> np.ndarray:
    """Amplitude-modulated noise in [-1, 1] that the speech gate lets pass."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    return 0.3 * rng.standard_normal(n) * (1 + np.sin(np.arange(n) * 2 * np.pi * 3 / RATE)) / 4


def clip(name: str = "clip", frames: int = 30, seed: int = 0, **more: np.ndarray) -> Video:
    return Video.from_arrays(name, pictures(frames, seed=seed), **more)
