"""An Animator from a resolved configuration, or from a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.devices import pick_device, pick_precision
from hallo_lit.animation.options import check_seed
from hallo_lit.animation.parts import weights_digest
from hallo_lit.animation.portrait import PortraitReader
from hallo_lit.animation.video_generator import Recipe
from hallo_lit.blocks.kernels import use_attention
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.sampler import Denoise
from hallo_lit.errors import UserError
from hallo_lit.faces.landmarks import Backend, FaceLandmarks
from hallo_lit.factory import OWN, build
from hallo_lit.weights.bundle import load_bundle

NETWORKS = ("model", "audio_encoder", "face_encoder")
# Keys of `hallo-lit animate` that say nothing about what a video looks like; its metadata and parts leave them out.
OF_A_CALL = ("portrait", "audio", "out", "manifest", "describe", "frames_dir", "resume")
DEFAULTS: Mapping[str, Any] = {
    "device": "auto",
    "precision": "fp32",
    "attention": "sdpa",
    "compile": False,
    "decode_chunk": 8,
    "landmarks": "face_mesh",
    "task_file": None,
    "crop_margin": 1.0,
    "frames": 14,
    "motion_frames": 2,
    "half_noise": False,
    "shared_noise": False,
    "liveliness": 1.0,
    "sway": 1.0,
    "photo_detail": False,
    "pose_weight": 1.0,
    "face_weight": 1.0,
    "lip_weight": 1.0,
    "process": {"_target_": "hallo_lit.diffusion.process.NoiseProcess"},
    "sampler": {"_target_": "hallo_lit.diffusion.sampler.Sampler"},
    "guidance": {"_target_": "hallo_lit.diffusion.guidance.JointGuidance"},
    "handover": {"_target_": "hallo_lit.animation.handover.PixelHandover", "_partial_": True},
}


def from_config(config: Mapping[str, Any], trust: Sequence[str] | None = OWN, seed: int = 0) -> Animator:
    """A model with random weights from `seed`, for trying things out; the keys are those of `hallo-lit animate`.

    Raises:
        UserError: a setting is unknown, or not possible on this machine.
    """
    check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hallo = build(config["model"], trust)
        encoders = [build(config[name], trust) for name in ("audio_encoder", "face_encoder")]
    return assemble(config, hallo, encoders[0], encoders[1], f"random (seed {seed}) {weights_digest(hallo)}", trust)


def from_bundle(where: str | Path, settings: Mapping[str, Any], trust: Sequence[str] | None = OWN) -> Animator:
    """The networks of a bundle with the bundle's own settings, except those in `settings`.

    Raises:
        UserError: see `weights.bundle.load_bundle`; or the bundle has no encoders.
    """
    merged = {**DEFAULTS, **settings}
    device, dtype = pick_device(merged["device"]), pick_precision(merged["precision"])
    bundle = load_bundle(where, device, dtype, trust=trust or OWN)
    config = {**DEFAULTS, **bundle.config, **settings, **{key: bundle.config.get(key) for key in NETWORKS}}
    for name in NETWORKS[1:]:
        if getattr(bundle, name) is None:
            raise UserError(f"Bundle {bundle.folder} has no {name}; import it again with the file that holds one.")
    if not isinstance(bundle.model, Hallo):
        raise UserError(f"Bundle {bundle.folder} holds a {type(bundle.model).__name__}, which cannot animate.")
    if bundle.model.audio_projection is None:
        raise UserError(
            f"Bundle {bundle.folder} does not hear: it holds the first stage alone; train stage=motion from it, and "
            "export that."
        )
    return assemble(config, bundle.model, bundle.audio_encoder, bundle.face_encoder, bundle.digest, trust)


def assemble(
    config: Mapping[str, Any],
    hallo: Hallo,
    audio_encoder: Any,
    face_encoder: Any,
    weights: str,
    trust: Sequence[str] | None = OWN,
) -> Animator:
    """Puts networks on their devices and everything else around them."""
    config = {**DEFAULTS, **config}
    if config["landmarks"] not in get_args(Backend):
        raise UserError(f"landmarks={config['landmarks']} is not known; choose one of {', '.join(get_args(Backend))}.")
    device, dtype = pick_device(config["device"]), pick_precision(config["precision"])
    hallo = hallo.to(device, dtype).eval().requires_grad_(False)
    use_attention(hallo, config["attention"], device)
    if isinstance(audio_encoder, nn.Module):
        audio_encoder.to(device).eval()
    recipe = make_recipe(config, hallo, trust)
    multiple = hallo.pixel_multiple
    size = picture_size(config, multiple)
    portraits = PortraitReader(
        face_encoder,
        size,
        multiple,
        partial(FaceLandmarks, config["landmarks"], config["task_file"]),
        released=hallo.quirks.eight_bit_masks,
        margin=float(config["crop_margin"]),
    )
    return Animator(
        hallo,
        audio_encoder,
        portraits,
        recipe,
        build(config["handover"], trust),
        compiled(hallo) if config["compile"] else None,
        settings={key: value for key, value in config.items() if key not in OF_A_CALL},
        weights=weights,
    )


def picture_size(config: Mapping[str, Any], multiple: int) -> tuple[int, int]:
    """(height, width) of the model's pictures.

    Raises:
        UserError: a side is not a multiple of what the networks halve.
    """
    sides = config.get("size") or {}
    height, width = (int(config.get(side) or sides[side]) for side in ("height", "width"))
    for name, side in (("height", height), ("width", width)):
        if side < multiple or side % multiple:
            near = max(multiple, round(side / multiple) * multiple)
            raise UserError(
                f"size.{name}={side} does not suit this model: it must be a multiple of {multiple}; use {near}."
            )
    return height, width


def make_recipe(config: Mapping[str, Any], hallo: Hallo, trust: Sequence[str] | None = OWN) -> Recipe:
    """How a configuration wants clips to be sampled.

    Raises:
        UserError: a value makes no sense, or clips are longer than the model's temporal positions.
    """
    config = {**DEFAULTS, **config}
    for name in ("pose_weight", "face_weight", "lip_weight", "cfg_scale", "liveliness", "sway"):
        if not isfinite(config.get(name) or 0):
            raise UserError(f"{name}={config[name]} must be an ordinary number.")
    for name, still in (("liveliness", "a still face"), ("sway", "a still head")):
        if not 0 <= float(config[name]) <= 2:
            raise UserError(f"{name}={config[name]}: give 0 ({still}) to 2.")
    recipe = Recipe(
        process=build(config["process"], trust),
        sampler=build(config["sampler"], trust),
        guidance=build(config["guidance"], trust),
        region_scale=(float(config["pose_weight"]), float(config["face_weight"]), float(config["lip_weight"])),
        clip_frames=int(config["frames"]),
        motion_frames=int(config["motion_frames"]),
        decode_chunk=int(config["decode_chunk"]),
        half_noise=bool(config["half_noise"]),
        shared_noise=bool(config["shared_noise"]),
        liveliness=float(config["liveliness"]),
        sway=float(config["sway"]),
        photo_detail=bool(config["photo_detail"]),
    )
    for name, value, least in (("frames", recipe.clip_frames, 1), ("motion_frames", recipe.motion_frames, 0)):
        if value < least:
            raise UserError(f"{name}={value}: at least {least} is needed.")
    if recipe.clip_frames < recipe.motion_frames:
        raise UserError(
            f"frames={recipe.clip_frames} is less than motion_frames={recipe.motion_frames}, "
            "which every clip takes from the one before; use more frames."
        )
    if recipe.process.prior is not None and not recipe.process.prior.known:
        raise UserError("process.prior.spread=null is measured in training; give numbers, or weights that have them.")
    if recipe.decode_chunk < 1:
        raise UserError(f"decode_chunk={recipe.decode_chunk}: at least 1 is needed.")
    if recipe.sampler.steps > recipe.process.steps:
        raise UserError(f"sampler.steps={recipe.sampler.steps}: the process has {recipe.process.steps} steps at most.")
    for cell in hallo.denoiser.attention_cells():
        if cell.temporal is not None:
            room = cell.temporal.positions
            if recipe.clip_frames + recipe.motion_frames > room:
                raise UserError(
                    f"frames={recipe.clip_frames} and motion_frames={recipe.motion_frames} exceed the {room} positions "
                    "of this model; use fewer frames."
                )
            break
    return recipe


def compiled(hallo: Hallo) -> Denoise:
    """The denoiser under torch.compile; the first clip pays for it."""
    return torch.compile(hallo.denoiser)
