from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from hallo_lit.stages.filmed import first_clips
from hallo_lit.stages.running import make_data

from .small import config, make_store


def test_clips_come_as_inference_would_meet_them(store: Path) -> None:
    data: Any = make_data(config(store))
    data.setup("fit")
    filmed = first_clips(data.train_set, 3, 10)
    assert len({clip.name for clip in filmed}) == 3
    clip = filmed[0]
    assert clip.frames.shape == (10, 3, 16, 16)
    assert clip.windows.shape == (10, 5, 2, 4)
    assert torch.equal(clip.portrait.pixels, clip.frames[0])
    assert torch.equal(clip.windows[4, 1], clip.windows[3, 2])  # the window of a frame is centred on it
    assert torch.equal(clip.windows[0, 0], clip.windows[0, 2])  # and clamped at the start
    assert float(clip.portrait.locator.sum()) == 64
    assert clip.sound is None
    again = first_clips(data.train_set, 3, 10)
    assert torch.equal(again[2].frames, filmed[2].frames)


def test_short_clips_give_what_they_have(store: Path) -> None:
    data: Any = make_data(config(store))
    data.setup("fit")
    assert len(first_clips(data.train_set, 1, 1000)[0].frames) == 24


def test_a_store_without_mp4s_lets_its_clips_be_heard(tmp_path: Path) -> None:
    data: Any = make_data(config(make_store(tmp_path / "clips", clips=1, sound=True)))
    data.setup("fit")
    (clip,) = first_clips(data.train_set, 1, 10)
    assert clip.sound is not None
    assert clip.sound.shape == (10 * 640,)
    wave = torch.from_numpy(data.train_set.store[0].read("wave", 0, 10)).flatten()
    assert torch.allclose(clip.sound * 32767, wave.float(), atol=0.01)
    assert clip.sound.std() > 0.1
