"""Lids, brows and gaze: gives a portrait another expression before the denoiser sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from hallo_lit.components.portrait_warp import FLOW, PortraitWarp, resized
from hallo_lit.structs import REGIONS

LIP = REGIONS.index("lip")
LIGHT = 3  # channels


class ExpressionNet(PortraitWarp):
    """What people do beside talking cannot be heard: whoever guesses it from sound draws its mean, which never blinks.

    So it is told. A shut lid is the skin above it, drawn down, and a little darker: maps say where pixels come from and
    how much lighter they are, outside the lips. The picture takes the portrait's place as the guess that the denoiser
    starts from (`process.prior`, `reference_input`), in every pass of guidance alike. `animation.liveliness` draws
    controls for a video, `data.samples.expression` reads true ones.

    controls: among blink, brow, gaze_x and gaze_y; see `PortraitWarp`.
    """

    channels: ClassVar[int] = FLOW + LIGHT

    def __init__(
        self,
        controls: Sequence[str] = ("blink", "brow", "gaze_x", "gaze_y"),
        width: int = 48,
        blocks: int = 3,
        groups: int = 16,
        cell: int = 4,
    ) -> None:
        super().__init__(controls, width, blocks, groups, cell)

    def forward(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """picture (b, 3, H, W) in [-1, 1], controls (b, f, k), regions (b, f or 1, r, h, w) -> (b, f, 3, H, W).

        H and W are multiples of `cell`.
        """
        frames = controls.shape[1]
        masks = regions.expand(-1, frames, -1, -1, -1).flatten(0, 1).to(picture)
        change = self.change(picture, controls.flatten(0, 1), masks)
        change = change * (1 - resized(masks[:, LIP : LIP + 1], change))
        full = picture.repeat_interleave(frames, 0)
        flow, light = resized(change.float(), full).split((FLOW, LIGHT), 1)
        return (self.moved(full, flow) + light).to(picture.dtype).unflatten(0, (-1, frames))
