from __future__ import annotations

import pytest
import torch

from hallo_lit.data.preprocess.sound import SoundReader

WAVE = torch.arange(5 * 16000, dtype=torch.float32)


def chunks(size: int):
    return iter(WAVE.split(size))


@pytest.mark.parametrize("size", [997, 16000, 100000])
def test_cuts_are_exact_in_order_and_may_overlap(size):
    reader = SoundReader(chunks(size))
    for start, end in [(0.0, 1.0), (0.5, 2.0), (0.5, 0.75), (3.0, 3.04), (3.02, 5.0)]:
        assert torch.equal(reader.cut(start, end), WAVE[round(start * 16000) : round(end * 16000)])


def test_beyond_the_end_there_is_silence():
    piece = SoundReader(chunks(4000)).cut(4.5, 6.0)
    assert torch.equal(piece[:8000], WAVE[72000:])
    assert torch.equal(piece[8000:], torch.zeros(16000))
    assert torch.equal(SoundReader(chunks(4000)).cut(7.0, 7.5), torch.zeros(8000))


def test_an_origin_shifts_the_clock():
    assert torch.equal(SoundReader(chunks(4000), 2.0).cut(0.0, 0.5), WAVE[32000:40000])


def test_going_back_is_refused():
    reader = SoundReader(chunks(4000))
    reader.cut(2.0, 3.0)
    with pytest.raises(ValueError, match="passed"):
        reader.cut(1.0, 2.0)


def test_what_was_passed_is_let_go():
    reader = SoundReader(chunks(1000))
    reader.cut(4.0, 4.5)
    assert len(reader._held) < 16000
