from __future__ import annotations

import numpy as np
import pytest
import torch

from hallo_lit.data.clip_file import read_tensors
from hallo_lit.data.index import clip_path
from hallo_lit.data.sound import pack, sound_of
from hallo_lit.data.store import ClipStore, StoreSpec, StoreWriter, check_store
from hallo_lit.media.video import VideoWriter

from .stores import SPEC, item, tensors


def tone(frames: int) -> np.ndarray:
    return (0.5 * np.sin(np.arange(frames * 640) * 0.05)).astype(np.float32)


def test_the_wave_of_any_frames_comes_back(tmp_path):
    wave = tone(30)
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(30, tensors={**tensors(30), "wave": pack(wave, 30)}))
    clip = ClipStore(tmp_path)[0]
    assert clip.read("wave").nbytes == 30 * 640 * 2
    for start, stop in ((0, None), (7, 9), (29, 99)):
        heard = sound_of(clip, start, stop)
        expected = wave[start * 640 : None if stop is None else stop * 640]
        assert heard.dtype == np.float32
        np.testing.assert_allclose(heard, expected, atol=2e-5)


def test_packing_fits_the_frames_and_the_scale():
    packed = pack(np.array([2.0, -2.0, 0.5], np.float32), 2)
    assert packed.shape == (2, 640)
    assert packed[0, :4].tolist() == [32767, -32767, 16384, 0]
    assert not packed[1].any()
    assert pack(tone(5), 2).shape == (2, 640)


def test_the_wave_is_checked(tmp_path):
    with StoreWriter(tmp_path, SPEC) as writer:
        id = writer.add(item(30, tensors={**tensors(30), "wave": pack(tone(30), 30)}))
    assert check_store(tmp_path).ok
    assert check_store(tmp_path).features["wave"] == 1
    path = clip_path(tmp_path, id)
    content = path.read_bytes()
    needle = read_tensors(path)["wave"][3].tobytes()
    path.write_bytes(content.replace(needle, needle[::-1]))
    (problem,) = check_store(tmp_path).problems
    assert "was altered" in problem


@pytest.mark.parametrize("with_sound", [True, False])
def test_the_sound_of_an_mp4(tmp_path, with_sound):
    wave = tone(30)
    with StoreWriter(tmp_path / "store", StoreSpec()) as writer:
        film = writer.scratch / "a.mp4"
        with VideoWriter(film, (32, 32), 25, torch.from_numpy(wave) if with_sound else None) as video:
            for _ in range(30):
                video.write(np.zeros((32, 32, 3), np.uint8))
        writer.add(item(30, tensors={"identity": np.ones(4, np.float32)}, video=film, size=(32, 32)))
    heard = sound_of(ClipStore(tmp_path / "store")[0], 10, 20)
    if not with_sound:
        assert heard is None
        return
    assert heard.shape == (6400,)
    assert np.corrcoef(heard, wave[6400:12800])[0, 1] > 0.99


def test_silence_of_a_store_without_sound(tmp_path):
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(30))
    assert sound_of(ClipStore(tmp_path)[0]) is None
