"""What `test_run` does not show of single clips; whole sources are tried there."""

from __future__ import annotations

from hallo_lit.data.preprocess.clipping import drop
from hallo_lit.data.store import ClipStore, StoreSpec, StoreWriter, check_store, content_id
from hallo_lit.data.store_writer import ClipItem


def test_dropped_clips_leave_the_store_whole(tmp_path):
    import numpy as np

    with StoreWriter(tmp_path, StoreSpec(("pixels",))) as writer:
        ids = [content_id(str(i)) for i in range(3)]
        for id in ids:
            pixels = np.zeros((2, 8, 8, 3), np.uint8)
            writer.add(ClipItem("a", "a", 2, (8, 8), {"pixels": pixels}, id=id))
        drop(tmp_path, [ids[1], content_id("never there")])
    assert {clip.row.id for clip in ClipStore(tmp_path)} == {ids[0], ids[2]}
    assert check_store(tmp_path).ok
