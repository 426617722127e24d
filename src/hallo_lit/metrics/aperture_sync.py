"""PSync: timing of mouth opening against sound, without any trained network. Never print it as Sync-C."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.video import FPS, Unmeasurable, Video, sound_of
from hallo_lit.signals import lip_audio


class ApertureSync(ClipMetric):
    """PSync-R (best correlation within 200 ms), its lag in ms, PSync-C, and the share of clips judged in sync.

    A generated mouth that never moves counts as 0, so that a dead model cannot raise the mean by being left out.

    Args:
        shortest: seconds of overlap a clip needs; below 6 s wrong audio often looks right.
        speech: share of the time that must sound like speech.
        least_motion: standard deviation of the inner lip gap, in eye distances, below which a mouth does not move.
    """

    columns = ("psync_r", "psync_lag_ms", "psync_c", "psync_in_sync")
    protocol: ClassVar[str] = (
        "PSync on MediaPipe landmarks at 25 fps; for validation and tests, never to be called Sync-C"
    )

    def __init__(self, shortest: float = 6.0, speech: float = 0.2, least_motion: float = 0.004) -> None:
        super().__init__()
        self.shortest, self.speech, self.least_motion = shortest, speech, least_motion

    @property
    def headings(self) -> Mapping[str, str]:
        return {"psync_r": "PSync-R ↑", "psync_in_sync": "in sync ↑"}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        wave = sound_of(fake, real)
        spoken = lip_audio.speech_share(wave)
        if spoken < self.speech:
            raise Unmeasurable(f"only {spoken:.0%} of its sound may be speech")
        mouth = lip_audio.openings(fake.landmarks)
        times = np.arange(len(fake.landmarks)) / FPS
        seconds = len(lip_audio.grid(times, len(wave))) / lip_audio.GRID_RATE
        if seconds < self.shortest:
            raise Unmeasurable(f"picture and sound overlap for {seconds:.1f} s; {self.shortest:g} s are needed")
        if np.nanstd(mouth.inner) < self.least_motion:
            return {"psync_r": 0.0, "psync_c": 0.0, "psync_in_sync": 0.0}
        found = lip_audio.lip_audio_sync(mouth, times, wave)
        if found is None:
            raise Unmeasurable("picture and sound overlap too little")
        return {
            "psync_r": found.r_near,
            "psync_lag_ms": float(found.lag_ms),
            "psync_c": found.confidence,
            "psync_in_sync": float(found.in_sync()),
        }
