from __future__ import annotations

import pytest

from hallo_lit.data.synthetic.formant import FRICATIVES, SONORANTS, STOPS, VOWELS
from hallo_lit.data.synthetic.phonemes import VISEMES, visemes


def test_everything_the_synthesiser_says_has_a_mouth_shape():
    assert {*VOWELS, *SONORANTS, *FRICATIVES, *STOPS} <= set(VISEMES)


@pytest.mark.parametrize(
    ("name", "count"), [("a", 1), ("oU", 2), ("aI", 2), ("t;", 1), ("'i:", 1), ("_:", 1), ("qq", 1)]
)
def test_names_of_any_kind_are_understood(name, count):
    assert len(visemes(name)) == count


def test_stress_marks_do_not_change_the_shape():
    assert visemes("'i:")[0] is VISEMES["i:"]
    assert visemes("?!")[0] is VISEMES["?"]
    assert visemes("A:")[0] is visemes(",A:")[0]
