"""Speech with its articulation."""

from __future__ import annotations

import torch

from hallo_lit.data.synthetic.speech_set import listening_set, utterances


def test_utterances_last_and_controls_fit_the_frames() -> None:
    made = list(utterances("train", 0, 8.0))
    assert 8.0 <= sum(len(one.wave) for one in made) / 16_000 < 20
    for one in made:
        assert one.controls.shape == (int(len(one.wave) / 640), 6)
    assert torch.cat([one.controls for one in made]).std(0).min() > 0.02


def test_seeds_and_splits_say_different_things() -> None:
    def first(split: str, seed: int, own: bool = False) -> torch.Tensor:
        return next(iter(utterances(split, seed, 1.0, own))).wave[:8000]  # type: ignore[arg-type]

    assert torch.equal(first("train", 0), first("train", 0))
    others = [first("train", 1), first("test", 0), first("train", 0, True)]
    assert not any(torch.equal(first("train", 0), other) for other in others)


def test_a_set_keeps_windows_beside_controls() -> None:
    heard, true = listening_set(utterances("test", 0, 3.0), lambda wave, frames: torch.full((frames, 2), len(wave)))
    assert len(heard) == len(true)
    assert heard.shape[1] == 2
