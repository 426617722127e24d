from __future__ import annotations

from hallo_lit.evaluation.header import header_of
from hallo_lit.evaluation.row import Item, Row
from hallo_lit.metrics.smoothness import Smoothness

CONFIG = {"cases": {"folder": "real"}, "device": "cpu", "bootstrap": {"level": 0.95, "resamples": 100}}


def test_everything_that_numbers_depend_on_is_said() -> None:
    metric, other = Smoothness(), Smoothness()
    other.skipped = "bring it"
    metric.hashes["net.pth"] = "abc"
    items = (Item("a", True), Item("b", False, {"": "no face"}))
    facts = {"weights": "weights 123", "videos": "x"}
    row = Row("ours", {}, {}, {}, 1, 2, {"fid": "bring it"}, ("few samples",), items, facts)
    header = header_of(CONFIG, [], {"smoothness": metric, "fid": other}, [row])
    assert header["smoothness"] == metric.protocol
    assert header["net.pth"] == "sha256 abc"
    assert header["ours"] == "weights 123"
    assert header["fid, skipped"] == "bring it"
    assert header["ours, note 1"] == "few samples"
    assert header["ours, not counted"] == "1 of 2 clips, e.g. b: no face"
    assert header["brackets"].startswith("95% intervals over clips, 100 draws")
