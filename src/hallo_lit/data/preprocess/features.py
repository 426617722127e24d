"""What training needs of a clip, made from its stored mp4 and landmarks alone, so that any part can be made anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hallo_lit.data.encoders import build_encoder
from hallo_lit.data.preprocess.settings import Features
from hallo_lit.data.spec import Encoder, StoreSpec
from hallo_lit.errors import UserError
from hallo_lit.faces.landmarks import yaw_pitch_roll
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS, bounds, region_masks, released_box, union_masks
from hallo_lit.factory import build
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import read_clip, read_frames

GEOMETRY = ("regions", "locator", "boxes")


def store_spec(settings: Features) -> StoreSpec:
    """Which features a clip shall have, and what makes them."""
    masks = {"_target_": f"{settings.regions}_masks", "face": settings.face_ratio, "lip": settings.lip_ratio}
    encoders = {name: Encoder.of(masks) for name in ("regions", "locator")}
    encoders |= {name: Encoder.of(config) for name, config in configured(settings).items()}
    return StoreSpec(("video", "landmarks", *GEOMETRY, *configured(settings)), encoders)


def configured(settings: Features) -> dict[str, dict[str, Any]]:
    """Feature -> configuration of its encoder, of those that are switched on."""
    audio = dict(settings.audio) if settings.audio else None
    if audio and settings.separator:
        audio["separator"] = dict(settings.separator)
    given = {"audio": audio, "identity": settings.identity, "latents": settings.latents}
    return {name: dict(config) for name, config in given.items() if config}


class Encoders:
    """The networks behind audio, identity and latents, loaded when first needed, once per process."""

    def __init__(self, settings: Features) -> None:
        self.settings = settings

    def load(self) -> None:
        """Loads all that are switched on, so that what is missing is known before the first video.

        Raises:
            UserError: weights that are not there, a configuration that is wrong.
        """
        for name in configured(self.settings):
            getattr(self, name)
        if self.settings.separator:
            _ = self.separator

    @cached_property
    def audio(self) -> Any:
        return _on(build_encoder(self.settings.audio or {}, "audio_encoder"), self.settings.device)

    @cached_property
    def separator(self) -> Any:
        return _on(build(self.settings.separator, trust=None), self.settings.device)

    @cached_property
    def identity(self) -> Any:
        return _on(build_encoder(self.settings.identity or {}, "face_encoder"), self.settings.device)

    @cached_property
    def latents(self) -> Any:
        return _on(build(self.settings.latents, trust=None), self.settings.device)

    def compute(self, wanted: Iterable[str], video: Path, landmarks: np.ndarray) -> dict[str, np.ndarray]:
        """Tensors of the features `wanted` for a cropped mp4 and its landmarks (F, 478, 3)."""
        wanted = set(wanted)
        tensors: dict[str, np.ndarray] = {}
        if wanted & set(GEOMETRY):
            size = read_clip(video, 0, 1).shape[1:3]
            made = geometry(landmarks, (size[0], size[1]), self.settings)
            tensors |= {name: made[name] for name in GEOMETRY if name in wanted}
        with torch.inference_mode():
            if "audio" in wanted:
                tensors["audio"] = self._audio(read_audio(video, allow_silence=True), len(landmarks))
            if "identity" in wanted:
                tensors["identity"] = self._identity(video, landmarks)
            if "latents" in wanted:
                tensors |= self._latents(video)
        return tensors

    def _audio(self, wave: Tensor, frames: int) -> np.ndarray:
        if self.settings.separator:
            wave = self.separator(wave)
        return np.asarray(self.audio(wave, frames).cpu().numpy(), np.float16)

    def _identity(self, video: Path, landmarks: np.ndarray) -> np.ndarray:
        best = frontal(landmarks)
        return np.asarray(self.identity(read_clip(video, best, 1)[0], landmarks[best]).cpu().numpy(), np.float32)

    def _latents(self, video: Path) -> dict[str, np.ndarray]:
        means, stds = [], []
        for images in _chunks(read_frames(video), self.settings.chunk):
            pixels = torch.from_numpy(images).to(self.settings.device).movedim(-1, 1).float().div(127.5).sub(1)
            mean, std = self.latents.moments(pixels)
            means.append(mean.cpu().numpy().astype(np.float16))
            stds.append(std.cpu().numpy().astype(np.float16))
        return {"latents_mean": np.concatenate(means), "latents_std": np.concatenate(stds)}


@lru_cache(maxsize=1)
def _encoders(text: str) -> Encoders:
    return Encoders(Features(**json.loads(text)))


def encoders_of(settings: Features) -> Encoders:
    """One set per process and configuration: loading costs more than most videos."""
    return _encoders(json.dumps(asdict(settings)))


def geometry(landmarks: np.ndarray, size: tuple[int, int], settings: Features) -> dict[str, np.ndarray]:
    """Masks of the whole clip and boxes of every frame.

    Returns:
        regions (3, h, w) uint8; locator (4,) and boxes (F, 2, 4) for face and lip: left, top, right, bottom, pixels.
    """
    if settings.regions == "union":
        masks = union_masks(landmarks[outermost(landmarks, size, settings.face_ratio)], size, settings.face_ratio)
    else:
        masks = region_masks(landmarks, size, settings.face_ratio, settings.lip_ratio)
    rows, columns = (np.flatnonzero(masks.locator.any(axis=axis)) for axis in (1, 0))
    boxes = [[bounds(face, FACE_OVAL), bounds(face, OUTER_LIPS)] for face in landmarks]
    return {
        "regions": masks.regions,
        "locator": np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32),
        "boxes": np.array(boxes, np.float32),
    }


def outermost(landmarks: np.ndarray, size: tuple[int, int], ratio: float) -> list[int]:
    """The few frames whose union of boxes is that of all frames, so that memory does not grow with their number."""
    chosen: set[int] = set()
    for subset in (FACE_OVAL, OUTER_LIPS):
        boxes = np.array([released_box(face, subset, size, ratio) for face in landmarks])
        chosen |= {*boxes[:, :2].argmin(0).tolist(), *boxes[:, 2:].argmax(0).tolist()}
        chosen |= set(np.flatnonzero((boxes < 0).any(axis=1)).tolist())  # wrap around in the original's way
    return sorted(chosen)


def frontal(landmarks: np.ndarray) -> int:
    """The frame whose face looks most into the camera."""
    return int(np.argmin([float(np.abs(yaw_pitch_roll(face)[:2]).sum()) for face in landmarks]))


def _chunks(frames: Iterator[np.ndarray], count: int) -> Iterator[np.ndarray]:
    while chunk := list(islice(frames, count)):
        yield np.stack(chunk)


def _on(module: Any, device: str) -> Any:
    """Networks go to the device and are frozen; what is no network stays as it is."""
    if not isinstance(module, torch.nn.Module):
        return module
    try:
        return module.to(device).eval().requires_grad_(False)
    except (RuntimeError, AssertionError) as error:  # AssertionError: PyTorch was built without it
        why = next(iter(str(error).splitlines()), "").split(". ")[0]
        raise _unusable(device, why or type(error).__name__) from error


def check_device(name: str, here: bool) -> None:
    """Refuses what is no device; with `here` also one that this machine lacks.

    Raises:
        UserError: one sentence that names it.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _unusable(name, "PyTorch knows no such device") from error
    if device.type == "meta":
        raise _unusable(name, "it computes nothing")
    if here and device.type == "cuda":  # without making a context here, which takes memory from the workers
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or (device.index or 0) >= count:
            raise _unusable(name, f"PyTorch finds {count} GPUs on this machine")
    elif here:
        try:
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise _unusable(name, "this machine has none, or PyTorch was built without it") from error


def _unusable(device: str, why: str) -> UserError:
    return UserError(f"features.device={device} cannot be used ({why}); choose another, such as cpu.")
