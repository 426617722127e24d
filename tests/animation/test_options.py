from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hallo_lit.animation.options import Options, check_files, check_folder, keep_frame
from hallo_lit.errors import UserError


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    portrait, audio = tmp_path / "000001.png", tmp_path / "speech.mp4"
    portrait.write_bytes(b"x")
    audio.write_bytes(b"y")
    return portrait, audio


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 2**64},
        {"seed": -(2**63) - 1},
        {"crop": "circle"},
        {"face_expand_ratio": 0.0},
        {"face_expand_ratio": -1.0},
        {"face_expand_ratio": float("nan")},
        {"face_expand_ratio": float("inf")},
    ],
)
def test_values_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        Options(**wrong)  # type: ignore[arg-type]


def test_every_seed_of_a_generator_is_taken() -> None:
    assert Options(seed=2**64 - 1).seed > 0
    assert Options(seed=-1).seed < 0


@pytest.mark.parametrize("link", [os.symlink, os.link, None])
def test_an_input_is_never_overwritten(files: tuple[Path, Path], link: object) -> None:
    portrait, audio = files
    out = audio
    if callable(link):
        out = audio.with_name("other.mp4")
        link(audio, out)
    with pytest.raises(UserError, match="would be overwritten"):
        check_files(portrait, audio, out)
    check_files(portrait, audio, audio.with_name("new.mp4"))
    audio.with_name("old.mp4").write_bytes(b"an earlier video")
    check_files(portrait, audio, audio.with_name("old.mp4"))


def test_frames_go_to_folders(files: tuple[Path, Path], tmp_path: Path) -> None:
    portrait, audio = files
    for wrong in (audio, audio / "frames"):
        with pytest.raises(UserError, match=r"speech\.mp4 is no folder"):
            check_folder(wrong, portrait)
    check_folder(tmp_path / "a" / "b", portrait)
    assert not (tmp_path / "a").exists()
    with pytest.raises(UserError, match="cannot write"):
        keep_frame(audio / "frames", 1, np.zeros((2, 2, 3), np.uint8))


def test_a_frame_never_replaces_the_portrait(files: tuple[Path, Path], tmp_path: Path) -> None:
    portrait, _ = files
    with pytest.raises(UserError, match="holds the portrait"):
        check_folder(tmp_path, portrait)
    check_folder(tmp_path, tmp_path / "face.png")
