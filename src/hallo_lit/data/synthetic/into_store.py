"""Finished clips straight into a clip store, with masks, curves and features from the true geometry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.clip_file import read_tensors
from hallo_lit.data.encoders import build_encoder
from hallo_lit.data.features import TENSORS
from hallo_lit.data.index import clip_path
from hallo_lit.data.sound import pack
from hallo_lit.data.store import ClipItem, Encoder, StoreSpec, StoreWriter, content_id
from hallo_lit.data.synthetic.clip import Clip
from hallo_lit.data.synthetic.close_up import close_up
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.corpus import FPS, Part
from hallo_lit.data.synthetic.deliver import truth
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS, bounds, region_masks

FACE_RATIO, LIP_RATIO = 1.2, 2.0
HEARD = {"wave", "audio", "curves", "phonemes"}  # what no picture is needed for
KEPT = HEARD | {"identity"}  # what needs no picture but those already in the store


def store_spec(config: SynthesisConfig) -> StoreSpec:
    """What the store shall hold of every clip."""
    masks = {"_target_": "region_masks", "face": FACE_RATIO, "lip": LIP_RATIO}
    encoders = {name: Encoder.of(masks) for name in ("regions", "locator")}
    if config.audio_encoder:
        encoders["audio"] = Encoder.of(config.audio_encoder)
    if config.face_encoder:
        encoders["identity"] = Encoder.of(config.face_encoder)
    features = ("pixels", "regions", "boxes", "locator", "wave", "curves", "landmarks", "phonemes")
    return StoreSpec((*features, *sorted(set(encoders) - set(features))), encoders)


def store_id(config: SynthesisConfig, part: Part) -> str:
    """The clip's name in a store, known before it is made."""
    return content_id("synthetic", config.fingerprint, part.name)


def geometry(landmarks: NDArray[np.float32], size: int) -> dict[str, np.ndarray]:
    """Masks of the clip and boxes of every frame, from true landmarks (frames, 478, 3)."""
    points = landmarks.astype(np.float64)
    masks = region_masks(points, (size, size), FACE_RATIO, LIP_RATIO)
    rows, columns = np.nonzero(masks.locator.any(1))[0], np.nonzero(masks.locator.any(0))[0]
    locator = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    boxes = [[bounds(frame, FACE_OVAL), bounds(frame, OUTER_LIPS)] for frame in points]
    return {"regions": masks.regions, "locator": np.array(locator, np.float32), "boxes": np.array(boxes, np.float32)}


@cache
def _encoder(config: str, group: str) -> Any:
    return build_encoder(json.loads(config), group)


def load_encoders(config: SynthesisConfig) -> None:
    """So that what is missing is known before the first clip.

    Raises:
        UserError: an encoder cannot be made.
    """
    for group in ("audio_encoder", "face_encoder"):
        if getattr(config, group):
            _encoder(_plain(getattr(config, group)), group)


def _plain(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)


def lacks(config: SynthesisConfig, part: Part) -> frozenset[str]:
    """Features that the store does not hold of this clip, or holds from another encoder."""
    return StoreWriter(config.out, store_spec(config)).missing(store_id(config, part))


def write_to_store(config: SynthesisConfig, clip: Clip) -> None:
    """Adds to the store what it lacks of the clip; nothing is painted where only `KEPT` features are missing."""
    writer, id = StoreWriter(config.out, store_spec(config)), store_id(config, clip.part)
    todo, size = writer.missing(id), config.close_up_size if config.close_up else config.size
    tensors = {**_heard(config, clip, todo), **(_seen(config, clip, size) if todo - KEPT else {})}
    if "identity" in todo and config.face_encoder:
        seen = tensors if "pixels" in tensors else read_tensors(clip_path(Path(config.out), id))
        tensors["identity"] = _identity(config.face_encoder, clip, seen)
    item = ClipItem(
        source=f"synthetic {config.seed}/{clip.part.name}",
        identity=clip.part.person,
        frames=len(clip.curves),
        size=(size, size),
        tensors={name: tensor for name, tensor in tensors.items() if TENSORS[name].feature in todo},
        id=id,
        fps=FPS,
        split=clip.part.split,
        metadata=truth(clip),
    )
    writer.add(item, replace=True)


def _heard(config: SynthesisConfig, clip: Clip, todo: frozenset[str]) -> dict[str, Any]:
    frames, samples = len(clip.curves), clip.spoken.samples
    tensors: dict[str, Any] = {"wave": pack(samples, frames), "curves": clip.curves}
    tensors["phoneme_times"] = clip.phone_times()
    if "audio" in todo and config.audio_encoder:
        import torch

        features = _encoder(_plain(config.audio_encoder), "audio_encoder")(torch.from_numpy(samples), frames)
        tensors["audio"] = features.cpu().numpy().astype(np.float16)
    return tensors


def _seen(config: SynthesisConfig, clip: Clip, size: int) -> dict[str, Any]:
    whole, points = np.stack(list(clip.frames())), clip.landmarks()
    pixels, landmarks = whole, points
    if config.close_up:
        pixels, landmarks = close_up(whole, points, config.close_up, size, clip.part.generator(4))
    return {"pixels": pixels, **geometry(landmarks, size), "landmarks": landmarks}


def _identity(encoder: Mapping[str, Any], clip: Clip, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    """The embedding of the frame in which the head is turned least, as the store has it."""
    yaw, pitch = (clip.curves[:, CONTROLS.index(name)] for name in ("yaw", "pitch"))
    best = int(np.argmin(np.abs(yaw) + np.abs(pitch)))
    encode = _encoder(_plain(encoder), "face_encoder")
    embedded = encode(tensors["pixels"][best], tensors["landmarks"][best].astype(np.float64))
    return np.asarray(embedded.cpu().numpy(), np.float32)
