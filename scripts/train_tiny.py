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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from omegaconf import DictConfig
from tiny_clips import Augment, Clips
from torch import Tensor

from hallo_lit.cli.compose import build_model, compose, instantiate, plain
from hallo_lit.components.hallo import Hallo
from hallo_lit.components.patch_codec import PatchCodec
from hallo_lit.data.atomic import replacing
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.reference_prior import residual_spread
from hallo_lit.factory import build
from hallo_lit.structs import REGIONS, ClipInputs, Drop, DropRates
from hallo_lit.weights.bundle import save_bundle

LIP = REGIONS.index("lip")
SAMPLING = ("sampler.steps=2", "guidance=audio", "cfg_scale=2.0", "handover=latents", "shared_noise=true")
MODEL = ("model=tiny", "size=talker", "process.timestep_power=0.35")
SMALLEST = 0.02  # of the spreads
MEMORY = 0.997  # of the averaged weights, per step


@dataclass(frozen=True)
class Settings:
    corpus: Path
    out: Path
    steps: int
    clips: int = 6  # of a batch
    frames: int = 4  # of each
    rate: float = 1.5e-3
    warm_up: int = 40
    cool_down: float = 0.5  # share of the steps, at the end, in which the rate falls to zero
    lip_weight: float = 9.0
    silent: float = 0.1  # share of clips that train without audio
    seed: int = 0
    save_every: int = 100

    def factor(self, step: int) -> float:
        left = (self.steps - step) / (self.cool_down * self.steps)
        return min(1.0, (step + 1) / self.warm_up, 0.5 - 0.5 * math.cos(math.pi * min(left, 1.0)))


def draw(clips: Clips, codec: PatchCodec, settings: Settings, generator: torch.Generator) -> tuple[Tensor, ClipInputs]:
    """Frames (b, f, c, h, w) as latents, spread over each clip in random order, and what is known of them."""
    pictures, audio, people, masks, boxes = [], [], [], [], []
    for _ in range(settings.clips):
        clip = int(torch.randint(len(clips), (), generator=generator))
        length = len(clips.pixels[clip])
        chosen = torch.randperm(length, generator=generator)[: settings.frames + 1]
        images, regions, locator = clips.look(clip, chosen.tolist(), Augment.draw(generator))
        window = (chosen[1:, None] + torch.arange(-2, 3)).clamp(0, length - 1)
        pictures.append(images)
        audio.append(clips.audio[clip][window])
        people.append(clips.identity[clip])
        masks.append(regions)
        boxes.append(locator)
    with torch.no_grad():
        latents = codec.linear(torch.stack(pictures))
    heard = torch.stack(audio)
    heard = heard + 0.05 * torch.randn(heard.shape, generator=generator)
    portrait, frames = latents[:, 0], latents[:, 1:]
    return frames, ClipInputs(
        portrait, frames[:, :0], heard, torch.stack(people), torch.stack(masks), torch.stack(boxes)
    )


def fit(hallo: Hallo, clips: Clips, settings: Settings, frames: int = 2400) -> dict[str, list[float]]:
    """The linear codec from a few frames of every clip; returns how far its latents leave those of the portrait."""
    generator = torch.Generator().manual_seed(settings.seed)
    each = max(2, frames // len(clips))
    images, regions = [], []
    for k in range(len(clips)):
        chosen = torch.randperm(len(clips.pixels[k]), generator=generator)[:each]
        shown, masks, _ = clips.look(k, chosen.tolist(), Augment.draw(generator))
        images.append(shown)
        regions.append(masks)
    places = tuple(side // hallo.codec.factor for side in images[0].shape[-2:])
    masks = F.interpolate(torch.stack(regions), places, mode="bilinear", antialias=True)
    weight = 1 + (settings.lip_weight - 1) * masks[:, LIP:]
    counts = torch.tensor([len(shown) for shown in images])
    hallo.codec.fit(torch.cat(images), weight.repeat_interleave(counts, 0), whitening=0.5)
    with torch.no_grad():
        latents = [hallo.codec.linear(shown) for shown in images]
    moved = torch.cat([rows[1:] for rows in latents])
    still = torch.cat([rows[:1].expand(len(rows) - 1, -1, -1, -1) for rows in latents])
    return residual_spread(moved, still, masks.repeat_interleave(counts - 1, 0))


def train(settings: Settings, overrides: list[str]) -> None:
    cfg = compose("animate", *MODEL, *overrides)
    torch.manual_seed(settings.seed)
    hallo: Hallo = build_model(cfg)
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
        step, seconds, ema, spread = state["step"], state["seconds"], state["ema"], state["spread"]
    else:
        spread = fit(hallo, clips, settings)
        ema = {name: p.detach().clone() for name, p in trained.items()}
    process = make_process(cfg, spread)
    print(f"{len(clips)} clips, {sum(p.numel() for p in trained.values()):,} parameters, step {step}", flush=True)
    began, losses = time.process_time(), []
    while step < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * settings.factor(step)
        latents, inputs = draw(clips, hallo.codec, settings, generator)
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
        keep = min(MEMORY, (1 + step) / (20 + step))
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
                        "spread": spread,
                    },
                    hidden,
                )
            with (settings.out / "curve.csv").open("a", newline="") as file:
                csv.writer(file).writerow([step, round(float(np.mean(losses)), 5), round(spent, 1), len(clips)])
            print(f"step {step} loss {np.mean(losses):.4f} cpu {spent:.0f} s", flush=True)
            losses = []
    about = {"steps": step, "cpu_hours": round((seconds + time.process_time() - began) / 3600, 2)}
    about |= {"clips": len(clips), "seed": settings.seed, "torch": torch.__version__, "overrides": " ".join(overrides)}
    (settings.out / "training.json").write_text(json.dumps(about, indent=1) + "\n")


def make_process(cfg: DictConfig, spread: Mapping[str, list[float]]) -> NoiseProcess:
    """The configured process; its prior, where it has one, with the spreads measured in the corpus."""
    config = plain(cfg.process)
    if config.get("prior"):
        config["prior"].update(spread=dict(spread), smallest=SMALLEST)
    process: NoiseProcess = build(config)
    return process


def export(run: Path, bundle: Path, viseme: Path, overrides: list[str], figures: Path | None = None) -> None:
    """The averaged weights of a run as a bundle for `Animator.from_pretrained`."""
    cfg = compose("animate", *MODEL, *SAMPLING, f"audio_encoder.weights={viseme}", *overrides)
    hallo: Hallo = build_model(cfg)
    state = torch.load(run / "last.ckpt", map_location="cpu", weights_only=True)
    hallo.load_state_dict({**state["model"], **state["ema"]})
    encoders = {"audio_encoder": instantiate(cfg.audio_encoder).half(), "face_encoder": instantiate(cfg.face_encoder)}
    kept = ("model", *encoders, "process", "sampler", "guidance", "handover", "size", "frames", "motion_frames")
    config = {key: plain(cfg)[key] for key in (*kept, "crop_margin", "shared_noise")}
    if config["process"].get("prior"):
        config["process"]["prior"].update(spread=state["spread"], smallest=SMALLEST)
    config["audio_encoder"]["weights"] = None  # they are in the bundle
    save_bundle(bundle, hallo, config, encoders, dtype=torch.float16, overwrite=True, notes=card(run, figures))


def card(run: Path, figures: Path | None) -> str:
    """Markdown about how a run went, and what `benchmarks/talking.py` found where its figures are given."""
    about = json.loads((run / "training.json").read_text()) if (run / "training.json").is_file() else {}
    curve = [row for row in csv.reader((run / "curve.csv").open()) if row]
    shown = [curve[round(k * (len(curve) - 1) / 9)] for k in range(10)] if len(curve) > 10 else curve
    lines = ["## Training", "", "Self-made people and formant speech alone (`make train-tiny`).", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in about.items() if value != ""]
    lines += ["", "| step | loss | CPU seconds |", "|---|---|---|", *(f"| {s} | {x} | {t} |" for s, x, t, _ in shown)]
    if figures is not None:
        found = json.loads(figures.read_text())
        lines += ["", "## What it reaches", "", "`benchmarks/talking.py`, unseen people, sentences and voices:", ""]
        rows = ((key, f"{v:.3f}" if isinstance(v, float) else v) for key, v in found.items() if key != "bundle")
        lines += ["| figure | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train model=tiny on a store made by hallo-lit synthesize.")
    parser.add_argument("--corpus", type=Path, default=Path("data/close_ups"))
    parser.add_argument("--out", type=Path, default=Path("outputs/tiny"))
    parser.add_argument("--steps", type=int, default=16000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", type=Path, help="write the run as it is to this folder, and train no further")
    parser.add_argument("--viseme", type=Path, help="weights of the viseme encoder, for --bundle")
    parser.add_argument("--figures", type=Path, help="figures.json of benchmarks/talking.py, for the bundle's card")
    parser.add_argument("overrides", nargs="*", help="of conf/, such as fusion=hierarchical for an ablation")
    words = parser.parse_args()
    if words.bundle is not None:
        export(words.out, words.bundle, words.viseme, words.overrides, words.figures)
        return
    train(Settings(words.corpus, words.out, words.steps, seed=words.seed), words.overrides)


if __name__ == "__main__":
    main()
