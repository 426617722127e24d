"""Writing a clip store: any number of processes at once, each clip whole or absent."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from hallo_lit.data.atomic import cannot_write, replacing
from hallo_lit.data.clip_file import ClipHeader, digest_file, digest_tensors, read_header, read_tensors, write_clip
from hallo_lit.data.features import TENSORS, checked, features_of
from hallo_lit.data.index import SPLITS, Index, clip_path, refresh
from hallo_lit.data.spec import Encoder, StoreSpec
from hallo_lit.errors import UserError


def content_id(*parts: str | bytes | Path | np.ndarray) -> str:
    """32 hex digits that name content: a Path stands for the bytes of its file, never for its name."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, Path):
            own = digest_file(part)
        elif isinstance(part, np.ndarray):
            own = digest_tensors({"": part})
        else:
            blob = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            own = hashlib.blake2b(blob, digest_size=16).hexdigest()
        total.update(own.encode())
    return total.hexdigest()


@dataclass(frozen=True)
class ClipItem:
    """One clip to store. Lists of what `tensors` may hold: `hallo_lit.data.features.TENSORS`."""

    source: str
    identity: str
    frames: int
    size: tuple[int, int]  # height, width of the crop in pixels
    tensors: Mapping[str, Any] = field(default_factory=dict)  # NumPy arrays or CPU tensors
    video: Path | None = None  # the cropped mp4: copied, or moved when it lies in the writer's `scratch`
    id: str = ""  # made by content_id from what is known before any work is done; "" = made from the pixels
    fps: float = 25.0
    split: str = ""
    start: float = 0.0  # seconds into the source
    metadata: Mapping[str, Any] = field(default_factory=dict)  # plain JSON values


class StoreWriter:
    """Adds clips to a store, which is created when absent; several processes may write at once, killed ones do no harm.

    `spec` tells what makes the features from now on: clips whose features came from another encoder become stale. One
    that asks for no features leaves what the store asked for so far.

    Raises:
        UserError: the folder cannot be written or holds a store of a newer format.
    """

    def __init__(self, root: Path | str, spec: StoreSpec) -> None:
        self.root = Path(root)
        old = StoreSpec.load(self.root) if (self.root / "store.json").exists() else None
        features = spec.features or (old.features if old else ())
        self.spec = StoreSpec(features, {**(old.encoders if old else {}), **spec.encoders})
        if self.spec != old:
            self.spec.save(self.root)

    @property
    def scratch(self) -> Path:
        """A folder inside the store for files in the making; a video here is moved into place, not copied."""
        folder = self.root / "tmp"
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return folder

    def header(self, id: str) -> ClipHeader | None:
        """What is on disk under this id; None when absent or damaged."""
        try:
            return read_header(clip_path(self.root, id))
        except UserError:
            return None

    def missing(self, id: str) -> frozenset[str]:
        """The features that this clip still lacks or that another encoder made; empty means nothing to do."""
        header = self.header(id)
        return (
            self.spec.missing(frozenset(header.features), header.encoders)
            if header
            else self.spec.missing(frozenset(), {})
        )

    def add(self, item: ClipItem, replace: bool = False) -> str:
        """Stores the clip and returns its id; features already there from the same encoders are not written again.

        A clip known under this id keeps the features that `item` does not bring. `replace` overwrites those it brings.

        Raises:
            UserError: tensors that do not fit (see `features.checked`), a full disk, a split other than train or test.
        """
        where = f"{item.source} ({item.start:g} s)"
        if item.frames < 1 or item.split not in SPLITS:
            raise UserError(f"{where}: a clip needs at least one frame and a split of 'train', 'test' or ''.")
        tensors = checked(item.tensors, item.frames, item.size, where)
        id = item.id or self._own_id(item, tensors)
        path = clip_path(self.root, id)
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise UserError(f"{path.parent} is a link that leads out of the store; remove it.")
        brought = features_of(tensors, item.video is not None)
        encoders = {f: self.spec.encoders[f] for f in brought if f in self.spec.encoders}
        old = self.header(id)
        if (
            old is not None
            and not replace
            and brought <= set(old.features)
            and all(old.encoders.get(f) == encoders.get(f) for f in brought)
        ):
            return id
        if old is not None:
            kept = {n: t for n, t in read_tensors(path).items() if TENSORS[n].feature not in brought}
            tensors = checked({**kept, **tensors}, item.frames, item.size, where)
            encoders = {**{f: e for f, e in old.encoders.items() if f not in brought}, **encoders}
        with writing(self.root):
            self._write(item, id, tensors, encoders, old)
        return id

    def _write(
        self,
        item: ClipItem,
        id: str,
        tensors: Mapping[str, np.ndarray],
        encoders: Mapping[str, Encoder],
        old: ClipHeader | None,
    ) -> None:
        """Video, then tensors: the clip is there when both are."""
        video_bytes, video_digest = (old.video_bytes, old.video_digest) if old else (0, "")
        if item.video is not None:
            video_bytes, video_digest = self._take_video(item.video, clip_path(self.root, id, ".mp4"))
        header = ClipHeader(
            source=item.source,
            identity=item.identity,
            frames=item.frames,
            fps=float(item.fps),
            size=(int(item.size[0]), int(item.size[1])),
            split=item.split,
            start=float(item.start),
            features=tuple(sorted(features_of(tensors, video_bytes > 0))),
            encoders=encoders,
            video_bytes=video_bytes,
            video_digest=video_digest,
            digest=digest_tensors(tensors),
            metadata={**(old.metadata if old else {}), **item.metadata},
        )
        write_clip(clip_path(self.root, id), header, tensors)

    def finish(self) -> list[str]:
        """Brings the index up to date with the clips of all writers; returns one sentence per clip that cannot be read.

        Cheap to call often: only clips that changed since the last time are opened.
        """
        with self._index_lock():
            old = Index.load(self.root)
            index, faults = refresh(self.root, old)
            if old is None or not _equal(old, index):
                index.save(self.root)
        return faults

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    @contextmanager
    def _index_lock(self) -> Iterator[None]:
        """One finisher at a time, so that the last one has seen the clips of all others (released by a killed one)."""
        path = self.root / "index.lock"
        try:
            file = path.open("w")
        except OSError as error:
            raise cannot_write(path, error) from error
        with file:
            with suppress(OSError):  # a file system without locks: at worst the index lags until the next finish
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _own_id(self, item: ClipItem, tensors: Mapping[str, np.ndarray]) -> str:
        if item.video is not None:
            return content_id(item.video)
        for name in ("pixels", "latents_mean"):
            if name in tensors:
                return content_id(tensors[name])
        raise UserError(f"{item.source}: a clip without video, pixels or latents needs an id (see content_id).")

    def _take_video(self, video: Path, place: Path) -> tuple[int, str]:
        with replacing(place) as part:
            if video.resolve().parent == (self.root / "tmp").resolve():
                video.replace(part)
            else:
                shutil.copyfile(video, part)
            return part.stat().st_size, digest_file(part)


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Whoever has files in the making in a store says so, that nobody clears them away; any number at once.

    A killed writer lets go by itself. File systems without locks protect nobody.

    Raises:
        UserError: the folder cannot be written.
    """
    with _write_lock(root) as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def unwritten(root: Path) -> Iterator[bool]:
    """True while nobody is `writing`, who then waits for the end of the block; False without waiting when somebody is.

    Raises:
        UserError: the folder cannot be written.
    """
    with _write_lock(root) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _write_lock(root: Path) -> IO[str]:
    path = root / "write.lock"
    try:
        root.mkdir(parents=True, exist_ok=True)
        return path.open("w")
    except OSError as error:
        raise cannot_write(path, error) from error


def _equal(a: Index, b: Index) -> bool:
    return a.profiles == b.profiles and all(np.array_equal(a.columns[name], b.columns[name]) for name in b.columns)
