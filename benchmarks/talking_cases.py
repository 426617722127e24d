"""People, sentences and voices that no training has met, kept on disk so that judging again costs no painting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.atomic import replacing
from hallo_lit.data.synthetic.clip import Look, make_clip
from hallo_lit.data.synthetic.corpus import Cast, part
from hallo_lit.data.synthetic.samples import write_wav
from hallo_lit.media.image import save_png
from hallo_lit.metrics.video import Video
from hallo_lit.signals.lip_audio import openings

SEEDS = {"validation": 9001, "test": 9002}
LOOKS = {"lively": Look(256, 1.25, 1.0), "still": Look(256, 1.25, 0.0, posture=1.0)}
Frames = NDArray[np.uint8]


@dataclass
class Case:
    """The truth, and what a user would bring of it: a photo and a recording."""

    frames: Frames  # (f, H, W, 3)
    points: NDArray[np.float64]  # (f, 478, 3) true landmarks in pixels
    curves: NDArray[np.float32]  # (f, 16) true controls, as `data.synthetic.controls` names them
    samples: NDArray[np.float32]  # at 16 kHz
    photo: Path
    sound: Path

    @classmethod
    def make(cls, kind: str, which: str, number: int, frames: int, folder: Path, seconds: float = 0.0) -> Case:
        """Clip `number` of a set; its sound goes on for `seconds` if that is longer than its frames."""
        name = folder / which / f"{kind}_{number:03d}_{frames}_{seconds:g}"
        file, photo, sound = (name.with_suffix(end) for end in (".npz", ".png", ".wav"))
        unseen = replace(part(Cast(SEEDS[which], 1000, 1000), number), split="test")
        clip = make_clip(unseen, LOOKS[kind], max(frames, round(25 * seconds)))
        if not file.is_file():
            name.parent.mkdir(parents=True, exist_ok=True)
            shown = np.stack([clip.actor.render(control) for control in clip.controls[:frames]])
            save_png(photo, shown[0])
            write_wav(sound, clip.spoken.samples)
            with replacing(file) as hidden, hidden.open("wb") as out:
                np.savez(out, frames=shown, points=clip.landmarks()[:frames], samples=clip.spoken.samples)
        with np.load(file) as kept:
            points = kept["points"].astype(np.float64)
            return cls(kept["frames"], points, clip.curves[:frames], kept["samples"], photo, sound)

    def truth(self) -> Video:
        lips = openings(self.points)
        curves = {"aperture": lips.inner, "width": lips.width}
        return Video.from_arrays("truth", self.frames, self.samples, self.points, curves)

    def video(self, frames: Frames) -> Video:
        return Video.from_arrays("made", frames, self.samples)
