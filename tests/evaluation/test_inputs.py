from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.footage import folder
from hallo_lit.errors import UserError
from hallo_lit.evaluation.cases import video_cases
from hallo_lit.evaluation.inputs import write_inputs
from hallo_lit.media.audio import inspect_audio
from hallo_lit.media.image import read_image


def test_other_programs_get_a_picture_and_a_recording_per_clip(tmp_path: Path) -> None:
    cases = video_cases(folder(tmp_path / "real", {"a": 100, "b": 110}), tmp_path / "cache")
    out = write_inputs(cases, tmp_path / "inputs")
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "a.wav", "b.png", "b.wav"]
    assert read_image(out / "b.png").shape == (48, 48, 3)
    assert inspect_audio(out / "a.wav").duration == pytest.approx(0.48, abs=0.05)


def test_a_video_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    cases = video_cases(folder(tmp_path / "real", {"a": 100}), tmp_path / "cache")
    (tmp_path / "real" / "a.mp4").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"a\.mp4"):
        write_inputs(cases, tmp_path / "inputs")
    assert not list((tmp_path / "inputs").iterdir())
