"""Alignment against transforms that are known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from hallo_lit.components.face_encoder.alignment import TEMPLATE, aligned_face, five_points, similarity
from hallo_lit.errors import UserError

from .faces import apply, landmarks, ramp, transform

PLACES = [
    (1.0, 0.0, (0.0, 0.0)),
    (2.0, 20.0, (300.0, 100.0)),
    (6.3, -35.0, (50.0, 450.0)),
    (0.5, 170.0, (400.0, 300.0)),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("depth", [False, True])
def test_known_transforms_are_found(place: tuple[float, float, tuple[float, float]], depth: bool) -> None:
    matrix = transform(*place)
    points = five_points(landmarks(matrix, depth))
    assert np.allclose(points, apply(matrix, TEMPLATE))
    assert np.allclose(similarity(TEMPLATE, points), matrix)
    back = similarity(points, TEMPLATE)
    assert np.allclose(apply(back, apply(matrix, TEMPLATE)), TEMPLATE)


def test_it_is_the_least_squares_similarity() -> None:
    generator = np.random.default_rng(0)
    source = apply(transform(3.0, 25.0, (200.0, 80.0)), TEMPLATE) + generator.normal(0, 6, (5, 2))
    reference = SimilarityTransform()
    reference.estimate(source, TEMPLATE)
    assert np.allclose(similarity(source, TEMPLATE), reference.params[:2])


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [64, 112, 224])
@pytest.mark.parametrize("place", PLACES[1:3])
def test_each_pixel_comes_from_its_place(
    place: tuple[float, float, tuple[float, float]], size: int, antialias: bool
) -> None:
    """Where the picture is a ramp, the colour of an aligned pixel says which point of the photo it shows."""
    matrix, photo = transform(*place), ramp(900, 1000)
    face = aligned_face(photo, landmarks(matrix), size, antialias)
    assert face.shape == (size, size, 3)
    assert face.dtype == np.uint8
    v, u = np.mgrid[0:size, 0:size]
    x, y = apply(matrix, np.stack([u, v], -1) * (112 / size)).transpose(2, 0, 1)
    inside = (x > 20) & (x < 979) & (y > 20) & (y < 879)
    assert inside.mean() > 0.3
    error = face.astype(float) - np.stack([x * 0.25, y * (250 / 900), np.full_like(x, 77.0)], -1)
    assert np.abs(error[inside]).max() < 1.1
    outside = (x < -20) | (x > 1020) | (y < -20) | (y > 920)
    assert not face[outside].any()


def test_antialiasing_averages_fine_detail() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (900, 900, 3), dtype=np.uint8)
    points = landmarks(transform(7.0, 5.0, (50.0, 50.0)))
    smooth, rough = (aligned_face(photo, points, antialias=on).std() for on in (True, False))
    assert smooth < 0.3 * rough
    assert smooth > 0


def test_landmarks_that_span_no_face_are_refused() -> None:
    photo = ramp(50, 50)
    for bad in (np.zeros((478, 2)), np.full((478, 3), np.nan)):
        with pytest.raises(UserError, match="landmarks coincide or are not numbers"):
            aligned_face(photo, bad)
    with pytest.raises(ValueError, match=r"not \(68, 2\)"):
        aligned_face(photo, np.zeros((68, 2)))
