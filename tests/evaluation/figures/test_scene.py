"""Films of a scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.evaluation.figures.film import LONGEST, Film, shrunk
from hallo_lit.evaluation.figures.scene import Scene


def test_a_film_lasts_as_long_as_asked_and_no_longer_than_the_speech(scene: Scene) -> None:
    assert scene.frames == len(scene.usual) == 7
    assert len(scene.wave) == 7 * 640
    assert replace(scene, seconds=1000.0).frames == 173
    with pytest.raises(UserError, match="seconds=0"):
        replace(scene, seconds=0.0)


def test_frames_are_small_and_faces_are_cut_out_of_them(scene: Scene) -> None:
    assert scene.usual.frames.shape == (7, LONGEST, LONGEST, 3)
    assert scene.usual.faces(48).shape == (7, 48, 48, 3)
    assert scene.usual.box[2] - scene.usual.box[0] < LONGEST


def test_what_is_given_is_what_differs(scene: Scene) -> None:
    assert np.array_equal(scene.film().frames, scene.usual.frames)
    assert not np.array_equal(scene.film(seed=4).frames, scene.usual.frames)
    calls = []
    hallo = scene.animator.hallo

    def counting(*given: object) -> object:
        calls.append(given)
        return hallo(*given)

    counted = scene.film(denoise=counting, frames=4)  # type: ignore[arg-type]
    assert np.array_equal(counted.frames, scene.usual.frames[:4])
    assert len(calls) == 4  # two steps of a clip, with and without sound


def test_the_animator_of_a_scene_stays_as_it_is(scene: Scene) -> None:
    before = vars(scene.animator).copy()
    scene.film(frames=1)
    assert vars(scene.animator) == before


def test_progress_is_told(scene: Scene) -> None:
    told = []
    watched = replace(scene, progress=lambda *step: told.append(step))
    watched.films([lambda: watched.film(frames=2)])
    assert ("frames", 2, 2) in told
    assert told[-1] == ("films", 1, 1)


def test_a_real_video_of_another_size_is_cut_around_its_face(scene: Scene, talk: Path) -> None:
    film = Film.read(talk, 5, replace(scene.photo, pixels=np.zeros((256, 256, 3), np.uint8)))
    assert len(film) == 5
    left, top, right, bottom = film.box
    assert right - left == bottom - top
    assert left < 256 < right
    assert top < 256 < bottom


def test_a_real_video_of_the_photos_size_shares_its_box(scene: Scene, talk: Path) -> None:
    film = Film.read(talk, 2, scene.photo)
    assert film.box == scene.usual.box
    assert film.frames.shape[1:] == scene.usual.frames.shape[1:]


def test_large_frames_shrink_and_small_ones_stay() -> None:
    assert shrunk(np.zeros((2000, 1000, 3), np.uint8)).shape == (512, 256, 3)
    assert shrunk(np.zeros((20, 10, 3), np.uint8)).shape == (20, 10, 3)
