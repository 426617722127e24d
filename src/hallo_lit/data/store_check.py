"""Is a store whole? What `hallo-lit preprocess check STORE` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hallo_lit.data.atomic import HIDDEN
from hallo_lit.data.clip_file import ClipHeader, digest_file, digest_tensors, read_header, read_tensors
from hallo_lit.data.features import VIDEO, checked
from hallo_lit.data.index import Index, clip_path, clips_on_disk, refresh
from hallo_lit.data.spec import StoreSpec
from hallo_lit.data.store_reader import soundless
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class StoreReport:
    """What a check found."""

    clips: int
    frames: int
    identities: int
    features: dict[str, int]  # how many clips have each
    encoders: dict[str, str]
    bytes: int
    problems: list[str]  # damaged, missing or altered files: these clips cannot be trusted
    notes: list[str]  # nothing lost: an index that lags, leftovers of killed runs, stale features

    @property
    def ok(self) -> bool:
        return not self.problems

    def summary(self) -> str:
        """A few lines for a terminal."""
        features = ", ".join(f"{name} {count}" for name, count in sorted(self.features.items()))
        return "\n".join(
            [
                f"{self.clips} clips, {self.frames} frames, {self.identities} identities, {self.bytes / 2**20:.1f} MiB",
                f"features: {features or 'none'}",
                *(f"  {feature} by {encoder}" for feature, encoder in sorted(self.encoders.items())),
                *(f"note: {note}" for note in self.notes),
                *(f"PROBLEM: {problem}" for problem in self.problems),
                "the store is whole" if self.ok else f"{len(self.problems)} problems",
            ]
        )


def check_store(root: Path | str, deep: bool = True, repair: bool = False) -> StoreReport:
    """Opens every clip; `deep` also compares the digest of every byte, `repair` renews the index and removes debris.

    Damaged clips are only reported, never deleted. Repair only when nothing is writing to the store.

    Raises:
        UserError: the folder is no store.
    """
    root = Path(root)
    spec, index = StoreSpec.load(root), Index.load(root)
    problems: list[str] = []
    notes: list[str] = []
    frames, size, silent, identities = 0, 0, 0, set()
    features, stale = Counter[str](), Counter[str]()
    for id, (length, _) in clips_on_disk(root):
        size += length
        try:
            path = clip_path(root, id)
            header = read_header(path)
            problems += _faults(path, header, deep)
        except UserError as error:
            problems.append(str(error))
            continue
        features.update(header.features)
        mute = soundless(header)
        silent += mute
        stale.update(spec.missing(frozenset(header.features), header.encoders) - ({"audio"} if mute else set()))
        frames, size = frames + header.frames, size + header.video_bytes
        identities.add(header.identity)
    fresh, _ = refresh(root, index)
    if index is None or [index[i] for i in _rows(index)] != [fresh[i] for i in _rows(fresh)]:
        notes.append("the index lags behind the clips; the next run, or check with repair=true, brings it up to date")
    gone = {index.id(i) for i in _rows(index)} - {fresh.id(i) for i in _rows(fresh)} if index else set()
    problems += [f"{clip_path(root, id)} is gone or damaged; preprocess again." for id in sorted(gone)]
    debris = sorted(_debris(root))
    notes += [f"{count} clips lack {feature} or hold that of an older encoder" for feature, count in stale.items()]
    if silent:
        notes.append(f"{silent} clips have no sound and so no audio features; filters.sound=required takes them out")
    if debris:
        notes.append(f"{len(debris)} leftovers of interrupted runs" + (" removed" if repair else ""))
    if repair:
        fresh.save(root)
        for path in debris:
            path.unlink()
    encoders = {feature: str(encoder) for feature, encoder in spec.encoders.items()}
    return StoreReport(len(fresh), frames, len(identities), dict(features), encoders, size, problems, notes)


def _rows(index: Index) -> range:
    return range(len(index))


def _faults(path: Path, header: ClipHeader, deep: bool) -> Iterator[str]:
    """Sentences about one clip whose header can be read."""
    video = path.with_suffix(".mp4")
    if VIDEO in header.features:
        if video.is_symlink() or not video.is_file():
            yield f"{video} is gone; preprocess again."
        elif video.stat().st_size != header.video_bytes or (deep and digest_file(video) != header.video_digest):
            yield f"{video} was altered after it was written; delete it and preprocess again."
    if deep:
        tensors = read_tensors(path)
        if digest_tensors(tensors) != header.digest:
            yield f"{path} was altered after it was written; delete it and preprocess again."
        checked(tensors, header.frames, header.size, str(path))


def _debris(root: Path) -> Iterator[Path]:
    """Half-written files, videos without a clip, and whatever lies in the scratch folder."""
    for folder in (root / "tmp", root, *(root / "clips").glob("*")):
        if folder.is_symlink() or not folder.is_dir():
            continue
        for path in folder.iterdir():
            lost_video = (
                path.suffix == ".mp4"
                and folder.parent.name == "clips"
                and not path.with_suffix(".safetensors").exists()
            )
            if path.is_file() and (path.name.startswith(HIDDEN) or lost_video or folder.name == "tmp"):
                yield path
