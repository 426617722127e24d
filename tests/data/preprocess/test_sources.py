from __future__ import annotations

import math
from pathlib import Path

import pytest

from hallo_lit.data.manifest import ManifestRow, write_manifest
from hallo_lit.data.preprocess.sources import Source, find_sources
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


@pytest.mark.parametrize(
    "name",
    [
        *("new\nline", "carriage\rreturn", "both\r\n", "line\u2028separator", "next\x85line", "form\x0cfeed"),
        *("trailing ", " leading", "tab\t", '"quoted", and comma', "bad\udcff", "~tilde"),
    ],
)
def test_names_with_anything_in_them_survive_a_table(tmp_path, name):
    paths = [tmp_path / name, tmp_path / f"{name}.mp4", tmp_path / "sub" / name]
    write_manifest(tmp_path / "m.csv", [ManifestRow(path, identity="Ann") for path in paths])
    found = find_sources(str(tmp_path / "m.csv"), tmp_path / "store")
    assert [source.path for source in found] == paths
    assert {source.identity for source in found} == {"Ann"}


def test_lines_without_a_path_are_faults_of_their_own(folder):
    table = _written(folder / "list.csv", "path,start\na b.mp4,\n,3\n  ,4\n")
    good, *bad = find_sources(str(table), folder / "store")
    assert not good.fault
    assert [source.fault.split(":")[0] for source in bad] == [
        "list.csv, line 3 names no video",
        "list.csv, line 4 names no video",
    ]


@pytest.mark.parametrize("name", ["~nobody at home.mp4", "."])
def test_names_that_are_nobodys_home(folder, name):
    (source,) = find_sources(str(_written(folder / "list.csv", f"path\n{name}\n")), folder / "store")
    assert source.path == folder / name


def test_what_is_no_table_is_one_sentence(folder):
    table = _written(folder / "list.csv", 'path\n"' + "a" * 200_000 + "\n")
    with pytest.raises(UserError, match="is no table that can be read: field larger"):
        find_sources(str(table), folder / "store")


def test_parts_of_a_file_are_told_from_the_whole():
    assert not Source(Path("a"), "a").is_part
    for part in ({"start": 1.0}, {"end": 2.0}, {"box": (0.0, 0.0, 1.0, 1.0)}):
        assert Source(Path("a"), "a", **part).is_part
