"""A store and a model so small that a training step takes milliseconds."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hallo_lit.cli.compose import compose, plain
from hallo_lit.data.sound import pack
from hallo_lit.data.store import ClipItem, Encoder, StoreSpec, StoreWriter
from hallo_lit.stages.running import make_data, make_stage
from hallo_lit.stages.shell import Stage
from hallo_lit.structs import ClipBatch

SIZE = 16  # pixels; latents are 8 x 8
SMALL = (
    "model=tiny",
    "fusion=hierarchical",
    "process=zero_snr_v",
    "audio_encoder=log_mel",
    "audio_encoder.layers=2",
    "audio_encoder.width=4",
    "face_encoder=conv",
    "face_encoder.width=12",
    "face_encoder.size=16",
    "face_encoder.channels=[8,8]",
    f"size.height={SIZE}",
    f"size.width={SIZE}",
    "size.unet.channels=[8]",
    "size.unet.attention=[true]",
    "size.unet.heads=2",
    "size.unet.context_dim=8",
    "size.unet.groups=4",
    "size.codec.channels=[8,8]",
    "size.codec.latent_channels=4",
    "size.codec.groups=4",
    "size.locator_widths=[4,8]",
    "size.identity_tokens=2",
    "size.audio_hidden=16",
    "size.audio_tokens=2",
    "size.audio_dim=8",
    "size.temporal_heads=2",
    "size.temporal_groups=4",
    "model.denoiser.zero_output=false",
    "frames=3",
    "motion_frames=1",
    "logger=none",
    "callbacks=none",
    "save_every=1000",
    "optimizer.lr=0.01",
    "init.fresh=['*']",
)
EMA = "+callbacks.ema={_target_: hallo_lit.stages.callbacks.ema.Ema, decay: 0.9}"
ALL = "stage.learning.trains=[reference_net.*,denoiser.*,audio_projection.*,identity_projection.*,face_locator.*]"
SPEC = StoreSpec(("audio",), {"audio": Encoder.of({"_target_": "some.package.LogMel", "bands": 4})})


def make_store(
    root: Path, clips: int = 4, frames: int = 24, latents: bool = False, landmarks: bool = False, sound: bool = False
) -> Path:
    """Smooth moving pictures, one person per clip; all in training."""
    rows = np.linspace(0, 1, SIZE)
    with StoreWriter(root, SPEC) as writer:
        for seed in range(clips):
            random = np.random.default_rng(seed)
            phase, colour = random.uniform(0, 6, 2), random.uniform(0.2, 1, 3)
            wave = np.sin(6 * rows[None, :, None] + phase[0] + 0.4 * np.arange(frames)[:, None, None])
            wave = (wave + np.cos(5 * rows + phase[1])) / 2
            made: dict[str, Any] = {
                "pixels": ((wave[..., None] * colour * 0.5 + 0.5) * 255).round().astype(np.uint8),
                "audio": random.normal(size=(frames, 2, 4)).astype(np.float16),
                "identity": random.normal(size=12).astype(np.float32),
                "locator": np.array([4, 4, 12, 12], np.float32),
                "curves": np.stack([np.sin(0.3 * np.arange(frames) + k + seed) for k in range(6)], 1),
                "regions": np.stack([np.full((8, 8), 255), np.eye(8) * 255, np.tri(8) * 200]).astype(np.uint8),
            }
            if latents:
                made["latents_mean"] = random.normal(size=(frames, 4, 8, 8)).astype(np.float16)
                made["latents_std"] = np.full_like(made["latents_mean"], 0.1)
            if landmarks:
                made["landmarks"] = (random.uniform(2, 14, (1, 478, 2)).repeat(frames, 0)).astype(np.float32)
            if sound:
                made["wave"] = pack(random.uniform(-0.5, 0.5, frames * 640), frames)
            who, size = f"p{seed}", (SIZE, SIZE)
            about = {"curves": ["open", "width", "round", "press", "tuck", "tongue"]}
            item = ClipItem(
                f"{who}/clip.mp4", who, frames, size, made, id=f"{seed:032x}", split="train", metadata=about
            )
            writer.add(item)
    return root


def settings(store: Path, *more: str) -> list[str]:
    """Overrides of `hallo-lit train`, the last one of a key counting."""
    chosen: dict[str, str] = {}
    base = (*SMALL, f"data.store={store}", f"paths.output_dir={store.parent}/out", "data.workers=0", "check_store=[]")
    single = ("frames=1", "motion_frames=0") if {"stage=appearance", "stage=codec"} & set(more) else ()
    for word in (*base, "data.batch_size=2", *single, *more):
        chosen[word.lstrip("+").partition("=")[0]] = word
    return list(chosen.values())


def config(store: Path, *more: str) -> dict[str, Any]:
    return deepcopy(_composed(tuple(settings(store, *more))))


@cache
def _composed(words: tuple[str, ...]) -> dict[str, Any]:
    made: dict[str, Any] = plain(compose("train", *words))
    return made


def stage_of(store: Path, *more: str) -> Stage:
    return make_stage(config(store, *more))


def batch_of(store: Path, *more: str, rows: tuple[int, ...] = (0, 1)) -> ClipBatch:
    """The first samples of the store as stage `more` gets them."""
    data: Any = make_data(config(store, *more))
    data.setup("fit")
    return ClipBatch.from_samples([data.train_set[row] for row in rows])


def weights_of(stage: Stage) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in stage.network.named_parameters()}
