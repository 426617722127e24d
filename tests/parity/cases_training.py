"""Case 11: losses and gradients of both training stages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from cases_parts import MASKS
from torch import Tensor, nn
from vector_nets import PRECISE, RELEASED, denoiser_format, hallo, reference_format
from vector_set import Case, Row

from hallo_lit.cli.compose import compose, instantiate
from hallo_lit.components.hallo import Hallo
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.structs import ClipInputs, Conditioning, Drop, MaskPyramid

ACCIDENT = "the original leaves it without a gradient when audio is dropped, by re-entrant checkpointing"
VARIANTS = {
    "cond": (),
    "uncond": ("portrait", "identity"),
    "uncond_img": ("portrait", "motion"),
    "uncond_audio": ("audio",),
}


def stage1(case: Case) -> None:
    train(case, 1)


def stage2(case: Case) -> None:
    train(case, 2)


def released(stage: int) -> NoiseProcess:
    """What `hallo-lit train process=released` makes of a stage."""
    name = {1: "appearance", 2: "motion"}[stage]
    process: NoiseProcess = instantiate(compose("train", "process=released", f"stage={name}").process)
    return process


def train(case: Case, stage: int) -> None:
    process = released(stage)
    assert process.beta_schedule == case.config["train_beta_schedule"]
    assert process.snr_gamma == case.config["snr_gamma"]
    noised = process.noised(clip_major(case["latents"]), clip_major(case["noise"]), case["timesteps"])
    for variant in sorted({name.split(".")[1] for name in case.io if name.startswith("out.")}):
        for quirks, name in ((RELEASED, variant), (PRECISE, f"{variant}.bank_fp32")):
            if f"out.{name}.pred" not in case.io:
                continue
            net = hallo(case.vectors, quirks, stage)
            trainable(net, stage)
            cond = condition(net, case, stage, Drop.where(len(noised.x), VARIANTS[variant]))
            prediction = net(noised.x, noised.timestep, cond)
            loss = process.loss(prediction, noised)
            loss.backward()
            case.check(f"{name}.pred", clip_major(prediction))
            case.check(f"{name}.loss", loss[None])
            gradients(case, net, name)
        for output, ours in (("noisy", noised.x), ("target", noised.target)):
            if f"out.{variant}.{output}" in case.io:
                case.check(f"{variant}.{output}", clip_major(ours))
        if f"out.{variant}.weights" in case.io:
            case.check(f"{variant}.weights", noised.weight)


def clip_major(x: Tensor) -> Tensor:
    return x.transpose(1, 2)  # (b, c, f, h, w) <-> (b, f, c, h, w)


def condition(net: Hallo, case: Case, stage: int, drop: Drop) -> Conditioning:
    rows = case["ref_latents"].unflatten(0, (len(drop.audio), -1))
    locator = case["face_region_u8"].float()
    frames = case["latents"].shape[2]
    audio = case["audio_emb"] if stage == 2 else torch.zeros(len(rows), frames, 0)
    blank = torch.zeros(len(rows), len(MASKS), 8, 8)
    clip = ClipInputs(rows[:, 0], rows[:, 1:], audio, case["face_emb"], blank, locator)
    prepared = net.prepare(clip, drop)
    if stage == 2:
        prepared = replace(prepared, masks=masks(case))
    return net.condition(clip, prepared, drop)


def masks(case: Case) -> MaskPyramid:
    """Recorded (b, f, 1, h, w) per region and level -> levels (b, f, r, l)."""
    levels = []
    while f"in.{MASKS[0]}.{len(levels)}" in case.io:
        levels.append(torch.cat([case[f"{name}.{len(levels)}"] for name in MASKS], 2).flatten(3))
    return MaskPyramid(tuple(levels))


def trainable(net: Hallo, stage: int) -> None:
    net.codec.requires_grad_(False)
    if stage == 2:
        net.requires_grad_(False)
        net.audio_projection.requires_grad_(True)
        for cell in net.denoiser.attention_cells():
            cell.audio.requires_grad_(True)
            cell.temporal.requires_grad_(True)


def gradients(case: Case, net: Hallo, name: str) -> None:
    """Every recorded gradient norm, and the few gradients recorded whole."""
    recorded = case.vectors.json(case.entry["files"]["grad_norms_and_trainable_names"])["variants"][name]
    ours = dict(foreign_gradients(case, net))
    total = recorded["total_norm"]
    worst, where = 0.0, ""
    for key, norm in recorded["norms"].items():
        if norm is None or norm <= 1e-5 * total:
            continue
        error = abs(float(ours[key].norm()) - norm) / norm if key in ours else float("inf")
        if not error <= worst:
            worst, where = error, key
    case.rows.append(Row(case.name, f"{name}.grad_norms", worst, 2e-3, f"relative, worst at {where}"))
    for key in recorded["trainable_without_grad"]:
        if key in ours and bool(ours[key].any()):
            case.skip(f"{name}.grad.{key}", ACCIDENT)
    for output in [k for k in case.io if k.startswith(f"out.{name}.grad.")]:
        wanted = case.io[output]
        got = ours[output.removeprefix(f"out.{name}.grad.")].reshape(wanted.shape)
        case.check(output.removeprefix("out."), got)


def foreign_gradients(case: Case, net: Hallo) -> Iterable[tuple[str, Tensor]]:
    """Our gradients under the original's names."""
    parts: tuple[tuple[str, nn.Module | None, object], ...] = (
        ("reference_unet.", net.reference_net, reference_format(case.vectors)),
        ("denoising_unet.", net.denoiser, denoiser_format(case.vectors)),
        ("face_locator.", net.face_locator, None),
        ("imageproj.", net.identity_projection, None),
        ("audioproj.", net.audio_projection, None),
    )
    for prefix, part, fmt in parts:
        if part is None:
            continue
        found = {k: p.grad for k, p in part.named_parameters() if p.grad is not None}
        for theirs in case.vectors.part(prefix):
            ours = theirs if fmt is None else fmt.rename(theirs)
            if ours in found:
                yield prefix + theirs, found[ours]
