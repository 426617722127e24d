"""Finished frames of a talking face become those of a head that moves."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hallo_lit.animation.portrait import Photo
from hallo_lit.components.head_net import HeadNet
from hallo_lit.components.portrait_warp import REACH
from hallo_lit.faces.crop import Window, crop, square_crop
from hallo_lit.faces.regions import region_masks
from hallo_lit.media.image import Pixels, to_tensor

SMOOTH = 4  # times as fine is the flow after a cubic spline; linear steps from there are not seen
LARGE = 1000  # pixels of a window's side, beyond which linear resampling is sharp enough, and four times as fast
FEATHER = 0.15  # of the window's side, over which the motion fades towards edges that lie inside the photo


class HeadMotion:
    """Moves pixels within a window around the head, at the photo's own size; what lies outside stays as it is."""

    def __init__(self, net: HeadNet, photo: Photo) -> None:
        """The window is looked at once; frames cost one resampling each."""
        self.net = net
        whole = (photo.pixels.shape[0], photo.pixels.shape[1])
        box = left, top, right, _ = square_crop(photo.landmarks, whole, net.margin)
        self.side, size = right - left, (net.size, net.size)
        weight = next(net.parameters())
        picture = to_tensor(crop(photo.pixels, box, size))
        masks = region_masks((photo.landmarks[:, :2] - [left, top]) * (net.size / self.side), size).regions
        self.picture = picture[None].to(weight)
        self.regions = torch.from_numpy(masks)[None, None].to(weight) / 255
        window = Window(box, whole, FEATHER)
        self.place, self.part = window.place, window.part
        self.reach = np.repeat(window.weight[..., None], 2, -1) * np.float32(REACH * self.side / 2)
        down, across = np.mgrid[self.place].astype(np.float32)
        self.still = np.stack([across, down], -1)

    @torch.inference_mode()
    def moves(self, poses: Tensor) -> Callable[[Pixels, int], Pixels]:
        """Controls (f, k) of the net -> what makes frame i, (H, W, 3) of the photo's size, one in pose i."""
        change = self.net.change(self.picture, poses[None].to(self.picture), self.regions)[0]
        across_down = change.permute(0, 2, 3, 1).cpu().numpy()
        return lambda frame, number: self._moved(frame, across_down[number])

    def _moved(self, frame: Pixels, flow: NDArray[np.float32]) -> Pixels:
        """flow (h, w, 2), as the net gives it."""
        finer = cv2.resize(flow, None, fx=SMOOTH, fy=SMOOTH, interpolation=cv2.INTER_CUBIC)
        large = cv2.resize(finer, (self.side, self.side), interpolation=cv2.INTER_LINEAR)[self.part]
        source = cv2.add(cv2.multiply(large, self.reach), self.still)
        way = cv2.INTER_CUBIC if self.side <= LARGE else cv2.INTER_LINEAR
        moved = frame.copy()
        moved[self.place] = cv2.remap(frame, source, np.empty(0), way, borderMode=cv2.BORDER_REPLICATE)
        return moved
