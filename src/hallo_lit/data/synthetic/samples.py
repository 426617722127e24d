"""Makes the sample portrait and the sample speech under data/samples: `python -m hallo_lit.data.synthetic.samples`."""

from __future__ import annotations

import argparse
import wave
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.formant import SAMPLE_RATE, Voice, say
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.lexicon import sounds

PERSON = 35
SIZE = 768
TEXT = "hello, my mouth is open and my voice is warm, we saw the moon over the river"
VOICE = Voice("sample", 190.0, 1.15, 1.05, 0.02, 0.11)


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = SAMPLE_RATE) -> None:
    """16-bit mono WAV of samples in -1..1."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def write_samples(folder: Path) -> tuple[Path, Path]:
    """Write portrait.png and speech.wav; equal bytes on every run."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = Actor(draw_identity(PERSON), SIZE).render(Controls())
    portrait, speech = folder / "portrait.png", folder / "speech.wav"
    cv2.imwrite(str(portrait), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    samples, _ = say(sounds(TEXT), VOICE, np.random.default_rng(11))
    write_wav(speech, samples)
    return portrait, speech


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the sample portrait and synthesise the sample speech.")
    parser.add_argument("--out", type=Path, default=Path("data/samples"))
    for path in write_samples(parser.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
