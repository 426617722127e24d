"""Real text through espeak-ng, when it is installed; it is never required.

Its library is loaded by a child process (`python -m hallo_lit.data.synthetic.espeak`), the only way to its exact
phoneme times; requests and answers are lines of JSON.
"""

from __future__ import annotations

import base64
import ctypes
import json
import subprocess
import sys
from ctypes.util import find_library
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.phonemes import SILENCE, Phone
from hallo_lit.errors import UserError

MALE = ("en-us+m1", "en-us+m2", "en-us+m3", "en-us+m4", "en-us+m5", "en-us+m6", "en-us+m7", "en-us")
FEMALE = ("en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4", "en-us+f5", "en+f2", "en+f4", "en+f3")
_PHONEME, _END, _MESSAGE_END = 7, 5, 6
_WPM, _PITCH, _RANGE = 1, 3, 4


@dataclass(frozen=True)
class TextVoice:
    """A voice of espeak-ng and how it speaks."""

    name: str
    words_per_minute: int
    pitch: int  # 0 .. 99
    melody: int  # 0 .. 99


def available() -> bool:
    """Whether espeak-ng's library is installed."""
    return find_library("espeak-ng") is not None


def say_text(text: str, voice: TextVoice) -> tuple[NDArray[np.float32], list[Phone]]:
    """(samples,) in -1..1 at SAMPLE_RATE, and the sounds with their times.

    Raises:
        UserError: espeak-ng is not installed or refuses the voice.
    """
    if not available():
        raise UserError(
            "speech=espeak needs espeak-ng (Debian: apt install espeak-ng); use speech=formant, which needs nothing."
        )
    request = json.dumps([text, voice.name, voice.words_per_minute, voice.pitch, voice.melody])
    child = subprocess.run(
        [sys.executable, "-m", "hallo_lit.data.synthetic.espeak"],
        input=request,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if child.returncode:
        reason = (child.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"espeak-ng could not speak with voice {voice.name}: {reason}")
    answer = json.loads(child.stdout)
    samples = np.frombuffer(base64.b64decode(answer["pcm"]), "<i2").astype(np.float32) / 32768
    rate, marks = answer["rate"], answer["marks"]
    ends = [start for start, _ in marks[1:]] + [len(samples)]
    phones = [
        Phone(start / rate, end / rate, name) for (start, name), end in zip(marks, ends, strict=True) if end > start
    ]
    return _resample(samples, rate), phones


def _resample(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """To SAMPLE_RATE by cutting the spectrum; clicks at the ends are avoided by padding."""
    padded = np.pad(samples, rate // 10)
    count = round(len(padded) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(padded)[: count // 2 + 1]
    sound = np.fft.irfft(spectrum, count) * (count / len(padded))
    edge = SAMPLE_RATE // 10
    return np.asarray(sound[edge : edge + round(len(samples) * SAMPLE_RATE / rate)], np.float32)


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    )  # fmt: skip


def _speak(text: str, name: str, speed: int, pitch: int, melody: int) -> dict[str, Any]:
    """Runs in the child."""
    library = ctypes.CDLL(find_library("espeak-ng"))
    pieces: list[NDArray[np.int16]] = []
    marks: list[tuple[int, str]] = []

    def heard(wave: Any, count: int, events: Any) -> int:
        if count > 0 and wave:
            pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        k = 0
        while events[k].type != 0:
            event = events[k]
            if event.type == _PHONEME:
                marks.append((event.sample, bytes(event.id.string).split(b"\0")[0].decode("utf8", "ignore") or SILENCE))
            elif event.type in (_END, _MESSAGE_END):
                marks.append((event.sample, SILENCE))
            k += 1
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    callback = kind(heard)
    rate = library.espeak_Initialize(2, 500, None, 1)  # sound is handed over, with phoneme events
    library.espeak_SetSynthCallback(callback)
    if rate <= 0 or library.espeak_SetVoiceByName(name.encode()) != 0:
        raise SystemExit("it does not know this voice")
    for parameter, value in ((_WPM, speed), (_PITCH, pitch), (_RANGE, melody)):
        library.espeak_SetParameter(parameter, value, 0)
    blob = text.encode()
    library.espeak_Synth(blob, len(blob) + 1, 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    marks.sort(key=lambda mark: mark[0])
    return {"rate": rate, "marks": marks, "pcm": base64.b64encode(pcm.astype("<i2").tobytes()).decode()}


if __name__ == "__main__":
    print(json.dumps(_speak(*json.load(sys.stdin))))
