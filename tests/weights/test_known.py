from __future__ import annotations

import re

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.index import safe_name
from hallo_lit.weights.known import FOLDER, KNOWN, RELEASED, known


def test_the_table_is_sound() -> None:
    assert len({item.name for item in KNOWN}) == len({item.place for item in KNOWN}) == len(KNOWN)
    for item in KNOWN:
        assert safe_name(item.place, FOLDER) == item.place
        assert item.url == f"https://huggingface.co/{item.repo}/resolve/main/{item.file}"
        assert item.sha256 is None or re.fullmatch("[0-9a-f]{64}", item.sha256)
        assert (item.sha256 is None) == (item.size is None)
    assert set(RELEASED) <= {item.name for item in KNOWN}


def test_an_unknown_name_lists_the_known_ones() -> None:
    assert known("hallo").place == "hallo/net.pth"
    with pytest.raises(UserError, match=r"no weights called 'sdxl'; choose among hallo, hallo2, sd-vae-ft-mse"):
        known("sdxl")
