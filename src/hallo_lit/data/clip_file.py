"""One clip on disk: a safetensors file whose header says what the clip is, and a digest of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hallo_lit.data.atomic import replacing
from hallo_lit.data.features import features_of
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError


@dataclass(frozen=True)
class ClipHeader:
    """What is known of a clip without reading its tensors."""

    source: str  # name of the recording it was cut from, as its owner wrote it
    identity: str  # name of the person
    frames: int
    fps: float
    size: tuple[int, int]  # height, width of the crop in pixels
    split: str  # "train", "test" or "" (to be decided by the identity)
    start: float  # seconds into the recording
    features: tuple[str, ...]
    encoders: Mapping[str, Encoder]
    video_bytes: int = 0
    video_digest: str = ""
    digest: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def to_text(self) -> str:
        """ASCII JSON: also names that are not valid Unicode survive."""
        record = asdict(self)
        record["encoders"] = {feature: encoder.pair for feature, encoder in self.encoders.items()}
        return json.dumps(record)

    @classmethod
    def from_text(cls, text: str) -> ClipHeader:
        record = json.loads(text)
        record["encoders"] = {feature: Encoder(*pair) for feature, pair in record["encoders"].items()}
        record["size"], record["features"] = tuple(record["size"]), tuple(record["features"])
        return cls(**record)


def digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def digest_tensors(tensors: Mapping[str, np.ndarray]) -> str:
    """Of names, types, shapes and values, in the order of the names."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype} {array.shape};".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write_clip(path: Path, header: ClipHeader, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes the file whole or not at all; `header` must already carry the digest and the features of `tensors`."""
    blob = save(dict(tensors), {"clip": header.to_text()})
    with replacing(path) as part:
        part.write_bytes(blob)


@contextmanager
def open_clip(path: Path) -> Iterator[Any]:
    """The file mapped into memory; every way in which it can be damaged becomes one sentence."""
    try:
        with safe_open(path, framework="np") as file:
            yield file
    except FileNotFoundError as error:
        raise UserError(f"{path} is gone from the store; `hallo-lit preprocess check` lists what is left.") from error
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and preprocess again.") from error


def read_header(path: Path) -> ClipHeader:
    """Raises UserError when the file is not a whole clip."""
    with open_clip(path) as file:
        try:
            header = ClipHeader.from_text((file.metadata() or {})["clip"])
            names = set(file.keys())
            whole = set(header.features) == features_of(names, header.video_bytes > 0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path} has no clip description; delete it and preprocess again.") from error
    if not whole:
        raise UserError(f"{path} does not hold what its header promises; delete it and preprocess again.")
    return header


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    with open_clip(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
