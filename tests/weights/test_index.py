from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.index import INDEX, read_index, safe_name, verify, write_index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "sub" / "b.txt").write_text("b")
    write_index(tmp_path, ["sub/b.txt", "a.txt"])
    return tmp_path


def test_the_index_is_what_sha256sum_reads(folder: Path) -> None:
    lines = (folder / INDEX).read_text().splitlines()
    assert lines == [f"{hashlib.sha256(c.encode()).hexdigest()}  {n}" for c, n in (("a", "a.txt"), ("b", "sub/b.txt"))]
    assert list(read_index(folder)) == ["a.txt", "sub/b.txt"]
    verify(folder, read_index(folder))


def test_missing_and_altered_files_are_all_named(folder: Path) -> None:
    index = read_index(folder)
    (folder / "a.txt").write_text("A")
    (folder / "sub" / "b.txt").write_text("B")
    with pytest.raises(UserError, match=r"is altered: a\.txt, sub/b\.txt"):
        verify(folder, index)
    (folder / "a.txt").unlink()
    with pytest.raises(UserError, match=r"lacks a\.txt"):
        verify(folder, index)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "..", ".hidden", "a\\b", "~/x", "a b", "", "a//b", "C:x"]
)
def test_no_name_leads_out_of_the_bundle(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="not a plain name"):
        safe_name(name, folder)
    (folder / INDEX).write_text(f"{'0' * 64}  {name}\n")
    with pytest.raises(UserError):
        read_index(folder)


def test_what_is_no_index(folder: Path) -> None:
    (folder / INDEX).write_text("<html>")
    with pytest.raises(UserError, match="is damaged at '<html>'"):
        read_index(folder)
    (folder / INDEX).write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        read_index(folder)
    (folder / INDEX).write_text("")
    with pytest.raises(UserError, match="is empty"):
        read_index(folder)
    (folder / INDEX).unlink()
    with pytest.raises(UserError, match="is not a bundle"):
        read_index(folder)
