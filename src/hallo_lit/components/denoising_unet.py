"""Predicts the denoising target of a clip from noisy latents and its conditioning."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hallo_lit.blocks.attention import key_value
from hallo_lit.blocks.cell import Extras, UNetSpec
from hallo_lit.blocks.spatial import SpatialTransformer
from hallo_lit.blocks.trunk import Trunk
from hallo_lit.structs import Conditioning, KeyValue, ReferenceTokens, per_frame


class DenoisingUNet(Trunk):
    """A pure function of its arguments and parameters: train(), eval(), checkpointing and compile change no value.

    spec is that of the ReferenceNet, whose tokens it reads. `reference_input` lays the portrait's latents beside the
    noisy ones as further input channels: small models learn to copy the person far sooner than by attention alone.
    `zero_output` lets an untrained network say nothing, which under a prior of the process is a copy of the portrait.
    """

    def __init__(
        self,
        spec: UNetSpec,
        extras: Extras,
        checkpointing: bool = False,
        reference_input: bool = False,
        zero_output: bool = False,
    ) -> None:
        wide = replace(spec, in_channels=spec.in_channels + spec.out_channels) if reference_input else spec
        super().__init__(wide, extras, checkpointing)
        self.reference_input = reference_input
        self.norm_out = nn.GroupNorm(spec.groups, spec.channels[0], eps=1e-5)
        self.conv_out = nn.Conv2d(spec.channels[0], spec.out_channels, 3, padding=1)
        if zero_output:
            nn.init.zeros_(self.conv_out.weight)
            nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        """x (b, f, c, h, w), timestep (b,) in 0..999. Returns the prediction (b, f, out, h, w)."""
        entered, temb = self.enter(x, timestep, cond)
        walked, _ = self.walk(entered, temb, cond)
        return self.conv_out(F.silu(self.norm_out(walked))).unflatten(0, x.shape[:2])

    def enter(self, x: Tensor, timestep: Tensor, cond: Conditioning) -> tuple[Tensor, Tensor]:
        """What the first cell gets: (b f, c0, h, w) features and (b f, 4 c0) embedded timesteps."""
        if self.reference_input:
            reference = x.new_zeros(()) if cond.reference is None else cond.reference
            x = torch.cat([x, reference.expand_as(x)], 2)
        x = self.conv_in(x.flatten(0, 1))
        if cond.location is not None:
            x = x + cond.location.expand(-1, cond.frames, -1, -1, -1).flatten(0, 1)
        return x, per_frame(self.time(timestep, x), cond.frames)

    def project_portrait(self, tokens: ReferenceTokens) -> tuple[KeyValue, ...]:
        """Keys and values of the portrait under this net's self-attention; once per video, not per step."""
        made = []
        for cell, seen in zip(self.attention_cells(), tokens.portrait, strict=True):
            if isinstance(cell.spatial, SpatialTransformer):
                made.append(key_value(cell.spatial.block.attn1, seen))
        return tuple(made)
