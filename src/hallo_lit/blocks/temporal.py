"""AnimateDiff motion module with per-frame GroupNorm, able to look back at motion frames."""

from __future__ import annotations

import torch
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn


class TemporalTransformer(nn.Module):
    """Self-attention along time at every pixel; the output projection starts at zero, so a new one does nothing."""

    def __init__(self, channels: int, heads: int = 8, blocks: int = 1, max_frames: int = 32, groups: int = 32) -> None:
        super().__init__()
        self.positions = max_frames
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.blocks = nn.Sequential(
            *(
                BasicTransformerBlock(
                    channels,
                    heads,
                    channels // heads,
                    double_self_attention=True,
                    positional_embeddings="sinusoidal",
                    num_positional_embeddings=max_frames,
                )
                for _ in range(blocks)
            )
        )
        self.proj_out = nn.Linear(channels, channels)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, x: Tensor, frames: int, motion: Tensor | None = None) -> Tensor:
        """x (b f, c, h, w); motion (b, m, l, c): frames before the clip, attended to at positions 0..m-1, not returned.

        m + f may not exceed the number of positions (32).
        """
        height, width = x.shape[-2:]
        if torch.is_grad_enabled() and not x.requires_grad and not torch.compiler.is_compiling():
            # PyTorch 2.10's GroupNorm crashes on CPUs where a channels-last input needs no gradient and its weights do;
            # what leaves here is channels-last, so that later norms depend on it, too
            x = x.detach().requires_grad_()
        clip = x.flatten(2).transpose(1, 2).unflatten(0, (-1, frames))  # (b, f, l, c)
        past = 0 if motion is None else motion.shape[1]
        if motion is not None:
            clip = torch.cat([motion.to(clip), clip], 1)
        seen = clip.shape[1]

        grid = clip.flatten(0, 1).transpose(1, 2).unflatten(2, (height, width))  # channels-last view, (b seen, c, h, w)
        normed = self.norm(grid).flatten(2).transpose(1, 2)
        tokens = self.proj_in(normed).unflatten(0, (-1, seen)).transpose(1, 2)  # (b, l, seen, c)
        tokens = self.blocks(tokens.flatten(0, 1)).unflatten(0, (-1, height * width))[:, :, past:].transpose(1, 2)
        clip = clip[:, past:] + self.proj_out(tokens)
        return clip.flatten(0, 1).transpose(1, 2).unflatten(2, (height, width))
