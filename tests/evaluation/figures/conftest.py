"""The sample portrait and speech before the small model."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.small_model import SAMPLES, lively
from hallo_lit.animation.animator import Animator
from hallo_lit.evaluation.figures.scene import Scene
from hallo_lit.media.image import read_image
from hallo_lit.media.video_writer import VideoWriter
from hallo_lit.weights.bundle import save_bundle


@pytest.fixture(scope="session")
def animator() -> Animator:
    return lively("sampler.steps=2", "guidance=audio")[0]


@pytest.fixture(scope="session")
def scene(animator: Animator, talk: Path) -> Scene:
    """Seven frames: two clips, the second cut short."""
    return Scene(animator, SAMPLES / "portrait.png", SAMPLES / "speech.wav", talk, 0.28, seed=3, command="a test")


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample portrait as a film of eight frames in which nothing but a bar over the mouth moves."""
    still = read_image(SAMPLES / "portrait.png")
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    with VideoWriter(path, still.shape[:2]) as film:
        for i in range(8):
            frame = still.copy()
            frame[480 : 492 + 6 * (i % 4), 336:432] = 20
            film.write(frame)
    return path


@pytest.fixture(scope="session")
def full_attention(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the model with one attention for the whole picture."""
    made, config = lively("sampler.steps=2", "guidance=audio", "fusion=full_attention")
    keys = ("model", "audio_encoder", "process", "sampler", "guidance", "handover", "frames", "motion_frames")
    kept = {key: config[key] for key in (*keys, "face_encoder", "size")}
    folder = tmp_path_factory.mktemp("bundles") / "full"
    return save_bundle(folder, made.hallo, kept, {"face_encoder": made.portraits.face_encoder})
