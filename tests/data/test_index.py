import os

import numpy as np
import pytest

from hallo_lit.data.index import FILE, Index, Row, clip_path, clips_on_disk, refresh
from hallo_lit.data.spec import Encoder
from hallo_lit.errors import UserError

from .stores import make_store

MEL = Encoder("LogMel", "0" * 16)


def row(number: int, **other) -> Row:
    given = {
        "id": f"{number:032x}",
        "stamp": (1000 + number, 17),
        "source": f"döss {number}.mp4",
        "identity": "" if number % 2 else f"p{number}\udcff",
        "frames": 20 + number,
        "fps": 25.0,
        "size": (64, 48),
        "split": ("", "train", "test")[number % 3],
        "features": frozenset({"audio"} if number % 2 else {"audio", "video"}),
        "encoders": {"audio": MEL},
    }
    return Row(**{**given, **other})


def test_rows_survive_and_are_sorted_by_id(tmp_path):
    rows = [row(number) for number in (5, 0, 3, 250)]
    Index.build(rows).save(tmp_path)
    loaded = Index.load(tmp_path)
    assert [loaded[i] for i in range(len(loaded))] == sorted(rows, key=lambda r: r.id)
    assert len(loaded.profiles) == 2


def test_an_empty_index_is_one(tmp_path):
    Index.build([]).save(tmp_path)
    assert len(Index.load(tmp_path)) == 0


@pytest.mark.parametrize("content", [None, b"", b"noise" * 99])
def test_an_unreadable_index_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    assert Index.load(tmp_path) is None


def test_columns_are_arrays_of_modest_size(tmp_path):
    Index.build([row(number) for number in range(1000)]).save(tmp_path)
    assert all(isinstance(column, np.ndarray) for column in Index.load(tmp_path).columns.values())
    assert (tmp_path / FILE).stat().st_size < 1000 * 100


def test_an_index_with_uneven_columns_is_none(tmp_path):
    index = Index.build([row(number) for number in range(3)])
    index.columns["frames"] = index.columns["frames"][:2]
    index.save(tmp_path)
    assert Index.load(tmp_path) is None


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "/", "0" * 31 + "g"])
def test_no_id_leaves_the_store(tmp_path, id):
    with pytest.raises(UserError, match="no clip id"):
        clip_path(tmp_path, id)


def test_refresh_opens_only_what_changed(tmp_path, monkeypatch):
    root = make_store(tmp_path / "store", (20, 21, 22))
    old = Index.load(root)
    opened = []
    from hallo_lit.data import index

    real = index.read_header
    monkeypatch.setattr(index, "read_header", lambda path: opened.append(path) or real(path))
    assert len(refresh(root, old)[0]) == 3
    assert opened == []
    changed = clip_path(root, old.id(1))
    os.utime(changed, ns=(1, 1))
    assert refresh(root, old)[0].stamp(1)[1] == 1
    assert opened == [changed]


def test_refresh_leaves_damaged_clips_out_and_says_so(tmp_path):
    root = make_store(tmp_path / "store", (20, 21, 22))
    bad = clip_path(root, f"{1:032x}")
    bad.write_bytes(b"noise")
    index, faults = refresh(root, Index.load(root))
    assert [index.id(i) for i in range(len(index))] == [f"{0:032x}", f"{2:032x}"]
    assert len(faults) == 1
    assert str(bad) in faults[0]


def test_links_and_hidden_files_are_no_clips(tmp_path):
    root = make_store(tmp_path / "store", (20,))
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(b"x")
    folder = root / "clips" / "00"
    (folder / f"{9:032x}.safetensors").symlink_to(outside)
    (folder / ".part-123.safetensors").write_bytes(b"x")
    (root / "clips" / "01").symlink_to(tmp_path, target_is_directory=True)
    assert [id for id, _ in clips_on_disk(root)] == [f"{0:032x}"]
