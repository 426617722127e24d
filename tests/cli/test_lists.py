from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from hallo_lit.cli.compose import compose, plain
from hallo_lit.cli.main import main
from hallo_lit.data.preprocess.sources import find_sources
from hallo_lit.data.store import ClipStore, Encoder
from hallo_lit.media.image import save_png
from hallo_lit.media.video import VideoWriter

FRAMES = 20


@pytest.fixture
def stage_two(tmp_path, monkeypatch):
    """A stage-2 list of one usable video and one that is gone, seen from its folder."""
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((32, 32, 3), np.uint8)
    mask[8:24, 8:24] = 255
    save_png("mask.png", mask)
    with VideoWriter("it's, (1).mp4", (32, 32)) as film:
        for _ in range(FRAMES):
            film.write(mask)
    torch.save(torch.zeros(FRAMES, 12, 768), "audio.pt")
    torch.save(torch.zeros(512), "face.pt")
    regions = {f"sep_mask_{name}": "mask.png" for name in ("border", "face", "lip")}
    entry = {"video_path": "it's, (1).mp4", "mask_path": "mask.png", **regions}
    entry |= {"face_emb_path": "face.pt", "audio_path": "none.wav", "vocals_emb_base_all": "audio.pt"}
    (tmp_path / "my list.json").write_text(json.dumps([entry, {**entry, "video_path": "gone.mp4"}]))
    return tmp_path


def test_a_list_of_the_original_becomes_a_store(stage_two, capsys):
    assert main(["preprocess", "import", "my list.json", "out=my store"]) == 0
    said = capsys.readouterr()
    assert "1 clips" in said.out
    assert "entry 2: video_path gone.mp4 does not exist" in said.err
    assert (stage_two / "my store/import.faults.txt").read_text().count("\n") == 1
    store = ClipStore("my store")
    released = compose("train", "audio_encoder=wav2vec2_base", "face_encoder=arcface")
    wanted = {"audio": released.audio_encoder, "identity": released.face_encoder}
    store.require(["video", "regions"], {name: Encoder.of(plain(config)) for name, config in wanted.items()})
    assert main(["preprocess", "check", "my store"]) == 0


def test_other_encoders_can_be_named(stage_two):
    words = ["audio_encoder=wav2vec2_base", "audio_encoder.folder=/elsewhere"]
    assert main(["preprocess", "import", "my list.json", "store", *words]) == 0
    config = {**plain(compose("train", "audio_encoder=wav2vec2_base").audio_encoder), "folder": "/elsewhere"}
    ClipStore("store").require(["audio"], {"audio": Encoder.of(config)})


def test_faults_of_an_earlier_import_do_not_stay(stage_two):
    assert main(["preprocess", "import", "my list.json", "store"]) == 0
    entries = json.loads((stage_two / "my list.json").read_text())
    (stage_two / "my list.json").write_text(json.dumps(entries[:1]))
    assert main(["preprocess", "import", "my list.json", "store"]) == 0
    assert not (stage_two / "store/import.faults.txt").exists()


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Empty files in place of videos, and both kinds of lists."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "my videos").mkdir()
    (tmp_path / "lists/WDA_annotion_time.txt").write_text("Anna0.mp4 00:05-01:30 02:00-02:30\nLost.mp4 00:01-00:09\n")
    (tmp_path / "lists/WDA_crop_wh.txt").write_text("Anna0_0.mp4 100 200 10 200\n")
    box = {"top": 0.1, "bottom": 0.9, "left": 0.2, "right": 0.7}
    clip = {"ytb_id": "Xy_-", "duration": {"start_sec": 1.5, "end_sec": 4}, "bbox": box}
    (tmp_path / "info.json").write_text(json.dumps({"clips": {"Xy_-_0": clip}}))
    for name in ("WDA_Anna0.mp4", "Xy_-.mp4"):
        (tmp_path / "my videos" / name).write_bytes(b"")
    return tmp_path


def test_hdtf_lists_become_a_table_that_preprocess_reads(downloads, capsys):
    assert main(["preprocess", "manifest", "lists", "videos=my videos", "out=my hdtf.csv"]) == 0
    said = capsys.readouterr()
    assert "2 stretches of 1 videos, 1 identities" in said.out
    assert "WDA_Lost is not in my videos" in said.err
    assert "WDA_Lost" in (downloads / "my hdtf.faults.txt").read_text()
    first, second = find_sources("my hdtf.csv", downloads / "store")
    assert (first.path.name, first.start, first.end, first.box) == ("WDA_Anna0.mp4", 5, 90, (100, 10, 300, 210))
    assert (second.start, second.end, second.box, second.identity) == (120, 150, (), "WDA_Anna")


def test_a_celebv_list_becomes_a_table(downloads, capsys):
    assert main(["preprocess", "manifest", "info.json", "my videos", "celebv.csv"]) == 0
    assert capsys.readouterr().err == ""
    with (downloads / "celebv.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["start"], row["end"], row["left"], row["identity"]) == ("1.5", "4", "0.2", "Xy_-")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import"], "preprocess import LIST.json out=STORE"),
        (["import", "info.json"], "preprocess import LIST.json out=STORE"),
        (["import", "nowhere.json", "out=x"], "nowhere.json cannot be read"),
        (["import", "info.json", "out=x"], "not a JSON list"),
        (["import", "lists", "out=x"], "lists cannot be read"),
        (["manifest", "lists", "out=x.csv"], "Where are the downloaded videos"),
        (["manifest", "lists", "videos=my videos", "out=x"], "something.csv"),
        (["manifest", "lists", "videos=nowhere", "out=x.csv"], "not a folder of videos"),
        (["manifest", "my videos", "videos=my videos", "out=x.csv"], "has no HDTF lists"),
        (["manifest", "lists/WDA_crop_wh.txt", "videos=my videos", "out=x.csv"], "celebvhq_info.json"),
        (["manifest", "info.json", "videos=lists", "out=x.csv"], "None of the listed videos can be used"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(words, said, downloads, capsys):
    before = sorted(downloads.rglob("*"))
    assert main(["preprocess", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(downloads.rglob("*")) == before
