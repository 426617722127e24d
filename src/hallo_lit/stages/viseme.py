"""Trains the viseme encoder on formant speech: `python -m hallo_lit.stages.viseme --out FILE.safetensors`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from hallo_lit.components.audio_encoder.base import window
from hallo_lit.components.audio_encoder.viseme import ARTICULATORS, VisemeEncoder
from hallo_lit.data.atomic import replacing
from hallo_lit.data.synthetic.speech_set import listening_set, utterances


@dataclass(frozen=True)
class VisemeTraining:
    """minutes: of speech; epochs over it; rate: peak learning rate of a cosine schedule."""

    minutes: float = 20.0
    epochs: int = 12
    batch: int = 128
    rate: float = 1.5e-3
    seed: int = 0


def train_viseme(encoder: VisemeEncoder, settings: VisemeTraining = VisemeTraining()) -> dict[str, float]:
    """Trains in place on training voices and sentences; returns r of every control on unheard voices and sentences."""

    def hear(wave: Tensor, frames: int) -> Tensor:
        return window(encoder.mel(wave, frames), encoder.radius)

    heard, true = listening_set(utterances("train", settings.seed, 60 * settings.minutes), hear)
    mean, std = true.mean(0), true.std(0)
    wanted = (true - mean) / std
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(encoder.parameters(), settings.rate, weight_decay=0.02)
    steps = settings.epochs * (len(heard) // settings.batch)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        encoder.train()
        for step, rows in enumerate(_batches(len(heard), settings, generator)):
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6
            windows = augmented(heard[rows], generator)
            loss = nn.functional.mse_loss(encoder.controls(encoder.features(windows)), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    encoder.eval()
    return held_out(encoder)


def _batches(count: int, settings: VisemeTraining, generator: torch.Generator) -> Iterator[Tensor]:
    for _ in range(settings.epochs):
        order = torch.randperm(count, generator=generator)
        yield from order[: count // settings.batch * settings.batch].split(settings.batch)


def augmented(windows: Tensor, generator: torch.Generator) -> Tensor:
    """(n, w, columns, bands) as other rooms and microphones would give it: gain, tilt, bumps over the bands, noise."""
    n, _, _, bands = windows.shape
    band = torch.linspace(-1, 1, bands)
    coin = torch.randn(n, 3, generator=generator)
    where = torch.rand(n, 1, generator=generator) * 2 - 1
    colour = 0.25 * coin[:, :1] + 0.2 * coin[:, 1:2] * band
    colour = colour + 0.25 * coin[:, 2:] * torch.exp(-(((band - where) / 0.3) ** 2))
    quiet = torch.rand(n, 1, 1, 1, generator=generator) * 2.0 - 1.6  # a noise floor above the quietest values
    noise = 0.08 * torch.randn(windows.shape, generator=generator)
    return torch.maximum(windows + colour[:, None, None], quiet) + noise


@torch.no_grad()
def held_out(encoder: VisemeEncoder, seconds: float = 120.0) -> dict[str, float]:
    """Correlation of every control with the truth on test voices and test sentences."""
    found, true = [], []
    for one in utterances("test", 1, seconds, own_voices=True):
        rows = window(encoder.mel(one.wave, len(one.controls)), encoder.radius)
        found.append(encoder.controls(encoder.features(rows)))
        true.append(one.controls)
    both = torch.stack([torch.cat(found), torch.cat(true)])  # (2, n, 6)
    return {name: float(torch.corrcoef(both[:, :, k])[0, 1]) for k, name in enumerate(ARTICULATORS)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the viseme encoder on speech of our own making.")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--minutes", type=float, default=VisemeTraining.minutes, help="of speech to make")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    torch.manual_seed(words.seed)
    encoder = VisemeEncoder()
    scores = train_viseme(encoder, VisemeTraining(minutes=words.minutes, seed=words.seed))
    words.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(words.out) as hidden:
        save_file({name: tensor.half() for name, tensor in encoder.state_dict().items()}, hidden)
    print("unheard voices and sentences:", ", ".join(f"{name} {r:.2f}" for name, r in scores.items()))


if __name__ == "__main__":
    main()
