from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from hallo_lit.cli.compose import compose, instantiate
from hallo_lit.cli.weights import run
from hallo_lit.errors import UserError

Capture = pytest.CaptureFixture[str]
TINY = [
    "model=tiny",
    "size.codec._target_=hallo_lit.components.vae.LatentCodec",  # public VAEs have no shortcut
    "size.unet.channels=[16,32]",
    "size.codec.channels=[16,16]",
    "size.locator_widths=[4,4]",
]


@pytest.fixture
def codec_file(tmp_path: Path) -> Path:
    """A VAE as the public ones are laid out, at tiny widths."""
    codec = instantiate(compose("weights", *TINY).model.codec)
    path = tmp_path / "vae (1).safetensors"
    save_file({name: tensor.contiguous() for name, tensor in codec.vae.state_dict().items()}, path)
    return path


def test_what_is_public_is_listed_with_its_state(tmp_path: Path, capsys: Capture) -> None:
    assert run(compose("weights", f"dir='{tmp_path}'")) == 0
    said = capsys.readouterr().out
    assert "sd-vae-ft-mse" in said
    assert "non-commercial" in said
    cut = tmp_path / "sd-vae-ft-mse" / "diffusion_pytorch_model.safetensors"
    cut.parent.mkdir()
    cut.write_bytes(b"version https://git-lfs")
    assert run(compose("weights", f"dir='{tmp_path}'")) == 1
    assert "cut short" in capsys.readouterr().out


def test_files_become_a_bundle_that_can_be_checked(codec_file: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "bundle"
    words = ["action=import", f"sources=['{codec_file}']", f"out='{out}'", "dtype=fp16"]
    assert run(compose("weights", *TINY, *words)) == 0
    said = capsys.readouterr().out
    assert "vae (1).safetensors" in said
    assert "still missing for animate: denoiser" in said
    assert run(compose("weights", "action=check", f"sources='{out}'")) == 1  # it has a codec and nothing else
    said = capsys.readouterr().out
    assert "denoiser: missing     conv_in.weight" in said
    assert "codec: missing" not in said
    with (out / "codec.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(UserError, match=r"codec\.safetensors"):
        run(compose("weights", "action=check", f"sources='{out}'"))


def test_a_file_is_checked_key_by_key(codec_file: Path, capsys: Capture) -> None:
    check = ["action=check", f"sources=['{codec_file}']"]
    assert run(compose("weights", *TINY, *check)) == 0
    assert "fits" in capsys.readouterr().out
    assert run(compose("weights", *TINY, "size.codec.channels=[16,32]", *check)) == 1
    assert "misshapen" in capsys.readouterr().out


def test_what_a_bundle_keeps_is_plain(codec_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    run(compose("weights", *TINY, "sampler=dpm", "action=import", f"sources=['{codec_file}']", f"out='{out}'"))
    text = (out / "config.yaml").read_text()
    assert "${" not in text
    assert "solver: dpm" in text
    assert "paths" not in text
    assert json.dumps(str(tmp_path)) not in text


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["action=download"], "list, fetch, import, export, check, push"),
        (["action=import"], "needs files and a folder"),
        (["action=import", "sources=[a]", "out=b", "dtype=fp8"], "fp32, bf16, fp16"),
        (["action=import", "sources=[nowhere.pth]", "out=b"], "nowhere.pth does not exist"),
        (["action=fetch", "names=[sd9]"], "'sd9'"),
        (["action=push"], "needs a bundle and a hub id"),
    ],
)
def test_what_cannot_be_done_is_said(overrides: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(compose("weights", *overrides))
