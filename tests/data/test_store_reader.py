import pickle

import numpy as np
import pytest

from hallo_lit.data.index import FILE, clip_path
from hallo_lit.data.store import ClipStore, Encoder, StoreSpec, StoreWriter
from hallo_lit.errors import UserError

from .stores import AUDIO, SPEC, item, make_store


def test_reads_by_row_and_in_the_order_of_ids(tmp_path):
    store = ClipStore(make_store(tmp_path, (20, 30, 40)))
    assert len(store) == 3
    assert [clip.row.frames for clip in store] == [20, 30, 40]
    assert store[-1].row == store[2].row
    assert [store.identity(i) for i in range(3)] == ["p0", "p1", "p0"]
    with pytest.raises(IndexError):
        store[3]


def test_opening_reads_no_clip(tmp_path):
    root = make_store(tmp_path, (20, 30))
    for id in (0, 1):
        clip_path(root, f"{id:032x}").write_bytes(b"noise")
    assert len(ClipStore(root)) == 2


def test_a_lost_index_is_made_again(tmp_path):
    root = make_store(tmp_path, (20, 30))
    (root / FILE).unlink()
    assert [clip.row.frames for clip in ClipStore(root)] == [20, 30]


def test_what_is_not_there_is_one_sentence(tmp_path):
    store = ClipStore(make_store(tmp_path, (20,)))
    with pytest.raises(UserError, match="has no landmarks"):
        store[0].read("landmarks")
    store[0].path.unlink()
    with pytest.raises(UserError, match="is gone"):
        store[0].read("audio")


def test_folders_that_are_no_store_or_an_empty_one(tmp_path):
    with pytest.raises(UserError, match="not a clip store"):
        ClipStore(tmp_path / "nowhere")
    StoreWriter(tmp_path, SPEC).finish()
    with pytest.raises(UserError, match="has no clips"):
        ClipStore(tmp_path)


def test_another_encoder_is_refused_in_one_sentence_that_names_both(tmp_path):
    store = ClipStore(make_store(tmp_path))
    store.require(["audio", "pixels"], {"audio": AUDIO})
    with pytest.raises(UserError) as caught:
        store.require(["audio"], {"audio": Encoder("Wav2Vec2", "1" * 16)})
    assert "LogMel" in str(caught.value)
    assert "Wav2Vec2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_features_missing_in_some_clips_are_counted(tmp_path):
    make_store(tmp_path, (20, 20, 20))
    with StoreWriter(tmp_path, StoreSpec()) as writer:
        writer.add(item(20, 7, tensors={"curves": np.zeros((20, 1))}))
    store = ClipStore(tmp_path)
    assert not store.has("audio")
    with pytest.raises(UserError, match=r"1 of 4 clips .* have no audio"):
        store.require(["audio"])


def test_travels_to_worker_processes(tmp_path):
    store = ClipStore(make_store(tmp_path))
    copy = pickle.loads(pickle.dumps(store))
    assert np.array_equal(copy[0].read("audio", 2, 4), store[0].read("audio", 2, 4))
