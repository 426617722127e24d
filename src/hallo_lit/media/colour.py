"""Between decoded or encodable YUV frames and upright RGB pixels, by the right matrix both ways."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from hallo_lit.media.image import Pixels

_TO_RGB = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_YUV = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020}
_UNSPECIFIED = 2


def quarter_turns(frame: VideoFrame) -> int:
    """How often a player turns the frame counter-clockwise, 0..3."""
    return round(frame.rotation / 90) % 4


class PixelsOfFrame:
    """Frame -> upright (H, W, 3) RGB, by the matrix the file names, else the one usual for its height."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()  # keeps its tables from frame to frame

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
        return np.ascontiguousarray(np.rot90(picture.to_ndarray(), quarter_turns(frame)))


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
