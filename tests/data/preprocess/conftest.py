from __future__ import annotations

from pathlib import Path

import pytest

from .videos import speech, swaying, write_video


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory) -> Path:
    """Two seconds of a face with sound, 320 x 240."""
    path = tmp_path_factory.mktemp("videos") / "face.mp4"
    return write_video(path, swaying(50), wave=speech(2.0))
