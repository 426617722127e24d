"""A tiny animator around a public-domain photo, and recordings made on the spot."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from hallo_lit.animation.animator import Animator
from hallo_lit.animation.building import from_config
from hallo_lit.faces.landmarks import FaceLandmarks
from tiny_hallo import redraw

CONFIG: dict[str, Any] = {
    "model": {
        "_target_": "hallo_lit.components.hallo.Hallo",
        "codec": {
            "_target_": "hallo_lit.components.vae.LatentCodec",
            "channels": [4, 8, 8],
            "layers": 1,
            "groups": 2,
            "scale": 0.5,
        },
        "reference_net": {"_target_": "hallo_lit.components.reference_net.ReferenceNet"},
        "denoiser": {
            "_target_": "hallo_lit.components.denoising_unet.DenoisingUNet",
            "extras": {
                "_target_": "hallo_lit.blocks.cell.Extras",
                "fusion": {
                    "_target_": "hallo_lit.components.fusion.hierarchical.HierarchicalFusion",
                    "_partial_": True,
                },
                "audio_dim": 10,
                "temporal_heads": 2,
                "temporal_groups": 4,
                "max_frames": 12,
            },
        },
        "face_locator": {
            "_target_": "hallo_lit.components.face_locator.FaceLocator",
            "out_channels": 16,
            "widths": [4, 6, 8],
        },
        "identity_projection": {
            "_target_": "hallo_lit.components.projections.IdentityProjection",
            "width": 24,
            "context_dim": 12,
            "tokens": 3,
        },
        "audio_projection": {
            "_target_": "hallo_lit.components.projections.AudioProjection",
            "layers": 4,
            "width": 8,
            "hidden": 16,
            "tokens": 3,
            "dim": 10,
        },
    },
    "audio_encoder": {"_target_": "hallo_lit.components.audio_encoder.mel.LogMel", "width": 8},
    "face_encoder": {
        "_target_": "hallo_lit.components.face_encoder.conv.ConvFaceEncoder",
        "width": 24,
        "size": 32,
        "channels": [8, 16, 16],
    },
    "size": {"height": 32, "width": 32},
    "frames": 4,
    "motion_frames": 2,
    "device": "cpu",
    "sampler": {"_target_": "hallo_lit.diffusion.sampler.Sampler", "solver": "dpm", "steps": 2},
    "guidance": {"_target_": "hallo_lit.diffusion.guidance.JointGuidance", "scale": 2.0},
}
for _net in ("reference_net", "denoiser"):
    CONFIG["model"][_net]["spec"] = {
        "_target_": "hallo_lit.blocks.cell.UNetSpec",
        "channels": [16, 32],
        "attention": [True, True],
        "layers": 1,
        "heads": 2,
        "context_dim": 12,
        "groups": 4,
    }


@pytest.fixture
def config() -> dict[str, Any]:
    """Settings of a tiny animator; the top level may be changed."""
    return dict(CONFIG)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 x 160 pixels of an astronaut; her face is about 56 x 67."""
    picture = cv2.resize(skimage.data.astronaut()[0:192, 96:352], (160, 120), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


class Open:
    """A detector that stays open when somebody is done with it."""

    def __init__(self, detector: FaceLandmarks) -> None:
        self.detector, self.detect = detector, detector.detect

    def __enter__(self) -> FaceLandmarks:
        return self.detector

    def __exit__(self, *error: object) -> None: ...


@pytest.fixture(scope="session")
def detector() -> Iterator[Open]:
    with FaceLandmarks() as found:
        yield Open(found)


@pytest.fixture(scope="session")
def animator(detector: Open) -> Animator:
    """All weights redrawn, so that sound, past and place show in the pictures."""
    made = from_config(CONFIG)
    redraw(made.hallo)
    made.portraits.landmarks = lambda: detector  # type: ignore[assignment, return-value]
    return made


@pytest.fixture
def voice(tmp_path: Path) -> Callable[..., Path]:
    """Writes `seconds` of a tone with noise that swells and falls."""

    def write(seconds: float, seed: int = 0, name: str = "voice.wav", rate: int = 16000) -> Path:
        time = np.arange(round(seconds * rate)) / rate
        noise = np.random.RandomState(seed).standard_normal(len(time))
        sound = (0.3 * np.sin(2 * np.pi * (180 + 40 * seed) * time) + 0.05 * noise) * (0.6 + 0.4 * np.sin(17 * time))
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((sound * 20000).astype("<i2").tobytes())
        return tmp_path / name

    return write
