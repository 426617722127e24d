"""Lids, brows and gaze: gives a portrait another expression before the denoiser sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from hallo_lit.components.portrait_warp import FLOW, PortraitWarp
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

    def moves(self, masks: Tensor) -> Tensor:
        return 1 - masks[:, LIP : LIP + 1]
