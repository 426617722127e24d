"""The recording behind a stored clip: from its tensor `wave`, or from the sound track of its mp4."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.store_reader import StoredClip
from hallo_lit.errors import UserError

RATE, FPS = 16000, 25
PER_FRAME = RATE // FPS
_FULL = 32767  # of 16 bits


def pack(samples: NDArray[np.floating], frames: int) -> NDArray[np.int16]:
    """(frames, 640) for the store, from mono samples at 16 kHz (full scale 1.0); a short recording ends in silence.

    At 25 frames per second, what `StoredClip.read("wave", start, stop)` gives are the samples of these frames.
    """
    kept = np.zeros(frames * PER_FRAME, np.float64)
    kept[: len(samples)] = samples[: len(kept)]
    return np.round(kept.clip(-1, 1) * _FULL).astype(np.int16).reshape(frames, PER_FRAME)


def sound_of(clip: StoredClip, start: int = 0, stop: int | None = None) -> NDArray[np.float32] | None:
    """(samples,) mono at 16 kHz of frames [start, stop), 640 each; None where the clip has no sound.

    Raises:
        UserError: the file is damaged, or the sound is in an mp4 and PyAV is not installed.
    """
    stop = clip.row.frames if stop is None else min(stop, clip.row.frames)
    if "wave" in clip.row.features:
        return clip.read("wave", start, stop).reshape(-1).astype(np.float32) / _FULL
    if "video" not in clip.row.features:
        return None
    try:
        from hallo_lit.media.audio import read_audio
        from hallo_lit.media.video import probe
    except ImportError as error:
        raise UserError(f"Hearing {clip.video} needs the package {error.name}, which is not installed.") from error
    if not probe(clip.video).has_audio:
        return None
    samples = np.zeros((stop - start) * PER_FRAME, np.float32)
    heard = read_audio(clip.video, RATE, allow_silence=True).numpy()[start * PER_FRAME : stop * PER_FRAME]
    samples[: len(heard)] = heard
    return samples
