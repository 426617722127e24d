"""One portrait and one recording become a video."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hallo_lit.animation.animator import Animator, Options
from hallo_lit.animation.handover import LatentHandover
from hallo_lit.components.audio_encoder.base import OpenChunks
from hallo_lit.diffusion.guidance import NoGuidance
from hallo_lit.diffusion.sampler import Sampler
from hallo_lit.errors import UserError
from hallo_lit.media.image import read_image
from hallo_lit.media.metadata import read_metadata
from hallo_lit.media.video_reader import probe, read_frames

Voice = Callable[..., Path]


def frames(animator: Animator, photo: Path, audio: Path, **options: Any) -> np.ndarray:
    return np.stack(list(animator(photo, audio, Options(**options))))


# frames ---------------------------------------------------------------------------------------------------------------


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


# files ----------------------------------------------------------------------------------------------------------------


def test_a_video_has_the_frames_the_sound_and_says_what_it_is(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path
) -> None:
    audio, out = voice(0.5), tmp_path / "my vidéo.mp4"
    said: list[tuple[str, int, int]] = []
    options = Options(seed=3, frames_dir=tmp_path / "frames")
    assert animator.animate(photo, audio, out, options, lambda *report: said.append(report)) == out
    info = probe(out)
    assert (info.frames, info.fps, info.width, info.height, info.has_audio) == (12, 25, 160, 120, True)
    kept = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in kept] == [f"{number:06d}.png" for number in range(1, 13)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["frames", "my vidéo.mp4", "voice.wav"]

    wanted = frames(animator, photo, audio, seed=3)
    assert np.array_equal(np.stack([read_image(path) for path in kept]), wanted)
    shown = np.stack(list(read_frames(out)))
    assert np.abs(shown.astype(float) - wanted).mean() < 6  # compressed

    about = read_metadata(out)
    assert about["synthetic_media"] is True
    assert "generated by a model" in about["notice"]
    assert (about["seed"], about["weights"]) == (3, animator.weights)
    assert about["portrait"] == {"name": photo.name, "sha256": hashlib.sha256(photo.read_bytes()).hexdigest()}
    assert about["audio"]["sha256"] == hashlib.sha256(audio.read_bytes()).hexdigest()
    assert about["sampler"] == "dpm, 2 steps"
    assert about["guidance"] == "joint 2"
    assert about["config"]["frames"] == 4

    assert {phase for phase, _, _ in said} == {"portrait", "audio", "denoise", "decode", "write"}
    steps = [(done, total) for phase, done, total in said if phase == "denoise"]
    assert steps == [(step, 6) for step in range(1, 7)]
    assert said[-1] == ("write", 12, 12)


def stop_after(clips: int) -> Callable[[str, int, int], None]:
    def progress(phase: str, done: int, total: int) -> None:
        if phase == "denoise" and done > 2 * clips:  # two steps per clip
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("handover", [None, LatentHandover], ids=["pixels", "latents"])
def test_an_interrupted_video_goes_on_as_if_nothing_had_been(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path, handover: Any
) -> None:
    asked: list[int] = []

    def denoise(x: Tensor, t: Tensor, cond: Any) -> Tensor:
        asked.append(int(t[0]))
        return animator.hallo(x, t, cond)

    made = replace(animator, denoise=denoise, handover=handover or animator.handover)
    audio, out = voice(0.7), tmp_path / "out.mp4"  # 18 frames, 5 clips
    with pytest.raises(KeyboardInterrupt):
        made.animate(photo, audio, out, Options(seed=1), stop_after(3))
    assert not out.exists()
    left = {path.name for path in (tmp_path / "out.mp4.parts").iterdir()}
    assert left == {"job.json", *(f"clip{i:06d}.safetensors" for i in range(3))}

    asked.clear()
    again = Options(seed=1, resume=True, frames_dir=tmp_path / "resumed")
    made.animate(photo, audio, out, again)
    assert len(asked) == 2 * 2 * 2  # two clips, two steps, two passes
    assert not (tmp_path / "out.mp4.parts").exists()

    whole = frames(made, photo, audio, seed=1)
    resumed = np.stack([read_image(path) for path in sorted((tmp_path / "resumed").iterdir())])
    assert np.array_equal(resumed, whole)


def test_parts_of_other_settings_are_refused_and_kept(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path
) -> None:
    audio, out = voice(0.4), tmp_path / "out.mp4"
    begun = Options(seed=1)
    with pytest.raises(KeyboardInterrupt):
        animator.animate(photo, audio, out, begun, stop_after(1))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out.mp4.parts").iterdir()}
    for change, named in (
        ({"seed": 2}, "seed"),
        ({"face_expand_ratio": 1.5}, "face_expand_ratio"),
        ({"recipe": animator.with_recipe(sampler=Sampler("dpm", 3))}, "sampler"),
        ({"recipe": animator.with_recipe(guidance=NoGuidance())}, "guidance"),
        ({"recipe": animator.with_recipe(region_scale=(1.0, 1.0, 2.0))}, "region_scale"),
        ({"recipe": animator.with_recipe(clip_frames=5)}, "frames"),
        ({"recipe": animator.with_recipe(motion_frames=1)}, "motion_frames"),
    ):
        with pytest.raises(UserError, match=rf"other settings \({named}\)"):
            animator.animate(photo, audio, out, replace(begun, resume=True, **change))
    with pytest.raises(UserError, match=r"other settings \(audio\)"):
        animator.animate(photo, voice(0.4, seed=5), out, replace(begun, resume=True))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out.mp4.parts").iterdir()} == before
    voice(0.4)
    animator.animate(photo, audio, out, Options(seed=2))  # without resume they are replaced
    assert out.exists()
    assert not (tmp_path / "out.mp4.parts").exists()


def test_a_damaged_part_is_made_again(animator: Animator, photo: Path, voice: Voice, tmp_path: Path) -> None:
    audio, out = voice(0.3), tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        animator.animate(photo, audio, out, Options(), stop_after(1))
    part = tmp_path / "out.mp4.parts" / "clip000000.safetensors"
    part.write_bytes(part.read_bytes()[:-100])
    animator.animate(photo, audio, out, Options(resume=True, frames_dir=tmp_path / "frames"))
    made = np.stack([read_image(path) for path in sorted((tmp_path / "frames").iterdir())])
    assert np.array_equal(made, frames(animator, photo, audio))


@pytest.mark.parametrize("spoilt", ["portrait", "audio", "numbers", "out"])
def test_what_the_user_can_mend_leaves_nothing_behind(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path, spoilt: str
) -> None:
    audio = voice(0.3)
    before = {path.name for path in tmp_path.iterdir()}
    made, out = animator, tmp_path / "out.mp4"
    if spoilt == "numbers":
        made = replace(animator, denoise=lambda x, t, cond: x * float("nan"))
    if spoilt == "out":
        out = tmp_path / "missing" / "out.mp4"
    given = {"portrait": (audio, audio), "audio": (photo, photo)}.get(spoilt, (photo, audio))
    with pytest.raises(UserError) as caught:
        made.animate(*given, out)
    assert re.fullmatch(r"[^\n]+", str(caught.value))
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_finished_video_survives_a_failed_attempt(
    animator: Animator, photo: Path, voice: Voice, tmp_path: Path
) -> None:
    audio, out = voice(0.2), tmp_path / "out.mp4"
    animator.animate(photo, audio, out)
    before = out.read_bytes()
    broken = replace(animator, denoise=lambda x, t, cond: x * float("nan"))
    with pytest.raises(UserError):
        broken.animate(photo, audio, out)
    with pytest.raises(KeyboardInterrupt):
        animator.animate(photo, audio, out, Options(), stop_after(0))
    assert out.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4", "voice.wav"}


def test_it_says_where_everything_runs(animator: Animator) -> None:
    assert animator.devices() == {
        "codec, ReferenceNet, denoiser": "cpu float32",
        "audio encoder": "cpu float32",
        "face encoder, landmarks, video": "cpu",
    }
