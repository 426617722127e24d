"""Cases 01-03, 05, 06 and 09: what is not a UNet."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from vector_nets import audio_projection, face_locator, identity_projection
from vector_set import Case

from hallo_lit.blocks.audio import AudioTransformer
from hallo_lit.blocks.temporal import TemporalTransformer
from hallo_lit.components.fusion.hierarchical import HierarchicalFusion
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.weights.formats.hallo import denoiser
from hallo_lit.weights.keymap import convert
from hallo_lit.weights.strict import load_strictly

MASKS = ("full_mask", "face_mask", "lip_mask")  # the order of REGIONS


def audio_proj(case: Case) -> None:
    case.check("context_tokens", audio_projection(case.vectors)(case["audio_embeds"]))


def image_proj(case: Case) -> None:
    net = identity_projection(case.vectors)
    case.check("tokens", net(case["image_embeds"]))
    case.check("tokens_uncond", net(torch.zeros_like(case["image_embeds"])))


def face_location(case: Case) -> None:
    pictures = case["conditioning"]  # (b, 3, f, H, W)
    feature = face_locator(case.vectors)(pictures.transpose(1, 2).flatten(0, 1))
    case.check("feature", feature.unflatten(0, (len(pictures), -1)).transpose(1, 2))


def audio_block(case: Case) -> None:
    c = case.config
    heads, width = c["num_attention_heads"], c["inner_dim"]
    fusion = HierarchicalFusion(width, heads, c["cross_attention_dim"])
    net = AudioTransformer(c["in_channels"], width, heads, fusion, c["norm_num_groups"])
    prefix = "down_blocks.0.audio_modules.0."  # the table knows audio blocks by their place in the net
    made = convert({prefix + k: v for k, v in case.state().items()}, denoiser())
    load_strictly(net, {k.removeprefix("down.0.cells.0.audio."): v for k, v in made.state.items()}, case.name)
    masks = torch.stack([case[f"{name}.{c['level']}"] for name in MASKS], 1)
    scale = torch.tensor(c["motion_scale"])
    for name, s in (("scaled", scale), ("noscale", torch.ones_like(scale))):
        case.check(f"block_{name}", net.block(case["block_hidden_states"], case["block_audio"], masks, s))
        x, audio = fold(case["wrapper_hidden_states"]), case["wrapper_audio"].flatten(0, 1)
        case.check(f"wrapper_{name}", unfold(net(x, audio, masks, s), c["frames"]))


def motion_module(case: Case) -> None:
    c, x = case.config, case["hidden_states"]
    heads, blocks = c["num_attention_heads"], c["num_transformer_block"]
    net = TemporalTransformer(
        c["in_channels"], heads, blocks, c["temporal_position_encoding_max_len"], c["norm_num_groups"]
    )
    prefix = "" if next(iter(case.state())).startswith("temporal_transformer.") else "temporal_transformer."
    prefix = f"down_blocks.0.motion_modules.0.{prefix}"
    made = convert({prefix + k: v for k, v in case.state().items()}, denoiser())
    load_strictly(net, {k.removeprefix("down.0.cells.0.temporal."): v for k, v in made.state.items()}, case.name)
    frames, motion = x.shape[2], case["motion_frames"].flatten(3).permute(0, 2, 3, 1)  # (b, m, l, c)
    case.check("without_motion_frames", unfold(net(fold(x), frames), frames))
    case.check("with_motion_frames", unfold(net(fold(x), frames, motion), frames))


def scheduler(case: Case) -> None:
    c = case.config["inference"]
    process = NoiseProcess(
        c["beta_start"],
        c["beta_end"],
        case.config["train_stage1_beta_schedule"],
        c["beta_schedule"],
        zero_terminal_snr=c["rescale_betas_zero_snr"],
    )
    sampling = Sampler(steps=10).scheduler(process)
    for name, ours in (("inference", sampling), ("train_stage1", process.training_scheduler)):
        case.check(
            f"{name}.betas", ours.betas, 10 * rounding(case.io[f"out.{name}.betas"], ours.config.beta_schedule, c)
        )
        case.check(f"{name}.alphas_cumprod", ours.alphas_cumprod)
    for steps in sorted({step["n"] for step in case.config["recorded_steps"]}):
        case.check(f"timesteps.{steps}", Sampler(steps=steps).scheduler(process).timesteps)
    for step in case.config["recorded_steps"]:
        name = f"step.{step['n']}.{step['index']:02d}"
        ours = Sampler(steps=step["n"]).scheduler(process)
        done = ours.step(case[f"{name}.model_output"], step["timestep"], case[f"{name}.sample"])
        case.check(f"{name}.prev_sample", done.prev_sample)
        case.check(f"{name}.pred_original_sample", done.pred_original_sample)
    t = case["train.timesteps"]
    noised = process.noised(case["train.latents"], case["train.noise"], t)
    case.check("train.noisy", noised.x)
    case.check("train.velocity_target", noised.target)
    case.check("train.snr", process.snr(t))
    case.check("train.min_snr_weight_gamma5", noised.weight)


def rounding(recorded: Tensor, schedule: str, config: dict[str, Any]) -> float:
    """How far recorded betas are from exact ones: near the zero terminal SNR they are differences of nearly equal fp32
    numbers. Ten times this is the tolerance that the manifest's own rule gives."""
    power = 0.5 if schedule == "scaled_linear" else 1.0
    ends = (config[end] ** power for end in ("beta_start", "beta_end"))
    betas = torch.linspace(*ends, len(recorded), dtype=torch.float64) ** (1 / power)
    s = (1 - betas).cumprod(0).sqrt()
    alphas = ((s - s[-1]) * s[0] / (s[0] - s[-1])) ** 2
    exact = 1 - torch.cat([alphas[:1], alphas[1:] / alphas[:-1]])
    return float((recorded - exact).abs().max())


def fold(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(0, 1)  # (b, c, f, h, w) -> (b f, c, h, w)


def unfold(x: Tensor, frames: int) -> Tensor:
    return x.unflatten(0, (-1, frames)).transpose(1, 2)
