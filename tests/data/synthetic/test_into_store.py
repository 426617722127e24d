from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hallo_lit.data.clip_file import read_header, read_tensors, write_clip
from hallo_lit.data.index import clip_path
from hallo_lit.data.sound import sound_of
from hallo_lit.data.store import ClipStore, check_store
from hallo_lit.data.synthetic.clip import Clip, make_clip
from hallo_lit.data.synthetic.corpus import part
from hallo_lit.data.synthetic.into_store import lacks, store_id
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize

LOG_MEL = {"_target_": "hallo_lit.components.audio_encoder.mel.LogMel"}
CONV = {"_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder", "width": 8, "channels": [8, 8], "seed": 0}


@pytest.fixture
def config(tmp_path) -> SynthesisConfig:
    return SynthesisConfig(tmp_path, clips=1, seconds=0.8, size=128, processes=1, store=True, audio_encoder=LOG_MEL)


@pytest.fixture
def no_painting(monkeypatch) -> None:
    def paint(self):
        raise AssertionError("painted")

    monkeypatch.setattr(Clip, "frames", paint)
    monkeypatch.setattr(Clip, "landmarks", paint)


def test_the_voice_is_in_the_store(config):
    synthesize(config)
    said = make_clip(part(config.cast, 0), config.look, config.frames).spoken.samples
    clip = ClipStore(config.out)[0]
    np.testing.assert_allclose(sound_of(clip), said, atol=2e-5)
    assert clip.read("wave").shape == (20, 640)
    report = check_store(config.out)
    assert report.ok
    assert not report.notes


def test_close_ups_keep_their_sound(config):
    synthesize(replace(config, close_up=0.78, close_up_size=32))
    clip = ClipStore(config.out)[0]
    assert clip.read("pixels").shape == (20, 32, 32, 3)
    assert np.abs(sound_of(clip)).max() > 0.05


def test_a_store_without_sound_gains_it_without_painting(config, request):
    """As stores made by earlier versions do."""
    synthesize(config)
    path = clip_path(config.out, store_id(config, part(config.cast, 0)))
    header, tensors = read_header(path), read_tensors(path)
    wave = tensors.pop("wave")
    write_clip(path, replace(header, features=tuple(f for f in header.features if f != "wave")), tensors)
    assert lacks(config, part(config.cast, 0)) == {"wave"}
    request.getfixturevalue("no_painting")
    assert synthesize(config).made == 1
    np.testing.assert_array_equal(read_tensors(path)["wave"], wave)
    np.testing.assert_array_equal(read_tensors(path)["pixels"], tensors["pixels"])
    assert check_store(config.out).ok


def test_another_audio_encoder_makes_its_features_alone(config, request):
    synthesize(config)
    request.getfixturevalue("no_painting")
    other = replace(config, audio_encoder={**LOG_MEL, "width": 8})
    before = ClipStore(config.out)[0].read("pixels")
    assert synthesize(other).made == 1
    clip = ClipStore(config.out)[0]
    assert clip.read("audio").shape == (20, 4, 8)
    np.testing.assert_array_equal(clip.read("pixels"), before)


@pytest.mark.parametrize("close_up", [0.0, 0.78])
def test_another_face_encoder_makes_its_features_alone(config, request, close_up):
    """As if it had been there from the start: both look at the pictures that the store has."""
    first = replace(config, close_up=close_up, face_encoder=CONV)
    other = replace(first, face_encoder={**CONV, "seed": 3})
    synthesize(other)
    made = ClipStore(config.out)[0].read("identity")
    synthesize(first)
    assert not np.allclose(ClipStore(config.out)[0].read("identity"), made)
    request.getfixturevalue("no_painting")
    assert synthesize(other).made == 1
    np.testing.assert_array_equal(ClipStore(config.out)[0].read("identity"), made)


def test_a_store_gains_identities_without_painting(config, request):
    synthesize(config)
    request.getfixturevalue("no_painting")
    assert synthesize(replace(config, face_encoder=CONV)).made == 1
    assert ClipStore(config.out)[0].read("identity").shape == (8,)
    assert synthesize(config).made == 0  # a call that asks for less takes nothing away
    assert ClipStore(config.out)[0].read("identity").shape == (8,)
