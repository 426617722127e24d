"""A real face, and landmarks of a made-up one."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from hallo_lit.faces.landmarks import FaceLandmarks
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """(512, 512, 3), an astronaut (public domain); her face is about 90 x 107 pixels."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def detector():
    with FaceLandmarks() as landmarks:
        yield landmarks


@pytest.fixture(scope="session")
def found(detector, portrait) -> np.ndarray:
    """(478, 3) landmarks of the portrait."""
    return detector.detect(portrait)[0]


@pytest.fixture
def made_up() -> np.ndarray:
    """(478, 3): an upright frontal face 100 wide, 140 high around (200, 300), in front of nothing."""
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    face = np.zeros((478, 3))
    face[list(FACE_OVAL)] = np.stack([50 * np.sin(angles), -70 * np.cos(angles), 0 * angles], -1)
    lips = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    face[list(OUTER_LIPS)] = np.stack([-20 * np.cos(lips), 35 + 8 * np.sin(lips), -20 + 0 * lips], -1)
    face[[10, 152, 234, 454]] = [(0, -70, 0), (0, 70, 0), (-50, 0, 0), (50, 0, 0)]
    face[[33, 263, 61, 291, 13, 14]] = [
        (-40, -20, 0),
        (40, -20, 0),
        (-20, 35, -20),
        (20, 35, -20),
        (0, 30, -20),
        (0, 38, -20),
    ]
    return face + np.array([200, 300, 0])
