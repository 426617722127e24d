"""The test set: portraits and recordings, with the real video of the same speech where there is one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from hallo_lit.data.preprocess.sources import SUFFIXES
from hallo_lit.data.splits import split_rows
from hallo_lit.data.store import ClipStore
from hallo_lit.errors import UserError
from hallo_lit.media.image import save_png
from hallo_lit.media.video import read_frames
from hallo_lit.signals.lip_audio import openings

Curves = Mapping[str, np.ndarray]
_SAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True)
class Case:
    """One item of a test set.

    Attributes:
        name: unique in the set; generated videos are called `<name>.mp4`.
        portrait: a picture; `portrait_of` makes it from the real video when it is not there.
        audio: a recording, or a video whose sound is meant.
        truth: the real video of that speech.
        curves: reads what was really said to the mouth ("aperture", "width"; (F,) in eye distances at 25 fps).
        landmarks: where those found in the real video are kept, so that they are looked for once.
    """

    name: str
    portrait: Path
    audio: Path
    truth: Path | None = None
    curves: Callable[[], Curves] | None = None
    landmarks: Path | None = None

    @classmethod
    def of_video(cls, path: Path, cache: Path, name: str = "", curves: Callable[[], Curves] | None = None) -> Case:
        """First frame and sound of a real video; `cache` keeps what is derived from it."""
        mark = _mark(path)
        portrait, landmarks = cache / "portraits" / f"{mark}.png", cache / "landmarks" / f"{mark}.safetensors"
        return cls(name or path.stem, portrait, path, path, curves, landmarks)


def corpus_cases(folder: str | Path, cache: str | Path, split: str = "test", limit: int | None = None) -> list[Case]:
    """The clips of one split of a corpus that `hallo-lit synthesize` made, with their true curves.

    Raises:
        UserError: the folder is no corpus, is a clip store, or has no clip of that split.
    """
    folder = Path(folder).expanduser()
    if not (folder / "corpus.json").is_file():
        raise UserError(
            f"{folder} is no corpus of mp4 files; make one by `hallo-lit synthesize out=...`, or choose cases=folder."
        )
    found = sorted((folder / split).glob("*.json"))
    if not found:
        raise UserError(
            f"The corpus {folder} has no clip in its split {split!r}; make a larger one, or set cases.split."
        )
    return [
        Case.of_video(
            path.with_suffix(".mp4"), Path(cache), curves=partial(true_curves, path.with_suffix(".safetensors"))
        )
        for path in found[:limit]
    ]


def store_cases(
    folder: str | Path,
    cache: str | Path,
    split: str = "test",
    test_share: float = 0.1,
    seed: int = 0,
    limit: int | None = None,
) -> list[Case]:
    """The clips of one split of a store that `hallo-lit preprocess` made; nobody in it was trained on.

    Raises:
        UserError: no store, no clip of that split, or no videos in it.
    """
    store = ClipStore(Path(folder).expanduser())
    rows = split_rows(store, test_share, seed).get(split, [])
    if not rows:
        raise UserError(f"The store {folder} has no clip in its split {split!r}; set cases.test_share or cases.split.")
    clips = [(store.source(row), store[row]) for row in rows[:limit]]
    if lacking := sum(not clip.video.is_file() for _, clip in clips):
        raise UserError(f"{lacking} of {len(clips)} clips of {folder} have no video; make the store by preprocess.")
    return [
        Case.of_video(clip.video, Path(cache), f"{_SAFE.sub('_', Path(source).stem)}-{clip.row.id[:8]}")
        for source, clip in clips
    ]


def video_cases(
    folder: str | Path, cache: str | Path, limit: int | None = None, names: Sequence[str] | None = None
) -> list[Case]:
    """Every video of a folder: its first frame is the portrait, its own sound the recording.

    names: only these, by file name without ending; None takes all.

    Raises:
        UserError: there is no such folder, no video in it, or two of the same name.
    """
    found = videos_in(folder)
    if names is not None:
        if missing := sorted(set(names) - set(found)):
            raise UserError(f"{folder} has no video called {', '.join(missing[:5])}, which cases.names asks for.")
        found = {name: found[name] for name in names}
    return [Case.of_video(path, Path(cache)) for path in list(found.values())[:limit]]


def videos_in(folder: str | Path) -> dict[str, Path]:
    """The videos of a folder by name, which is the file's without its ending.

    Raises:
        UserError: see `video_cases`.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of videos; check its name.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            if path.stem in found:
                raise UserError(f"{found[path.stem]} and {path} have the same name; one item needs one video.")
            found[path.stem] = path
    if not found:
        raise UserError(f"The folder {folder} holds no video files (such as .mp4, .mkv, .mov, .webm).")
    return found


def portrait_of(case: Case) -> Path:
    """The portrait's file, made from the first frame of the real video when it is not there.

    Raises:
        UserError: it is not there and cannot be made.
    """
    if not case.portrait.is_file():
        if case.truth is None:
            raise UserError(f"{case.portrait} does not exist; check the name of the picture.")
        case.portrait.parent.mkdir(parents=True, exist_ok=True)
        save_png(case.portrait, next(read_frames(case.truth, fps=25)))
    return case.portrait


def true_curves(path: Path) -> Curves:
    """Lip gap and width of a synthetic clip, in eye distances, from the landmarks it was drawn with."""
    from safetensors.numpy import load_file

    drawn = openings(load_file(path)["landmarks"].astype(np.float64))
    return {"aperture": drawn.inner, "width": drawn.width}


def _mark(path: Path) -> str:
    """A name that changes when the file is replaced."""
    about = path.stat()
    text = json.dumps([str(path.absolute()), about.st_size, about.st_mtime_ns])
    return f"{path.stem}-{sha256(text.encode()).hexdigest()[:8]}"
