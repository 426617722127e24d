"""A clip store: prepared training clips in a folder, written by any number of processes, read by index.

    with StoreWriter("store", StoreSpec(("audio",), {"audio": Encoder.of(config)})) as writer:
        key = content_id(Path("talk.mp4"), "0.0-8.0")
        if writer.missing(key):
            writer.add(ClipItem(source="talk.mp4", identity="anna", frames=200, size=(512, 512), id=key, tensors={...}))
    audio = ClipStore("store")[0].read("audio", 10, 24)

The names and shapes of what `tensors` may hold are `features.TENSORS`; docs/store.md describes the files.
"""

from __future__ import annotations

from hallo_lit.data.features import FEATURES, TENSORS
from hallo_lit.data.spec import Encoder, StoreSpec, config_hash
from hallo_lit.data.store_check import StoreReport, check_store
from hallo_lit.data.store_reader import ClipStore, StoredClip
from hallo_lit.data.store_writer import ClipItem, StoreWriter, content_id

__all__ = [
    "FEATURES",
    "TENSORS",
    "ClipItem",
    "ClipStore",
    "Encoder",
    "StoreReport",
    "StoreSpec",
    "StoreWriter",
    "StoredClip",
    "check_store",
    "config_hash",
    "content_id",
]
