"""One portrait and one recording become frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hallo_lit.animation.animator import Animator, Options
from hallo_lit.components.audio_encoder.base import OpenChunks
from hallo_lit.diffusion.guidance import NoGuidance
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.errors import UserError

Voice = Callable[..., Path]


def frames(animator: Animator, photo: Path, audio: Path, **options: Any) -> np.ndarray:
    return np.stack(list(animator(photo, audio, Options(**options))))


@pytest.mark.parametrize(("seconds", "count"), [(0.04, 1), (0.3, 8), (0.32, 8), (0.5, 12), (0.54, 14), (0.701, 18)])
def test_there_are_as_many_frames_as_the_sound_lasts(
    animator: Animator, photo: Path, voice: Voice, seconds: float, count: int
) -> None:
    """round(duration * 25), ties to even; clips have 4 frames."""
    fast = animator.with_recipe(sampler=Sampler("ddim", 1), guidance=NoGuidance())
    made = frames(animator, photo, voice(seconds), recipe=fast)
    assert made.shape == (count, 120, 160, 3)
    assert made.dtype == np.uint8


def test_a_seed_gives_one_video_and_another_seed_another(animator: Animator, photo: Path, voice: Voice) -> None:
    audio = voice(0.3)
    first, again, other = (frames(animator, photo, audio, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_only_the_crop_moves(animator: Animator, photo: Path, voice: Voice) -> None:
    still = animator.read_portrait(photo, Options())
    left, top, right, bottom = still.portrait.box
    made = frames(animator, photo, voice(0.2))
    outside = np.ones(made.shape[1:3], bool)
    outside[max(top, 0) : bottom, max(left, 0) : right] = False
    assert outside.any()
    assert all(np.array_equal(frame[outside], still.pixels[outside]) for frame in made)
    inside = made[:, ~outside].astype(float)
    assert np.abs(inside - still.pixels[~outside]).mean() > 5
    assert np.abs(np.diff(inside, axis=0)).mean() > 0.5


def test_sound_settings_and_crop_matter(animator: Animator, photo: Path, voice: Voice) -> None:
    audio = voice(0.2)
    usual = frames(animator, photo, audio)
    assert not np.array_equal(frames(animator, photo, voice(0.2, seed=3, name="other.wav")), usual)
    louder_lips = animator.with_recipe(region_scale=(1.0, 1.0, 3.0))
    for options in ({"crop": "none"}, {"face_expand_ratio": 1.6}, {"recipe": louder_lips}):
        other = frames(animator, photo, audio, **options)
        assert other.shape == usual.shape
        assert not np.array_equal(other, usual), options


def test_files_are_looked_at_before_the_first_frame_is_asked_for(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path
) -> None:
    for portrait, audio in ((tmp_path / "no.png", voice(0.2)), (photo, tmp_path / "no.wav"), (photo, photo)):
        with pytest.raises(UserError):
            animator(portrait, audio)  # not iterated


class Counting:
    """An audio encoder whose rows are numbered, and that counts how many have been asked for."""

    layers, width = 4, 8

    def __init__(self) -> None:
        self.rows = self.chunks = 0

    def stream(self, open_chunks: OpenChunks, frames: int) -> Iterator[Tensor]:
        self.chunks = sum(1 for _ in open_chunks())
        for row in range(frames):
            self.rows += 1
            yield torch.full((1, 4, 8), row / 10)


def test_a_long_recording_is_read_clip_by_clip_and_frames_leave_as_they_are_made(
    animator: Animator, photo: Path, voice: Voice
) -> None:
    encoder = Counting()
    lazy = replace(animator, audio_encoder=encoder, denoise=lambda x, t, cond: x * 0.1)
    made = lazy(photo, voice(8.0), Options(recipe=animator.with_recipe(sampler=Sampler("ddim", 1))))
    assert encoder.rows == 0
    for number in range(1, 50):
        next(made)
        clips = -(-number // 4)
        assert encoder.rows <= clips * 4 + 2, number  # two frames ahead for the window
    assert sum(1 for _ in made) == 200 - 49
    assert encoder.rows == 200


def test_it_says_where_everything_runs(animator: Animator) -> None:
    assert animator.devices() == {
        "codec, ReferenceNet, denoiser": "cpu float32",
        "audio encoder": "cpu float32",
        "face encoder, landmarks, video": "cpu",
    }
