"""`wav2vec2-base-960h`: the names live with the encoder, which reads the same files by itself."""

from __future__ import annotations

from hallo_lit.components.audio_encoder.wav2vec_weights import DROPPED, RENAMES
from hallo_lit.weights.keymap import Format

UNUSED = rf"^(wav2vec2\.)?{DROPPED.pattern.removeprefix('^')}"
WAV2VEC2 = Format(RENAMES, drop=((UNUSED, "for recognising words or training wav2vec 2.0 itself"),))
