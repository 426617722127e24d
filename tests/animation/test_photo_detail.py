"""Frames that keep what the photo shows beside the mouth."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hallo_lit.animation.handover import PixelHandover
from hallo_lit.animation.photo_detail import PhotoDetail
from hallo_lit.animation.portrait import Photo
from hallo_lit.animation.video_generator import Recipe, VideoGenerator
from hallo_lit.components.portrait_warp import REACH
from hallo_lit.diffusion.guidance import NoGuidance
from hallo_lit.diffusion.process import NoiseProcess
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.faces.crop import crop
from hallo_lit.faces.regions import speech_mask
from hallo_lit.media.image import to_tensor
from tiny_hallo import CONTROLS, PIXELS, tiny_hallo, tiny_portrait

SIZE, BOX = (300, 400), (40, 30, 340, 230)  # the crop is 200 high and 300 wide, as the model's pictures are shaped
HEIGHT, WIDTH = 200, 300


def landmarks() -> NDArray[np.float64]:
    """A face of 100 x 120 pixels in the middle of the crop: an oval, a nose, the rest anywhere within."""
    points = np.random.RandomState(0).uniform([165, 90, 0], [215, 150, 1], (478, 3))
    jaw = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)
    angles = np.linspace(np.pi, 0, len(jaw))
    points[list(jaw), 0], points[list(jaw), 1] = 190 + 50 * np.cos(angles), 140 + 50 * np.sin(angles)
    points[10], points[2] = (190, 70, 0), (190, 140, 0)
    return points


@pytest.fixture
def hallo() -> Any:
    made = tiny_hallo(expression=True).eval()
    with torch.no_grad():  # every pixel comes from further right, told by the first control; the second brightens
        net = made.expression_net
        net.conv_out.weight.zero_()
        net.conv_out.bias.zero_()
        maps = net.conv_out.bias.view(len(CONTROLS), net.channels, -1)
        maps[0, 0], maps[1, 2:] = 1.0, 0.2
    return made


@pytest.fixture
def photo() -> Photo:
    ramp = np.linspace(20, 200, SIZE[1])[None, :, None] + 20 * (np.indices(SIZE).sum(0)[..., None] % 2)
    pixels = np.broadcast_to(ramp, (*SIZE, 3)).astype(np.uint8)
    shown = tiny_portrait()
    regions = torch.zeros_like(shown.regions)
    picture = to_tensor(crop(pixels, BOX, PIXELS))
    return Photo(pixels, replace(shown, pixels=picture, regions=regions, box=BOX), landmarks())


def detail(hallo: Any, photo: Photo) -> PhotoDetail:
    recipe = Recipe(NoiseProcess(), Sampler(steps=1), NoGuidance())
    video = VideoGenerator(hallo, recipe, photo.portrait, PixelHandover(), torch.Generator())
    return PhotoDetail(hallo, photo, video.prepared)


def cut(photo: Photo) -> NDArray[np.int64]:
    return crop(photo.pixels, BOX, (HEIGHT, WIDTH)).astype(int)


def test_beside_the_mouth_a_frame_is_the_photo(hallo: Any, photo: Photo) -> None:
    frame = np.full((*PIXELS, 3), 90, np.uint8)
    made = detail(hallo, photo).completed(None)(frame, 0).astype(int)
    assert made.shape == (HEIGHT, WIDTH, 3)
    talking = speech_mask(landmarks() - [BOX[0], BOX[1], 0], (HEIGHT, WIDTH))
    np.testing.assert_array_equal(made[talking == 0], cut(photo)[talking == 0])
    inside = made[talking > 0.999]
    assert np.abs(inside - 90).max() <= 12
    assert inside.std() > 1  # the photo's texture, in part
    assert 0.1 < (talking > 0.5).mean() < 0.3


def test_grey_photos_stay_grey(hallo: Any, photo: Photo) -> None:
    frame = np.broadcast_to(np.uint8([90, 120, 200]), (*PIXELS, 3)).copy()
    assert np.ptp(detail(hallo, photo).completed(None)(frame, 0), axis=-1).max() <= 1
    tinted = Photo(np.clip(photo.pixels + np.uint8([0, 5, 10]), 0, 255), photo.portrait, photo.landmarks)
    assert np.ptp(detail(hallo, tinted).completed(None)(frame, 0).astype(int), axis=-1).max() > 50


def test_lips_have_no_texture_of_the_photo(hallo: Any, photo: Photo) -> None:
    photo.portrait.regions[2] = 1
    made = detail(hallo, photo).completed(None)(np.full((*PIXELS, 3), 90, np.uint8), 0).astype(int)
    talking = speech_mask(landmarks() - [BOX[0], BOX[1], 0], (HEIGHT, WIDTH))
    assert (made[talking > 0.999] == 90).all()


def test_the_photo_takes_part_in_expressions(hallo: Any, photo: Photo) -> None:
    """A little: the photo itself moves and brightens. Far: it is the model's frame that is shown."""
    told = torch.tensor([[0.2, 0.0], [0.0, 0.3], [3.0, 0.0], [0.0, 3.0]])
    complete, frame = detail(hallo, photo).completed(told), np.full((*PIXELS, 3), 90, np.uint8)
    moved, lit, far, bright = (complete(frame, number).astype(int) for number in range(4))
    above = (slice(0, 40), slice(60, 240))  # forehead
    smooth = [cv2.blur(picture.astype(np.float32), (8, 8))[above] for picture in (cut(photo), moved, lit)]
    step = 180 / (SIZE[1] - 1) * 0.2 * REACH * WIDTH / 2
    assert np.median(smooth[1] - smooth[0]) == pytest.approx(step, abs=0.3)
    assert np.median(smooth[2] - smooth[0]) == pytest.approx(0.3 * 0.2 * 127.5, abs=0.6)
    for picture in (far, bright):
        np.testing.assert_array_equal(picture[above], np.full_like(picture[above], 90))


def test_models_without_expressions(photo: Photo) -> None:
    plain = tiny_hallo().eval()
    made = detail(plain, photo).completed(torch.ones(2, 2))(np.zeros((*PIXELS, 3), np.uint8), 1)
    np.testing.assert_array_equal(made[0].astype(int), cut(photo)[0])


def test_half_precision(hallo: Any, photo: Photo) -> None:
    frame, told = np.full((*PIXELS, 3), 90, np.uint8), torch.tensor([[0.2, 0.1]])
    usual, half = (
        detail(model, photo).completed(told)(frame, 0).astype(int)
        for model in (hallo, deepcopy(hallo).to(torch.bfloat16))
    )
    assert np.abs(usual - half).max() <= 8
    assert np.abs(usual - half).mean() < 1
