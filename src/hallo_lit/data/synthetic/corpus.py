"""Who says what in which clip: a pure function of the configuration, so that every process agrees without talking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.espeak import FEMALE, MALE, TextVoice, say_text
from hallo_lit.data.synthetic.formant import SAMPLE_RATE, Voice, draw_voice, say
from hallo_lit.data.synthetic.identity import Identity, draw_identity
from hallo_lit.data.synthetic.lexicon import Split, draw_sentence, sounds
from hallo_lit.data.synthetic.phonemes import SILENCE, Phone

VOICES = 24  # formant voices of either sex
TEST_EVERY = 6  # every sixth voice speaks in the test split only
FPS = 25


@dataclass(frozen=True)
class Cast:
    """The people of a corpus and how many clips each split has."""

    seed: int
    clips: int
    identities: int
    test_share: float = 0.1

    @property
    def test_clips(self) -> int:
        """At least one when there are two clips and two identities."""
        if self.identities < 2 or self.clips < 2 or self.test_share <= 0:
            return 0
        return min(self.clips - 1, max(1, round(self.clips * self.test_share)))

    @property
    def test_identities(self) -> int:
        if not self.test_clips:
            return 0
        return min(self.identities - 1, max(1, round(self.identities * self.test_share)))

    def split(self, clip: int) -> Split:
        """Test clips are spread evenly over the numbers, so that a corpus cut short has them, too."""
        due = self.test_clips
        return "test" if (clip + 1) * due // self.clips > clip * due // self.clips else "train"

    def person(self, clip: int) -> int:
        """Number of the identity, 0 .. identities - 1; the last ones are the test people."""
        due = self.test_clips
        before = clip * due // self.clips  # test clips so far
        train = self.identities - self.test_identities
        if self.split(clip) == "test":
            return train + before % self.test_identities
        return (clip - before) % train

    def identity_seed(self, clip: int) -> int:
        """Seed for `draw_identity`; corpora of different seeds share nobody."""
        return self.seed * 1_000_003 + self.person(clip)


@dataclass(frozen=True)
class Spoken:
    """The sound of a clip and the truth about it."""

    samples: NDArray[np.float32]  # (n,) at SAMPLE_RATE
    phones: tuple[Phone, ...]
    sentences: tuple[str, ...]
    voice: dict[str, object]


@dataclass(frozen=True)
class Part:
    """One clip before it is made."""

    index: int
    split: Split
    name: str  # unique in the corpus, safe as a file name
    person: str
    who: Identity
    seed: tuple[int, int]

    def generator(self, purpose: int) -> np.random.Generator:
        """Independent randomness for speech (1), motion (2), framing (3)."""
        return np.random.default_rng([*self.seed, purpose])


def part(cast: Cast, clip: int) -> Part:
    """Clip number `clip` of the corpus."""
    return Part(
        index=clip,
        split=cast.split(clip),
        name=f"{clip:06d}",
        person=f"person_{cast.seed}_{cast.person(clip):05d}",
        who=draw_identity(cast.identity_seed(clip)),
        seed=(cast.seed, clip),
    )


def _voice_number(rng: np.random.Generator, split: Split, count: int, every: int) -> int:
    numbers = [k for k in range(count) if (k % every == every - 1) == (split == "test")]
    return numbers[int(rng.integers(len(numbers)))]


def _formant(split: Split, who: Identity, rng: np.random.Generator) -> tuple[Callable[[str], tuple], dict[str, object]]:
    number = _voice_number(rng, split, VOICES, TEST_EVERY)
    label = f"formant_{'f' if who.female else 'm'}{number:02d}"
    voice: Voice = draw_voice(np.random.default_rng([7010, number, int(who.female)]), who.female, label)
    return lambda sentence: say(sounds(sentence), voice, rng), asdict(voice)


def _espeak(split: Split, who: Identity, rng: np.random.Generator) -> tuple[Callable[[str], tuple], dict[str, object]]:
    names = FEMALE if who.female else MALE
    name = names[_voice_number(rng, split, len(names), 4)]
    voice = TextVoice(name, int(rng.integers(125, 205)), int(rng.integers(25, 75)), int(rng.integers(30, 75)))
    return lambda sentence: say_text(sentence, voice), asdict(voice)


def speak(clip: Part, frames: int, speech: str) -> Spoken:
    """Sentences until `frames` video frames are full; the last one is cut.

    speech: `formant`, `espeak` (real words only), or `mixed` (every second clip).
    """
    rng = clip.generator(1)
    text = speech == "espeak" or (speech == "mixed" and clip.index % 2 == 1)
    utter, voice = (_espeak if text else _formant)(clip.split, clip.who, rng)
    total = frames * SAMPLE_RATE // FPS
    pieces: list[NDArray[np.float32]] = []
    phones: list[Phone] = []
    sentences: list[str] = []
    length = 0
    while length < total:
        sentence = draw_sentence(rng, clip.split, invented=0.0 if text else 0.35)
        samples, said = utter(sentence)
        shift = length / SAMPLE_RATE
        phones += [Phone(p.start + shift, p.end + shift, p.name) for p in said]
        pieces.append(samples)
        sentences.append(sentence)
        length += len(samples)
    end = total / SAMPLE_RATE
    kept = tuple(Phone(p.start, min(p.end, end), p.name) for p in phones if p.start < end)
    samples = np.concatenate(pieces)[:total]
    fade = min(400, total)
    samples[total - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Spoken(samples, kept or (Phone(0.0, end, SILENCE),), tuple(sentences), voice)
