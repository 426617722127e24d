"""One layer of the trunk: resnet -> spatial -> audio -> temporal (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from hallo_lit.blocks.audio import AudioTransformer
from hallo_lit.blocks.spatial import SpatialTransformer, TokenTap
from hallo_lit.blocks.temporal import TemporalTransformer
from hallo_lit.structs import Conditioning, KeyValue, cycle, per_frame


@dataclass(frozen=True)
class UNetSpec:
    """Shape of a trunk; the defaults are Stable Diffusion 1.5. `heads` is the number of heads at every width."""

    in_channels: int = 4
    out_channels: int = 4
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    attention: tuple[bool, ...] = (True, True, True, False)
    layers: int = 2
    heads: int = 8
    context_dim: int = 768
    groups: int = 32


@dataclass(frozen=True)
class Extras:
    """What the denoiser's cells have beyond the ReferenceNet's.

    `deepest_motion` also builds temporal parts at levels without attention, where there are no motion frames.
    `narrow_audio` gives the audio block the width of its cell's input, as released Hallo weights have it.
    """

    fusion: Callable[[int, int, int], nn.Module] | None = None  # (dim, heads, audio_dim) -> fusion
    audio_dim: int = 768
    temporal: bool = True
    temporal_heads: int = 8
    temporal_blocks: int = 1
    temporal_groups: int = 32
    max_frames: int = 32
    deepest_motion: bool = False
    narrow_audio: bool = False


class Cell(nn.Module):
    """index: place among the cells with attention, None without; level: row of the mask pyramid."""

    def __init__(self, spec: UNetSpec, cin: int, cout: int, level: int, index: int | None) -> None:
        super().__init__()
        self.level, self.index = level, index
        self.resnet = ResnetBlock2D(
            in_channels=cin, out_channels=cout, temb_channels=4 * spec.channels[0], groups=spec.groups, eps=1e-5
        )
        self.spatial: SpatialTransformer | TokenTap | None = None
        self.audio: AudioTransformer | None = None
        self.temporal: TemporalTransformer | None = None
        if index is not None:
            self.spatial = SpatialTransformer(cout, spec.heads, spec.context_dim, spec.groups)

    def extend(self, spec: UNetSpec, extras: Extras, narrow: int) -> None:
        """Add the denoiser's audio and temporal parts; `narrow` is the audio width of released weights."""
        channels = self.resnet.out_channels
        if extras.fusion is not None and self.index is not None:
            width = narrow if extras.narrow_audio else channels
            fusion = extras.fusion(width, spec.heads, extras.audio_dim)
            self.audio = AudioTransformer(channels, width, spec.heads, fusion, spec.groups)
        if extras.temporal and (self.index is not None or extras.deepest_motion):
            self.temporal = TemporalTransformer(
                channels, extras.temporal_heads, extras.temporal_blocks, extras.max_frames, extras.temporal_groups
            )

    def forward(self, x: Tensor, temb: Tensor, cond: Conditioning) -> tuple[Tensor, Tensor | None]:
        """x (b f, c, h, w) transformed, and the spatial block's tokens (b f, l, c)."""
        n = cond.frames
        x, tokens = self.look(x, temb, cond)
        if self.audio is not None and cond.masks is not None:
            audio = None if cond.audio is None else cond.audio.flatten(0, 1)
            x = self.audio(x, audio, cond.masks.at(self.level, n), cond.region_scale)
        if self.temporal is not None:
            motion = None if cond.motion is None or self.index is None else cond.motion[self.index]
            x = self.temporal(x, n, motion)
        return x, tokens

    def look(self, x: Tensor, temb: Tensor, cond: Conditioning) -> tuple[Tensor, Tensor | None]:
        """The part before any sound is heard: resnet and spatial block, x and tokens as from `forward`."""
        n, tokens = cond.frames, None
        x = self.resnet(x, temb)
        if self.spatial is not None and self.index is not None:
            portrait = None
            if cond.portrait is not None:
                portrait = KeyValue(*(cycle(t, n) for t in cond.portrait[self.index]))
            keep = None if cond.keep_portrait is None else per_frame(cond.keep_portrait, n)
            x, tokens = self.spatial(x, per_frame(cond.identity, n), portrait, keep)
        return x, tokens
