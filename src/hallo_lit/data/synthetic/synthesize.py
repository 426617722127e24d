"""The job: every clip of a corpus once, on all cores, finished ones never twice."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hallo_lit.data.atomic import replacing
from hallo_lit.data.index import clips_on_disk
from hallo_lit.data.store import StoreWriter
from hallo_lit.data.synthetic import espeak
from hallo_lit.data.synthetic.clip import make_clip
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.corpus import FPS, part
from hallo_lit.data.synthetic.deliver import files_of, is_done, write_files
from hallo_lit.data.synthetic.into_store import lacks, load_encoders, store_id, store_spec, write_to_store
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.workers import begin_worker
from hallo_lit.errors import UserError

CORPUS_FILE = "corpus.json"
STORE_FILE = "synthetic.json"  # the same for a store; its own name, since corpus.json tells of mp4 files
ABANDONED = 600.0  # seconds since the last write to a hidden file
_HALF = re.compile(r"\.\d{6,}\.[0-9a-f]{8}\.part|\.part-[0-9a-f]{12}\.(json|safetensors)")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SynthesisReport:
    """What a call made."""

    made: int
    kept: int  # were there already
    train: int
    test: int
    frames: int  # rendered by this call
    seconds: float

    def __str__(self) -> str:
        speed = f", {self.frames / self.seconds:.0f} frames/s" if self.frames else ""
        return (
            f"{self.made} clips made, {self.kept} kept ({self.train} train, {self.test} test) "
            f"in {self.seconds:.1f} s{speed}"
        )


def make(config: SynthesisConfig, number: int) -> int:
    """Makes one clip whole and returns its number; runs in any process."""
    clip = make_clip(part(config.cast, number), config.look, config.frames)
    (write_to_store if config.store else write_files)(config, clip)
    return number


def _finished(config: SynthesisConfig, todo: list[int], processes: int) -> Iterator[int]:
    """Numbers of the clips as they are made."""
    if processes == 1:
        for number in todo:
            yield make(config, number)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=begin_worker)
    try:
        waiting = [pool.submit(make, config, number) for number in todo]
        for future in as_completed(waiting):
            yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "synthesize: a process was killed, perhaps for want of memory; use fewer processes=... and call again, "
            "finished clips are kept."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _record(config: SynthesisConfig) -> dict[str, Any]:
    """What the folder says about its corpus."""
    return {
        "fingerprint": config.fingerprint,
        "clips": config.clips,
        "fps": FPS,
        "frames": config.frames,
        "size": config.size,
        "seed": config.seed,
        "speech": config.speech,
        "curves": list(CONTROLS),
        "test": [part(config.cast, k).name for k in range(config.clips) if config.cast.split(k) == "test"],
    }


def _is_ours(config: SynthesisConfig, path: Path) -> bool:
    """Whether `path` describes this very corpus; False when there is no such file.

    Raises:
        UserError: it is damaged, or describes another corpus.
    """
    if not path.exists():
        return False
    try:
        known = json.loads(path.read_text())
        fingerprint = known["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged; delete it to go on with this folder.") from error
    if fingerprint != config.fingerprint:
        here = {name: getattr(config, name) for name in ("clips", "frames", "size", "seed", "speech")}
        other = ", ".join(f"{name}={known[name]}" for name in here if known.get(name, here[name]) != here[name])
        raise UserError(
            f"{path.parent} holds a corpus made with other settings{f' ({other})' if other else ''}; "
            "choose another out= or empty it."
        )
    return True


def _check_vacant(config: SynthesisConfig, root: Path) -> None:
    """Refuses a folder without a record whose content is not of this corpus.

    Clips of a store are named by the fingerprint, which tells whose they are even where nothing else does.
    """
    if config.store:
        own = {store_id(config, part(config.cast, k)) for k in range(config.clips)}
        if any(id not in own for id, _ in clips_on_disk(root)):
            raise UserError(
                f"{root} is a store with clips of other settings or of something else; choose another out= or empty it."
            )
        return
    for folder in (root / "train", root / "test"):
        if folder.is_file() or (folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir())):
            raise UserError(f"{folder} holds files of something else; choose another out= or move them away.")


def _claim(config: SynthesisConfig) -> Path:
    """The folder, made or known to be of this corpus.

    Raises:
        UserError: it is a file, or holds something else; nothing in it has changed then.
    """
    root = Path(config.out)
    if root.is_file():
        raise UserError(f"synthesize: {root} is a file; out= must be a folder.")
    if config.store and (root / CORPUS_FILE).exists():
        raise UserError(f"{root} holds a corpus of mp4 files; a store needs a folder of its own, choose another out=.")
    if not config.store and ((root / STORE_FILE).exists() or (root / "store.json").exists()):
        raise UserError(f"{root} holds a clip store; mp4 files need a folder of their own, choose another out=.")
    path = root / (STORE_FILE if config.store else CORPUS_FILE)
    ours = _is_ours(config, path)
    if not ours:
        _check_vacant(config, root)
    if config.store:
        load_encoders(config)
    if not ours:
        with replacing(path) as hidden:
            hidden.write_text(json.dumps(_record(config), indent=1) + "\n", encoding="utf-8")
    if config.store:
        StoreWriter(root, store_spec(config))
    else:
        _sweep(root)
    return root


def _sweep(root: Path) -> None:
    """Removes what killed processes left half written; a call that is writing now touches its files all the time."""
    for folder in (root / "train", root / "test"):
        for path in folder.glob(".*"):
            with suppress(OSError):  # another call may have been faster
                if _HALF.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()


def synthesize(config: SynthesisConfig, progress: Progress | None = None) -> SynthesisReport:
    """Makes what is missing of the corpus; `progress(done, total)` is called after every clip.

    Killed at any point it leaves only whole clips, and the next call makes the rest. Frames, sound and curves depend on
    the configuration alone, never on `processes`.

    Raises:
        UserError: impossible settings, a folder of another corpus, a full disk, espeak-ng absent but asked for.
    """
    if config.speech != "formant" and not espeak.available():
        raise UserError(
            f"speech={config.speech} needs espeak-ng (Debian: apt install espeak-ng); speech=formant needs nothing."
        )
    began = time.perf_counter()
    _claim(config)
    parts = [part(config.cast, k) for k in range(config.clips)]
    todo = [p.index for p in parts if (lacks(config, p) if config.store else not is_done(config, p))]
    kept = len(parts) - len(todo)
    processes = max(1, min(config.processes or os.cpu_count() or 1, len(todo)))
    if progress:
        progress(kept, len(parts))
    for done, _ in enumerate(_finished(config, todo, processes), kept + 1):
        if progress:
            progress(done, len(parts))
    if config.store:
        StoreWriter(config.out, store_spec(config)).finish()
    test = sum(p.split == "test" for p in parts)
    seconds = time.perf_counter() - began
    return SynthesisReport(len(todo), kept, len(parts) - test, test, len(todo) * config.frames, seconds)


def clip_files(config: SynthesisConfig) -> list[Path]:
    """The mp4 files of the corpus in the order of their numbers."""
    return [files_of(config, part(config.cast, k))["mp4"] for k in range(config.clips)]
