"""Pictures in and out: whatever Pillow can open becomes upright 8-bit sRGB, or one sentence says why not."""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.media.files import check_readable, whole_file

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")  # none that runs a program
MIN_SIDE = 32
MAX_PIXELS = 100_000_000


def read_image(path: str | Path) -> Pixels:
    """Upright 8-bit sRGB pixels (H, W, 3): transparency over white, the first frame of an animation.

    Raises UserError for a missing, empty, truncated, foreign, tiny (a side below 32) or huge (over 100 megapixels)
    file.
    """
    path = Path(path)
    check_readable(path, "picture")
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]  # a build of Pillow may lack some
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage is reported by exceptions, size by the check below
            with Image.open(path, formats=formats) as image:
                _check_size(path, image.size)
                return _upright_rgb(image)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f"{path} is not a picture that can be read; save it as JPEG, PNG or WebP") from error
    except Image.DecompressionBombError as error:  # Pillow refuses by the header, before anything is decoded
        raise UserError(_too_large(path)) from error
    except Exception as error:  # Pillow's readers raise whatever broken bytes lead them to
        raise UserError(f"{path} is truncated or damaged ({error}); save or download the picture again") from error


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if min(size) < MIN_SIDE:
        raise UserError(f"{path} is only {size[0]} x {size[1]} pixels; give a picture of at least 32 x 32")
    if size[0] * size[1] > MAX_PIXELS:
        raise UserError(_too_large(path, f", {size[0]} x {size[1]} pixels,"))


def _too_large(path: Path, detail: str = "") -> str:
    return f"{path}{detail} is larger than {MAX_PIXELS // 10**6} megapixels; scale the picture down"


def _upright_rgb(image: Image.Image) -> Pixels:
    image.load()
    with suppress(Exception):  # a broken orientation tag is no reason to refuse a sound picture
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return np.repeat(_eight_bit(image)[..., None], 3, axis=2)
    profile = image.info.get("icc_profile")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    elif image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    return np.array(_to_srgb(image, profile), np.uint8)


def _eight_bit(image: Image.Image) -> Pixels:
    """Grey (H, W): 16 bits are scaled down; 32 bits may hold 8 or 16, floats also 0..1, told apart by the maximum."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    top = float(values.max())
    if image.mode.startswith("I;16") or top > 255:
        values = values / 257
    elif image.mode == "F" and top <= 1:
        values = values * 255
    return values.clip(0, 255).round().astype(np.uint8)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):  # a profile of another colour space, or a broken one
        return image.convert("RGB")
    return converted or image.convert("RGB")


def to_tensor(image: Pixels) -> Tensor:
    """uint8 (..., H, W, 3) -> float (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).movedim(-1, -3).float().div(127.5).sub(1)


def to_pixels(tensor: Tensor) -> Pixels:
    """float (..., 3, H, W) in [-1, 1], clamped -> uint8 (..., H, W, 3), rounded."""
    pixels = tensor.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.movedim(-3, -1).contiguous().cpu().numpy()


def resize(image: Pixels, size: tuple[int, int]) -> Pixels:
    """To (height, width) by the antialiased bilinear filter, which is the original's."""
    if image.shape[:2] == size:
        return image
    return np.array(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def save_png(path: str | Path, image: Pixels) -> None:
    """Writes (H, W, 3) or (H, W) uint8 whole or not at all. Raises UserError where that is impossible."""
    with whole_file(Path(path)) as part:
        Image.fromarray(image).save(part, format="PNG")
