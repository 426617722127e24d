"""The job: every clip of a corpus once, on all cores, finished ones never twice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from hallo_lit.data.atomic import replacing
from hallo_lit.data.store import StoreWriter
from hallo_lit.data.synthetic import espeak
from hallo_lit.data.synthetic.clip import make_clip
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.corpus import FPS, part
from hallo_lit.data.synthetic.deliver import files_of, is_done, write_files
from hallo_lit.data.synthetic.into_store import lacks, load_encoders, store_spec, write_to_store
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.workers import begin_worker
from hallo_lit.errors import UserError

CORPUS_FILE = "corpus.json"
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


def _claim(config: SynthesisConfig) -> Path:
    """The folder, made or known to be of this corpus."""
    root = Path(config.out)
    if root.is_file():
        raise UserError(f"synthesize: {root} is a file; out= must be a folder.")
    if config.store:
        load_encoders(config)
        StoreWriter(root, store_spec(config))
        return root
    path = root / CORPUS_FILE
    if path.exists():
        try:
            known = json.loads(path.read_text())["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged; delete it to go on with this folder.") from error
        if known != config.fingerprint:
            raise UserError(f"{root} holds a corpus made with other settings; choose another out= or empty it.")
        return root
    record = {
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
    with replacing(path) as hidden:
        hidden.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return root


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
