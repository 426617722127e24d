"""The crop that training sees is the one that inference makes."""

from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.store import ClipStore
from hallo_lit.data.synthetic.close_up import close_up
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
from hallo_lit.errors import UserError
from hallo_lit.faces.crop import square_crop
from hallo_lit.faces.regions import FACE_OVAL, OUTER_LIPS, bounds


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    out = tmp_path_factory.mktemp("close") / "store"
    settings = SynthesisConfig(
        out, clips=2, seconds=0.4, size=128, zoom=1.5, motion=0.0, posture=1.0, processes=1, store=True, close_up=0.78
    )
    synthesize(settings)
    return ClipStore(out)


def test_faces_fill_the_crop_as_animate_would_have_it(store: ClipStore) -> None:
    for clip in store:
        assert clip.row.size == (64, 64)
        points = clip.read("landmarks").astype(np.float64)
        left, top, right, bottom = square_crop(points[0], (10_000, 10_000), 0.78)
        assert right - left == pytest.approx(64, rel=0.08)
        left, top, right, bottom = bounds(points, OUTER_LIPS)
        pixels = clip.read("pixels").astype(float)
        change = pixels.std(0).max(-1)  # only the lips and what they pull along move
        assert change[:20].max() < 1.5
        inside = change[round(top) : round(bottom), round(left) : round(right)]
        assert inside.max() == pytest.approx(change.max(), rel=0.5)


def test_heads_are_turned_and_keep_still(store: ClipStore) -> None:
    curves = np.stack([clip.read("curves") for clip in store])
    assert np.abs(curves[:, :, 6:16].std(1)).max() < 1e-6
    assert np.abs(curves[:, 0, 10]).max() > 0.1  # yaw


def test_landmarks_move_with_the_crop() -> None:
    points = np.zeros((2, 478, 3), np.float32)
    points[:, FACE_OVAL, :2] = np.random.default_rng(0).uniform(40, 90, (len(FACE_OVAL), 2))
    frames = np.zeros((2, 128, 128, 3), np.uint8)
    spot = points[0, FACE_OVAL[0], :2].astype(int)
    frames[:, spot[1] - 1 : spot[1] + 2, spot[0] - 1 : spot[0] + 2] = 255
    pixels, moved = close_up(frames, points, 1.0, 64, np.random.default_rng(1))
    brightest = np.unravel_index(pixels[0, ..., 0].argmax(), (64, 64))
    assert np.abs(moved[0, FACE_OVAL[0], 1::-1] - np.array(brightest)).max() < 2


@pytest.mark.parametrize("own", [{"close_up": 0.2, "store": True}, {"close_up": 0.8}, {"posture": 3.0}])
def test_impossible_settings_are_refused(own: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(own))):
        SynthesisConfig("somewhere", **own)  # type: ignore[arg-type]
