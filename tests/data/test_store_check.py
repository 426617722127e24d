import numpy as np
import pytest

from hallo_lit.data.index import FILE, Index, clip_path
from hallo_lit.data.store import ClipStore, Encoder, StoreSpec, StoreWriter, check_store
from hallo_lit.errors import UserError

from .stores import SPEC, item, make_store


@pytest.fixture
def root(tmp_path):
    make_store(tmp_path / "store", (20, 30))
    video = tmp_path / "talk.mp4"
    video.write_bytes(b"video")
    with StoreWriter(tmp_path / "store", SPEC) as writer:
        writer.add(item(20, 5, video=video))
    return tmp_path / "store"


def test_a_whole_store_is_praised(root):
    report = check_store(root)
    assert report.ok
    assert not report.notes
    assert (report.clips, report.frames, report.identities) == (3, 70, 3)
    assert report.features["audio"] == 3
    assert report.features["video"] == 1
    assert "the store is whole" in report.summary()
    assert "LogMel" in report.summary()


def flip(path):
    blob = bytearray(path.read_bytes())
    blob[-3] ^= 1
    path.write_bytes(blob)


def test_one_flipped_bit_is_found(root):
    path = clip_path(root, f"{1:032x}")
    flip(path)
    assert check_store(root, deep=False).ok
    report = check_store(root)
    assert len(report.problems) == 1
    assert str(path) in report.problems[0]
    assert "altered" in report.problems[0]


def test_altered_and_lost_videos_are_found(root):
    video = clip_path(root, f"{5:032x}", ".mp4")
    flip(video)
    assert "altered" in check_store(root).problems[0]
    video.unlink()
    assert "gone" in check_store(root, deep=False).problems[0]


def test_a_deleted_and_a_damaged_clip_are_found_and_never_deleted(root):
    clip_path(root, f"{0:032x}").unlink()
    damaged = clip_path(root, f"{1:032x}")
    damaged.write_bytes(b"noise")
    report = check_store(root, repair=True)
    assert not report.ok
    assert any(f"{0:032x}" in problem for problem in report.problems)
    assert any(f"{1:032x}" in problem for problem in report.problems)
    assert damaged.exists()
    assert len(Index.load(root)) == 1


def test_an_index_that_lags_is_a_note_and_is_repaired(root):
    (root / FILE).unlink()
    report = check_store(root)
    assert report.ok
    assert "index" in report.notes[0]
    check_store(root, repair=True)
    assert len(Index.load(root)) == 3
    assert not check_store(root).notes


def test_leftovers_are_counted_and_removed_on_request(root):
    folder = clip_path(root, f"{0:032x}").parent
    debris = [folder / ".part-12.safetensors", folder / f"{8:032x}.mp4", root / "tmp" / "half.mp4"]
    debris[2].parent.mkdir()
    for path in debris:
        path.write_bytes(b"half")
    assert "3 leftovers" in check_store(root).notes[0]
    assert all(path.exists() for path in debris)
    check_store(root, repair=True)
    assert not any(path.exists() for path in debris)
    assert check_store(root).ok
    assert len(ClipStore(root)) == 3


def test_stale_features_are_noted(root):
    StoreWriter(root, StoreSpec(("audio",), {"audio": Encoder("Viseme", "9" * 16)}))
    report = check_store(root)
    assert report.ok
    assert report.notes == ["3 clips lack audio or hold that of an older encoder"]


def test_a_clip_of_another_shape_than_its_header_says_is_found(root):
    from hallo_lit.data.clip_file import digest_tensors, read_header, read_tensors, write_clip

    path = clip_path(root, f"{0:032x}")
    header, tensors = read_header(path), read_tensors(path)
    tensors["audio"] = np.zeros((3, 2, 8), np.float16)
    from dataclasses import replace

    write_clip(path, replace(header, digest=digest_tensors(tensors)), tensors)
    assert "audio has shape" in check_store(root).problems[0]


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(UserError, match="not a clip store"):
        check_store(tmp_path)
