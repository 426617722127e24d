"""Reads the portrait and the motion frames, and reports what every spatial block saw (paper, section 3.1)."""

from __future__ import annotations

from torch import Tensor

from hallo_lit.blocks.cell import UNetSpec
from hallo_lit.blocks.spatial import SpatialTransformer, TokenTap
from hallo_lit.blocks.trunk import Trunk
from hallo_lit.structs import Conditioning, ReferenceTokens


class ReferenceNet(Trunk):
    """The trunk at timestep 0, ending at its last tokens, since nothing beyond them is ever used."""

    def __init__(self, spec: UNetSpec, checkpointing: bool = False) -> None:
        super().__init__(spec, checkpointing=checkpointing)
        last = self.up[-1].cells[-1]
        if isinstance(last.spatial, SpatialTransformer):
            last.spatial = TokenTap(last.spatial)

    def forward(self, latents: Tensor, identity: Tensor, portraits: int = 1) -> ReferenceTokens:
        """latents (b, n, c, h, w), the first `portraits` of the n rows portraits and the others motion frames;
        identity (b, n, tokens, context_dim)."""
        batch = latents.shape[:2]
        x = self.conv_in(latents.flatten(0, 1))
        cond = Conditioning(frames=1, identity=identity.flatten(0, 1), region_scale=x.new_ones(()))
        _, tokens = self.walk(x, self.time(x.new_zeros(len(x)), x), cond, keep=True)
        split = [t.unflatten(0, batch) for t in tokens]
        return ReferenceTokens(tuple(t[:, :portraits] for t in split), tuple(t[:, portraits:] for t in split))
