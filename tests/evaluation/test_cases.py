from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.stores import item
from evaluation.footage import folder, write
from hallo_lit.data.store import StoreSpec, StoreWriter
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize
from hallo_lit.errors import UserError
from hallo_lit.evaluation.cases import Case, corpus_cases, portrait_of, store_cases, video_cases
from hallo_lit.media.image import read_image
from hallo_lit.media.video import probe


def test_every_video_of_a_folder_is_a_case(tmp_path: Path) -> None:
    real = folder(tmp_path / "my videos", {"b": 110, "a": 100})
    (real / "notes.txt").write_text("no video")
    cases = video_cases(real, tmp_path / "cache")
    assert [case.name for case in cases] == ["a", "b"]
    assert cases[0].audio == cases[0].truth == real / "a.mp4"
    assert abs(read_image(portrait_of(cases[0])).mean() - 100) < 2
    assert video_cases(real, tmp_path / "cache", limit=1) == cases[:1]
    assert video_cases(real, tmp_path / "cache", names=["b"]) == cases[1:]


def test_a_replaced_video_has_a_new_portrait(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", {"a": 100})
    before = portrait_of(video_cases(real, tmp_path)[0])
    write(real / "a.mp4", 200, frames=9)
    after = portrait_of(video_cases(real, tmp_path)[0])
    assert before != after
    assert abs(read_image(after).mean() - 200) < 2


def test_what_is_no_test_set_is_said_in_one_sentence(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", {"a": 100})
    (tmp_path / "empty").mkdir()
    for wrong, said in (("nowhere", "is not a folder"), ("empty", "holds no video files")):
        with pytest.raises(UserError, match=said):
            video_cases(tmp_path / wrong, tmp_path)
    with pytest.raises(UserError, match="no video called b"):
        video_cases(real, tmp_path, names=["a", "b"])
    with pytest.raises(UserError, match="is no corpus of mp4 files"):
        corpus_cases(real, tmp_path)
    with pytest.raises(UserError, match="not a clip store"):
        store_cases(real, tmp_path)
    (real / "a.avi").write_bytes(b"another of the same name")
    with pytest.raises(UserError, match="have the same name"):
        video_cases(real, tmp_path)


def test_a_portrait_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"face\.png does not exist"):
        portrait_of(Case("x", tmp_path / "face.png", tmp_path / "speech.wav"))


def test_a_corpus_brings_its_true_curves(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    synthesize(SynthesisConfig(out, clips=2, seconds=0.4, size=128, test_share=0.5, processes=1))
    (case,) = corpus_cases(out, tmp_path / "cache")
    assert case.truth is not None
    assert case.curves is not None
    curves = case.curves()
    assert {name: curve.shape for name, curve in curves.items()} == {"aperture": (10,), "width": (10,)}
    assert probe(case.truth).frames == 10
    assert np.ptp(curves["aperture"]) > 0.01
    (other,) = corpus_cases(out, tmp_path / "cache", split="train")
    assert other.name != case.name
    with pytest.raises(UserError, match="no clip in its split 'validation'"):
        corpus_cases(out, tmp_path / "cache", split="validation")


def test_a_store_gives_the_people_that_training_leaves_out(tmp_path: Path) -> None:
    store = tmp_path / "store"
    video = write(tmp_path / "x.mp4")
    with StoreWriter(store, StoreSpec(("video",), {})) as writer:
        for seed, person in enumerate(["anna", "bert", "anna", "carl"]):
            writer.add(item(12, seed, person, video=video, split="test" if person == "anna" else "train"))
    cases = store_cases(store, tmp_path / "cache")
    assert [case.name for case in cases] == ["clip_0-00000000", "clip_2-00000000"]
    assert all(probe(case.audio).has_audio for case in cases)
    with pytest.raises(UserError, match="split 'nobody'"):
        store_cases(store, tmp_path / "cache", split="nobody")
