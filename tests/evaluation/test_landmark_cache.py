from __future__ import annotations

from pathlib import Path

import numpy as np

from hallo_lit.evaluation.landmark_cache import remember
from hallo_lit.metrics.video import Video


def test_faces_are_looked_for_once(talks: Path, tmp_path: Path) -> None:
    file = tmp_path / "landmarks" / "one.safetensors"
    first = remember(Video.from_file(talks / "one.mp4"), file).landmarks
    assert first.shape == (6, 478, 3)
    assert np.isfinite(first).all()
    again = remember(Video("no frames", lambda: iter(()), lambda: None), file)
    assert np.array_equal(again.landmarks, first)


def test_a_damaged_file_is_made_again(talks: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    file.write_bytes(b"half")
    assert len(remember(Video.from_file(talks / "one.mp4"), file).landmarks) == 6
    assert file.stat().st_size > 1000


def test_known_landmarks_stay(tmp_path: Path) -> None:
    points = np.zeros((2, 478, 3))
    video = Video.from_arrays("x", np.zeros((2, 8, 8, 3), np.uint8), landmarks=points)
    assert remember(video, tmp_path / "x.safetensors").landmarks.shape == (2, 478, 3)
    assert not list(tmp_path.iterdir())
