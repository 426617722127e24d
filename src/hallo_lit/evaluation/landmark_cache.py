"""Landmarks of real videos, looked for once and found again by every later row and call."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from hallo_lit.data.atomic import replacing
from hallo_lit.metrics.video import Video

KEY = "landmarks"


def remember(video: Video, file: Path | None) -> Video:
    """The video, whose landmarks are read from `file`, or written there when a metric has asked for them."""
    if file is not None and video.find is None:
        video.find = partial(_landmarks, video, file)
    return video


def _landmarks(video: Video, file: Path) -> np.ndarray:
    """(F, 478, 3) pixels, NaN where there is no face."""
    try:
        return load_file(file)[KEY]
    except (OSError, SafetensorError, KeyError):
        found = video.look().astype(np.float64)
    with replacing(file) as part:
        part.write_bytes(save({KEY: found}))
    return found
