"""The head turns, nods, tilts and sways: moves the whole head of a picture, shoulders and background staying."""

from __future__ import annotations

from collections.abc import Sequence

from hallo_lit.components.portrait_warp import PortraitWarp

CONTROLS = ("yaw", "pitch", "roll", "tx", "ty", "scale")


class HeadNet(PortraitWarp):
    """Where the pixels of finished frames come from when the head moves; the face in them talks with a still head.

    It sees a window around the head that is wider than the crop of the denoiser, once, in the portrait; what it says
    holds for every frame, at any size: the flow is smooth. `animation.head_motion` draws controls and moves frames.

    controls: among yaw, pitch, roll (degrees), tx, ty (head units) and scale; see `PortraitWarp`. margin: of the window
    around the face, as `animate`'s crop_margin. size: pixels of its side.
    """

    def __init__(
        self,
        controls: Sequence[str] = CONTROLS,
        width: int = 48,
        blocks: int = 4,
        groups: int = 16,
        cell: int = 8,
        margin: float = 1.6,
        size: int = 128,
    ) -> None:
        super().__init__(controls, width, blocks, groups, cell)
        self.margin, self.size = margin, size
