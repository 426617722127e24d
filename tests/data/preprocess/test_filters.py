from __future__ import annotations

import pytest

from hallo_lit.data.preprocess.filters import KEPT, REJECTED, RULES, UNDECIDED, judge
from hallo_lit.data.preprocess.settings import Filters

GOOD: dict[str, float | None] = {
    "seconds": 10.0,
    "sound": 1.0,
    "face": 300.0,
    "other_face": 0.0,
    "padding": 0.0,
    "camera": 0.01,
    "found": 1.0,
    "yaw": 12.0,
    "pitch": 8.0,
    "roll": 3.0,
    "speed": 0.2,
    "jump": 0.03,
    "travel": 0.3,
    "sharpness": 0.5,
    "speech": 0.8,
    "mouth": 0.04,
    "sync_r": 0.45,
    "sync_best": 0.45,
    "sync_lag_ms": 40.0,
}
FILTERS = Filters(min_sharpness=0.2)


def test_a_good_clip_is_kept():
    assert judge(GOOD, FILTERS) == (judge(GOOD, FILTERS).__class__)(KEPT)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"face": 60}, "60 pixels"),
        ({"other_face": 0.8}, "another face"),
        ({"padding": 0.3}, "outside"),
        ({"camera": 0.5}, "camera"),
        ({"found": 0.5}, "landmarks"),
        ({"found": 0.0}, "landmarks"),
        ({"yaw": 80}, "aside"),
        ({"pitch": 60}, "nods"),
        ({"roll": 178}, "upside down"),
        ({"speed": 4}, "moves"),
        ({"jump": 1}, "jumps"),
        ({"travel": 3}, "travels"),
        ({"sharpness": 0.05}, "blurred"),
        ({"sync_r": 0.1, "sync_best": 0.2}, "do not agree"),
        ({"sync_r": 0.1, "sync_best": 0.2, "sync_lag_ms": 400.0}, "do not agree"),
        ({"sync_r": 0.1, "sync_lag_ms": 400.0}, "400 ms late"),
        ({"sync_lag_ms": 400.0}, "late"),
        ({"sync_lag_ms": -400.0}, "early"),
        ({"sound": 0.0}, "no sound track"),
    ],
)
def test_each_fault_rejects_with_its_reason(change, word):
    verdict = judge({**GOOD, **change}, FILTERS)
    assert verdict.status == REJECTED
    assert len(verdict.reasons) == 1
    assert word in verdict.reasons[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seconds": 7.9}, "too short"),
        ({"speech": 0.1}, "speech"),
        ({"mouth": 0.001}, "lips"),
        ({"sync_r": None}, "lips"),
    ],
)
def test_what_cannot_be_compared_is_undecided_and_kept(change, word):
    verdict = judge({**GOOD, **change, **({"sync_r": 0.0} if "sync_r" not in change else {})}, FILTERS)
    assert verdict.status == UNDECIDED
    assert verdict.keeps
    assert word in verdict.reasons[0]


def test_the_judge_of_lips_can_be_sent_home():
    assert judge({**GOOD, "sync_r": 0.0, "sync_best": 0.0}, Filters(lip_audio=False)).status == KEPT


def test_videos_without_sound_can_be_kept():
    verdict = judge({**GOOD, "sound": 0.0}, Filters(sound="optional"))
    assert verdict.status == UNDECIDED
    assert "no sound track" in verdict.reasons[0]


def test_a_planned_clip_is_judged_by_what_is_known():
    planned = {name: GOOD[name] for name in ("seconds", "sound", "face", "other_face", "padding", "camera")}
    assert judge(planned, FILTERS).status == KEPT
    assert judge({**planned, "face": 20.0}, FILTERS).status == REJECTED
    assert judge({**planned, "camera": None}, FILTERS).status == KEPT


def test_all_reasons_are_told():
    assert len(judge({**GOOD, "face": 10, "yaw": 80, "speed": 9, "sync_r": 0}, FILTERS).reasons) == 4


def test_every_rule_has_its_threshold():
    for rule in RULES:
        assert isinstance(getattr(Filters(), rule.threshold), float)
        assert rule.threshold.startswith(("min_", "max_"))
