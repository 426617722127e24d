"""Speech with true articulation, for networks that listen: no picture is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.synthetic.articulation import articulate, at_frames
from hallo_lit.data.synthetic.corpus import FPS, VOICES
from hallo_lit.data.synthetic.formant import SAMPLE_RATE, Voice, draw_voice, say
from hallo_lit.data.synthetic.lexicon import Split, draw_sentence, sounds


@dataclass(frozen=True)
class Utterance:
    wave: Tensor  # (samples,) at 16 kHz
    controls: Tensor  # (frames, 6) in the order of SPEECH_CONTROLS


def utterances(split: Split, seed: int, seconds: float, own_voices: bool = False) -> Iterator[Utterance]:
    """About `seconds` of speech, one sentence at a time.

    Training draws a new voice for every sentence; `own_voices` takes the corpus's voices of the split instead, which
    for "test" are those that no training clip is spoken with.
    """
    rng = np.random.default_rng([seed, split == "test", 7020])
    done = 0.0
    while done < seconds:
        voice = _corpus_voice(split, rng) if own_voices else draw_voice(rng, bool(rng.random() < 0.5), "any")
        wave, phones = say(sounds(draw_sentence(rng, split)), voice, rng)
        length = len(wave) / SAMPLE_RATE
        frames = int(length * FPS)
        if frames < FPS // 2:
            continue
        curves = at_frames(articulate(phones, length), frames, FPS)
        yield Utterance(torch.from_numpy(wave), torch.from_numpy(curves).float())
        done += length


def _corpus_voice(split: Split, rng: np.random.Generator) -> Voice:
    from hallo_lit.data.synthetic.corpus import TEST_EVERY

    numbers = [k for k in range(VOICES) if (k % TEST_EVERY == TEST_EVERY - 1) == (split == "test")]
    number, female = numbers[int(rng.integers(len(numbers)))], bool(rng.random() < 0.5)
    return draw_voice(np.random.default_rng([7010, number, int(female)]), female, f"{number}")


def listening_set(spoken: Iterator[Utterance], hear: Callable[[Tensor, int], Tensor]) -> tuple[Tensor, Tensor]:
    """Windows (n, ...) that `hear(wave, frames)` gives of every utterance, and the controls (n, 6) beside them."""
    heard, true = [], []
    for one in spoken:
        heard.append(hear(one.wave, len(one.controls)))
        true.append(one.controls)
    return torch.cat(heard), torch.cat(true)
