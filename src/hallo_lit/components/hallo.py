"""The whole animator as one module: it owns the parts and turns what is known of a clip into Conditioning."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hallo_lit.components.denoising_unet import DenoisingUNet
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.components.face_locator import FaceLocator
from hallo_lit.components.head_net import HeadNet
from hallo_lit.components.projections import AudioProjection, IdentityProjection
from hallo_lit.components.reference_net import ReferenceNet
from hallo_lit.components.vae import Codec
from hallo_lit.structs import (
    ClipInputs,
    Conditioning,
    Drop,
    KeyValue,
    MaskPyramid,
    PreparedPortrait,
    ReferenceTokens,
)


@dataclass(frozen=True)
class Quirks:
    """What released Hallo weights expect although it looks accidental; all off for weights of our own.

    tile_portraits: frame j of row b reads the portrait of row (b f + j) mod batch.
    tile_identity: row r of the ReferenceNet's batch reads the identity of row r mod batch.
    half_tokens: reference tokens are rounded to fp16 on the way to the denoiser.
    empty_motion_frames: how many all-zero motion frames stand in when portrait and motion are both dropped.
    grey_motion: dropped motion frames become mid-grey pictures instead of copies of the portrait.
    eight_bit_masks: region masks are resized as 8-bit pictures.
    """

    tile_portraits: bool = False
    tile_identity: bool = False
    half_tokens: bool = False
    empty_motion_frames: int = 0
    grey_motion: bool = False
    eight_bit_masks: bool = False


class Hallo(nn.Module):
    """Training and inference both call `prepare` and `condition`; what a dropped condition means is decided here."""

    def __init__(
        self,
        codec: Codec,
        reference_net: ReferenceNet,
        denoiser: DenoisingUNet,
        face_locator: FaceLocator,
        identity_projection: IdentityProjection,
        audio_projection: AudioProjection | None = None,
        quirks: Quirks = Quirks(),
        expression_net: ExpressionNet | None = None,
        head_net: HeadNet | None = None,
    ) -> None:
        super().__init__()
        self.codec = codec
        self.reference_net = reference_net
        self.denoiser = denoiser
        self.face_locator = face_locator
        self.identity_projection = identity_projection
        self.audio_projection = audio_projection
        self.quirks = quirks
        self.expression_net = expression_net
        self.head_net = head_net  # moves finished frames, see animation.head_motion

    @property
    def pixel_multiple(self) -> int:
        """Height and width of pictures are multiples of this."""
        return self.codec.factor * 2 ** (len(self.denoiser.spec.channels) - 1)

    def forward(self, x: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        """One prediction of the denoiser: x (b, f, c, h, w), timestep (b,)."""
        return self.denoiser(x, timestep, cond)

    def encode(self, images: Tensor) -> Tensor:
        """Latents of pixels (..., 3, H, W); latents pass unchanged."""
        return images if images.shape[-3] == self.codec.latent_channels else self.codec.encode(images)

    def prepare(self, clip: ClipInputs, drop: Drop) -> PreparedPortrait:
        """Everything that depends on the portrait alone; once per video."""
        latents = self.encode(clip.portrait)
        known = _keep(drop.identity, clip.identity)
        identity = self.identity_projection(clip.identity * known)
        location = (self.face_locator(clip.locator) * _keep(drop.location, latents))[:, None]
        size = (latents.shape[-2], latents.shape[-1])
        depth = len(self.denoiser.spec.channels)
        masks = MaskPyramid.from_masks(clip.regions, size, depth, self.quirks.eight_bit_masks)
        rows = self._identity_rows(identity, clip.past.shape[1])[:, :1]
        tokens = self._handed_over(self.reference_net(latents[:, None], rows))
        keys = self.denoiser.project_portrait(tokens)
        prepared = PreparedPortrait(latents, identity, location, masks, keys)
        if self.expression_net is None:
            return prepared
        picture = self.codec.decode(latents, len(latents))
        return replace(prepared, picture=picture, recoded=self.encode(picture))

    def condition(
        self, clip: ClipInputs, prepared: PreparedPortrait, drop: Drop, region_scale: Tensor | None = None
    ) -> Conditioning:
        """What changes from clip to clip: audio, motion frames, expressions. `region_scale` (r,): ones by default."""
        frames, regions = clip.audio.shape[1], clip.regions.shape[-3]
        audio = None
        if self.audio_projection is not None:
            audio = self.audio_projection(clip.audio)
            audio = audio * _keep(drop.audio, audio)
        # dropping multiplies or selects and never skips, so that every parameter gets a gradient in every step
        keep = (~drop.portrait).to(prepared.latents.device, non_blocking=True) if drop.portrait.any() else None
        return Conditioning(
            frames=frames,
            identity=prepared.identity,
            region_scale=prepared.latents.new_ones(regions) if region_scale is None else region_scale,
            audio=audio,
            masks=prepared.masks,
            location=prepared.location,
            portrait=self._tiled(prepared.portrait, frames),
            keep_portrait=keep,
            motion=self._motion(clip, prepared, drop),
            reference=self._expressed(clip, prepared) * _keep(drop.portrait, prepared.latents[:, None]),
        )

    def _expressed(self, clip: ClipInputs, prepared: PreparedPortrait) -> Tensor:
        """The portrait's latents with the expressions that are asked for, (b, f or 1, c, h, w)."""
        latents, picture, recoded = prepared.latents, prepared.picture, prepared.recoded
        if self.expression_net is None or picture is None or recoded is None or clip.expression.shape[-1] == 0:
            return latents[:, None]
        rows = slice(len(clip.expression))
        regions = prepared.masks.levels[0][rows].unflatten(-1, latents.shape[-2:])
        shown = self.expression_net(picture[rows], clip.expression, regions)
        # the difference, so that what the codec loses is lost once
        return latents[:, None] + (self.encode(shown) - recoded[rows, None])

    def _motion(self, clip: ClipInputs, prepared: PreparedPortrait, drop: Drop) -> tuple[Tensor, ...] | None:
        """Tokens (b, m, l, c) of the frames before the clip, per cell with attention; None without motion frames."""
        count = clip.past.shape[1]
        if count == 0:
            return None
        empty = self.quirks.empty_motion_frames
        if empty and bool((drop.portrait & drop.motion).all()):
            return self._empty_motion(prepared.latents, empty)
        past = self.encode(clip.past)
        if drop.motion.any():
            lost = self._grey(past) if self.quirks.grey_motion else prepared.latents[:, None]
            past = torch.where(drop.motion.to(past.device).view(-1, 1, 1, 1, 1), lost, past)
        identity = self._identity_rows(prepared.identity, count)[:, 1:]
        return self._handed_over(self.reference_net(past, identity, portraits=0)).motion

    def _grey(self, latents: Tensor) -> Tensor:
        """Latents (1, 1, c, h, w) of a mid-grey picture."""
        height, width = (side * self.codec.factor for side in latents.shape[-2:])
        return self.codec.encode(latents.new_zeros(1, 1, 3, height, width))

    def _empty_motion(self, latents: Tensor, count: int) -> tuple[Tensor, ...]:
        b, _, h, w = latents.shape
        cells = self.denoiser.attention_cells()
        return tuple(latents.new_zeros(b, count, (h >> c.level) * (w >> c.level), c.resnet.out_channels) for c in cells)

    def _identity_rows(self, identity: Tensor, motion: int) -> Tensor:
        """(b, tokens, d) -> (b, 1 + motion, tokens, d): the identity each row of the ReferenceNet reads."""
        batch, rows = len(identity), 1 + motion
        if not self.quirks.tile_identity:
            return identity[:, None].expand(-1, rows, -1, -1)
        order = torch.arange(batch * rows, device=identity.device) % batch
        return identity[order].unflatten(0, (batch, rows))

    def _tiled(self, portrait: tuple[KeyValue, ...], frames: int) -> tuple[KeyValue, ...]:
        """Under `tile_portraits`, the batch's portraits in the order in which each row's frames cycle through them."""
        if not self.quirks.tile_portraits:
            return portrait
        batch = len(portrait[0].key)
        row = torch.arange(batch, device=portrait[0].key.device)
        order = (row[:, None] * frames + row) % batch  # (b, p = b)
        return tuple(KeyValue(*(t[order, 0] for t in kv)) for kv in portrait)

    def _handed_over(self, tokens: ReferenceTokens) -> ReferenceTokens:
        if not self.quirks.half_tokens:
            return tokens
        return ReferenceTokens(
            *(tuple(t.half().to(t.dtype) for t in part) for part in (tokens.portrait, tokens.motion))
        )


def _keep(drop: Tensor, like: Tensor) -> Tensor:
    """1 where a condition stays and 0 where it is dropped, (b, 1, ...) broadcastable to `like`."""
    return (~drop).to(like, non_blocking=True).view(-1, *[1] * (like.ndim - 1))
