from __future__ import annotations

import re
from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.index import safe_name
from hallo_lit.weights.known import FOLDER, JUDGES, KNOWN, RELEASED, known


def test_the_table_is_sound() -> None:
    assert len({item.name for item in KNOWN}) == len({item.place for item in KNOWN}) == len(KNOWN)
    for item in KNOWN:
        assert safe_name(item.place, FOLDER) == item.place
        assert item.url == f"https://huggingface.co/{item.repo}/resolve/main/{item.file}"
        assert item.sha256 is None or re.fullmatch("[0-9a-f]{64}", item.sha256)
        assert (item.sha256 is None) == (item.size is None)
    assert set(RELEASED) <= {item.name for item in KNOWN}


def test_the_files_of_metrics_lie_where_their_settings_look() -> None:
    conf = Path(__file__).parents[2] / "conf" / "metric"
    settings = "".join(path.read_text(encoding="utf-8") for path in conf.glob("*.yaml"))
    places = [FOLDER / item.place for item in JUDGES]
    assert all(f"{place.as_posix()}" in settings for place in places)
    assert settings.count("pretrained_models/evaluation/") == len(places)
    assert not {item.name for item in JUDGES} & {item.name for item in KNOWN}
    assert all(item.url.startswith("https://") for item in JUDGES)
    assert known("syncnet").url.endswith("/LatentSync/resolve/main/auxiliary/syncnet_v2.model")


def test_an_unknown_name_lists_the_known_ones() -> None:
    assert known("hallo").place == "hallo/net.pth"
    with pytest.raises(UserError, match=r"no weights called 'sdxl'; choose among hallo, hallo2, sd-vae-ft-mse"):
        known("sdxl")
