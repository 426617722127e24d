"""Inputs that are not there, and outputs that are whole or not there, whatever interrupts the writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.media.files import check_readable, check_writable, whole_file


def test_written_file_replaces_the_old_one(tmp_path):
    target = tmp_path / 'a, "b" ünï.txt'
    target.write_text("old")
    with whole_file(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.name.startswith(".")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == [target.name]


def test_it_may_grow_in_another_folder(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    with whole_file(tmp_path / "a.txt", work) as part:
        part.write_text("new")
        assert part.parent == work
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(work) == []


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), UserError("x")])
def test_nothing_is_left_after_an_exception(tmp_path, error):
    target = tmp_path / "a.txt"
    with pytest.raises(type(error)), whole_file(target) as part:  # noqa: PT012
        part.write_text("half")
        raise error
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "pattern"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota"), (errno.EFBIG, "beyond"), (errno.EIO, "input/output")],
)
def test_failed_writes_give_a_sentence(tmp_path, number, pattern):
    target = tmp_path / "a.txt"
    with pytest.raises(UserError, match=pattern) as caught, whole_file(target):
        raise OSError(number, os.strerror(number))
    assert str(target) in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_really_full_device_gives_a_sentence(tmp_path):
    with pytest.raises(UserError, match="disk is full"), whole_file(tmp_path / "a.txt") as part:  # noqa: PT012
        part.symlink_to("/dev/full")
        part.write_text("x")
    assert os.listdir(tmp_path) == []


def test_impossible_places(tmp_path):
    (tmp_path / "file").touch()
    for path, pattern in (
        (tmp_path, "is a directory"),
        (tmp_path / "none" / "a.txt", "does not exist"),
        (tmp_path / "file" / "a.txt", "is not a directory"),
        (Path("/proc/a.txt"), "choose a place"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(UserError, match=pattern) as caught:
            check_writable(path)
        assert str(path) in str(caught.value)


def test_a_directory_without_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="permission denied"):
        check_writable(tmp_path / "a.txt")
    tmp_path.chmod(0o700)


def test_long_names_leave_room_for_the_sibling(tmp_path):
    target = tmp_path / ("x" * 250 + ".txt")
    with whole_file(target) as part:
        part.write_text("a")
    assert target.read_text() == "a"


def test_inputs_that_cannot_be_read(tmp_path):
    (tmp_path / "empty").touch()
    for path, pattern in (
        (tmp_path, "is a directory"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "empty", "is empty"),
        (tmp_path / ("x" * 300), "cannot be opened"),
        (tmp_path / "nul\0", "cannot be opened"),
    ):
        with pytest.raises(UserError, match=pattern):
            check_readable(path, "recording")
