"""What is said: a small lexicon in phonemes, invented syllables between the words, and their split by hash."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np

Split = Literal["train", "test"]
Word = tuple[str, ...]

# spelling: sounds of phonemes.VISEMES that the formant synthesiser can say; diphthongs are written as two vowels
_WORDS = """
papa: p A: p @/mama: m A: m @/baby: b E I b I/people: p i: p @ l/money: m V n I/moon: m u: n/movie: m u: v I
map: m & p/apple: & p @ l/open: O: U p @ n/maybe: m E I b I/member: m E m b @/problem: p r O: b l @ m/warm: w O: m
farm: f A: m/far: f A:/father: f A: D @/fever: f i: v @/five: f A: I v/very: v E r I/over: O: U v @/wave: w E I v
river: r I v @/love: l V v/coffee: k O: f I/few: f j u:/view: v j u:/we: w i:/was: w @ z/water: w O: t @
away: @ w E I/window: w I n d O: U/quiet: k w A: I @ t/why: w A: I/yellow: j E l O: U/you: j u:/yes: j E s
music: m j u: z I k/all: O: l/call: k O: l/tall: t O: l/law: l O:/saw: s O:/door: d O:/four: f O:/more: m O:
morning: m O: n I n/ago: @ g O: U/go: g O: U/home: h O: U m/road: r O: U d/boat: b O: U t/slow: s l O: U
know: n O: U/blue: b l u:/food: f u: d/room: r u: m/school: s k u: l/two: t u:/shoe: S u:/good: g U d/book: b U k
look: l U k/see: s i:/tree: t r i:/green: g r i: n/he: h i:/she: S i:/these: D i: z/piece: p i: s/deep: d i: p
sit: s I t/big: b I g/city: s I t I/little: l I t @ l/think: T I n k/this: D I s/that: D & t/them: D E m/hand: h & n d
glass: g l A: s/dance: d A: n s/car: k A:/start: s t A: t/garden: g A: d @ n/heart: h A: t/high: h A: I/sky: s k A: I
light: l A: I t/time: t A: I m/mind: m A: I n d/now: n a U/house: h a U s/about: @ b a U t/mouth: m a U T
loud: l a U d/boy: b O: I/voice: v O: I s/point: p O: I n t/day: d E I/say: s E I/late: l E I t/rain: r E I n
choose: t S u: z/shop: S O: p/wash: w O: S/fish: f I S/sing: s I n/long: l O: n/song: s O: n/king: k I n/cup: k V p
sun: s V n/summer: s V m @/bread: b r E d/head: h E d/red: r E d/next: n E k s t/zone: z O: U n/hello: h @ l O: U
world: w 3: l d/bird: b 3: d/word: w 3: d/first: f 3: s t/the: D @/a: @/and: & n d/of: V v/is: I z/my: m A: I
"""
LEXICON: dict[str, Word] = {
    name.strip(): tuple(sounds.split())
    for entry in _WORDS.replace("\n", "/").split("/")
    if entry.strip()
    for name, sounds in [entry.split(": ", 1)]
}
_ONSETS = ("m", "m", "b", "b", "p", "p", "w", "f", "v", "n", "l", "r", "j", "s", "S", "t", "d", "k", "g", "z", "T", "h")
_NUCLEI = ("A:", "a", "E", "i:", "I", "O:", "u:", "U", "V", "&", "3:", "@")
TEST_SHARE = 10  # one sentence in so many belongs to the test split


def split_of(sentence: str) -> Split:
    """The split a sentence belongs to, from its spelling alone; no two corpora ever disagree."""
    return "test" if zlib.crc32(sentence.lower().encode()) % TEST_SHARE == 0 else "train"


def draw_sentence(rng: np.random.Generator, split: Split, invented: float = 0.35) -> str:
    """Words in spelling; an invented word is spelt by its sounds between brackets, a comma is a pause."""
    names = sorted(LEXICON)
    while True:
        words = []
        for k in range(int(rng.integers(4, 10))):
            if rng.random() < invented:
                syllables = [
                    f"{_ONSETS[rng.integers(len(_ONSETS))]} {_NUCLEI[rng.integers(len(_NUCLEI))]}"
                    for _ in range(int(rng.integers(1, 4)))
                ]
                words.append(f"[{' '.join(syllables)}]")
            else:
                words.append(names[int(rng.integers(len(names)))])
            if k and rng.random() < 0.12:
                words[-1] += ","
        sentence = " ".join(words)
        if split_of(sentence) == split:
            return sentence


def sounds(sentence: str) -> list[Word]:
    """A sentence as `draw_sentence` or a person writes it -> words for `formant.say`; KeyError for unknown words."""
    words: list[Word] = []
    for token in sentence.replace("[", " [ ").replace("]", " ] ").replace(",", " , ").split(" [ "):
        inside, bracket, rest = token.partition(" ] ") if " ] " in token else ("", "", token)
        if bracket:
            words.append(tuple(inside.split()))
        for word in rest.split():
            words.append(() if word == "," else LEXICON[word.lower().strip(".!?")])
    return words
