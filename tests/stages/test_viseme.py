"""A minute of made-up speech teaches the encoder something about unheard voices."""

from __future__ import annotations

import torch

from hallo_lit.components.audio_encoder.viseme import ARTICULATORS, VisemeEncoder
from hallo_lit.stages.viseme import VisemeTraining, augmented, train_viseme


def test_a_minute_of_speech_teaches_lips_that_unheard_voices_move() -> None:
    torch.manual_seed(0)
    encoder = VisemeEncoder(wide=64, hidden=32)
    scores = train_viseme(encoder, VisemeTraining(minutes=1.0, epochs=8, batch=64, rate=3e-3))
    assert set(scores) == set(ARTICULATORS)
    assert scores["open"] > 0.6
    assert scores["width"] > 0.4
    assert not encoder.training


def test_training_repeats_itself() -> None:
    def weights() -> torch.Tensor:
        torch.manual_seed(0)
        encoder = VisemeEncoder(wide=16, hidden=8)
        train_viseme(encoder, VisemeTraining(minutes=0.1, epochs=1, batch=32))
        return encoder.head.weight.detach()  # type: ignore[return-value]

    assert torch.equal(weights(), weights())


def test_augmentation_keeps_shape_and_changes_colour_alike_in_all_columns() -> None:
    windows = torch.zeros(4, 11, 4, 32) + 5  # far above any noise floor
    made = augmented(windows, torch.Generator().manual_seed(1))
    assert made.shape == windows.shape
    colour = (made - windows).mean((1, 2))
    assert colour.abs().max() > 0.1
    assert (made - windows - colour[:, None, None]).abs().max() < 0.6
