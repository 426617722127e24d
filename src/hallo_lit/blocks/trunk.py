"""The Stable Diffusion 1.5 trunk with two tenants, the ReferenceNet and the denoising UNet.

A level is a list of cells. The leaves come from diffusers, so a table of names, and not a copy of a UNet, is all a
public checkpoint needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hallo_lit.blocks.cell import Cell, Extras, UNetSpec
from hallo_lit.structs import Conditioning


class Level(nn.Module):
    """Cells of one resolution, and the step to the next."""

    cells: Sequence[Cell]
    resample: Downsample2D | Upsample2D | None

    def __init__(self, cells: list[Cell], resample: Downsample2D | Upsample2D | None = None) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)  # type: ignore[assignment]  # a list of cells, to its readers
        self.resample = resample


class Trunk(nn.Module):
    """Down, across and up. `checkpointing` trades compute for memory cell by cell and changes no value."""

    down: Sequence[Level]
    up: Sequence[Level]

    def __init__(self, spec: UNetSpec, extras: Extras | None = None, checkpointing: bool = False) -> None:
        super().__init__()
        self.spec, self.checkpointing = spec, checkpointing
        ch, last, index = spec.channels, len(spec.channels) - 1, count()

        def cell(cin: int, cout: int, level: int, attention: bool, narrow: int) -> Cell:
            made = Cell(spec, cin, cout, level, next(index) if attention else None)
            if extras is not None:
                made.extend(spec, extras, narrow)
            return made

        self.conv_in = nn.Conv2d(spec.in_channels, ch[0], 3, padding=1)
        self.time_proj = Timesteps(ch[0], flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(ch[0], 4 * ch[0])

        down: list[Level] = []
        skips = [ch[0]]
        for i, cout in enumerate(ch):
            widths = [ch[max(i - 1, 0)]] + [cout] * (spec.layers - 1)
            cells = [cell(cin, cout, i, spec.attention[i], cin) for cin in widths]
            # name="op" keeps diffusers from registering the same weights twice
            down.append(Level(cells, Downsample2D(cout, use_conv=True, name="op") if i < last else None))
            skips += [cout] * (spec.layers + (i < last))
        self.down = nn.ModuleList(down)  # type: ignore[assignment]

        self.mid = Level([cell(ch[-1], ch[-1], last, True, ch[-1]), Cell(spec, ch[-1], ch[-1], last, None)])

        up: list[Level] = []
        cin = ch[-1]
        for i in reversed(range(len(ch))):
            cells = []
            for _ in range(spec.layers + 1):
                cells.append(cell(cin + skips.pop(), ch[i], i, spec.attention[i], ch[max(i - 1, 0)]))
                cin = ch[i]
            up.append(Level(cells, Upsample2D(cin, use_conv=True) if i > 0 else None))
        self.up = nn.ModuleList(up)  # type: ignore[assignment]

    def time(self, timestep: Tensor, like: Tensor) -> Tensor:
        """(n,) timesteps -> (n, 4 c0) embedding; the sinusoids are computed in fp32."""
        return self.time_embedding(self.time_proj(timestep).to(like.dtype))

    def walk(
        self, x: Tensor, temb: Tensor, cond: Conditioning, keep: bool = False
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """x (b f, c0, h, w), h and w multiples of 2^(levels - 1). `keep` also returns every spatial block's tokens."""
        tokens: list[Tensor] = []

        def step(cell: Cell, x: Tensor) -> Tensor:
            x, seen = self.run(cell, x, temb, cond)
            if keep and seen is not None:
                tokens.append(seen)
            return x

        return self.through(x, step), tuple(tokens)

    def through(self, x: Tensor, step: Callable[[Cell, Tensor], Tensor]) -> Tensor:
        """Down, across and up; `step` makes each cell's output from its input."""
        skips = [x]
        for level in self.down:
            for cell in level.cells:
                x = step(cell, x)
                skips.append(x)
            if level.resample is not None:
                x = level.resample(x)
                skips.append(x)
        for cell in self.mid.cells:
            x = step(cell, x)
        for level in self.up:
            for cell in level.cells:
                x = step(cell, torch.cat([x, skips.pop()], 1))
            if level.resample is not None:
                x = level.resample(x)
        return x

    def run(self, cell: Cell, x: Tensor, temb: Tensor, cond: Conditioning) -> tuple[Tensor, Tensor | None]:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(cell, x, temb, cond, use_reentrant=False)
        return cell(x, temb, cond)

    def attention_cells(self) -> Iterator[Cell]:
        """The cells with attention in execution order, the order of every per-cell tuple."""
        for level in [*self.down, self.mid, *self.up]:
            yield from (cell for cell in level.cells if cell.index is not None)
