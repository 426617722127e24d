"""From a photo to what the model is told about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from hallo_lit.animation.portrait import LONGEST_SIDE, PortraitReader
from hallo_lit.errors import UserError
from hallo_lit.faces.measures import face_box
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS


def face(x: float, y: float, width: float = 100, height: float = 140) -> np.ndarray:
    """(478, 3) landmarks of an upright face around (x, y)."""
    points = np.zeros((478, 3))
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL)] = np.stack([width / 2 * np.sin(angles), -height / 2 * np.cos(angles), 0 * angles], -1)
    angles = np.linspace(0, 2 * np.pi, len(OUTER_LIPS), endpoint=False)
    points[list(OUTER_LIPS)] = np.stack([-width / 5 * np.cos(angles), height / 4 + 8 * np.sin(angles), 0 * angles], -1)
    points[[10, 152, 234, 454]] = [(0, -height / 2, 0), (0, height / 2, 0), (-width / 2, 0, 0), (width / 2, 0, 0)]
    return points + np.array([x, y, 0])


class Seen:
    """A detector that finds given faces, and a face encoder; both remember what they were shown."""

    width = 7

    def __init__(self, *faces: np.ndarray) -> None:
        self.faces, self.pictures, self.encoded = list(faces), [], []
        self.open = 0

    def __enter__(self) -> Seen:
        self.open += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.open -= 1

    def detect(self, picture: np.ndarray) -> list[np.ndarray]:
        assert self.open == 1
        self.pictures.append(picture)
        return self.faces

    def __call__(self, picture: np.ndarray, points: np.ndarray) -> torch.Tensor:
        self.encoded.append((picture, points))
        return torch.arange(7.0)


def reader(seen: Seen, size: tuple[int, int] = (64, 64), **other: Any) -> PortraitReader:
    return PortraitReader(seen, size, 8, lambda: seen, **other)  # type: ignore[arg-type, return-value]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """400 x 300 pixels; the red channel grows to the right and the green one downwards."""
    y, x = np.mgrid[0:300, 0:400]
    picture = np.stack([x * 255 / 399, y * 255 / 299, np.full_like(x, 60)], -1).astype(np.uint8)
    path = tmp_path / "my photo.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def test_the_crop_is_a_square_around_the_face(photo: Path) -> None:
    seen = Seen(face(200, 150))
    made = reader(seen)(photo)
    portrait = made.portrait
    left, top, right, bottom = portrait.box
    assert right - left == bottom - top
    assert (left + right) / 2 == pytest.approx(200, abs=1)
    assert left < 150 < 250 < right
    assert top < 80 < 220 < bottom
    assert made.pixels.shape == (300, 400, 3)
    assert portrait.pixels.shape == (3, 64, 64)
    red = (portrait.pixels[0, 32] + 1) / 2 * 399  # columns of the photo
    assert red[0] == pytest.approx(left, abs=6)
    assert red[-1] == pytest.approx(right, abs=6)
    green = (portrait.pixels[1, :, 32] + 1) / 2 * 299
    assert green[0] == pytest.approx(top, abs=6)
    assert green[-1] == pytest.approx(bottom, abs=6)


def test_masks_lie_in_the_crop(photo: Path) -> None:
    portrait = reader(Seen(face(200, 150)), (128, 128))(photo).portrait
    left, top, right, _ = portrait.box
    scale = 128 / (right - left)
    rows, columns = torch.nonzero(portrait.locator[0] > 0.5, as_tuple=True)
    assert (float(columns.min()) / scale + left) == pytest.approx(200 - 60, abs=3)  # half of 100 times 1.2
    assert (float(columns.max() + 1) / scale + left) == pytest.approx(200 + 60, abs=3)
    assert (float(rows.min()) / scale + top) == pytest.approx(150 - 84, abs=3)
    pose, expression, lip = portrait.regions
    assert portrait.regions.min() >= 0
    assert portrait.regions.max() <= 1

    def row(y: float) -> int:
        """Of the masks, which are smaller than the picture."""
        return int((y - top) / (right - left) * len(lip))

    middle = len(lip) // 2
    assert lip[row(185), middle] > 0.8
    assert lip[: row(120)].max() < 0.1
    assert expression[row(130), middle] > 0.8
    assert pose[0, 0] > 0.9
    assert pose[row(185), middle] < 0.1


def test_a_larger_ratio_gives_larger_regions(photo: Path) -> None:
    small, large = (reader(Seen(face(200, 150)))(photo, face_ratio=ratio).portrait for ratio in (1.0, 1.4))
    assert large.locator.sum() > 1.5 * small.locator.sum()


def test_a_margin_shows_more_around_the_face(photo: Path) -> None:
    usual, wide = (reader(Seen(face(200, 150)), margin=margin)(photo).portrait.box for margin in (1.0, 1.25))
    assert wide[2] - wide[0] == pytest.approx(1.25 * (usual[2] - usual[0]), abs=2)


@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
def test_a_crop_has_the_models_aspect(photo: Path, size: tuple[int, int]) -> None:
    portrait = reader(Seen(face(200, 150)), size)(photo).portrait
    left, top, right, bottom = portrait.box
    assert (right - left) / (bottom - top) == pytest.approx(size[1] / size[0], abs=0.03)
    assert portrait.pixels.shape == (3, *size)
    assert portrait.locator.shape == (1, *size)
    assert portrait.regions.shape[0] == 3


def test_the_whole_picture_keeps_its_aspect_and_suits_the_network(photo: Path) -> None:
    made = reader(Seen(face(200, 150)))(photo, crop="none")
    assert made.portrait.box == (0, 0, 400, 300)
    height, width = made.portrait.pixels.shape[1:]
    assert height % 8 == width % 8 == 0
    assert width / height == pytest.approx(400 / 300, rel=0.1)
    assert height * width == pytest.approx(64 * 64, rel=0.15)
    rows, columns = torch.nonzero(made.portrait.locator[0] > 0.5, as_tuple=True)
    assert columns.float().mean() / width == pytest.approx(0.5, abs=0.03)
    assert rows.float().mean() / height == pytest.approx(0.5, abs=0.03)


def test_the_identity_is_that_of_the_chosen_face_in_the_whole_photo(photo: Path) -> None:
    largest, second = face(120, 150), face(320, 150, 60, 80)
    seen = Seen(largest, second)
    portraits = [reader(seen)(photo, face=index).portrait for index in (None, 0, 1)]
    assert [points is second for _, points in seen.encoded] == [False, False, True]
    assert seen.encoded[0][0].shape == (300, 400, 3)
    assert portraits[0].box == portraits[1].box != portraits[2].box
    assert torch.equal(portraits[0].identity, torch.arange(7.0))
    assert seen.open == 0  # closed after every photo
    with pytest.raises(UserError, match=r"my photo\.png has no face number 2; it shows 2 faces"):
        reader(seen)(photo, face=2)


def test_a_photo_without_a_usable_face_is_named(photo: Path) -> None:
    for faces, said in (((), "shows no face"), ((face(200, 150, 20, 28),), "too small")):
        with pytest.raises(UserError, match=rf"my photo\.png.*{said}|{said}.*|.*my photo\.png is {said}"):
            reader(Seen(*faces))(photo)


def test_a_face_at_the_border_is_cropped_beyond_it(photo: Path) -> None:
    near = face(40, 60)
    made = reader(Seen(near), (64, 96))(photo)
    left, _, right, _ = made.portrait.box
    assert left < 0
    inside = face_box(near)
    assert left <= inside[0]
    assert right >= inside[2]
    assert made.portrait.pixels.isfinite().all()


def test_huge_photos_are_shown_at_the_size_that_players_take(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), np.zeros((60, LONGEST_SIDE * 2, 3), np.uint8))
    seen = Seen(face(200, 15, 45, 28))
    made = reader(seen)(path)
    assert made.pixels.shape == (30, LONGEST_SIDE, 3)
    assert seen.pictures[0].shape == made.pixels.shape


def test_released_weights_get_the_originals_masks(photo: Path) -> None:
    portrait = reader(Seen(face(200, 150)), released=True)(photo).portrait
    assert portrait.regions.shape == (3, 64, 64)
    assert set(portrait.locator.unique().tolist()) <= {0.0, 1.0}
    ours = reader(Seen(face(200, 150)))(photo).portrait
    assert not torch.equal(portrait.regions, ours.regions)
