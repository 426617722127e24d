"""The viseme encoder: streams, files, and that what it hears is what the lips do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hallo_lit.components.audio_encoder.base import AudioEncoder
from hallo_lit.components.audio_encoder.viseme import ARTICULATORS, VisemeEncoder
from hallo_lit.data.synthetic.controls import SPEECH_CONTROLS
from hallo_lit.errors import UserError


def noise(seconds: float, seed: int = 0) -> torch.Tensor:
    return torch.randn(round(seconds * 16_000), generator=torch.Generator().manual_seed(seed)) * 0.1


def encoder(**own: object) -> VisemeEncoder:
    torch.manual_seed(3)
    return VisemeEncoder(**own)  # type: ignore[arg-type]


def test_it_is_an_audio_encoder_of_the_synthesisers_controls() -> None:
    made: AudioEncoder = encoder()
    assert ARTICULATORS == SPEECH_CONTROLS
    assert (made.layers, made.width) == (1, 6)
    assert made(noise(1.0), 25).shape == (25, 1, 6)
    assert encoder(output="features", width=128)(noise(1.0), 25).shape == (25, 1, 128)


@pytest.mark.parametrize("size", [1000, 777, 10**7])
@pytest.mark.parametrize("frames", [1, 25, 251, 400])
def test_a_stream_gives_the_same_bits(size: int, frames: int) -> None:
    made, wave = encoder(), noise(12.1)
    assert torch.equal(torch.cat(list(made.stream(lambda: wave.split(size), frames))), made(wave, frames))


def test_a_frame_hears_its_neighbours_and_nobody_else() -> None:
    made, wave = encoder(), noise(4.0)
    other = wave.clone()
    other[32_000:32_640] = other[32_000:32_640].flip(0)  # frame 50, whose level and mean stay as they are
    changed = (made(wave, 100) - made(other, 100)).abs().amax((1, 2)) > 1e-6
    touched = changed.nonzero().flatten()
    assert int(touched.min()) >= 43
    assert int(touched.max()) <= 57
    assert changed[46:55].all()


def test_dropout_sleeps_outside_training() -> None:
    made, wave = encoder(), noise(1.0)
    assert not made.training
    assert torch.equal(made(wave, 25), made(wave, 25))


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    saved, path = encoder(), tmp_path / "viseme.safetensors"
    save_file({name: tensor.half() for name, tensor in saved.state_dict().items()}, path)
    torch.manual_seed(9)
    loaded = VisemeEncoder(weights=path)
    torch.testing.assert_close(loaded(noise(1.0), 25), saved(noise(1.0), 25), atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("content", [None, b"not tensors", {"head.weight": torch.zeros(2, 2)}])
def test_files_that_do_not_fit_are_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "viseme.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        save_file(content, path)
    with pytest.raises(UserError, match=r"viseme\.safetensors"):
        VisemeEncoder(weights=path)


@pytest.mark.parametrize("own", [{"output": "phones"}, {"width": 8}, {"layers": 2}, {"output": "features"}])
def test_settings_that_do_not_fit_are_refused(own: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"audio_encoder\.output"):
        encoder(**own)
