"""Numbers over a face as colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hallo_lit.media.image import Pixels

MAP = cv2.COLORMAP_INFERNO


def over(photo: Pixels, values: NDArray[np.float64], top: float, share: float = 0.72) -> Pixels:
    """Values (h, w) from 0 to `top` as colours over a grey photo (H, W, 3); they are enlarged to it."""
    height, width = photo.shape[:2]
    large = np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC), np.float64)
    grey = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    mixed = (1 - share) * grey + share * colours(large, top)
    return mixed.round().clip(0, 255).astype(np.uint8)


def colours(values: NDArray[np.float64], top: float) -> Pixels:
    """(h, w) -> (h, w, 3); everything is darkest when `top` is 0."""
    level = np.clip(values / top, 0, 1) if top > 0 else np.zeros(values.shape)
    coloured = cv2.applyColorMap((level * 255).round().astype(np.uint8), MAP)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def scale_bar(top: float, unit: str, width: int = 300) -> Pixels:
    """The colours from 0 to `top` with both ends named."""
    page = Image.new("RGB", (width + 320, 24), (255, 255, 255))
    font = ImageFont.load_default(14)
    ramp = colours(np.tile(np.linspace(0, 1, width), (14, 1)), 1.0)
    page.paste(Image.fromarray(ramp), (20, 5))
    pen = ImageDraw.Draw(page)
    pen.text((4, 12), "0", (20, 20, 20), font, anchor="lm")
    pen.text((width + 28, 12), f"{top:.3g} {unit}", (20, 20, 20), font, anchor="lm")
    return np.asarray(page, np.uint8)


def common_top(maps: list[NDArray[np.float64]], percentile: float = 99.5) -> float:
    """One end of the scale for several maps, so that their colours can be compared; outliers may exceed it."""
    return max((float(np.percentile(values, percentile)) for values in maps), default=0.0)
