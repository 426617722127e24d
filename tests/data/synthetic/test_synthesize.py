from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from hallo_lit.data.index import clip_path
from hallo_lit.data.store import ClipStore
from hallo_lit.data.synthetic import synthesize as job
from hallo_lit.data.synthetic.corpus import part
from hallo_lit.data.synthetic.into_store import store_id
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import clip_files, synthesize
from hallo_lit.errors import UserError

LOG_MEL = {"_target_": "hallo_lit.components.audio_encoder.mel.LogMel"}
FACE = {"_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder", "width": 32, "channels": [8, 16]}


def small(out: Path, **changes) -> SynthesisConfig:
    return replace(SynthesisConfig(out, clips=2, seconds=0.8, size=128, processes=1), **changes)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    config = small(tmp_path_factory.mktemp("corpus"))
    return config, synthesize(config)


def test_every_clip_is_a_film_with_its_truth(corpus):
    config, report = corpus
    assert (report.made, report.kept, report.train, report.test) == (2, 0, 1, 1)
    from hallo_lit.media.audio import read_audio
    from hallo_lit.media.video import read_frames

    for path in clip_files(config):
        frames = list(read_frames(path))
        assert len(frames) == 20
        assert frames[0].shape == (128, 128, 3)
        assert abs(len(read_audio(path)) - 12800) < 1100
        arrays = load_file(path.with_suffix(".safetensors"))
        assert arrays["curves"].shape == (20, 16)
        assert arrays["landmarks"].shape == (20, 478, 3)
        record = json.loads(path.with_suffix(".json").read_text())
        assert len(record["phonemes"]) == len(arrays["phoneme_times"])
        assert record["split"] == path.parent.name


def test_frames_in_the_film_are_those_of_the_actor(corpus):
    from hallo_lit.data.synthetic.clip import make_clip
    from hallo_lit.media.video import read_frames

    config, _ = corpus
    drawn = list(make_clip(part(config.cast, 0), config.look, config.frames).frames())
    shown = list(read_frames(clip_files(config)[0]))
    error = np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(drawn, shown, strict=True)])
    assert error < 4


def test_finished_clips_are_not_made_again(corpus, monkeypatch):
    config, _ = corpus
    paths = clip_files(config)
    before = [path.stat().st_mtime_ns for path in paths]
    made = []
    monkeypatch.setattr(job, "make", lambda config, number: made.append(number) or number)
    assert synthesize(config).kept == 2
    assert made == []
    paths[1].with_suffix(".json").rename(paths[1].with_suffix(".away"))  # as if killed before the end of clip 1
    calls = []
    assert synthesize(config, lambda *now: calls.append(now)).made == 1
    assert made == [1]
    assert calls == [(1, 2), (2, 2)]
    paths[1].with_suffix(".away").rename(paths[1].with_suffix(".json"))
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_another_corpus_is_never_mixed_in(corpus):
    config, _ = corpus
    with pytest.raises(UserError, match="other settings"):
        synthesize(replace(config, seed=5))


def test_same_bytes_whatever_the_number_of_processes(tmp_path):
    one = small(tmp_path / "one", store=True, audio_encoder=LOG_MEL, face_encoder=FACE)
    two = replace(one, out=tmp_path / "two", processes=2)
    assert synthesize(one).made == synthesize(two).made == 2
    stores = ClipStore(tmp_path / "one"), ClipStore(tmp_path / "two")
    assert len(stores[0]) == len(stores[1]) == 2
    for a, b in zip(*stores, strict=True):
        for name in ("pixels", "curves", "landmarks", "regions", "audio", "identity", "locator"):
            np.testing.assert_array_equal(a.read(name), b.read(name))
        assert a.read("pixels").shape == (20, 128, 128, 3)
    again = synthesize(two)
    assert (again.made, again.kept) == (0, 2)


@pytest.mark.parametrize(
    ("key", "value"),
    [("clips", 0), ("seconds", 0.1), ("size", 100), ("size", 129), ("speech", "song"), ("identities", 9), ("zoom", 9.0),
     ("processes", -1), ("test_share", 1.0), ("motion", -1.0), ("seed", -1)],
)  # fmt: skip
def test_impossible_settings_are_one_sentence(tmp_path, key, value):
    with pytest.raises(UserError, match=key):
        small(tmp_path, **{key: value})


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        synthesize(small(tmp_path / "file"))


@pytest.fixture
def unmade(monkeypatch):
    """Folders are claimed, but no clip is made."""
    monkeypatch.setattr(job, "make", lambda config, number: number)


def test_files_of_something_else_are_left_alone(tmp_path, unmade):
    video = tmp_path / "train" / "000000.mp4"
    video.parent.mkdir()
    video.write_text("mine")
    with pytest.raises(UserError, match="something else"):
        synthesize(small(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [video]
    assert video.read_text() == "mine"
    video.rename(video.with_name(".hidden"))
    synthesize(small(tmp_path))


@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize("changes", [{"clips": 3}, {"seconds": 1.2}, {"seed": 4}])
def test_another_corpus_is_refused_before_anything_is_made(tmp_path, unmade, store, changes):
    config = small(tmp_path, store=store)
    synthesize(config)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="other settings"):
        synthesize(replace(config, **changes))
    assert sorted(tmp_path.rglob("*")) == before
    synthesize(config)


@pytest.mark.parametrize("store", [False, True])
def test_films_and_a_store_do_not_share_a_folder(tmp_path, unmade, store):
    synthesize(small(tmp_path, store=store))
    with pytest.raises(UserError, match=r"folder of (their|its) own"):
        synthesize(small(tmp_path, store=not store))


def test_a_store_without_a_record_is_told_by_its_clips(tmp_path, unmade):
    """As stores made by earlier versions are."""
    config = small(tmp_path, store=True)
    own = clip_path(tmp_path, store_id(config, part(config.cast, 1)))
    own.parent.mkdir(parents=True)
    own.write_text("")
    with pytest.raises(UserError, match="something else"):
        synthesize(replace(config, seconds=1.2))
    assert not (tmp_path / job.STORE_FILE).exists()
    synthesize(config)
    assert (tmp_path / job.STORE_FILE).exists()


def test_a_damaged_record_is_one_sentence(tmp_path, unmade):
    (tmp_path / job.CORPUS_FILE).write_text("[]")
    with pytest.raises(UserError, match="damaged"):
        synthesize(small(tmp_path))


def test_what_killed_processes_left_is_removed(tmp_path, unmade):
    synthesize(small(tmp_path))
    names = [".000001.5131e853.part", ".part-0123456789ab.json", ".000000.aaaaaaaa.part", ".mine"]
    (tmp_path / "train").mkdir()
    for name in names:
        path = tmp_path / "train" / name
        path.write_text("")
        if name != names[2]:  # which another call writes at this moment
            os.utime(path, (time.time() - 2 * job.ABANDONED,) * 2)
    synthesize(small(tmp_path))
    assert sorted(path.name for path in (tmp_path / "train").iterdir()) == names[2:]


@pytest.mark.parametrize("out", [None, "", " "])
def test_an_empty_folder_name_is_one_sentence(out):
    with pytest.raises(UserError, match="out= is empty"):
        SynthesisConfig(out)  # type: ignore[arg-type]


def test_clips_that_memory_cannot_hold_are_refused_for_a_store(tmp_path):
    with pytest.raises(UserError, match=r"11\.8 GB .* seconds up to 101"):
        SynthesisConfig(tmp_path, seconds=600, size=512, store=True)
    SynthesisConfig(tmp_path, seconds=600, size=512)
    SynthesisConfig(tmp_path, seconds=101, size=512, store=True)
