from __future__ import annotations

import numpy as np
import pytest

from hallo_lit.data.preprocess.features import (
    Encoders,
    check_device,
    encoders_of,
    frontal,
    geometry,
    outermost,
    store_spec,
)
from hallo_lit.data.preprocess.settings import Features
from hallo_lit.errors import UserError
from hallo_lit.faces.regions import FACE_OVAL, bounds, union_masks

CODEC = {"_target_": "a.b.codec", "bundle": "/somewhere", "sha256": "11"}


def faces(shifts: list[float]) -> np.ndarray:
    """Landmarks (F, 478, 3): an ellipse for the oval, everything else inside."""
    rng = np.random.default_rng(0)
    face = np.concatenate([rng.uniform(110, 150, (478, 2)), np.zeros((478, 1))], axis=1)
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    face[list(FACE_OVAL), :2] = np.stack([128 + 40 * np.cos(angle), 128 + 50 * np.sin(angle)], axis=1)
    return np.stack([face + np.array([shift, 0, 0]) for shift in shifts])


def test_the_spec_names_what_is_switched_on():
    everything = store_spec(Features(latents=CODEC))
    assert set(everything.features) == {
        *("video", "landmarks", "regions", "locator", "boxes", "audio", "identity", "latents")
    }
    assert set(store_spec(Features(audio=None, identity=None)).features) == {
        *("video", "landmarks", "regions", "locator", "boxes")
    }


def test_encoders_differ_by_what_decides_their_values():
    def latents(**change: str) -> object:
        return store_spec(Features(latents={**CODEC, **change})).encoders["latents"]

    assert latents() == latents(bundle="/elsewhere")
    assert latents() != latents(sha256="22")
    plain, filtered = (store_spec(Features(separator=s)).encoders for s in (None, {"_target_": "x"}))
    assert plain["audio"] != filtered["audio"]
    assert plain["identity"] == filtered["identity"]
    soft = store_spec(Features(regions="soft")).encoders
    assert soft["regions"] != plain["regions"]


def test_geometry_covers_all_frames():
    landmarks = faces([0.0, 10.0, 20.0])
    made = geometry(landmarks, (256, 256), Features())
    np.testing.assert_array_equal(made["regions"], union_masks(landmarks, (256, 256)).regions)
    np.testing.assert_allclose(made["locator"], [88, 78, 188, 178], atol=2)
    for frame, face in enumerate(landmarks):
        np.testing.assert_allclose(made["boxes"][frame, 0], bounds(face, FACE_OVAL), atol=1e-4)
    soft = geometry(landmarks, (256, 256), Features(regions="soft"))
    assert soft["regions"].shape == (3, 32, 32)


@pytest.mark.parametrize("seed", range(5))
def test_a_few_frames_have_the_union_of_all(seed):
    rng = np.random.default_rng(seed)
    landmarks = faces([0.0] * 60) + np.pad(rng.normal(0, 12 + 8 * seed, (60, 1, 2)), ((0, 0), (0, 0), (0, 1)))
    few = outermost(landmarks, (256, 256), 1.0)
    assert len(few) < 30
    whole, part = (union_masks(chosen, (256, 256)) for chosen in (landmarks, landmarks[few]))
    np.testing.assert_array_equal(part.regions, whole.regions)
    np.testing.assert_array_equal(part.locator, whole.locator)


def test_the_frontal_frame_is_chosen():
    landmarks = faces([0.0, 0.0, 0.0])
    for frame, tilt in enumerate((0.5, 0.05, -0.4)):
        landmarks[frame, :, 2] = (landmarks[frame, :, 0] - 128) * tilt
    assert frontal(landmarks) == 1


def test_encoders_are_loaded_once_and_what_is_missing_is_said():
    assert encoders_of(Features()) is encoders_of(Features())
    missing = {"_target_": "hallo_lit.components.face_encoder.arcface.ArcFace", "path": "nowhere.onnx"}
    with pytest.raises(UserError, match=r"nowhere\.onnx"):
        Encoders(Features(identity=missing)).load()
    Encoders(Features(audio=None, identity=None)).load()


@pytest.mark.parametrize("here", [False, True])
@pytest.mark.parametrize("device", ["cdua", "", "meta"])
def test_devices_that_nobody_has(device, here):
    with pytest.raises(UserError, match=f"features.device={device} cannot be used"):
        check_device(device, here)


@pytest.mark.parametrize(("device", "count"), [("cuda", 0), ("cuda:2", 2)])
def test_devices_that_this_machine_lacks_may_be_on_others(device, count, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
    check_device("cpu", here=True)
    check_device(device, here=False)
    with pytest.raises(UserError, match=f"finds {count} GPUs on this machine"):
        check_device(device, here=True)


def test_a_worker_without_the_device_says_so_in_one_sentence():
    encoders = Encoders(Features(device="xpu"))
    with pytest.raises(UserError, match=r"features\.device=xpu cannot be used") as error:
        encoders.load()
    assert "\n" not in str(error.value)
