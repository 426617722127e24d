"""The head turns, nods, tilts and sways: moves the whole head of a picture, shoulders and background staying."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from hallo_lit.components.portrait_warp import PortraitWarp, resized

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

    def forward(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """picture (b, 3, H, W) in [-1, 1], controls (b, f, k), regions (b, f or 1, r, h, w) -> (b, f, 3, H, W).

        H and W are multiples of `cell`.
        """
        frames = controls.shape[1]
        flow = self.flow(picture, controls, regions)
        full = picture.repeat_interleave(frames, 0)
        return self.moved(full, resized(flow, full)).to(picture.dtype).unflatten(0, (-1, frames))

    def flow(self, picture: Tensor, controls: Tensor, regions: Tensor) -> Tensor:
        """As `forward`, -> (b f, 2, h', w') fp32 at the size of the maps; see `PortraitWarp.change`."""
        masks = regions.expand(-1, controls.shape[1], -1, -1, -1).flatten(0, 1).to(picture)
        return self.change(picture, controls.flatten(0, 1), masks).float()
