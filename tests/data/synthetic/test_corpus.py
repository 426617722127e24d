from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.corpus import Cast, part, speak

CAST = Cast(seed=3, clips=40, identities=20)


@pytest.fixture(scope="module")
def spoken():
    return [(part(CAST, k), speak(part(CAST, k), 50, "formant")) for k in range(CAST.clips)]


def test_splits_share_no_face_voice_or_sentence(spoken):
    for what in (
        lambda p, s: {p.person},
        lambda p, s: {p.who.seed},
        lambda p, s: {s.voice["name"]},
        lambda p, s: set(s.sentences),
    ):
        train, test = (set().union(*(what(p, s) for p, s in spoken if p.split == side)) for side in ("train", "test"))
        assert train
        assert test
        assert not train & test


def test_shares_are_as_asked():
    splits = [CAST.split(k) for k in range(CAST.clips)]
    assert splits.count("test") == 4
    assert len({CAST.person(k) for k in range(CAST.clips)}) == 20
    assert sum(split == "test" for split in splits[:20]) == 2  # spread evenly


@pytest.mark.parametrize(("clips", "identities", "test"), [(1, 1, 0), (2, 2, 1), (10, 1, 0), (10, 10, 1), (100, 7, 10)])
def test_small_corpora(clips, identities, test):
    cast = Cast(0, clips, identities)
    splits = [cast.split(k) for k in range(clips)]
    assert splits.count("test") == test
    people = {side: {cast.person(k) for k in range(clips) if splits[k] == side} for side in ("train", "test")}
    assert not people["train"] & people["test"]
    assert all(0 <= p < identities for side in people.values() for p in side)


def test_the_sound_fills_the_clip(spoken):
    for _, s in spoken[:10]:
        assert s.samples.shape == (50 * 640,)
        assert s.samples.dtype == np.float32
        assert np.sqrt((s.samples**2).mean()) > 0.01
        assert s.phones[0].start == 0
        assert s.phones[-1].end == pytest.approx(2.0, abs=0.01)


def test_a_clip_does_not_depend_on_its_neighbours(spoken):
    alone = speak(part(CAST, 7), 50, "formant")
    np.testing.assert_array_equal(alone.samples, spoken[7][1].samples)


def test_men_and_women_have_their_voices(spoken):
    assert all((s.voice["pitch"] > 160) == p.who.female for p, s in spoken)
