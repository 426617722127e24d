from __future__ import annotations

from pathlib import Path

import pytest

from hallo_lit.errors import UserError
from hallo_lit.weights.places import expand


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in expand([folder])]


def test_files_stay_as_they_are(tmp_path: Path) -> None:
    assert expand([tmp_path / "no.pth", tmp_path / "such.onnx"]) == [tmp_path / "no.pth", tmp_path / "such.onnx"]


def test_the_originals_folder_gives_what_animate_needs(tmp_path: Path) -> None:
    put(
        tmp_path,
        "hallo/net.pth",
        "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
        "stable-diffusion-v1-5/unet/diffusion_pytorch_model.safetensors",
        "motion_module/mm_sd_v15_v2.ckpt",
        "wav2vec/wav2vec2-base-960h/model.safetensors",
        "face_analysis/models/glintr100.onnx",
        "face_analysis/models/face_landmarker_v2_with_blendshapes.task",
        "audio_separator/Kim_Vocal_2.onnx",
    )
    assert names(tmp_path) == [
        "hallo/net.pth",
        "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
        "wav2vec/wav2vec2-base-960h/model.safetensors",
        "face_analysis/models/glintr100.onnx",
    ]
    put(tmp_path, "hallo2/net.pth")
    with pytest.raises(UserError, match="two versions of the same networks"):
        expand([tmp_path])


def test_without_a_trained_net_it_gives_the_start_of_training(tmp_path: Path) -> None:
    put(tmp_path, "motion_module/mm_sd_v15_v2.ckpt", "sd-vae-ft-mse/diffusion_pytorch_model.safetensors")
    assert names(tmp_path) == [
        "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
        "motion_module/mm_sd_v15_v2.ckpt",
    ]


def test_any_other_folder_gives_its_weight_files_once(tmp_path: Path) -> None:
    put(tmp_path, "denoising_unet.pth", "imageproj.pth", "config.yaml", "model.bin", "model.safetensors")
    assert names(tmp_path) == ["denoising_unet.pth", "imageproj.pth", "model.safetensors"]


def test_a_folder_without_weights(tmp_path: Path) -> None:
    put(tmp_path, "readme.txt")
    with pytest.raises(UserError, match="holds no weight files"):
        expand([tmp_path])
