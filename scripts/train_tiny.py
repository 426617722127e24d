"""Trains model=tiny on close-ups of self-made talking heads: `python scripts/train_tiny.py --help`.

One plain loop on cached latents: linear codec in closed form, then the denoiser. It can be stopped at any time and
goes on from its last checkpoint when it is called again with the same folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hallo_lit.cli.compose import build_model, compose, instantiate, plain
from hallo_lit.components.hallo import Hallo
from hallo_lit.data.atomic import replacing
from hallo_lit.data.store import ClipStore
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.faces.regions import region_masks
from hallo_lit.structs import ClipInputs, Drop, DropRates
from hallo_lit.weights.bundle import save_bundle

LIP = 2
SAMPLING = ("sampler.steps=2", "guidance=audio", "cfg_scale=1.5", "handover=latents")


@dataclass(frozen=True)
class Settings:
    corpus: Path
    out: Path
    steps: int
    clips: int = 6  # of a batch
    frames: int = 4  # of each
    rate: float = 1.5e-3
    warm_up: int = 40
    cool_down: float = 0.4  # share of the steps, at the end, in which the rate falls to zero
    lip_weight: float = 9.0
    silent: float = 0.1  # share of clips that train without audio
    seed: int = 0
    save_every: int = 100

    def factor(self, step: int) -> float:
        left = (self.steps - step) / (self.cool_down * self.steps)
        return min(1.0, (step + 1) / self.warm_up, 0.5 - 0.5 * math.cos(math.pi * min(left, 1.0)))


class Clips:
    """The training clips of a store in memory; frames as latents of the linear codec."""

    def __init__(self, corpus: Path, limit: int = 0) -> None:
        store = ClipStore(corpus)
        rows = [k for k in range(len(store)) if store.split(k) != "test"][: limit or None]
        self.pixels = [store[k].read("pixels") for k in rows]  # (f, H, W, 3) uint8 each
        self.points = [store[k].read("landmarks") for k in rows]
        self.audio = [torch.from_numpy(store[k].read("audio")).float() for k in rows]
        self.identity = torch.stack([torch.from_numpy(store[k].read("identity")) for k in rows])
        self.latents: list[Tensor] = []

    def images(self, clip: int) -> Tensor:
        return torch.from_numpy(self.pixels[clip]).permute(0, 3, 1, 2).float() / 127.5 - 1

    def masks(self, clip: int, frame: int) -> tuple[Tensor, Tensor]:
        """Regions (3, h, w) and locator (1, H, W) that inference would make of this frame."""
        size = self.pixels[clip].shape[1:3]
        made = region_masks(self.points[clip][frame].astype(np.float64), size)
        return torch.from_numpy(made.regions).float() / 255, torch.from_numpy(made.locator).float()[None] / 255

    @torch.no_grad()
    def encode(self, hallo: Hallo) -> None:
        self.latents = [hallo.codec.linear(self.images(k)) for k in range(len(self.pixels))]

    def draw(self, settings: Settings, generator: torch.Generator) -> tuple[Tensor, ClipInputs]:
        """Frames (b, f, c, h, w) as latents, spread over each clip in random order, and what is known of them."""

        def number(high: int) -> int:
            return int(torch.randint(high, (), generator=generator))

        frames, portraits, audio, people, masks, boxes = [], [], [], [], [], []
        for _ in range(settings.clips):
            clip = number(len(self.latents))
            length = len(self.latents[clip])
            chosen, reference = torch.randperm(length, generator=generator)[: settings.frames], number(length)
            window = (chosen[:, None] + torch.arange(-2, 3)).clamp(0, length - 1)
            regions, locator = self.masks(clip, reference)
            frames.append(self.latents[clip][chosen])
            portraits.append(self.latents[clip][reference])
            audio.append(self.audio[clip][window])
            people.append(self.identity[clip])
            masks.append(regions)
            boxes.append(locator)
        made = [torch.stack(part) for part in (frames, portraits, audio, people, masks, boxes)]
        latents, portrait, heard, identity, regions, locator = made
        heard = heard + 0.05 * torch.randn(heard.shape, generator=generator)
        return latents, ClipInputs(portrait, latents[:, :0], heard, identity, regions, locator)


def fit_codec(hallo: Hallo, clips: Clips, lip_weight: float, frames: int = 3000) -> None:
    """The linear codec from a few frames of every clip."""
    each = max(1, frames // len(clips.pixels))
    images, weights = [], []
    for k in range(len(clips.pixels)):
        chosen = np.linspace(0, len(clips.pixels[k]) - 1, each).astype(int)
        images.append(clips.images(k)[chosen])
        lip = clips.masks(k, 0)[0][LIP][None, None]
        weights.append((1 + (lip_weight - 1) * F.interpolate(lip, (16, 16), mode="bilinear")).expand(each, -1, -1, -1))
    hallo.codec.fit(torch.cat(images), torch.cat(weights))


def train(settings: Settings, overrides: list[str]) -> None:
    cfg = compose("animate", "model=tiny", *overrides)
    torch.manual_seed(settings.seed)
    hallo: Hallo = build_model(cfg)
    process: NoiseProcess = instantiate(cfg.process)
    clips = Clips(settings.corpus)
    trained = {name: p for name, p in hallo.named_parameters() if not name.startswith("codec.")}
    optimizer = torch.optim.AdamW(trained.values(), settings.rate, betas=(0.9, 0.98), weight_decay=1e-3)
    generator = torch.Generator().manual_seed(settings.seed)
    last, step, seconds = settings.out / "last.ckpt", 0, 0.0
    settings.out.mkdir(parents=True, exist_ok=True)
    if last.is_file():
        state = torch.load(last, map_location="cpu", weights_only=True)
        hallo.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"])
        step, seconds = state["step"], state["seconds"]
        ema = state["ema"]
    else:
        fit_codec(hallo, clips, settings.lip_weight)
        ema = {name: p.detach().clone() for name, p in trained.items()}
    clips.encode(hallo)
    print(
        f"{len(clips.latents)} clips, {sum(p.numel() for p in trained.values()):,} parameters, step {step}", flush=True
    )
    began, losses = time.process_time(), []
    while step < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * settings.factor(step)
        latents, inputs = clips.draw(settings, generator)
        drop = Drop.sample(settings.clips, DropRates(0.0, settings.silent, 0.0), generator)
        noised = process.draw(latents, generator)
        cond = hallo.condition(inputs, hallo.prepare(inputs, drop), drop)
        velocity = process.predictor(hallo)(noised.x, noised.timestep, cond)
        lip = F.interpolate(inputs.regions[:, LIP:], latents.shape[-2:], mode="bilinear", antialias=True)[:, None]
        weight = 1 + (settings.lip_weight - 1) * lip
        loss = process.loss(velocity, noised, weight / weight.mean((1, 2, 3, 4), keepdim=True))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        if not bool(norm.isfinite()):
            raise SystemExit(
                f"The gradient is not finite at step {step}; call again to go on from the last checkpoint."
            )
        optimizer.step()
        step += 1
        keep = min(0.995, (1 + step) / (20 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()), [p.detach() for p in trained.values()], 1 - keep)
        losses.append(float(loss.detach()))
        if step % settings.save_every == 0 or step == settings.steps:
            spent = seconds + time.process_time() - began
            with replacing(last) as hidden:
                torch.save(
                    {
                        "model": hallo.state_dict(),
                        "ema": ema,
                        "optimizer": optimizer.state_dict(),
                        "generator": generator.get_state(),
                        "step": step,
                        "seconds": spent,
                    },
                    hidden,
                )
            with (settings.out / "curve.csv").open("a", newline="") as file:
                csv.writer(file).writerow([step, round(float(np.mean(losses)), 5), round(spent, 1), len(clips.latents)])
            print(f"step {step} loss {np.mean(losses):.4f} cpu {spent:.0f} s", flush=True)
            losses = []
    about = {"steps": step, "cpu_seconds": seconds + time.process_time() - began, "torch": torch.__version__}
    (settings.out / "training.json").write_text(json.dumps({**about, "overrides": overrides}, indent=1) + "\n")


def export(run: Path, bundle: Path, viseme: Path, overrides: list[str]) -> None:
    """The averaged weights of a run as a bundle for `Animator.from_pretrained`."""
    cfg = compose("animate", "model=tiny", *SAMPLING, f"audio_encoder.weights={viseme}", *overrides)
    hallo: Hallo = build_model(cfg)
    state = torch.load(run / "last.ckpt", map_location="cpu", weights_only=True)
    hallo.load_state_dict({**state["model"], **state["ema"]})
    encoders = {"audio_encoder": instantiate(cfg.audio_encoder).half(), "face_encoder": instantiate(cfg.face_encoder)}
    kept = ("model", *encoders, "process", "sampler", "guidance", "handover", "size", "frames", "motion_frames")
    config = {key: plain(cfg)[key] for key in (*kept, "crop_margin")}
    config["audio_encoder"]["weights"] = None  # they are in the bundle
    save_bundle(bundle, hallo, config, encoders, dtype=torch.float16, overwrite=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train model=tiny on a store made by hallo-lit synthesize.")
    parser.add_argument("--corpus", type=Path, default=Path("data/close_ups"))
    parser.add_argument("--out", type=Path, default=Path("outputs/tiny"))
    parser.add_argument("--steps", type=int, default=16000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", type=Path, help="write the run as it is to this folder, and train no further")
    parser.add_argument("--viseme", type=Path, help="weights of the viseme encoder, for --bundle")
    parser.add_argument("overrides", nargs="*", help="of conf/, such as fusion=hierarchical for an ablation")
    words = parser.parse_args()
    if words.bundle is not None:
        export(words.out, words.bundle, words.viseme, words.overrides)
        return
    train(Settings(words.corpus, words.out, words.steps, seed=words.seed), words.overrides)


if __name__ == "__main__":
    main()
