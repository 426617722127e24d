"""Do lips and speech belong together? Mouth-opening curves and PSync, a lip-sync score that needs no trained network.

Loudness says little about the mouth (m, n and b are loud and closed), so the audio side is a spectral opening signal:
formant energy between 1.2 and 3.5 kHz just after the mouth opens, minus voicing. On wrong audio the score stays below
0.82 / sqrt(seconds) in 95 of 100 cases; below 6 s a single clip says nothing. It measures the timing of opening, not
which sound is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import butter, sosfiltfilt

RATE = 16000  # of the audio, samples per second
GRID_RATE = 50  # of both signals
STEP_MS = 1000 // GRID_RATE
REACH_MS = 600  # lags looked at, either way
NEAR_MS = 200  # a lag that footage may have and still be in sync
SHORTEST = 30  # grid points, below which band-pass and lags make no sense together with REACH_MS

INNER_LIPS = ((82, 87), (13, 14), (312, 317))  # upper, lower; MediaPipe's numbering
OUTER_LIPS = (0, 17)
MOUTH_CORNERS = (61, 291)
OUTER_EYES = (33, 263)

_HOP, _FRAME, _FFT = RATE // 100, RATE // 25, 1024
_BANDS = ((80.0, 350.0), (350.0, 1200.0), (1200.0, 3500.0))
_ADVANCE = 4  # grid points = 80 ms
_TINY = 1e-9


@dataclass(frozen=True)
class Openings:
    """How far the mouth is open in every frame, (F,) each, in units of the distance between the outer eye corners."""

    inner: np.ndarray  # mean of three gaps between the inner lips
    outer: np.ndarray  # gap between the outer lips
    width: np.ndarray  # distance between the mouth corners


def openings(landmarks: np.ndarray | Mapping[int, np.ndarray]) -> Openings:
    """Aperture curves of a talking face.

    Args:
        landmarks: (F, 478, 3) pixels, or the columns (F, 3) that are used, by landmark number. Frames without a face
            are NaN and give NaN.
    """

    def point(index: int) -> np.ndarray:
        column = landmarks[index] if isinstance(landmarks, Mapping) else landmarks[:, index]
        return np.asarray(column, np.float64)

    def gap(pair: tuple[int, int]) -> np.ndarray:
        return np.linalg.norm((point(pair[0]) - point(pair[1]))[:, :2], axis=-1)

    scale = np.linalg.norm(point(OUTER_EYES[0]) - point(OUTER_EYES[1]), axis=-1)  # in 3-D: turning keeps it
    seen = np.isfinite(scale)
    scale[seen] = median_filter(scale[seen], 9, mode="nearest")
    inner = np.mean([gap(pair) for pair in INNER_LIPS], axis=0)
    return Openings(inner / scale, gap(OUTER_LIPS) / scale, gap(MOUTH_CORNERS) / scale)


def grid(frame_times: np.ndarray, samples: int) -> np.ndarray:
    """Times in seconds, 50 a second, at which both the frames and `samples` of 16 kHz audio exist."""
    if len(frame_times) == 0:
        return np.zeros(0)
    return np.arange(0.0, min(float(frame_times[-1]), samples / RATE), 1 / GRID_RATE)


def mouth_signal(mouth: Openings, frame_times: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Opening and closing of the lips at `times`, band-passed and standardised; frames without a face are bridged."""

    def curve(values: np.ndarray) -> np.ndarray:
        seen = np.isfinite(values)
        return _standard(_band_pass(np.interp(times, frame_times[seen], values[seen])))

    return _standard(curve(mouth.inner) + curve(mouth.outer))


def band_powers(wave: np.ndarray) -> np.ndarray:
    """(frames, 3) power of 16 kHz mono `wave` in 80-350, 350-1200 and 1200-3500 Hz, 100 frames a second.

    Frames are 40 ms and centred on multiples of 10 ms, with silence around the recording.
    """
    wave = np.asarray(wave, np.float64)
    padded = np.pad(wave, _FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    window = np.hanning(_FRAME + 2)[1:-1]
    frequency = np.fft.rfftfreq(_FFT, 1 / RATE)
    inside = np.stack([(frequency >= low) & (frequency < high) for low, high in _BANDS], axis=1).astype(np.float64)
    pieces = [  # a few hundred frames at a time: memory must not grow with the length
        (np.abs(np.fft.rfft(frames[i : i + 512] * window, _FFT)) ** 2) @ inside for i in range(0, len(frames), 512)
    ]
    return np.concatenate(pieces)


def audio_signal(wave: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How open the mouth sounds at `times`: 2 H(t + 80 ms) - H(t - 80 ms) - L(t), edges clamped."""
    powers = band_powers(wave)
    floor = 1e-5 * np.percentile(powers.sum(axis=1), 95) / 3
    logs = np.log(powers + max(float(floor), 1e-20))
    at = np.arange(len(logs)) * _HOP / RATE
    low, _, high = (_standard(_band_pass(np.interp(times, at, band))) for band in logs.T)
    index = np.arange(len(times))
    later, sooner = (np.clip(index + shift, 0, len(times) - 1) for shift in (_ADVANCE, -_ADVANCE))
    return 2 * high[later] - high[sooner] - low


def lags_ms() -> np.ndarray:
    """The lags of `correlations`: -600 to 600 in steps of 20; positive means that the audio comes late."""
    return np.arange(-REACH_MS, REACH_MS + 1, STEP_MS)


def correlations(mouth: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Pearson correlation of mouth(t) with audio(t + lag) over the overlap, for each of `lags_ms`."""
    rows = []
    for lag in lags_ms() // STEP_MS:
        v = mouth[max(0, -lag) : len(mouth) - max(0, lag)]
        a = audio[max(0, lag) : len(audio) - max(0, -lag)]
        v, a = v - v.mean(), a - a.mean()
        power = float(np.sqrt((v @ v) * (a @ a)))
        rows.append(float(v @ a) / power if power > 1e-3 * len(v) else 0.0)  # both have variance 1 unless constant
    return np.array(rows)


@dataclass(frozen=True)
class LipAudioSync:
    """PSync of one clip."""

    r: np.ndarray  # correlation at each of `lags_ms`
    seconds: float  # how long mouth and audio overlap

    @property
    def r_near(self) -> float:
        """PSync-R: the best correlation within 200 ms."""
        return float(self.r[np.abs(lags_ms()) <= NEAR_MS].max())

    @property
    def lag_ms(self) -> int:
        """PSync-lag: where the correlation is highest; positive = audio late."""
        return int(lags_ms()[int(self.r.argmax())])

    @property
    def confidence(self) -> float:
        """PSync-C: highest minus median correlation."""
        return float(self.r.max() - np.median(self.r))

    def in_sync(self, factor: float = 0.82, max_lag_ms: int = NEAR_MS) -> bool:
        """Whether PSync-R beats factor / sqrt(seconds), which wrong audio does once in 20, at a small lag."""
        return self.r_near > factor / np.sqrt(self.seconds) and abs(self.lag_ms) <= max_lag_ms


def lip_audio_sync(mouth: Openings, frame_times: np.ndarray, wave: np.ndarray) -> LipAudioSync | None:
    """PSync of a clip, or None when mouth and audio overlap for less than 1.8 s or no frame shows a face.

    Args:
        mouth: see `openings`.
        frame_times: (F,) seconds; k / fps for constant rates.
        wave: 16 kHz mono.
    """
    times = grid(frame_times, len(wave))
    if len(times) < SHORTEST + 2 * REACH_MS // STEP_MS or not np.isfinite(mouth.inner).any():
        return None
    r = correlations(mouth_signal(mouth, frame_times, times), audio_signal(wave, times))
    return LipAudioSync(r, len(times) / GRID_RATE)


def speech_share(wave: np.ndarray, silence_db: float = -50.0, range_db: float = 25.0) -> float:
    """Share of the time in which something that may be speech is heard, in [0, 1].

    A 10 ms frame counts when its energy between 80 and 3500 Hz is above `silence_db` (full scale = 0) and at most
    `range_db` below the loud frames of the recording. Music and noise count as well.
    """
    if len(wave) == 0:
        return 0.0
    window_power = float((np.hanning(_FRAME + 2)[1:-1] ** 2).sum())
    power = band_powers(wave).sum(axis=1) * 2 / (window_power * _FFT)
    level = 10 * np.log10(power + 1e-12)
    return float((level > max(silence_db, float(np.percentile(level, 95)) - range_db)).mean())


def _band_pass(values: np.ndarray) -> np.ndarray:
    return np.asarray(sosfiltfilt(butter(2, (0.4, 8.0), "bandpass", fs=GRID_RATE, output="sos"), values))


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() + _TINY)
