"""Where the sound acts: each cell's audio fusion is asked with and without sound, region by region, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from numpy.typing import NDArray
from torch import Tensor, nn

from hallo_lit.blocks.attention import attend, split_heads
from hallo_lit.blocks.cell import Cell
from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.hallo import Hallo
from hallo_lit.structs import REGIONS, Conditioning

EVERY = 3  # frames of a clip are looked at, which is enough for a mean


@dataclass(frozen=True)
class Question:
    """What one cell's fusion is given for some of the frames: tokens (n, l, dim), audio (n, tokens, d),
    masks (n, r, h, w), scale (r,)."""

    fusion: nn.Module
    tokens: Tensor
    stream: Tensor  # (n, l, dim): what the answer is added to
    audio: Tensor
    masks: Tensor
    scale: Tensor


def questions(denoiser: DenoisingUNet, x: Tensor, timestep: Tensor, cond: Conditioning) -> Iterator[Question]:
    """What the fusions of a forward pass are given, cell by cell, without touching the network."""
    found: list[Question] = []
    x, temb = denoiser.enter(x, timestep, cond)

    def step(cell: Cell, x: Tensor) -> Tensor:
        if cell.audio is not None and cond.audio is not None and cond.masks is not None:
            found.append(_question(cell, x, temb, cond))
        return cell(x, temb, cond)[0]

    denoiser.through(x, step)
    yield from found


def _question(cell: Cell, x: Tensor, temb: Tensor, cond: Conditioning) -> Question:
    assert cell.audio is not None
    assert cond.audio is not None
    assert cond.masks is not None
    block = cell.audio.block
    seen, _ = cell.look(x, temb, cond)
    stream = cell.audio.enter(seen)
    stream = stream + attend(block.attn1, block.norm1(stream))
    masks = cond.masks.at(cell.level, cond.frames).unflatten(-1, seen.shape[-2:])
    given = (block.norm2(stream), stream, cond.audio.flatten(0, 1), masks)
    tokens, stream, audio, masks = (part[::EVERY] for part in given)
    return Question(block.fusion, tokens, stream, audio, masks, cond.region_scale)


def effect(asked: Question, masks: Tensor | None = None) -> Tensor:
    """(n, h, w) size of what the sound adds, relative to what it is added to; `masks` replaces the question's own."""
    return _relative(asked, _added(asked, asked.masks if masks is None else masks, asked.scale))


def regional_effects(asked: Question) -> Tensor:
    """(n, r, h, w) `effect` of each region alone; zeros for a fusion that knows no regions."""
    common = _added(asked, asked.masks, torch.zeros_like(asked.scale))
    alone = torch.diag(asked.scale)
    return torch.stack([_relative(asked, _added(asked, asked.masks, row) - common) for row in alone], 1)


def _added(asked: Question, masks: Tensor, scale: Tensor) -> Tensor:
    """(n, l, dim): the answer to the sound less the answer to silence."""
    heard: Tensor = asked.fusion(asked.tokens, asked.audio, masks, scale)
    silent: Tensor = asked.fusion(asked.tokens, None, masks, scale)
    return heard - silent


def _relative(asked: Question, added: Tensor) -> Tensor:
    usual = asked.stream.square().mean((1, 2)).sqrt()[:, None]
    return (added.square().mean(-1).sqrt() / usual).unflatten(-1, asked.masks.shape[-2:])


def focus(asked: Question) -> Tensor:
    """(n, branches, h, w): 0 where attention lies evenly on all audio tokens, 1 where on a single one.

    Mean over heads; one branch per attention of the fusion, none for a fusion without attention.
    """
    maps = []
    for attn in (part for part in asked.fusion.modules() if isinstance(part, Attention)):
        query = split_heads(attn.to_q(asked.tokens), attn.heads)
        key = split_heads(attn.to_k(asked.audio), attn.heads)
        share = (query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)).softmax(-1)  # (n, heads, l, tokens)
        even = torch.log(torch.tensor(float(max(2, share.shape[-1]))))
        spread = -(share * share.clamp(min=1e-12).log()).sum(-1) / even.to(share)
        maps.append((1 - spread).mean(1).unflatten(-1, asked.masks.shape[-2:]))
    return torch.stack(maps, 1) if maps else asked.masks.new_zeros(len(asked.tokens), 0, *asked.masks.shape[-2:])


@dataclass
class Listening:
    """A denoiser for an Animator that also notes, at every step, where the sound acts; it changes no number.

    maps: sums over steps, frames and cells, (h, w) on the finest grid, by name.
    """

    hallo: Hallo
    maps: dict[str, Tensor] = field(default_factory=dict)
    cells: int = 0

    def __call__(self, x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        if cond.audio is not None:
            for asked in questions(self.hallo.denoiser, x, timestep, cond):
                self._note(asked, (x.shape[-2], x.shape[-1]))
        return self.hallo(x, timestep, cond)

    def _note(self, asked: Question, size: tuple[int, int]) -> None:
        self._add("all", effect(asked), size)
        self._add("everywhere", effect(asked, torch.ones_like(asked.masks)), size)
        for name, values in zip(REGIONS, regional_effects(asked).unbind(1), strict=True):
            self._add(name, values, size)
        names: tuple[str, ...] = getattr(asked.fusion, "branches", ("full",))
        for name, values in zip(names, focus(asked).unbind(1), strict=False):
            self._add(f"focus {name}", values, size)
        self.cells += 1

    def _add(self, name: str, values: Tensor, size: tuple[int, int]) -> None:
        large = F.interpolate(values.float().mean(0)[None, None], size, mode="bilinear", antialias=True)[0, 0].cpu()
        self.maps[name] = self.maps.get(name, torch.zeros(())) + large

    def mean(self, name: str) -> NDArray[np.float64]:
        """(h, w), or zeros where nothing was noted under this name."""
        like = next(iter(self.maps.values()), torch.zeros(1, 1))
        return np.asarray(self.maps.get(name, torch.zeros_like(like)) / max(1, self.cells), np.float64)

    def mean_focus(self) -> NDArray[np.float64]:
        """(h, w): the mean of all attentions."""
        names = [name for name in self.maps if name.startswith("focus ")]
        return np.mean([self.mean(name) for name in names] or [self.mean("focus")], axis=0)
