import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hallo_lit.data import store_writer as module
from hallo_lit.data.index import Index, clip_path
from hallo_lit.data.store import ClipStore, Encoder, StoreSpec, StoreWriter, check_store, content_id
from hallo_lit.data.store_writer import unwritten, writing
from hallo_lit.errors import UserError

from .stores import AUDIO, SPEC, item, make_store, tensors


def test_content_id_is_of_bytes_and_not_of_names(tmp_path):
    one, other = tmp_path / "a b.mp4", tmp_path / "ü.mp4"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert content_id(one, "0-8") == content_id(other, "0-8") != content_id(one, "8-16")
    assert content_id("a", "b") != content_id("ab") != content_id("b", "a")
    pixels = np.zeros((2, 2), np.uint8)
    assert len(content_id(pixels)) == 32
    assert content_id(pixels) != content_id(pixels.reshape(4))


def test_what_is_stored_comes_back(tmp_path):
    given = item(9, 1, "ünï", split="test", start=2.5, metadata={"score": 3, "words": ["a"]})
    with StoreWriter(tmp_path, SPEC) as writer:
        assert writer.missing(given.id) == {"audio"}
        assert writer.add(given) == given.id
        assert writer.missing(given.id) == set()
    clip = ClipStore(tmp_path)[0]
    header = clip.header()
    assert (header.identity, header.split, header.start, header.metadata["score"]) == ("ünï", "test", 2.5, 3)
    assert header.encoders == {"audio": AUDIO}
    assert (clip.row.frames, clip.row.size, clip.row.source) == (9, (16, 24), given.source)
    for name, value in given.tensors.items():
        assert np.array_equal(clip.read(name), value)
    assert np.array_equal(clip.read("audio", 3, 5), given.tensors["audio"][3:5])


def test_adding_twice_writes_once(tmp_path):
    writer = StoreWriter(tmp_path, SPEC)
    path = clip_path(tmp_path, writer.add(item()))
    stamp = path.stat().st_mtime_ns
    writer.add(item())
    assert path.stat().st_mtime_ns == stamp
    writer.add(item(), replace=True)
    assert path.stat().st_mtime_ns != stamp


def test_new_features_join_those_already_there(tmp_path):
    first, second = tensors(9), {"curves": np.ones((9, 2), np.float32)}
    writer = StoreWriter(tmp_path, SPEC)
    writer.add(item(9, tensors=first, metadata={"a": 1}))
    writer.add(item(9, tensors=second, metadata={"b": 2}))
    writer.finish()
    clip = ClipStore(tmp_path)[0]
    assert clip.row.features == {"pixels", "audio", "identity", "locator", "regions", "curves"}
    assert np.array_equal(clip.read("audio"), first["audio"])
    assert clip.header().metadata == {"a": 1, "b": 2}
    assert check_store(tmp_path).ok


def test_another_encoder_makes_exactly_its_own_feature_stale(tmp_path):
    root = make_store(tmp_path / "store", (20, 21))
    viseme = Encoder("Viseme", "f" * 16)
    spec = StoreSpec(("audio", "identity"), {"audio": viseme})
    writer = StoreWriter(root, spec)
    ids = [clip.row.id for clip in ClipStore(root)]
    assert [writer.missing(id) for id in ids] == [{"audio"}] * 2
    writer.add(item(20, 0, "p0", tensors={"audio": np.full((20, 1, 4), 7)}))
    writer.finish()
    assert writer.missing(ids[0]) == set()
    assert writer.missing(ids[1]) == {"audio"}
    clip = ClipStore(root)[0]
    assert clip.read("audio").shape == (20, 1, 4)
    assert np.array_equal(clip.read("regions"), tensors(20, 0)["regions"])
    with pytest.raises(UserError, match="1 of 2 clips"):
        ClipStore(root).require(["audio"], {"audio": viseme})


def test_encoders_of_features_not_asked_for_are_remembered(tmp_path):
    make_store(tmp_path)
    writer = StoreWriter(tmp_path, StoreSpec(("regions",)))
    assert writer.spec.encoders == {"audio": AUDIO}
    assert writer.missing(f"{0:032x}") == set()


def test_videos_are_copied_or_moved_out_of_scratch(tmp_path):
    outside = tmp_path / "talk .mp4"
    outside.write_bytes(b"video")
    writer = StoreWriter(tmp_path / "store", SPEC)
    inside = writer.scratch / "made.mp4"
    inside.write_bytes(b"other video")
    ids = [writer.add(item(5, tensors={}, id="", video=path)) for path in (outside, inside)]
    assert outside.exists()
    assert not inside.exists()
    writer.finish()
    store = ClipStore(tmp_path / "store")
    assert {store[i].video.read_bytes() for i in range(2)} == {b"video", b"other video"}
    assert ids == [content_id(outside), content_id(b"other video")]
    assert check_store(tmp_path / "store").ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"split": "validation"}, "split"),
        ({"frames": 0}, "at least one frame"),
        ({"id": "../../x"}, "no clip id"),
        ({"tensors": {"audio": np.zeros((3, 1, 1))}}, "audio has shape"),
        ({"tensors": {}, "id": ""}, "needs an id"),
    ],
)
def test_bad_items_are_refused_and_nothing_is_left(tmp_path, change, words):
    writer = StoreWriter(tmp_path, SPEC)
    with pytest.raises(UserError, match=words):
        writer.add(replace(item(), **change))
    assert [path.name for path in tmp_path.rglob("*")] == ["store.json"]


def test_a_damaged_clip_is_written_again(tmp_path):
    root = make_store(tmp_path, (20,))
    path = clip_path(root, f"{0:032x}")
    path.write_bytes(path.read_bytes()[:100])
    writer = StoreWriter(root, SPEC)
    assert writer.missing(f"{0:032x}") == {"audio"}
    writer.add(item(20, 0, "p0"))
    assert check_store(root).ok


def test_equal_base_names_and_odd_names_stand_side_by_side(tmp_path):
    names = ["a/talk.mp4", "b/talk.mp4", "My talk (1).final.mp4", "ünï/日本.mp4", "../../up.mp4", "x\udcff.mp4"]
    with StoreWriter(tmp_path, SPEC) as writer:
        for seed, name in enumerate(names):
            writer.add(replace(item(5, seed), source=name))
    store = ClipStore(tmp_path)
    assert {store.source(i) for i in range(len(store))} == set(names)
    assert all(path.resolve().is_relative_to(tmp_path.resolve()) for path in tmp_path.rglob("*"))


def test_places_where_no_store_can_be(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(UserError, match="cannot be written"):
        StoreWriter(tmp_path / "file", SPEC)
    with pytest.raises(UserError, match="cannot be written"):
        StoreWriter(tmp_path / "file" / "store", SPEC)


def test_nothing_is_written_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    writer = StoreWriter(tmp_path / "store", SPEC)
    (tmp_path / "store" / "clips").mkdir()
    (tmp_path / "store" / "clips" / "00").symlink_to(outside, target_is_directory=True)
    with pytest.raises(UserError, match="out of the store"):
        writer.add(item())
    assert not list(outside.iterdir())


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from data.stores import SPEC, item
from hallo_lit.data.store import StoreWriter
with StoreWriter(Path(sys.argv[2]), SPEC) as writer:
    for seed in range(int(sys.argv[3]), int(sys.argv[4])):
        writer.add(item(20, seed))
        print(seed, flush=True)
"""


def start(root, first, last):
    tests = os.path.dirname(os.path.dirname(__file__))
    command = [sys.executable, "-c", WRITE, tests, str(root), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_several_processes_write_at_once(tmp_path):
    writers = [start(tmp_path, first, first + 12) for first in (0, 8)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(Index.load(tmp_path)) == 20
    assert check_store(tmp_path).ok


def test_a_killed_writer_leaves_whole_clips_and_the_next_run_goes_on(tmp_path):
    writer = start(tmp_path, 0, 100_000)
    for _ in range(5):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait(60)
    report = check_store(tmp_path)
    assert report.ok
    assert report.clips >= 5
    done = ClipStore(tmp_path)  # without an index, the clips are looked through
    assert len(done) == report.clips
    with StoreWriter(tmp_path, SPEC) as again:
        assert all(not again.missing(clip.row.id) for clip in done)
        again.add(item(20, 200_000))
    assert len(ClipStore(tmp_path)) == report.clips + 1


def test_an_index_that_is_up_to_date_is_not_written_again(tmp_path):
    root = make_store(tmp_path / "store", (20, 21))
    path = root / "index.safetensors"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert StoreWriter(root, SPEC).finish() == []
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    writer = StoreWriter(root, SPEC)
    writer.add(item(22, 7))
    writer.finish()
    assert len(ClipStore(root)) == 3
    path.write_bytes(b"damaged")
    writer.finish()
    assert len(Index.load(root) or ()) == 3


def test_who_asks_for_no_features_leaves_those_of_the_store(tmp_path):
    make_store(tmp_path)
    assert StoreWriter(tmp_path, StoreSpec()).spec == SPEC == StoreSpec.load(tmp_path)


def test_leftovers_are_only_anybodys_while_nobody_writes(tmp_path, monkeypatch):
    def free() -> bool:
        with unwritten(tmp_path / "store") as alone:
            return alone

    assert free()
    with writing(tmp_path / "store"), writing(tmp_path / "store"):
        assert not free()
    assert free()
    writer, written = StoreWriter(tmp_path / "store", SPEC), []
    monkeypatch.setattr(module, "write_clip", lambda *_: written.append(free()))
    writer.add(item())
    assert written == [False]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"), writing(tmp_path / "file"):
        pass
