"""Reads the portrait and the motion frames, and reports what every spatial block saw (paper, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from hallo_lit.blocks.cell import Cell, UNetSpec
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

    def idle(self) -> list[str]:
        """Names of the parameters behind the last tokens, where the finest level has no attention: nothing reads what
        they make."""
        parts: list[tuple[str, nn.Module]] = []
        for name, level in [("mid", self.mid), *((f"up.{i}", level) for i, level in enumerate(self.up))]:
            parts += [(f"{name}.cells.{i}", cell) for i, cell in enumerate(level.cells)]
            parts += [] if level.resample is None else [(f"{name}.resample", level.resample)]
        last = max(i for i, (_, part) in enumerate(parts) if isinstance(part, Cell) and part.index is not None)
        cell, spatial = parts[last][0], parts[last][1].get_submodule("spatial")
        behind, read = parts[last + 1 :], set[int]()
        if isinstance(spatial, SpatialTransformer):
            behind, read = [(f"{cell}.spatial", spatial), *behind], {id(p) for p in TokenTap(spatial).parameters()}
        return [f"{at}.{name}" for at, part in behind for name, p in part.named_parameters() if id(p) not in read]

    def forward(self, latents: Tensor, identity: Tensor, portraits: int = 1) -> ReferenceTokens:
        """latents (b, n, c, h, w), the first `portraits` of the n rows portraits and the others motion frames;
        identity (b, n, tokens, context_dim)."""
        batch = latents.shape[:2]
        x = self.conv_in(latents.flatten(0, 1))
        cond = Conditioning(frames=1, identity=identity.flatten(0, 1), region_scale=x.new_ones(()))
        _, tokens = self.walk(x, self.time(x.new_zeros(len(x)), x), cond, keep=True)
        split = [t.unflatten(0, batch) for t in tokens]
        return ReferenceTokens(tuple(t[:, :portraits] for t in split), tuple(t[:, portraits:] for t in split))
