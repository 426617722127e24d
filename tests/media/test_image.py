"""Every kind of portrait a person may have, and every kind of file that is none."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from hallo_lit.errors import UserError
from hallo_lit.media import image as media


def close(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize(
    ("name", "options", "limit"),
    [
        ("a.png", {}, 0),
        ("a.jpg", {"quality": 95}, 3),
        ("a.webp", {"lossless": True}, 0),
        ("a.webp", {"quality": 95}, 3),
        ("My photo (1).png", {}, 0),
        ('John\'s "best", no. 1.png', {}, 0),
        ("ünï çödé 写真.png", {}, 0),
        ("no_extension", {"format": "TIFF"}, 0),
        ("wrong.jpg", {"format": "PNG"}, 0),
    ],
)
def test_common_files(tmp_path, photo, name, options, limit):
    Image.fromarray(photo).save(tmp_path / name, **options)
    assert close(media.read_image(tmp_path / name), photo) <= limit
    assert close(media.read_image(str(tmp_path / name)), photo) <= limit


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_orientation_tags(tmp_path, photo, orientation, extension):
    stored = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: np.rot90(p),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: np.rot90(p, -1),
    }[orientation](photo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{extension}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    upright = media.read_image(path)
    assert upright.shape == photo.shape
    assert close(upright, photo) < 4


def test_broken_orientation_is_ignored(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.jpg", exif=b"Exif\0\0garbage", quality=95)
    assert close(media.read_image(tmp_path / "a.jpg"), photo) < 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "LAB"])
def test_modes(tmp_path, photo, mode):
    source = Image.fromarray(photo)
    if mode == "P":
        stored = source.quantize(200)
    elif mode == "LAB":
        profiles = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
        stored = ImageCms.profileToProfile(source, *profiles, outputMode="LAB")
    else:
        stored = source.convert(mode)
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "LAB") else "a.png")
    stored.save(path)
    pixels = media.read_image(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape == photo.shape
    expected = np.array(source.convert("L").convert("RGB")) if mode in ("L", "LA") else photo
    assert close(pixels, expected) < {"1": 128, "P": 8, "LAB": 40}.get(mode, 3)


def test_cmyk_jpeg(tmp_path, photo):
    Image.fromarray(photo).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert close(media.read_image(tmp_path / "a.jpg"), photo) < 4


def test_sixteen_bits_and_floats(tmp_path, photo):
    grey = photo[..., 0].astype(np.uint16) * 257
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(media.read_image(tmp_path / "grey.png"), np.repeat(photo[..., :1], 3, 2))
    colour = photo[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    np.testing.assert_array_equal(media.read_image(tmp_path / "colour.png"), photo)
    Image.fromarray(grey // 300).save(tmp_path / "dark.png")
    assert media.read_image(tmp_path / "dark.png").max() <= 1
    Image.fromarray(photo[..., 0].astype(np.float32) / 255).save(tmp_path / "f.tiff")
    np.testing.assert_array_equal(media.read_image(tmp_path / "f.tiff")[..., 0], photo[..., 0])


def test_transparency_becomes_white(tmp_path, photo):
    alpha = np.full((48, 64, 1), 255, np.uint8)
    alpha[:, :32] = 0
    Image.fromarray(np.concatenate([photo, alpha], 2)).save(tmp_path / "a.png")
    pixels = media.read_image(tmp_path / "a.png")
    assert pixels[:, :32].min() == 255
    np.testing.assert_array_equal(pixels[:, 32:], photo[:, 32:])
    palette = Image.fromarray(photo).quantize(16)
    palette.save(tmp_path / "p.png", transparency=palette.getpixel((0, 0)))
    assert media.read_image(tmp_path / "p.png")[0, 0].tolist() == [255, 255, 255]


def test_first_frame_of_an_animation(tmp_path, photo):
    frames = [Image.fromarray(photo), Image.fromarray(255 - photo)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(media.read_image(tmp_path / "a.webp"), photo)


def test_colour_profiles_are_followed(tmp_path, photo):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(photo).save(tmp_path / "srgb.png", icc_profile=profile)
    np.testing.assert_array_equal(media.read_image(tmp_path / "srgb.png"), photo)
    Image.fromarray(photo).save(tmp_path / "broken.png", icc_profile=b"not a profile")
    np.testing.assert_array_equal(media.read_image(tmp_path / "broken.png"), photo)
    Image.fromarray(photo).save(tmp_path / "warm.png", icc_profile=warm_profile(profile))
    assert close(media.read_image(tmp_path / "warm.png"), photo) > 2


def warm_profile(srgb: bytes) -> bytes:
    """sRGB with its red and blue primaries exchanged in the tag table, another valid colour space."""
    named = srgb.replace(b"sRGB", b"mine").replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    return named.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")


def png_header(width: int, height: int) -> bytes:
    """A valid PNG header that promises width x height pixels and a little data that does not keep the promise."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def refused(path, pattern: str) -> None:
    with pytest.raises(UserError, match=pattern) as caught:
        media.read_image(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert ";" in sentence  # what is wrong; what to do


def test_missing_directory_empty(tmp_path):
    refused(tmp_path / "none.png", "does not exist")
    refused(tmp_path, "is a directory")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "is empty")


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.9])
def test_truncated(tmp_path, extension, kept):
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    whole = tmp_path / f"a.{extension}"
    Image.fromarray(noise).save(whole)
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * kept)])
    refused(whole, "truncated or damaged|is not a picture")


@pytest.mark.parametrize("content", [b"a text file\n" * 50, bytes(range(256)) * 20, b"%PDF-1.4\n", b"\xff\xd8\xff"])
def test_not_a_picture(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    refused(tmp_path / "a.jpg", "is not a picture|truncated or damaged")


def test_postscript_is_never_run(tmp_path):
    (tmp_path / "a.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n")
    refused(tmp_path / "a.eps", "is not a picture")


def test_sizes(tmp_path, recwarn):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    refused(tmp_path / "dot.png", "only 1 x 1 pixels")
    Image.new("RGB", (500, 8)).save(tmp_path / "strip.png")
    refused(tmp_path / "strip.png", "only 500 x 8 pixels")
    for side in (10_001, 12_000, 30_000):  # Pillow itself is silent, warns, raises
        (tmp_path / "huge.png").write_bytes(png_header(side, side))
        refused(tmp_path / "huge.png", "larger than 100 megapixels")
    assert not recwarn.list


def test_tensor_round_trip(photo):
    tensor = media.to_tensor(photo)
    assert tensor.shape == (3, 48, 64)
    assert tensor.min() >= -1
    assert tensor.max() <= 1
    np.testing.assert_array_equal(media.to_pixels(tensor), photo)
    clip = np.stack([photo, 255 - photo])
    np.testing.assert_array_equal(media.to_pixels(media.to_tensor(clip)), clip)
    assert media.to_pixels(torch.full((3, 4, 4), 1.7)).min() == 255


def test_resize(photo):
    assert media.resize(photo, (24, 80)).shape == (24, 80, 3)
    assert media.resize(photo, (48, 64)) is photo
    np.testing.assert_allclose(media.resize(photo, (12, 16)).mean((0, 1)), photo.mean((0, 1)), atol=1)


def test_save_png(tmp_path, photo):
    media.save_png(tmp_path / "out.png", photo)
    np.testing.assert_array_equal(media.read_image(tmp_path / "out.png"), photo)
    with pytest.raises(UserError, match="does not exist"):
        media.save_png(tmp_path / "none" / "out.png", photo)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png"]
