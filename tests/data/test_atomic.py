import errno
import shutil
import subprocess
import sys

import pytest

from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError


def fail_halfway(target, error):
    with replacing(target) as part:
        part.write_bytes(b"half")
        raise error


def test_the_file_appears_whole(tmp_path):
    target = tmp_path / "new" / "file.bin"
    with replacing(target) as part:
        part.write_bytes(b"12")
        assert not target.exists()
    assert target.read_bytes() == b"12"
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_is_untouched(tmp_path, error):
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(type(error)):
        fail_halfway(target, error)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "No space left"), (errno.EDQUOT, "No space left"), (errno.EROFS, "cannot be written")],
)
def test_full_and_closed_disks_are_one_sentence(tmp_path, number, words):
    with pytest.raises(UserError, match=words):
        fail_halfway(tmp_path / "file.bin", OSError(number, "told by the system"))
    assert not list(tmp_path.iterdir())


def test_a_real_limit_of_the_system(tmp_path):
    code = f"""
import resource, signal
from pathlib import Path
from hallo_lit.data.atomic import replacing
from hallo_lit.errors import UserError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with replacing(Path({str(tmp_path / "file.bin")!r})) as part:
        part.write_bytes(bytes(100_000))
except UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("No space left to write")
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(UserError, match="cannot be written"), replacing(tmp_path / "file" / "inside.bin"):
        pass
    with pytest.raises(UserError, match=r"cannot be written .*nowhere\.mp4"):
        copy_into(tmp_path / "video.mp4", tmp_path / "nowhere.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def copy_into(target, source):
    with replacing(target) as part:
        shutil.copyfile(source, part)
