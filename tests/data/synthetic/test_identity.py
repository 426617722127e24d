from __future__ import annotations

from hallo_lit.data.synthetic.identity import FEMALE_STYLES, MALE_STYLES, draw_identity


def test_one_seed_is_one_person():
    assert draw_identity(3) == draw_identity(3)
    assert draw_identity(3) != draw_identity(4)


def test_a_crowd_is_mixed():
    people = [draw_identity(seed) for seed in range(200)]
    assert 70 < sum(who.female for who in people) < 130
    assert min(who.age for who in people) < 22
    assert max(who.age for who in people) > 65
    assert {who.style for who in people} == {*FEMALE_STYLES, *MALE_STYLES}
    brightness = [sum(who.skin) / 3 for who in people]
    assert min(brightness) < 80
    assert max(brightness) > 200


def test_proportions_stay_those_of_a_head():
    for seed in range(200):
        who = draw_identity(seed)
        assert who.top < who.hairline < who.brow_y < who.eye_y < who.nose_y < who.mouth_y < who.chin
        assert who.mouth_y + who.lower_lip + 10 < who.chin
        assert who.eye_dx - who.eye_half > who.nose_half * 0.9  # eyes do not meet
        assert 0 <= who.wrinkles <= 1
