"""Shot boundaries from colour histograms, one frame at a time."""

from __future__ import annotations

import itertools
from collections import deque

import cv2
import numpy as np
from scipy.ndimage import median_filter

from hallo_lit.data.preprocess.settings import FPS, Shots

_SIDE = 64  # pixels of the picture the histograms are taken of
_CELLS = 2  # per side: a histogram of the whole picture cannot tell left from right
_BINS = (8, 4, 8)  # hue, saturation, value
_REACH = 2  # frames either way that a cut must tower above
SLOW = FPS // 2  # frames a dissolve may take


def signature(image: np.ndarray) -> np.ndarray:
    """Histograms (cells, bins), each summing to 1, of an RGB picture."""
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    hue, saturation, value = (
        np.minimum(hsv[..., i].astype(np.int64) * bins // limit, bins - 1)
        for i, (bins, limit) in enumerate(zip(_BINS, (180, 256, 256), strict=True))
    )
    hue[(saturation == 0) | (value == 0)] = 0  # grey has no hue, dark has a random one
    code = (hue * _BINS[1] + saturation) * _BINS[2] + value
    step = _SIDE // _CELLS
    cells = code.reshape(_CELLS, step, _CELLS, step).swapaxes(1, 2).reshape(_CELLS**2, -1)
    counts = np.stack([np.bincount(cell, minlength=int(np.prod(_BINS))) for cell in cells])
    return np.asarray(counts / step**2, np.float32)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """0 = same colours in every cell, 1 = none in common."""
    return float(np.abs(a - b).sum(axis=1).mean() / 2)


class ShotDetector:
    """Feed it every frame; it keeps three numbers of each."""

    def __init__(self) -> None:
        self.steps: list[float] = []  # distance from the frame before
        self.slow: list[float] = []  # distance from the frame half a second before
        self.contrast: list[float] = []  # standard deviation of brightness, 0..255
        self._past: deque[np.ndarray] = deque(maxlen=SLOW + 1)

    def add(self, image: np.ndarray) -> None:
        """image (H, W, 3) uint8 RGB, of any one size; small ones are quicker."""
        now = signature(image)
        self.steps.append(distance(now, self._past[-1]) if self._past else 0.0)
        self._past.append(now)
        self.slow.append(distance(now, self._past[0]))
        self.contrast.append(float(cv2.meanStdDev(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[1][0, 0]))

    def shots(self, settings: Shots) -> list[tuple[int, int]]:
        """[start, end) frames between cuts, dissolves and empty pictures, in order."""
        if not self.steps:
            return []
        steps = np.asarray(self.steps)
        starts = cuts(steps, settings)
        lost = np.asarray(self.contrast) < settings.blank
        slow = median_filter(np.asarray(self.slow), 2 * _REACH + 1) > settings.dissolve  # without flashes
        for cut in starts:
            slow[cut : cut + SLOW] = False  # these span the cut
        for frame in np.flatnonzero(slow):
            lost[max(0, frame - SLOW) : frame + 1] = True
        edges = {0, len(steps), *starts, *(np.flatnonzero(np.diff(lost)) + 1).tolist()}
        spans = itertools.pairwise(sorted(edges))
        return [(int(a), int(b)) for a, b in spans if not lost[a]]


def cuts(steps: np.ndarray, settings: Shots) -> list[int]:
    """First frames of new shots, given each frame's distance from the one before.

    A cut is large and towers above the frames around it; a flash (two in a row) or a moving hand does not.
    """
    padded = np.pad(steps, _REACH)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)
    around = np.delete(windows, _REACH, axis=1).max(axis=1)
    return [int(i) for i in np.flatnonzero((steps > settings.cut) & (steps > settings.ratio * around))]
