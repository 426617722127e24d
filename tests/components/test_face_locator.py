"""The face locator."""

from __future__ import annotations

import pytest
import torch

from hallo_lit.components.face_locator import FaceLocator
from tiny_hallo import CLOSE, redraw, uniform


def test_it_starts_silent() -> None:
    locator = FaceLocator(16, (4, 6, 8))
    assert not locator(uniform(1, 1, 1, 16, 24)).any()


@pytest.mark.parametrize(("widths", "factor"), [((4, 6), 2), ((4, 6, 8), 4), ((4, 6, 8, 8), 8)])
def test_it_halves_once_per_width(widths: tuple[int, ...], factor: int) -> None:
    locator = redraw(FaceLocator(16, widths))
    assert locator(uniform(1, 2, 1, 32, 48)).shape == (2, 16, 32 // factor, 48 // factor)


@torch.no_grad()
def test_a_grey_picture_is_its_one_channel_three_times() -> None:
    locator, grey = redraw(FaceLocator(16, (4, 6, 8))), uniform(1, 2, 1, 16, 24)
    assert torch.equal(locator(grey), locator(grey.repeat(1, 3, 1, 1)))


@torch.no_grad()
def test_it_sees_where_the_face_is() -> None:
    locator = redraw(FaceLocator(16, (4, 6, 8)))
    boxes = torch.zeros(2, 1, 80, 96)
    boxes[0, :, 32:40, 32:40] = 1
    boxes[1, :, 32:40, 48:56] = 1
    left, right = locator(boxes)
    assert (left - right).abs().max() > 0.05
    # the same face four cells further, away from the padding
    torch.testing.assert_close(left[:, 5:15, 5:15], right[:, 5:15, 9:19], **CLOSE)
    torch.testing.assert_close(locator(boxes[:1])[0], left, **CLOSE)


def test_the_default_has_the_releases_layers() -> None:
    shapes = [tuple(p.shape) for name, p in FaceLocator().named_parameters() if name.endswith("weight")]
    widths = [(3, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 320)]
    assert shapes == [(cout, cin, 3, 3) for cin, cout in widths]
