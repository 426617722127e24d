"""The sample face as short real videos, and the small model."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor

from evaluation.small_model import SAMPLES, small_config
from hallo_lit.animation.animator import Animator
from hallo_lit.evaluation.running import animator_of
from hallo_lit.media.audio import read_audio
from hallo_lit.media.image import read_image, resize
from hallo_lit.media.video import VideoWriter


def film(path: Path, sound: Tensor, frames: int = 6) -> None:
    """The sample portrait with a bar over the mouth that grows and shrinks."""
    still = resize(read_image(SAMPLES / "portrait.png"), (128, 128))
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, (128, 128), 25, sound[: frames * 640], {}) as writer:
        for i in range(frames):
            frame = still.copy()
            frame[80 : 82 + i % 3, 56:72] = 20
            writer.write(frame)


@pytest.fixture(scope="session")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two real videos of six frames."""
    folder = tmp_path_factory.mktemp("real") / "talks"
    sound = read_audio(SAMPLES / "speech.wav")
    film(folder / "one.mp4", sound[8000:])
    film(folder / "two.mp4", sound[20000:])
    return folder


@pytest.fixture(scope="session")
def little() -> Animator:
    """The small model."""
    return animator_of(small_config())
