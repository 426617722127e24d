"""Cases 07 and 08: the ReferenceNet's tokens, and one pass of the denoiser that reads them."""

from __future__ import annotations

from dataclasses import replace

import torch
from cases_parts import MASKS
from torch import Tensor
from vector_nets import PRECISE, RELEASED, hallo, reference_format, unet_config
from vector_set import Case, VectorSet

from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import ClipInputs, Conditioning, Drop, MaskPyramid, ReferenceTokens

NOT_RUN = "our ReferenceNet ends at its last tokens; nothing reads its sample"


def reference_unet(case: Case) -> None:
    net = hallo(case.vectors, PRECISE)
    order = execution_order(case.vectors, case.config["bank_order_sorted_by_width_desc_stable"])
    for variant in sorted({name.split(".")[1] for name in case.io if name.startswith("in.")}):
        latents, states = case[f"{variant}.latents"], case[f"{variant}.encoder_hidden_states"]
        recorded = {k: v for k, v in case.io.items() if k.startswith(f"out.{variant}.bank.")}
        rows = len(next(iter(recorded.values())))
        latents = latents.repeat(rows // len(latents), 1, 1, 1)
        tokens = net.reference_net(
            latents.unflatten(0, (len(states), -1)), net._identity_rows(states, rows // len(states) - 1)
        )
        bank = [torch.cat(pair, 1).flatten(0, 1) for pair in zip(tokens.portrait, tokens.motion, strict=True)]
        for name in recorded:
            case.check(name.removeprefix("out."), bank[order[int(name.rsplit(".", 1)[1])]])
        case.skip(f"{variant}.sample", NOT_RUN)


def execution_order(vectors: VectorSet, names: list[str]) -> list[int]:
    """For each recorded feature its place among our attention cells, found by renaming it like a weight."""
    net = hallo(vectors, PRECISE).reference_net
    places = {name: cell.index for name, cell in net.named_modules() if getattr(cell, "index", None) is not None}
    renamed = (reference_format(vectors).rename(f"{name}.norm1.weight") for name in names)
    return [places[name.split(".spatial.")[0]] for name in renamed]


def denoising_unet(case: Case) -> None:
    for quirks, suffix in ((RELEASED, ""), (PRECISE, "_bank_fp32")):
        net = hallo(case.vectors, quirks)
        cond = guided(net, case)
        case.check(f"cfg.sample{suffix}", predict(net, case, "cfg", cond))
        if quirks is RELEASED:
            scale = torch.ones_like(cond.region_scale)
            case.check("cfg.sample_no_motion_scale", predict(net, case, "cfg", replace(cond, region_scale=scale)))
        batch = len(case["nocfg.sample"])
        case.check(f"nocfg.sample{suffix}", predict(net, case, "nocfg", plain(net, case, Drop.none(batch))))
    case.check(
        "nocfg.sample_empty_bank",
        predict(net, case, "nocfg", plain(net, case, Drop.where(batch, ("portrait", "motion")))),
    )


def guided(net: Hallo, case: Case) -> Conditioning:
    """The unconditional and the conditional half side by side."""
    drop = Drop.cat([Drop.unconditional(1), Drop.none(1)])
    latents = case["cfg.ref_latents"].expand(2, *case["cfg.ref_latents"].shape)
    feature = case["cfg.mask_cond_fea"].transpose(1, 2)
    location = torch.cat([torch.zeros_like(feature), feature])
    scale = torch.tensor(unet_config(case.vectors)["cfg.motion_scale"])
    masks = pyramid(case, "cfg.", 1)
    masks = MaskPyramid(tuple(level.expand(2, -1, -1, -1) for level in masks.levels))
    return conditioning(
        net, latents, case["cfg.encoder_hidden_states"], case["cfg.audio"], location, masks, drop, scale
    )


def plain(net: Hallo, case: Case, drop: Drop) -> Conditioning:
    states, batch = case["nocfg.encoder_hidden_states"], len(drop.audio)
    latents = case["nocfg.ref_latents"].unflatten(0, (batch, -1))
    location = case["nocfg.mask_cond_fea"].transpose(1, 2)
    masks = pyramid(case, "nocfg.", batch)
    scale = torch.ones(len(MASKS))
    return conditioning(net, latents, states, case["nocfg.audio"], location, masks, drop, scale)


def conditioning(
    net: Hallo,
    latents: Tensor,
    states: Tensor,
    audio: Tensor,
    location: Tensor,
    masks: MaskPyramid,
    drop: Drop,
    scale: Tensor,
) -> Conditioning:
    """What `Hallo.prepare` and `Hallo.condition` make, from tokens that the case records instead of embeddings."""
    motion, frames = latents.shape[1] - 1, audio.shape[1]
    portrait = None
    if not drop.portrait.all():
        tokens = net.reference_net(latents, net._identity_rows(states, motion))
        portrait = net._tiled(
            net.denoiser.project_portrait(net._handed_over(ReferenceTokens(tokens.portrait, ()))), frames
        )
    inputs = ClipInputs(latents[:, 0], latents[:, 1:], audio, states, states, states)
    prepared = Prepared(latents[:, 0], states)
    return Conditioning(
        frames=frames,
        identity=states,
        region_scale=scale,
        audio=audio,
        masks=masks,
        location=location,
        portrait=portrait,
        keep_portrait=None if portrait is None else ~drop.portrait,
        motion=net._motion(inputs, prepared, drop),
    )


class Prepared:
    """The fields of PreparedPortrait that motion frames need."""

    def __init__(self, latents: Tensor, identity: Tensor) -> None:
        self.latents, self.identity = latents, identity


def pyramid(case: Case, prefix: str, batch: int) -> MaskPyramid:
    """Recorded masks (b f, l) per region and level -> levels (b, f, r, l)."""
    levels = []
    while f"in.{prefix}{MASKS[0]}.{len(levels)}" in case.io:
        masks = [case[f"{prefix}{name}.{len(levels)}"] for name in MASKS]
        levels.append(torch.stack(masks, 1).unflatten(0, (batch, -1)))
    return MaskPyramid(tuple(levels))


def predict(net: Hallo, case: Case, variant: str, cond: Conditioning) -> Tensor:
    sample, timestep = case[f"{variant}.sample"].transpose(1, 2), case[f"{variant}.timestep"]
    batch = len(cond.identity)
    return net(sample.expand(batch, *sample.shape[1:]), timestep.expand(batch), cond).transpose(1, 2)
