"""Import of the data lists that the original's scripts make, so that nobody preprocesses twice.

Stage 1: [{image_path (folder of %04d.png), mask_path, face_emb}]. Stage 2: [{video_path, mask_path, sep_mask_border,
sep_mask_face, sep_mask_lip, face_emb_path, audio_path, vocals_emb_base_all}].
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.clip_file import read_header
from hallo_lit.data.features import checked, features_of
from hallo_lit.data.index import clip_path
from hallo_lit.data.manifest import identity_of
from hallo_lit.data.spec import Encoder, StoreSpec
from hallo_lit.data.store_writer import ClipItem, StoreWriter, content_id, writing
from hallo_lit.errors import UserError
from hallo_lit.media.image import read_image
from hallo_lit.media.video import Encoding, VideoWriter, probe

LONGEST_DIFFERENCE = 3  # frames between pictures and audio features that the original's own scripts accept


@dataclass(frozen=True)
class ImportReport:
    """Ids of the clips that are in the store now, and one sentence for each entry that could not be used."""

    clips: tuple[str, ...]
    faults: tuple[str, ...]


def import_list(path: Path | str, store: Path | str, encoders: Mapping[str, Encoder] | None = None) -> ImportReport:
    """Copies what a stage-1 or stage-2 list names into a store; entries already there are left as they are.

    Videos are copied, folders of pictures become an mp4 at 25 fps. Paths are taken relative to the working directory,
    as by the original, else to the list. `encoders` names what made `audio` and `identity`, to be compared in training;
    an entry with features of another encoder than the store has cannot be used. Where none can, nothing is written.

    Raises:
        UserError: no such list, not one entry can be used, or the store cannot be read.
    """
    path = Path(path)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise ValueError
    except OSError as error:
        raise UserError(f"The list {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise UserError(f"{path} is not a JSON list as the original's scripts write it.") from error
    clips: list[str] = []
    faults: list[str] = []
    with _Target(Path(store), encoders or {}) as target:
        for number, entry in enumerate(entries, 1):
            try:
                clips.append(_take(_Files(entry, path.parent), target))
            except UserError as error:
                faults.append(f"{path}, entry {number}: {error}")
            except OSError as error:
                about = f" {error.filename}" if error.filename else ""
                faults.append(f"{path}, entry {number}:{about} cannot be read ({error.strerror or error}).")
    if not clips:
        raise UserError(f"Nothing in {path} can be used: {(*faults, 'the list is empty.')[0]}")
    return ImportReport(tuple(clips), tuple(faults))


class _Target(ExitStack):
    """The store that is imported into, touched when the first entry has proved usable.

    Raises:
        UserError: there is a store that cannot be read.
    """

    def __init__(self, root: Path, encoders: Mapping[str, Encoder]) -> None:
        super().__init__()
        self.root, self.encoders = root, encoders
        self._known = StoreSpec.load(root).encoders if (root / "store.json").exists() else {}
        self._noted: frozenset[str] = frozenset()
        self._writer: StoreWriter | None = None

    def has_video(self, id: str) -> bool:
        """Is the clip there, with its mp4?"""
        try:
            return read_header(clip_path(self.root, id)).video_bytes > 0
        except UserError:
            return False

    def writer(self, features: frozenset[str]) -> StoreWriter:
        """For a clip that brings these features, whose encoders are noted in the store.

        Raises:
            UserError: another encoder made those of the store, or it cannot be written.
        """
        brought = {feature: made for feature, made in self.encoders.items() if feature in features}
        for feature, made in brought.items():
            if (own := self._known.get(feature, made)) != made:
                raise UserError(
                    f"the store {self.root} holds {feature} features of {own}, and the list's are of {made}; "
                    "import into another store, or name the encoder that really made them."
                )
        first = self._writer is None
        if first:
            self.enter_context(writing(self.root))
        if self._writer is None or not brought.keys() <= self._noted:
            self._noted |= brought.keys()
            self._writer = StoreWriter(self.root, StoreSpec((), brought))
        if first:
            self.callback(self._writer.finish)
        return self._writer


class _Files:
    """The files one entry of a list names."""

    def __init__(self, entry: Any, folder: Path) -> None:
        if not isinstance(entry, dict):
            raise UserError("it is no object with paths.")
        self.entry, self.folder = entry, folder

    def __contains__(self, key: str) -> bool:
        return key in self.entry

    def __getitem__(self, key: str) -> Path:
        name = self.entry.get(key)
        if not isinstance(name, str) or not name:
            raise UserError(f"{key} is missing.")
        for path in (Path(name), self.folder / name):
            if path.exists():
                return path
        raise UserError(f"{key} {name} does not exist.")


def _take(files: _Files, target: _Target) -> str:
    """Id of the clip that is made of one entry."""
    if "video_path" in files:
        item = _video_item(files)
        checked(item.tensors, item.frames, item.size, item.source)
        return target.writer(features_of(item.tensors, True)).add(item)
    item, pictures = _pictures_item(files)
    checked(item.tensors, item.frames, item.size, item.source)
    new = not target.has_video(item.id)
    if new:
        _check_sizes(pictures)
    writer = target.writer(features_of(item.tensors, True))
    return writer.add(replace(item, video=_film(pictures, writer.scratch / f"{item.id}.mp4")) if new else item)


def _video_item(files: _Files) -> ClipItem:
    """Stage 2."""
    video, audio = files["video_path"], _embedding(files["vocals_emb_base_all"])
    info = probe(video)
    if abs(info.fps - 25) > 0.01 or info.variable_rate:
        raise UserError(f"{video} has {info.fps:g} frames per second and 25 are needed; preprocess it anew instead.")
    if abs(info.frames - len(audio)) > LONGEST_DIFFERENCE:
        raise UserError(f"{video} has {info.frames} frames and {len(audio)} rows of audio features.")
    frames, size = min(info.frames, len(audio)), (info.height, info.width)
    regions = [_mask(files[f"sep_mask_{region}"]) for region in ("border", "face", "lip")]
    if len({mask.shape for mask in regions}) != 1:
        raise UserError(f"the region masks of {video} differ in size.")
    tensors = {
        "audio": audio[:frames],
        "regions": np.stack(regions),
        "identity": _embedding(files["face_emb_path"]).reshape(-1),
        "locator": _box(files["mask_path"], size),
    }
    source = files.entry["video_path"]
    return ClipItem(source, identity_of(source), frames, size, tensors, video, content_id(video, "hallo stage 2"))


def _pictures_item(files: _Files) -> tuple[ClipItem, list[Path]]:
    """Stage 1: all but the video, and the pictures it is to be made of."""
    folder = files["image_path"]
    pictures = sorted(folder.glob("*.png"), key=_by_number)
    if not pictures:
        raise UserError(f"image_path {folder} holds no PNG pictures.")
    height, width = read_image(pictures[0]).shape[:2]
    size = (height + height % 2, width + width % 2)  # what the video will have
    source = files.entry["image_path"]
    id = content_id(*pictures)
    tensors = {
        "identity": _embedding(files["face_emb"]).reshape(-1),
        "locator": _box(files["mask_path"], (height, width)),
    }
    return ClipItem(source, identity_of(source), len(pictures), size, tensors, None, id), pictures


def _check_sizes(pictures: list[Path]) -> None:
    """Reads all pictures before anything is written.

    Raises:
        UserError: one is damaged, or of another size than the first.
    """
    height, width = read_image(pictures[0]).shape[:2]
    for picture in pictures[1:]:
        if (found := read_image(picture).shape[:2]) != (height, width):
            raise UserError(
                f"{picture} has {found[1]} x {found[0]} pixels and those before it {width} x {height}; "
                "pictures of one video must be of one size."
            )


def _film(pictures: list[Path], video: Path) -> Path:
    """Of pictures of one size."""
    height, width = read_image(pictures[0]).shape[:2]
    with VideoWriter(video, (height, width), encoding=Encoding(crf=10)) as film:
        for picture in pictures:
            film.write(read_image(picture))
    return video


def _by_number(path: Path) -> tuple[list[str | int], str]:
    """Sorts names as their numbers count: 9999 before 10000."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split("([0-9]+)", path.stem))], path.name


def _embedding(path: Path) -> np.ndarray:
    """A tensor, or the NumPy array that the original's face embeddings are; nothing else is unpickled."""
    allowed: list[Any] = [np.ndarray, np.dtype, type(np.dtype(np.float32)), type(np.dtype(np.float64))]
    rebuild = np.zeros(1).__reduce__()[0]
    allowed += [(rebuild, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")]  # NumPy 1 and 2
    try:
        with torch.serialization.safe_globals(allowed):
            value = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling raises anything
        raise UserError(f"{path} is not an embedding that can be read safely.") from error
    value = value.float().numpy() if isinstance(value, Tensor) else value
    if not isinstance(value, np.ndarray) or not value.size:
        raise UserError(f"{path} holds no embedding.")
    return value.astype(np.float32)


def _mask(path: Path) -> np.ndarray:
    return np.ascontiguousarray(read_image(path)[..., 0])


def _box(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Left, top, right, bottom of what is white in the face mask, in pixels of `size`."""
    mask = _mask(path) > 127
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    if not len(rows):
        raise UserError(f"the face mask {path} is empty.")
    down, across = size[0] / mask.shape[0], size[1] / mask.shape[1]
    return np.array([columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down])
