"""From checkpoints to a bundle that `Animator.from_pretrained` loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from hallo_lit.components.hallo import Hallo
from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
from hallo_lit.factory import build
from hallo_lit.stages.base import DiffusionStage
from hallo_lit.stages.checkpoint import TRUSTED, Checkpoint, checkpoint_in, read_checkpoint, rebuild
from hallo_lit.stages.run_card import run_card
from hallo_lit.weights.bundle import save_bundle
from hallo_lit.weights.bundled_encoder import is_described, original
from hallo_lit.weights.contents import ENCODERS as BUNDLED
from hallo_lit.weights.storage import save_tensors

# what of a run's configuration a bundle keeps: the networks, and how they are meant to be sampled
KEPT = (
    *("audio_encoder", "face_encoder", "process", "sampler", "guidance", "handover", "size"),
    *("frames", "motion_frames", "crop_margin", "photo_detail", "half_noise", "shared_noise"),
)
ENCODERS = ("face_encoder",)  # stages that train an encoder instead of an animator


def export(
    sources: Sequence[Path],
    out: Path,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
    trust: Sequence[str] = TRUSTED,
    notes: str = "",
) -> Path:
    """Writes the bundle `out` from one checkpoint of an animator and any of encoders, in any order.

    Averaged weights are taken where there are such; LoRA factors are added to the layers they sit beside. The model
    card says how the run went, followed by `notes` (Markdown). One encoder alone becomes a file, `out` ending in
    .safetensors, for `face_encoder.weights=FILE`.

    Raises:
        UserError: a file is unusable, none or several are of an animator, or `out` cannot be written.
    """
    opened = [read_checkpoint(checkpoint_in(source)) for source in sources]
    if len(opened) == 1 and opened[0].stage in ENCODERS and out.suffix == ".safetensors":
        return _export_encoder(opened[0], out, dtype, overwrite, trust)
    animators = [one for one in opened if one.stage not in (*ENCODERS, "codec")]
    if len(animators) != 1:
        given = ", ".join(f"{one.path} (stage={one.stage})" for one in opened) or "nothing"
        raise UserError(
            "weights export needs one checkpoint of a whole model (stage=motion, talking, identity and others), "
            "and may take one of stage=face_encoder beside it; one of stage=face_encoder alone becomes a file "
            f"(out=FILE.safetensors); given: {given}."
        )
    main = animators[0]
    stage = rebuild(main, trust)
    network = stage.product()
    if not isinstance(network, Hallo):
        raise UserError(f"{main.path} holds a {type(network).__name__}, which cannot animate.")
    kept = {key: main.config[key] for key in KEPT if main.config.get(key) is not None}
    encoders: dict[str, nn.Module] = {}
    for name in BUNDLED:
        if is_described(kept.get(name)):
            kept[name], made = original(kept[name])
            encoders |= {name: made} if isinstance(made, nn.Module) else {}
        elif (kept.get(name) or {}).get("weights"):  # a file of ours comes along
            encoders[name] = build(kept[name], trust)
            kept[name] = {**kept[name], "weights": None}
        elif "seed" in (kept.get(name) or {}):  # no later version need draw the same numbers
            encoders[name] = build(kept[name], trust)
    encoders |= {one.stage: _encoder(one, main, trust) for one in opened if one.stage in ENCODERS}
    if isinstance(stage, DiffusionStage) and stage.prior is not None:
        prior = {**kept["process"]["prior"], "spread": stage.prior.to_plain()}
        kept["process"] = {**kept["process"], "prior": prior}
    config = {"model": main.config["stage"]["network"], **kept}
    told = f"{run_card(main)}\n\n{notes}"
    return save_bundle(out, network, config, encoders, dtype=dtype, overwrite=overwrite, notes=told)


def _export_encoder(
    checkpoint: Checkpoint, out: Path, dtype: torch.dtype | None, overwrite: bool, trust: Sequence[str]
) -> Path:
    """
    Raises:
        UserError: `out` is in the way or cannot be written.
    """
    if out.exists() and not overwrite:
        raise UserError(f"{out} exists already; set overwrite=true to replace it, or name another file.")
    state = rebuild(checkpoint, trust).product().state_dict()
    with replacing(out) as part:
        save_tensors(part, state, dtype, {"part": checkpoint.stage})
    return out


def _encoder(checkpoint: Checkpoint, main: Checkpoint, trust: Sequence[str]) -> nn.Module:
    """
    Raises:
        UserError: the animator was trained with another shape of encoder.
    """
    ours, theirs = (_shape(one.config.get(checkpoint.stage)) for one in (checkpoint, main))
    if ours != theirs:
        raise UserError(f"{checkpoint.path} is another {checkpoint.stage} than {main.path} was trained with.")
    return rebuild(checkpoint, trust).product()


def _shape(config: object) -> object:
    if not isinstance(config, Mapping):
        return config
    return {key: value for key, value in config.items() if key not in ("seed", "weights")}
