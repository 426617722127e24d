from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.synthetic.formant import FRICATIVES, SONORANTS, STOPS, VOWELS
from hallo_lit.data.synthetic.lexicon import LEXICON, draw_sentence, sounds, split_of


def test_every_word_can_be_said():
    known = {*VOWELS, *SONORANTS, *FRICATIVES, *STOPS}
    assert len(LEXICON) > 120
    for word, parts in LEXICON.items():
        assert set(parts) <= known, word
        assert set(parts) & set(VOWELS), word


@pytest.mark.parametrize("split", ["train", "test"])
def test_sentences_keep_to_their_split(split):
    rng = np.random.default_rng(0)
    for _ in range(30):
        sentence = draw_sentence(rng, split)
        assert split_of(sentence) == split
        assert 4 <= sum(bool(word) for word in sounds(sentence)) <= 9


def test_spelling():
    assert sounds("Hello, [b a m I] moon.") == [LEXICON["hello"], (), ("b", "a", "m", "I"), LEXICON["moon"]]
    with pytest.raises(KeyError):
        sounds("xylophone")
