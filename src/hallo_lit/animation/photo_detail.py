"""Frames of a model that sees few pixels get back what the photo shows of skin, eyes and hair."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hallo_lit.animation.portrait import Photo
from hallo_lit.components.expression_net import LIP
from hallo_lit.components.hallo import Hallo
from hallo_lit.components.portrait_warp import FLOW, REACH
from hallo_lit.faces.crop import crop
from hallo_lit.faces.regions import speech_mask
from hallo_lit.media.image import Pixels, to_pixels
from hallo_lit.structs import PreparedPortrait

TEXTURE = 12.0  # grey levels: what the codec loses of skin; edges are stronger, and move when the jaw does
FAR = (0.35, 0.75)  # from here to there, in tenths of half the crop, an expression moves too far for the photo's detail
BRIGHT = (0.1, 0.25)  # or changes too much light
GREY = 4.0  # levels between the colours of a pixel, on average, below which a photo is meant to have none


class PhotoDetail:
    """For models whose heads keep still: where talking moves nothing, a frame is the photo, with the expression that
    the model was told. Below the nose and where lids are shut it is the model's, with the photo's texture of skin, and
    without colour where the photo has none.
    """

    @torch.inference_mode()
    def __init__(self, hallo: Hallo, photo: Photo, prepared: PreparedPortrait) -> None:
        """Everything that is the same in all frames."""
        self.net = hallo.expression_net
        left, top, right, bottom = photo.portrait.box
        self.size = (bottom - top, right - left)
        self.photo = crop(photo.pixels, photo.portrait.box, self.size)
        self.grey = float(np.ptp(self.photo.astype(np.int16), axis=-1).mean()) < GREY
        self.resting = 1 - speech_mask(photo.landmarks - [left, top, 0], self.size)
        seen = prepared.picture
        self.picture = hallo.codec.decode(prepared.latents[:1], 1) if seen is None else seen[:1]
        self.regions = prepared.masks.levels[0][:1].unflatten(-1, prepared.latents.shape[-2:])
        lost = self.photo.astype(np.float32) - self._large(to_pixels(self.picture[0]))
        lips = np.clip(2 * cv2.resize(photo.portrait.regions[LIP].numpy(), self.size[::-1]), 0, 1)
        texture = TEXTURE * np.tanh(lost / TEXTURE) * ((1 - lips) * (1 - self.resting))[..., None]
        self.texture = np.rint(texture).astype(np.int16)
        down, across = np.mgrid[: self.size[0], : self.size[1]].astype(np.float32)
        self.still = np.stack([across, down], -1)

    @torch.inference_mode()
    def completed(self, expression: Tensor | None) -> Callable[[Pixels, int], Pixels]:
        """Controls (f, k) that the clip was made with -> what makes frame i, (h, w, 3), one of the crop's own size."""
        if self.net is None or expression is None:
            return lambda frame, number: self._mixed(frame, self.photo, self.resting)
        change = self.net.change(self.picture, expression[None].to(self.picture), self.regions)[0]
        maps = change.permute(0, 2, 3, 1).cpu().numpy()
        return lambda frame, number: self._expressive(frame, maps[number])

    def _expressive(self, frame: Pixels, change: NDArray[np.float32]) -> Pixels:
        """change (h', w', channels), see `PortraitWarp.change`."""
        height, width = self.size
        moves = _rise(np.linalg.norm(change[..., :FLOW], axis=-1), *FAR)
        shines = _rise(np.abs(change[..., FLOW:]).max(-1), *BRIGHT)
        flow = change[..., :FLOW] * np.array([width, height], np.float32) * (REACH / 2)
        source = cv2.add(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), self.still)
        moved = cv2.remap(self.photo, source, np.empty(0), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        light = np.rint(change[..., FLOW:] * 127.5).astype(np.int16)
        light = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
        photo = np.asarray(cv2.add(moved, light, dtype=cv2.CV_8U), np.uint8)
        resting = self.resting
        if moves.any() or shines.any():
            grown = cv2.dilate(np.maximum(moves, shines), np.ones((3, 3), np.uint8))
            resting = resting * (1 - cv2.resize(grown, (width, height), interpolation=cv2.INTER_LINEAR))
        return self._mixed(frame, photo, resting)

    def _mixed(self, frame: Pixels, photo: Pixels, resting: NDArray[np.float32]) -> Pixels:
        mixed = cv2.blendLinear(self._large(frame), photo, 1 - resting, resting)
        return np.asarray(cv2.add(mixed, self.texture, dtype=cv2.CV_8U), np.uint8)

    def _large(self, frame: Pixels) -> Pixels:
        if self.grey:
            frame = np.repeat(np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, -1)
        return np.asarray(cv2.resize(frame, self.size[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def _rise(x: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    return np.clip((x - low) / (high - low), 0, 1).astype(np.float32)
