"""Between decoded or encodable YUV frames and upright RGB pixels, by the right matrix both ways."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from hallo_lit.media.image import Pixels

_TO_RGB = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_YUV = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020}
_UNSPECIFIED = 2


@dataclass(frozen=True)
class Orientation:
    """What a player does with the pictures of a file: it may swap left and right, and then turns them."""

    mirrored: bool
    quarter_turns: int  # counter-clockwise, 0..3

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """From the display matrix of a frame, as FFmpeg reads it. Not for every frame: PyAV then frees it late."""
        side_data: Any = frame.side_data  # typed as keyed by text
        matrix = side_data.get(SideData.DISPLAYMATRIX)
        if matrix is None:
            return cls(False, 0)
        # a pixel (x, y) is shown at (a x + c y, b x + d y), y pointing down
        a, b, c, d = np.frombuffer(matrix, np.int32)[[0, 1, 3, 4]].tolist()
        mirrored = a * d - b * c < 0
        right = (-a, -b) if mirrored else (a, b)  # where the right of the picture comes to lie
        return cls(mirrored, round(math.atan2(-right[1], right[0]) / (math.pi / 2)) % 4)

    def applied(self, pixels: Pixels) -> Pixels:
        """(H, W, 3) as a player shows it."""
        return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.quarter_turns))


class PixelsOfFrame:
    """Frame -> upright (H, W, 3) RGB, by the matrix the file names, else the one usual for its height."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()  # keeps its tables from frame to frame
        self._orientations: dict[int, Orientation] = {}  # by what PyAV makes of it, which does not know mirrors

    def __call__(self, frame: VideoFrame) -> Pixels:
        matrix = _MATRICES.get(frame.colorspace, Colorspace.ITU601)
        if frame.colorspace == _UNSPECIFIED and frame.height >= 720:
            matrix = Colorspace.ITU709
        full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
        picture = self._scaler.reformat(
            frame,
            format="rgb24",
            src_colorspace=matrix,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=_TO_RGB,
        )
        if frame.rotation not in self._orientations:
            self._orientations[frame.rotation] = Orientation.of(frame)
        return self._orientations[frame.rotation].applied(np.asarray(picture.to_ndarray(), np.uint8))


class FrameOfPixels:
    """(H, W, 3) RGB -> yuv420p frame, BT.709, limited range, even sides by replication of the last row or column."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, pixels: Pixels) -> VideoFrame:
        height, width = pixels.shape[:2]
        if height % 2 or width % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return self._scaler.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24"),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_TO_YUV,
        )
