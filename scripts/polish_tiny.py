"""Teaches the decoder of the small model to draw clean pictures: `python scripts/polish_tiny.py --help`.

The linear codec is fixed by `train_tiny.py`, and so are the latents. The nonlinear branch of the decoder starts at zero
and learns from latents to which noise was added as a denoiser leaves it, so that the edges of the linear codec's blocks
and what is left of the noise vanish. It can run beside `train_tiny.py`, be stopped, and be called again.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tiny_clips import Augment, Clips
from torch import Tensor
from train_tiny import LIP, MODEL

from hallo_lit.cli.compose import build_model, compose
from hallo_lit.components.hallo import Hallo
from hallo_lit.components.shortcut_codec import ShortcutCodec
from hallo_lit.data.atomic import replacing
from hallo_lit.stages.perceptual import PyramidDistance

CLIPS, FRAMES = 4, 2  # of a batch
NOISE = 0.6  # largest, in the spreads of the prior
LIP_WEIGHT = 5.0


def batch(clips: Clips, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures (n, 3, H, W) and their regions (n, 3, h, w)."""
    pictures, regions = [], []
    for _ in range(CLIPS):
        clip = int(torch.randint(len(clips), (), generator=generator))
        chosen = torch.randperm(len(clips.pixels[clip]), generator=generator)[:FRAMES]
        images, masks, _ = clips.look(clip, chosen.tolist(), Augment.draw(generator))
        pictures.append(images)
        regions.append(masks.expand(FRAMES, -1, -1, -1))
    return torch.cat(pictures), torch.cat(regions)


def disturbed(latents: Tensor, regions: Tensor, spread: Tensor, generator: torch.Generator) -> Tensor:
    """Latents with noise of a random strength per picture, in each channel and region as large as its spread."""
    masks = F.interpolate(regions, latents.shape[-2:], mode="bilinear", antialias=True)
    masks = masks / masks.sum(1, keepdim=True).clamp(min=1e-5)
    size = torch.einsum("nrhw,rc->nchw", masks, spread)
    strength = NOISE * torch.rand(len(latents), 1, 1, 1, generator=generator)
    return latents + strength * size * torch.randn(latents.shape, generator=generator)


def polish(corpus: Path, run: Path, steps: int, overrides: list[str], rate: float = 2e-3, seed: int = 1) -> None:
    begun = torch.load(run / "last.ckpt", map_location="cpu", weights_only=True)
    spread = torch.tensor(list(begun["spread"].values()))
    torch.manual_seed(seed)
    hallo: Hallo = build_model(compose("animate", *MODEL, *overrides))
    codec: ShortcutCodec = hallo.codec
    for part in ("analysis", "synthesis"):
        getattr(codec, part).load_state_dict({key: begun["model"][f"codec.{part}.{key}"] for key in ("weight", "bias")})
    trained = [*codec.vae.decoder.parameters(), *codec.vae.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(trained, rate, betas=(0.9, 0.98), weight_decay=1e-3)
    generator, last, step = torch.Generator().manual_seed(seed), run / "codec.ckpt", 0
    if last.is_file():
        state = torch.load(last, map_location="cpu", weights_only=True)
        codec.load_state_dict(state["codec"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"])
        step = state["step"]
    clips, distance = Clips(corpus), PyramidDistance()
    losses, began = [], time.process_time()
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = rate * min((step + 1) / 50, 0.5 + 0.5 * math.cos(math.pi * step / steps))
        images, regions = batch(clips, generator)
        latents = disturbed(codec.linear(images).detach(), regions, spread, generator)
        made = codec.decode(latents, len(latents))
        lips = F.interpolate(regions[:, LIP:], images.shape[-2:], mode="bilinear")
        weight = 1 + (LIP_WEIGHT - 1) * lips
        loss = ((made - images).abs() * weight / weight.mean()).mean() + 0.5 * distance(made, images)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        losses.append(float((made.detach() - images).square().mean()) / 4)
        if step % 100 == 0 or step == steps:
            psnr = -10 * math.log10(sum(losses) / len(losses))
            with replacing(last) as hidden:
                torch.save(
                    {
                        "codec": codec.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "generator": generator.get_state(),
                        "step": step,
                    },
                    hidden,
                )
            with (run / "codec.csv").open("a", newline="") as file:
                csv.writer(file).writerow([step, round(psnr, 3), round(time.process_time() - began, 1)])
            print(f"step {step} PSNR {psnr:.2f} dB cpu {time.process_time() - began:.0f} s", flush=True)
            losses = []


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the decoder of the small model on its noisy latents.")
    parser.add_argument("--corpus", type=Path, default=Path("data/close_ups"))
    parser.add_argument("--out", type=Path, default=Path("outputs/tiny"), help="the folder of train_tiny.py's run")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("overrides", nargs="*", help="of conf/, the same as for train_tiny.py")
    words = parser.parse_args()
    polish(words.corpus, words.out, words.steps, words.overrides)


if __name__ == "__main__":
    main()
