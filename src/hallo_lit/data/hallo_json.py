"""Import of the data lists that the original's scripts make, so that nobody preprocesses twice.

Stage 1: [{image_path (folder of %04d.png), mask_path, face_emb}]. Stage 2: [{video_path, mask_path, sep_mask_border,
sep_mask_face, sep_mask_lip, face_emb_path, audio_path, vocals_emb_base_all}].
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.manifest import identity_of
from hallo_lit.data.spec import Encoder, StoreSpec
from hallo_lit.data.store_writer import ClipItem, StoreWriter, content_id
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
    as by the original, else to the list. `encoders` names what made `audio` and `identity`, to be compared in training.

    Raises:
        UserError: no such list, or not one entry can be used.
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
    with StoreWriter(store, StoreSpec((), encoders or {})) as writer:
        for number, entry in enumerate(entries, 1):
            try:
                clips.append(writer.add(_item(_Files(entry, path.parent), writer)))
            except UserError as error:
                faults.append(f"{path}, entry {number}: {error}")
    if not clips:
        raise UserError(f"Nothing in {path} can be used: {(*faults, 'the list is empty.')[0]}")
    return ImportReport(tuple(clips), tuple(faults))


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


def _item(files: _Files, writer: StoreWriter) -> ClipItem:
    return _video_item(files) if "video_path" in files else _pictures_item(files, writer)


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


def _pictures_item(files: _Files, writer: StoreWriter) -> ClipItem:
    """Stage 1."""
    folder = files["image_path"]
    pictures = sorted(folder.glob("*.png"))
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
    video = None
    if (known := writer.header(id)) is None or not known.video_bytes:
        video = writer.scratch / f"{id}.mp4"
        with VideoWriter(video, (height, width), encoding=Encoding(crf=10)) as film:
            for picture in pictures:
                film.write(read_image(picture))
    return ClipItem(source, identity_of(source), len(pictures), size, tensors, video, id)


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
