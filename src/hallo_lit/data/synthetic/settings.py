"""What `hallo-lit synthesize` can be told; conf/synthesize.yaml holds the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hallo_lit.data.spec import config_hash
from hallo_lit.data.synthetic.clip import Look
from hallo_lit.data.synthetic.corpus import FPS, Cast
from hallo_lit.errors import UserError

VERSION = 2  # of the drawing and the speech: raised when equal settings would give other frames
SPEECH = ("formant", "espeak", "mixed")
MOST_BYTES = 2 * 10**9  # of a clip's frames for a store; masks and the file written take as much again


@dataclass(frozen=True)
class SynthesisConfig:
    """A corpus of talking heads; everything but `out`, `processes` and `overwrite` decides on its content."""

    out: Path | str
    clips: int = 100
    seconds: float = 4.0  # of each clip
    seed: int = 0
    size: int = 256  # pixels, 128 .. 512
    identities: int = 0  # 0 = one per clip
    test_share: float = 0.1
    speech: str = "formant"
    zoom: float = 1.25
    motion: float = 1.0
    posture: float | None = None  # None = as `motion`
    sway: float | None = None  # None = as `motion`
    close_up: float = 0.0  # margin of the crop around the face that animate would make; 0 = the whole picture
    close_up_size: int = 64  # pixels of its side
    processes: int = 0  # 0 = one per core
    store: bool = False  # True: a clip store instead of mp4 files
    audio_encoder: Mapping[str, Any] | None = None  # store only: what makes the audio features
    face_encoder: Mapping[str, Any] | None = None  # store only: what makes the identity embedding

    def __post_init__(self) -> None:
        def refuse(wrong: bool, name: str, allowed: str) -> None:
            if wrong:
                raise UserError(f"synthesize: {name}={getattr(self, name)} is not possible; give {allowed}.")

        if self.out is None or not str(self.out).strip():
            raise UserError("synthesize: out= is empty; give the folder to write to.")
        refuse(self.clips < 1, "clips", "at least 1")
        refuse(not 0.4 <= self.seconds <= 600, "seconds", "0.4 to 600")
        refuse(self.seed < 0, "seed", "a number from 0")
        refuse(not 128 <= self.size <= 512 or self.size % 2 != 0, "size", "an even number from 128 to 512")
        refuse(not 0 <= self.identities <= self.clips, "identities", "0 (one per clip) up to the number of clips")
        refuse(not 0 <= self.test_share < 1, "test_share", "0 up to, but not including, 1")
        refuse(self.speech not in SPEECH, "speech", ", ".join(SPEECH))
        refuse(not 0.8 <= self.zoom <= 2.5, "zoom", "0.8 to 2.5")
        refuse(not 0 <= self.motion <= 2, "motion", "0 to 2")
        refuse(self.posture is not None and not 0 <= self.posture <= 2, "posture", "0 to 2, or null")
        refuse(self.sway is not None and not 0 <= self.sway <= 2, "sway", "0 to 2, or null")
        refuse(self.close_up != 0 and not 0.5 <= self.close_up <= 2, "close_up", "0 (off), or 0.5 to 2")
        refuse(self.close_up_size < 16, "close_up_size", "at least 16")
        refuse(self.close_up != 0 and not self.store, "close_up", "0, or store=true with it")
        refuse(self.processes < 0, "processes", "0 (one per core) or more")
        if self.store and self.clip_bytes > MOST_BYTES:
            raise UserError(
                f"synthesize: store=true holds the frames of a whole clip in memory, {self.clip_bytes / 1e9:.1f} GB at "
                f"seconds={self.seconds:g} and size={self.size}; give seconds up to "
                f"{int(MOST_BYTES / (self.size**2 * 3 * FPS))}, a smaller size or store=false."
            )

    @property
    def frames(self) -> int:
        """Of each clip, at 25 per second."""
        return max(1, round(self.seconds * FPS))

    @property
    def clip_bytes(self) -> int:
        """Of the frames of one clip as drawn."""
        return self.frames * self.size**2 * 3

    @property
    def look(self) -> Look:
        return Look(self.size, self.zoom, self.motion, self.posture, self.sway, self.speech)

    @property
    def cast(self) -> Cast:
        return Cast(self.seed, self.clips, self.identities or self.clips, self.test_share)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with anything that changes a frame, a sample or a curve."""
        content = asdict(self)
        for name in ("out", "processes", "store", "audio_encoder", "face_encoder"):
            del content[name]
        same = {
            name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in content.items()
        }  # 0.0 is 0
        return config_hash({**same, "version": VERSION})
