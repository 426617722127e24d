"""A formant synthesiser in NumPy: speech-like sound with exactly known sounds and times, from a seed alone.

Source and filter after Klatt (1980), reduced to what lips can be learnt from: glottal pulses with jitter and breath
through resonators that glide between targets, shaped noise for fricatives, closures and bursts for stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.phonemes import SILENCE, Phone

SAMPLE_RATE = 16000
_HOP = 80  # samples per step of the filter, 5 ms
Wave = NDArray[np.float32]

VOWELS = {
    "a": (750, 1250, 2550), "A:": (700, 1100, 2500), "V": (620, 1200, 2550), "E": (560, 1850, 2500),
    "&": (680, 1720, 2450), "I": (400, 2000, 2600), "i:": (290, 2300, 3000), "@": (500, 1480, 2500),
    "O:": (520, 860, 2450), "U": (430, 1050, 2350), "u:": (310, 870, 2250), "o": (450, 830, 2350),
    "3:": (480, 1380, 1700),
}  # fmt: skip
SONORANTS = {
    "m": (250, 1000, 2200), "n": (250, 1500, 2500), "w": (300, 650, 2200), "j": (280, 2200, 3000),
    "l": (360, 1250, 2700), "r": (330, 1080, 1600),
}  # fmt: skip
# band of the noise in Hz, level, voicing
FRICATIVES = {
    "s": (4500, 7500, 0.22, 0.0), "S": (2300, 5500, 0.25, 0.0), "f": (1500, 7500, 0.07, 0.0),
    "T": (3000, 7500, 0.05, 0.0), "z": (4500, 7500, 0.13, 0.22), "v": (1500, 6500, 0.05, 0.22),
    "D": (3000, 7000, 0.04, 0.22), "h": (700, 3500, 0.06, 0.0),
}  # fmt: skip
STOPS = {
    "p": (600, 1500, 0.0), "t": (3500, 6500, 0.0), "k": (1500, 2800, 0.0),
    "b": (500, 1300, 0.06), "d": (3000, 5500, 0.06), "g": (1300, 2500, 0.06),
}  # fmt: skip
_VOICED = {**dict.fromkeys(VOWELS, 1.0), **dict.fromkeys(SONORANTS, 0.6), "m": 0.45, "n": 0.45}
_VOICED |= {name: row[-1] for name, row in {**FRICATIVES, **STOPS}.items()}


@dataclass(frozen=True)
class Voice:
    """Who speaks."""

    name: str
    pitch: float  # Hz
    tract: float  # formant scale: 1 = long male tract, 1.2 = short
    rate: float  # 1 = 7 sounds a second or so
    breath: float  # 0 .. 1
    melody: float  # depth of the pitch movement


def draw_voice(rng: np.random.Generator, female: bool, name: str) -> Voice:
    """A random voice; women's are higher and come from shorter tracts."""
    pitch = rng.uniform(165, 255) if female else rng.uniform(85, 150)
    tract = (1.17 if female else 1.0) + rng.uniform(-0.06, 0.06)
    return Voice(name, pitch, tract, rng.uniform(0.8, 1.3), rng.uniform(0.01, 0.06), rng.uniform(0.06, 0.14))


def say(words: Sequence[Sequence[str]], voice: Voice, rng: np.random.Generator) -> tuple[Wave, list[Phone]]:
    """Speak words given as lists of sounds; returns samples at SAMPLE_RATE in -1..1 and the sounds' exact times.

    An empty word is a pause. The generator decides on durations, melody and noise.
    """
    phones = _timing(words, voice, rng)
    samples = int(np.ceil(phones[-1].end * SAMPLE_RATE))
    steps = samples // _HOP + 2
    formants = np.zeros((steps, 3))
    voiced, aspirated = np.zeros(steps), np.zeros(steps)
    hiss = np.zeros(samples)
    last = np.array([500.0, 1500.0, 2500.0]) * voice.tract
    for phone in phones:
        first, end = int(phone.start * SAMPLE_RATE), min(samples, int(phone.end * SAMPLE_RATE))
        target = VOWELS.get(phone.name) or SONORANTS.get(phone.name)
        last = np.array(target) * voice.tract if target else last
        formants[first // _HOP : end // _HOP + 2] = last
        voiced[first // _HOP : end // _HOP] = _VOICED.get(phone.name, 0.0)
        aspirated[first // _HOP : end // _HOP] = 0.35 if phone.name == "h" else 0.0
        _add_noise(hiss, phone.name, first, end, rng)
    formants = np.stack([_smooth(column, 13) for column in formants.T], 1)
    source = _glottis(samples, _smooth(voiced, 7), _smooth(aspirated, 7), voice, rng)
    sound = _resonate(source, formants)
    sound = sound / (np.abs(sound).max() + 1e-9) * 0.5 + hiss
    return (0.7 * sound / (np.abs(sound).max() + 1e-9)).astype(np.float32), phones


def _timing(words: Sequence[Sequence[str]], voice: Voice, rng: np.random.Generator) -> list[Phone]:
    clock = rng.uniform(0.06, 0.2)
    phones = [Phone(0.0, clock, SILENCE)]
    for word in words:
        for name in word or (SILENCE,):
            if name == SILENCE:
                length = rng.uniform(0.12, 0.38)
            else:
                length = (rng.uniform(0.09, 0.23) if name in VOWELS else rng.uniform(0.06, 0.11)) / voice.rate
            phones.append(Phone(clock, clock + length, name))
            clock += length
    tail = rng.uniform(0.15, 0.3)
    return [*phones, Phone(clock, clock + tail, SILENCE)]


def _smooth(curve: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    kernel = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(curve, width // 2, "edge"), kernel / kernel.sum(), "valid")


def _band(samples: int, low: float, high: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """White noise kept between low and high (Hz) with soft shoulders, of unit variance before filtering."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    gain = 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 8) / np.sqrt(1 + (hertz / high) ** 8)
    return np.fft.irfft(spectrum * gain, samples)


def _add_noise(hiss: NDArray[np.float64], name: str, first: int, end: int, rng: np.random.Generator) -> None:
    if end - first < 8:
        return
    if name in FRICATIVES:
        low, high, level, _ = FRICATIVES[name]
        hiss[first:end] += level * _band(end - first, low, high, rng) * np.sqrt(np.hanning(end - first))
    if name in STOPS:
        low, high, _ = STOPS[name]
        burst = min(int(0.022 * SAMPLE_RATE), end - first)
        hiss[end - burst : end] += 0.30 * _band(burst, low, high, rng) * np.exp(-np.arange(burst) / (0.4 * burst))


def _glottis(
    samples: int, voiced: NDArray[np.float64], aspirated: NDArray[np.float64], voice: Voice, rng: np.random.Generator
) -> NDArray[np.float64]:
    clock = np.arange(samples) / SAMPLE_RATE
    steps = np.arange(len(voiced)) * _HOP / SAMPLE_RATE
    slow = np.sin(2 * np.pi * rng.uniform(0.3, 0.8) * clock + rng.uniform(0, 6))
    quick = np.sin(2 * np.pi * rng.uniform(1.0, 2.5) * clock + rng.uniform(0, 6))
    decline = 0.5 - clock / max(clock[-1], 1e-3)
    jitter = np.interp(clock, steps, _smooth(rng.standard_normal(len(voiced)) * 0.012, 5))
    pitch = voice.pitch * (1 + voice.melody * (slow + 0.5 * quick + decline) + jitter)
    phase = np.cumsum(pitch / SAMPLE_RATE) % 1
    pulse = np.where(phase < 0.6, np.sin(np.pi * phase / 0.6) ** 2, 0.0)
    level = np.interp(clock, steps, voiced)
    breath = rng.standard_normal(samples) * (voice.breath * level + 0.05 * np.interp(clock, steps, aspirated))
    return np.diff(pulse, prepend=0.0) * 18 * level + breath


def _resonate(source: NDArray[np.float64], formants: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three resonators in series, coefficients interpolated per sample by an overlap of two steady filterings.

    Every 5 ms step is filtered with its own all-pole impulse response (25 ms long) and overlap-added, which needs no
    sample-by-sample recursion.
    """
    taps = 512
    window = np.hanning(2 * _HOP + 1)[:-1]
    padded = np.concatenate([np.zeros(_HOP), source, np.zeros(3 * _HOP + taps)])
    out = np.zeros(len(padded) + 4 * taps)
    size = 1024
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    starts = np.arange(len(formants)) * _HOP
    pieces = np.stack([padded[s : s + 2 * _HOP] * window for s in starts if s + 2 * _HOP <= len(padded)])
    response = np.ones((len(pieces), size // 2 + 1), complex)
    for k, width in enumerate((80.0, 110.0, 160.0)):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        cosine = -2 * radius * np.cos(2 * np.pi * np.minimum(formants[: len(pieces), k], 7600) / SAMPLE_RATE)
        numerator = (1 + cosine + radius**2)[:, None]
        response = response * numerator / (1 + cosine[:, None] * turn + radius**2 * turn**2)
    filtered = np.fft.irfft(np.fft.rfft(pieces, size) * response, size)
    for start, piece in zip(starts, filtered, strict=False):
        out[start : start + size] += piece
    return out[_HOP : _HOP + len(source)]
