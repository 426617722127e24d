"""What other programs need to animate a test set: pictures and recordings under the names of the clips."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from hallo_lit.data.atomic import replacing
from hallo_lit.evaluation.cases import Case, portrait_of
from hallo_lit.media.audio import read_audio

RATE = 16000


def write_inputs(cases: Sequence[Case], folder: Path) -> Path:
    """`NAME.png` and `NAME.wav` (16 kHz, mono) of every case; what is there already is kept.

    Raises:
        UserError: a portrait or recording cannot be read, or the folder not be written.
    """
    import soundfile

    for case in cases:
        picture, sound = folder / f"{case.name}.png", folder / f"{case.name}.wav"
        if not picture.is_file():
            with replacing(picture) as part:
                shutil.copyfile(portrait_of(case), part)
        if not sound.is_file():
            wave = read_audio(case.audio, RATE)
            with replacing(sound) as part:
                soundfile.write(part, wave.numpy(), RATE, subtype="PCM_16")
    return folder
