from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from hallo_lit.data.preprocess.records import Records

KEY = "0123456789abcdef"


def test_records_come_back(tmp_path):
    records = Records(tmp_path)
    assert records.load("clips", KEY) is None
    records.save("clips", KEY, {"measured": {"face": 1.5}})
    assert records.load("clips", KEY) == {"measured": {"face": 1.5}}
    assert records.load("inputs", KEY) is None
    records.remove("clips", KEY)
    assert records.load("clips", KEY) is None
    records.remove("clips", KEY)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\x00\x00"])
def test_a_damaged_record_counts_as_absent(tmp_path, text):
    records = Records(tmp_path)
    records.save("clips", KEY, {})
    records.path("clips", KEY).write_text(text)
    assert records.load("clips", KEY) is None


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "ABC", "a/b"])
def test_no_key_leaves_the_store(tmp_path, key):
    with pytest.raises(ValueError, match="hash"):
        Records(tmp_path).path("clips", key)


def hold(root: Path) -> None:
    with Records(root).alone(KEY):
        (root / "held").touch()
        time.sleep(60)


def test_one_at_a_time_and_a_killed_holder_lets_go(tmp_path):
    holder = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path,))
    holder.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    waiter = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path,))
    (tmp_path / "held").unlink()
    waiter.start()
    waiter.join(0.3)
    assert not (tmp_path / "held").exists(), "two at a time"
    holder.kill()
    holder.join()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    waiter.kill()
    waiter.join()
