from __future__ import annotations

import json

from hallo_lit.evaluation.row import Item, Row


def test_a_row_survives_json() -> None:
    row = Row(
        "x", {"a": 1.5}, {"a": (1.0, 2.0)}, {"a": 3}, 3, 4, {"fid": "why"}, ("note",), (Item("i", True, {"": "r"}),)
    )
    assert Row.from_plain(json.loads(json.dumps(row.to_plain()))) == row
