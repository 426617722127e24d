from __future__ import annotations

import math
from pathlib import Path

import pytest

from hallo_lit.data.manifest import ManifestRow, write_manifest
from hallo_lit.data.preprocess.sources import find_sources
from hallo_lit.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "a b.mp4",
        "sub/clip.MP4",
        "other/clip.mp4",
        "v1.2.final.mkv",
        "ünï çødé.webm",
        "notes.txt",
        ".hidden.mp4",
    ):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    return tmp_path / "in"


def test_a_folder_with_strange_and_equal_names(folder):
    names = [source.name for source in find_sources(str(folder), folder / "store")]
    assert names == ["a b.mp4", "other/clip.mp4", "sub/clip.MP4", "v1.2.final.mkv", "ünï çødé.webm"]


def test_the_store_is_no_source(folder):
    store = folder / "store"
    (store / "clips").mkdir(parents=True)
    (store / "clips" / "x.mp4").write_bytes(b"x")
    for videos in (str(folder), f"{folder}/**/*.mp4"):
        assert not any(source.path.is_relative_to(store) for source in find_sources(videos, store))


def test_a_pattern(folder):
    found = find_sources(f"{folder}/*/clip.*", folder / "store")
    assert [source.path.parent.name for source in found] == ["other", "sub"]


def test_one_file(folder):
    (source,) = find_sources(str(folder / "a b.mp4"), folder / "store")
    assert source.path == folder / "a b.mp4"


def test_a_table_of_parts(folder):
    (folder / "list.csv").write_text(
        "Path, start, end, left, top, right, bottom, identity, split\n"
        "a b.mp4, 1.5, 9, 0.1, 0.2, 0.6, 0.9, Ann, train\n"
        "sub/clip.MP4,,,,,,,,\n"
        "\n"
        "sub/clip.MP4, 9, 3,,,,,,\n"
        "a b.mp4,,, 5, 1, 2, 9,,\n"
        "a b.mp4, x,,,,,,,\n"
        "a b.mp4,,,,,,,,dev\n",
        encoding="utf-8",
    )
    first, second, *bad = find_sources(str(folder / "list.csv"), folder / "store")
    assert (first.start, first.end, first.box) == (1.5, 9.0, (0.1, 0.2, 0.6, 0.9))
    assert (first.identity, first.split) == ("Ann", "train")
    assert (second.path, second.start, second.end, second.box) == (folder / "sub/clip.MP4", 0.0, math.inf, ())
    assert first.window != second.window
    assert [bool(source.fault) for source in bad] == [True] * 4
    assert "end must come after start" in bad[0].fault


def test_a_manifest_of_ours_reads_back(folder):
    odd = folder / "a b.mp4"
    write_manifest(folder / "m.csv", [ManifestRow(odd, 2.0, None, (1.0, 2.0, 30.0, 40.0), "Bob, Jr.", "test")])
    (source,) = find_sources(str(folder / "m.csv"), folder / "store")
    assert (source.path, source.start, source.end) == (odd, 2.0, math.inf)
    assert (source.box, source.identity, source.split) == ((1.0, 2.0, 30.0, 40.0), "Bob, Jr.", "test")


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda f: str(f / "none"), "neither"),
        (lambda f: str(f / "*.avi"), "pattern"),
        (lambda f: str(_written(f / "empty.csv", "path\n")), "lists no videos"),
        (lambda f: str(_written(f / "wrong.csv", "name,age\na,3\n")), "path"),
        (lambda f: str(_written(f / "e" / "readme.txt", "").parent), "holds no video"),
    ],
)
def test_nothing_to_do_is_one_sentence(folder, make, word):
    with pytest.raises(UserError, match=word):
        find_sources(make(folder), folder / "store")


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path
