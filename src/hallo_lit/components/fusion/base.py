"""What every audio fusion mechanism promises, and the masked cross-attentions that most of them start from."""

from __future__ import annotations

from collections.abc import Sequence

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from hallo_lit.blocks.attention import attend, attend_to_nothing, attention
from hallo_lit.errors import UserError
from hallo_lit.structs import REGIONS

FULL = "full"  # a branch that sees the whole picture


class AudioFusion(nn.Module):
    """Built as `fusion(dim, heads, audio_dim)`, once per cell with attention."""

    def forward(self, x: Tensor, audio: Tensor | None, masks: Tensor, scale: Tensor) -> Tensor:
        """The update to add to x (n, l, dim), from audio (n, tokens, audio_dim), masks (n, r, h, w) and scale (r,).

        The l = h w tokens are the places of the masks, row by row.

        `audio=None` means silence and equals all-zero audio tokens, without computing any attention.
        """
        raise TypeError(f"{type(self).__name__} does not define forward")


class RegionalFusion(AudioFusion):
    """One cross-attention per branch; a branch is a region of REGIONS, or "full" for the whole picture."""

    attn: Sequence[Attention]

    def __init__(self, dim: int, heads: int, audio_dim: int, branches: Sequence[str] = REGIONS) -> None:
        super().__init__()
        unknown = [name for name in branches if name not in (*REGIONS, FULL)]
        if unknown or not branches:
            raise UserError(f"fusion.branches={list(branches)}: choose among {', '.join((*REGIONS, FULL))}.")
        self.branches = tuple(branches)
        self.attn = nn.ModuleList(attention(dim, heads, audio_dim) for _ in branches)  # type: ignore[assignment]

    def heard(self, x: Tensor, audio: Tensor | None) -> list[Tensor]:
        """What each branch attends to, (n, l, dim), or (dim,) where silence makes it the same everywhere."""
        return [attend_to_nothing(attn) if audio is None else attend(attn, x, audio) for attn in self.attn]

    def weights(self, masks: Tensor, scale: Tensor) -> list[tuple[Tensor | float, Tensor | float]]:
        """Per branch its mask (n, l, 1) and its scale (); both are 1 for "full"."""
        regions = {
            name: (mask.flatten(1)[..., None], s)
            for name, mask, s in zip(REGIONS, masks.unbind(1), scale.unbind(), strict=True)
        }
        return [regions.get(name, (1.0, 1.0)) for name in self.branches]
