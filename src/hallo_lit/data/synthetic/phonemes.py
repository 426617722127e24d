"""The sounds of speech: how each looks on the lips and how strongly it insists.

Names follow espeak-ng's mnemonics, so that both speech sources share one table. Targets after Cohen and Massaro's
dominance model; the numbers are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE = "_"


@dataclass(frozen=True)
class Viseme:
    """Where the mouth wants to be during a sound."""

    target: NDArray[np.float64]  # open, width, round, press, tuck, tongue: the order of SPEECH_CONTROLS
    close: float = 1.0  # dominance over open, press, tuck, tongue
    shape: float = 1.0  # dominance over width and round


@dataclass(frozen=True)
class Phone:
    """One sound of an utterance, seconds."""

    start: float
    end: float
    name: str


def _table() -> dict[str, Viseme]:
    # names = open width round press tuck tongue | dominance over closure and over shape
    rows = """
        a A: A aa a# A@ 0    = .95 .15 .00 0 0 0  | 1 1
        V                    = .70 .15 .00 0 0 0  | 1 1
        E e e: E2            = .52 .60 .00 0 0 0  | 1 1
        & æ                  = .75 .55 .00 0 0 0  | 1 1
        I I2 i i2            = .32 .65 .00 0 0 0  | 1 .7
        i:                   = .30 1.0 .00 0 0 0  | 1 1
        @ @2 @L 3            = .36 .10 .10 0 0 0  | .7 .5
        3: ER                = .42 .00 .35 0 0 0  | 1 1
        O O: O2 Q            = .72 -.1 .60 0 0 0  | 1 1
        U u                  = .34 -.2 .75 0 0 0  | 1 1
        u:                   = .24 -.3 1.0 0 0 0  | 1 1
        o o:                 = .50 -.2 .90 0 0 0  | 1 1
        p b m                = .00 .00 .00 1 0 0  | 7 .25
        f v                  = .07 .15 .00 0 1 0  | 4 .4
        w                    = .14 -.3 1.0 0 0 0  | 2 2
        r r- R *             = .24 -.1 .50 0 0 0  | 1.2 .8
        l l- L               = .30 .20 .00 0 0 .8 | 1.2 .4
        t d n s z t2 d#      = .15 .35 .00 0 0 .25 | 1.6 .5
        S Z tS dZ            = .20 -.1 .65 0 0 0  | 1.6 1.3
        k g N x              = .28 .10 .00 0 0 0  | .7 .2
        T D                  = .20 .15 .00 0 0 1  | 1.5 .4
        h j ?                = .30 .40 .00 0 0 0  | .4 .3
    """
    found: dict[str, Viseme] = {}
    for row in rows.strip().splitlines():
        names, rest = row.split(" = ")
        values, weights = rest.split("|")
        close, shape = map(float, weights.split())
        for name in names.split():
            found[name] = Viseme(np.array([float(v) for v in values.split()]), close, shape)
    return found


VISEMES = {**_table(), SILENCE: Viseme(np.zeros(6), 1.5, 0.8)}
_DIPHTHONGS = {
    "aI": ("A:", "I"), "aU": ("A:", "U"), "eI": ("E", "I"), "oU": ("O", "u:"), "OI": ("O:", "I"), "i@": ("i:", "@"),
    "e@": ("E", "@"), "U@": ("U", "@"), "aI@": ("A:", "@"), "aU@": ("A:", "@"), "O@": ("O:", "@"), "o@": ("O:", "@"),
    "i@3": ("i:", "@"), "aI3": ("A:", "@"), "A@": ("A:", "@"), "@L": ("@", "l"), "@U": ("O", "u:"), "IR": ("i:", "r"),
    "VR": ("V", "r"),
}  # fmt: skip


def visemes(name: str) -> list[Viseme]:
    """The mouth positions of a sound in order: two for a diphthong, schwa's for a name nobody knows."""
    if name.startswith(SILENCE):
        return [VISEMES[SILENCE]]
    unstressed = name.lstrip(",'%=|")
    bare = unstressed.strip("_:;|!")
    for key in (name, unstressed, bare, bare[:2], bare[:1]):
        if key in _DIPHTHONGS:
            return [VISEMES[part] for part in _DIPHTHONGS[key]]
        if key in VISEMES:
            return [VISEMES[key]]
    return [VISEMES["@"]]
