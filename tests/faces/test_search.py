"""Coordinates survive every way of looking at a picture; tiles leave nothing out."""

from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.faces import search as module
from hallo_lit.faces.measures import face_box


class BrightSpot:
    """Stands for a face model: sees a face around the white pixels of a picture, if there are enough of them."""

    def __init__(self, shape: np.ndarray, needed: int) -> None:
        self.shape, self.needed, self.looks = shape, needed, 0

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        self.looks += 1
        rows, columns = np.nonzero(image[..., 0] > 200)
        if len(rows) < self.needed:
            return []
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        x0, y0, x1, y1 = face_box(self.shape)
        scale = ((right - left) / (x1 - x0), (bottom - top) / (y1 - y0), (right - left) / (x1 - x0))
        return [(self.shape - (x0, y0, 0)) * scale + (left, top, 0)]

    def close(self) -> None:
        pass


def spot(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    image = np.full((*size, 3), 60, np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return image


@pytest.mark.parametrize("box", [(100, 50, 140, 100), (5, 5, 50, 70), (250, 170, 295, 195)])
def test_a_closer_look_gives_coordinates_of_the_picture(made_up, box):
    face = module.look_closely(spot((200, 300), box), box, BrightSpot(made_up, 1))
    np.testing.assert_allclose(face_box(face), box, atol=1.5)


def test_nothing_to_look_at(made_up):
    mesh = BrightSpot(made_up, 1)
    image = spot((200, 300), (10, 10, 20, 20))
    for box in ((400, 10, 450, 60), (-100, -100, -50, -50), (10, 10, 12, 12)):
        assert module.look_closely(image, box, mesh) is None
    assert mesh.looks == 0


def boxes(image: np.ndarray) -> list[tuple[float, float, float, float]]:
    """A finder that sees spots only if they take a tenth of the height."""
    rows, columns = np.nonzero(image[..., 0] > 200)
    if not len(rows) or np.ptp(rows) < 0.1 * image.shape[0]:
        return []
    return [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]


@pytest.mark.parametrize("height", [100, 40, 20])
@pytest.mark.parametrize("corner", [(3, 3), (233, 351), (478, 120)])
def test_small_faces_are_found_in_parts_of_the_picture(made_up, height, corner):
    x, y = corner
    box = (x, y, x + round(height * 0.7), y + height)
    faces = module.search(spot((480, 640), box), [], BrightSpot(made_up, 20), boxes)
    assert len(faces) == 1
    np.testing.assert_allclose(face_box(faces[0]), box, atol=2)


def test_faces_already_known_are_not_found_again(made_up):
    mesh = BrightSpot(made_up, 20)
    image = spot((480, 640), (100, 100, 200, 240))
    known = module.look_closely(image, (100, 100, 200, 240), mesh)
    assert len(module.search(image, [known], mesh, boxes)) == 1
    assert mesh.looks == 1


def test_an_empty_picture_has_no_face(made_up):
    assert module.search(np.full((100, 100, 3), 60, np.uint8), [], BrightSpot(made_up, 20), boxes) == []


def test_tiny_pictures(made_up):
    for side in (1, 5, 13):
        assert module.search(np.zeros((side, side, 3), np.uint8), [], BrightSpot(made_up, 20), boxes) == []


def test_overlap():
    assert module.overlap((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert module.overlap((0, 0, 2, 2), (2, 0, 3, 3)) == 0
    assert module.overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1


def test_distinct(made_up):
    faces = [made_up, made_up + 2, made_up + np.array([300, 0, 0])]
    kept = module.distinct(faces)
    assert kept[0] is faces[0]
    assert kept[1] is faces[2]
    assert len(kept) == 2
