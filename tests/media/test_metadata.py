"""A video tells how it was made."""

from __future__ import annotations

import pytest

from hallo_lit.errors import UserError
from hallo_lit.media.video import read_metadata


def test_metadata(tmp_path, write):
    told = {"seed": 42, "name": 'ünï "quoted" 写真', "nested": {"list": [1, None, 2.5]}, "long": "x" * 20_000}
    write(tmp_path / "a.mp4", 3, metadata=told)
    assert read_metadata(tmp_path / "a.mp4") == told
    write(tmp_path / "b.mp4", 3)
    with pytest.raises(UserError, match="carries no description"):
        read_metadata(tmp_path / "b.mp4")
