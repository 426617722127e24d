"""Finished clips to disk: mp4 files with their truth beside them, or straight into a clip store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from hallo_lit.data.atomic import replacing
from hallo_lit.data.store import ClipItem, Encoder, StoreSpec, StoreWriter, content_id
from hallo_lit.data.synthetic.clip import Clip
from hallo_lit.data.synthetic.close_up import close_up
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.corpus import FPS, Part
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.landmarks import EXACT
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS, bounds, region_masks
from hallo_lit.factory import build

FACE_RATIO, LIP_RATIO = 1.2, 2.0


def truth(clip: Clip) -> dict[str, Any]:
    """Everything about a clip that is no array, plain JSON values."""
    who = clip.part.who
    return {
        "split": clip.part.split,
        "person": clip.part.person,
        "female": who.female,
        "age": round(who.age, 1),
        "hair": who.style,
        "voice": clip.spoken.voice,
        "sentences": list(clip.spoken.sentences),
        "phonemes": [phone.name for phone in clip.spoken.phones],
        "curves": list(CONTROLS),
        "exact_landmarks": list(EXACT),
    }


def files_of(config: SynthesisConfig, part: Part) -> dict[str, Path]:
    """Where the files of a clip lie; the json is written last, so it tells that the clip is whole."""
    stem = Path(config.out) / part.split / part.name
    return {kind: stem.with_suffix(f".{kind}") for kind in ("mp4", "safetensors", "json")}


def is_done(config: SynthesisConfig, part: Part) -> bool:
    """Whether this very clip lies on disk, whole."""
    if config.store:
        writer = StoreWriter(config.out, store_spec(config))
        return not writer.missing(store_id(config, part))
    files = files_of(config, part)
    if not all(path.is_file() for path in files.values()):
        return False
    try:
        return bool(json.loads(files["json"].read_text())["fingerprint"] == config.fingerprint)
    except (ValueError, KeyError, TypeError):
        return False


def write_files(config: SynthesisConfig, clip: Clip) -> None:
    """The mp4, its arrays and its description."""
    import torch

    from hallo_lit.media.video import VideoWriter

    files = files_of(config, clip.part)
    files["json"].parent.mkdir(parents=True, exist_ok=True)
    record = {"fingerprint": config.fingerprint, "fps": FPS, "frames": len(clip.curves), **truth(clip)}
    about = {"made_by": "hallo-lit synthesize", "seed": config.seed, "clip": clip.part.index, "split": clip.part.split}
    size = (clip.look.size, clip.look.size)
    with VideoWriter(files["mp4"], size, FPS, torch.from_numpy(clip.spoken.samples), about) as writer:
        for frame in clip.frames():
            writer.write(frame)
    arrays = {"curves": clip.curves, "landmarks": clip.landmarks(), "phoneme_times": clip.phone_times()}
    with replacing(files["safetensors"]) as path:
        path.write_bytes(save(arrays, {"sample_rate": str(SAMPLE_RATE)}))
    with replacing(files["json"]) as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def store_spec(config: SynthesisConfig) -> StoreSpec:
    """What the store shall hold of every clip."""
    masks = {"_target_": "region_masks", "face": FACE_RATIO, "lip": LIP_RATIO}
    encoders = {name: Encoder.of(masks) for name in ("regions", "locator")}
    if config.audio_encoder:
        encoders["audio"] = Encoder.of(config.audio_encoder)
    if config.face_encoder:
        encoders["identity"] = Encoder.of(config.face_encoder)
    features = ("pixels", "regions", "boxes", "locator", "curves", "landmarks", "phonemes")
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
def _encoder(config: str) -> Any:
    return build(json.loads(config), trust=None)


def _plain(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)


def write_to_store(config: SynthesisConfig, clip: Clip) -> None:
    """The clip's frames, masks, curves and features as one entry of the store."""
    whole, points = np.stack(list(clip.frames())), clip.landmarks()
    pixels, landmarks, size = whole, points, config.size
    if config.close_up:
        size = config.close_up_size
        pixels, landmarks = close_up(whole, points, config.close_up, size, clip.part.generator(4))
    tensors: dict[str, Any] = {
        "pixels": pixels,
        **geometry(landmarks, size),
        "curves": clip.curves,
        "landmarks": landmarks,
        "phoneme_times": clip.phone_times(),
    }
    if config.audio_encoder:
        import torch

        features = _encoder(_plain(config.audio_encoder))(torch.from_numpy(clip.spoken.samples), len(pixels))
        tensors["audio"] = features.cpu().numpy().astype(np.float16)
    if config.face_encoder:
        yaw, pitch = (clip.curves[:, CONTROLS.index(name)] for name in ("yaw", "pitch"))
        best = int(np.argmin(np.abs(yaw) + np.abs(pitch)))
        identity = _encoder(_plain(config.face_encoder))(whole[best], points[best].astype(np.float64))
        tensors["identity"] = identity.cpu().numpy().astype(np.float32)
    item = ClipItem(
        source=f"synthetic {config.seed}/{clip.part.name}",
        identity=clip.part.person,
        frames=len(pixels),
        size=(size, size),
        tensors=tensors,
        id=store_id(config, clip.part),
        fps=FPS,
        split=clip.part.split,
        metadata=truth(clip),
    )
    StoreWriter(config.out, store_spec(config)).add(item, replace=True)
