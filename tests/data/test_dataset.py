import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
import torch

from hallo_lit.data.augmentation import Augmentation
from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.dataset import ClipDataset, SampleSpec
from hallo_lit.data.sampler import Draw
from hallo_lit.data.store import ClipStore, StoreWriter
from hallo_lit.errors import UserError
from hallo_lit.structs import ClipBatch

from .stores import SPEC, item, make_store, tensors


def frame_numbers(images: torch.Tensor) -> list[int]:
    """The stores of these tests write a frame's number into its pixels."""
    return [round((float(image[0, 0, 0]) + 1) * 127.5) for image in images]


def same(a, b) -> bool:
    return all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y
        for x, y in ((getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    )


@pytest.mark.parametrize("epoch", range(6))
def test_a_sample_holds_what_its_frames_say(tmp_path, epoch):
    store = ClipStore(make_store(tmp_path, (30, 60)))
    sample = ClipDataset(store, SampleSpec())[Draw(epoch, 1)]
    start = frame_numbers(sample.frames)[0]
    reference = frame_numbers(sample.portrait[None])[0]
    assert frame_numbers(sample.frames) == list(range(start, start + 14))
    assert frame_numbers(sample.past) == ([start - 2, start - 1] if start else [reference] * 2)
    windows = [[min(max(i + k, 0), 59) for k in range(-2, 3)] for i in range(start, start + 14)]
    assert sample.audio[:, :, 0, 0].tolist() == windows
    assert sample.audio.shape == (14, 5, 2, 8)
    assert sample.frames.shape == (14, 3, 16, 24)
    assert sample.locator.shape == (1, 16, 24)
    assert sample.regions.shape == (3, 8, 8)
    assert torch.equal(sample.identity, torch.from_numpy(tensors(60, 1)["identity"]))
    assert sample.index == 1


def test_a_draw_is_a_function_of_seed_pass_and_index(tmp_path):
    store = ClipStore(make_store(tmp_path, (90, 90), latents=True))
    data, again = ClipDataset(store, SampleSpec(), seed=1), ClipDataset(store, SampleSpec(), seed=1)
    for draw in (Draw(0, 0), Draw(0, 1), Draw(7, 1)):
        assert same(data[draw], again[draw])
    assert same(data[0], data[Draw(0, 0)])
    starts = {float(data[Draw(epoch, 0)].frames[0].mean().round()) for epoch in range(12)}
    assert len(starts) > 5
    assert not torch.equal(data[0].frames, ClipDataset(store, SampleSpec(), seed=2)[0].frames)


def test_latents_come_as_latents(tmp_path):
    sample = ClipDataset(ClipStore(make_store(tmp_path, latents=True)), SampleSpec())[0]
    assert sample.frames.shape == (14, 4, 2, 3)
    assert sample.portrait.shape == (4, 2, 3)
    assert sample.past.shape == (2, 4, 2, 3)
    assert sample.locator.shape == (1, 16, 24)


def test_pairs_of_the_first_stage_need_neither_audio_nor_regions(tmp_path):
    with StoreWriter(tmp_path, SPEC) as writer:
        bare = {name: value for name, value in tensors(80).items() if name not in ("audio", "regions")}
        writer.add(item(80, tensors=bare))
    data = ClipDataset(ClipStore(tmp_path), SampleSpec(ClipPolicy.pairs(30), audio=False, masks="none"))
    for epoch in range(10):
        sample = data[Draw(epoch, 0)]
        assert sample.frames.shape == (1, 3, 16, 24)
        assert sample.past.shape == (0, 3, 16, 24)
        assert sample.audio.shape == (1, 5, 0, 0)
        assert sample.regions.shape == (3, 1, 1)
        assert abs(frame_numbers(sample.frames)[0] - frame_numbers(sample.portrait[None])[0]) >= 30
    with pytest.raises(UserError, match="no audio"):
        ClipDataset(ClipStore(tmp_path), SampleSpec())


def test_samples_make_a_batch(tmp_path):
    data = ClipDataset(ClipStore(make_store(tmp_path)), SampleSpec())
    batch = ClipBatch.from_samples([data[0], data[1]])
    assert batch.frames.shape == (2, 14, 3, 16, 24)
    assert batch.inputs.audio.shape == (2, 14, 5, 2, 8)
    assert batch.index.tolist() == [0, 1]


def test_true_curves_come_by_name(tmp_path):
    curves = np.arange(40 * 3, dtype=np.float32).reshape(40, 3)
    with StoreWriter(tmp_path, SPEC) as writer:
        about = {"curves": ["open", "width", "blink"]}
        writer.add(item(40, tensors={**tensors(40), "curves": curves}, metadata=about))
    data = ClipDataset(ClipStore(tmp_path), SampleSpec(curves=("blink", "open")))
    start = frame_numbers(data[0].frames)[0]
    assert data[0].curves.tolist() == curves[start : start + 14, [2, 0]].tolist()
    assert ClipDataset(ClipStore(tmp_path), SampleSpec())[0].curves.numel() == 0
    with pytest.raises(UserError, match="no control curve 'smile'"):
        _ = ClipDataset(ClipStore(tmp_path), SampleSpec(curves=("smile",)))[0]
    with pytest.raises(UserError, match="have no curves"):
        ClipDataset(ClipStore(make_store(tmp_path / "other")), SampleSpec(curves=("open",)))


def test_short_clips_are_left_out_and_a_store_of_them_is_refused(tmp_path):
    store = ClipStore(make_store(tmp_path, (16, 17, 5)))
    data = ClipDataset(store, SampleSpec())
    assert (len(data), data.skipped) == (1, 2)
    assert data[0].frames.shape[0] == 14
    with pytest.raises(UserError, match="has the 17 frames of a sample"):
        ClipDataset(store, SampleSpec(), rows=[0, 2])


def test_coverage_gives_long_clips_more_samples(tmp_path):
    store = ClipStore(make_store(tmp_path, (17, 70, 141)))
    assert len(ClipDataset(store, SampleSpec())) == 3
    data = ClipDataset(store, SampleSpec(coverage=1.0))
    assert data.rows.tolist() == [0] + [1] * 5 + [2] * 10
    assert not torch.equal(data[2].frames, data[3].frames)


def test_fingerprint_is_of_the_samples(tmp_path):
    store = ClipStore(make_store(tmp_path, (20, 30)))
    data = ClipDataset(store, SampleSpec())
    assert data.fingerprint() == ClipDataset(store, SampleSpec(), seed=9).fingerprint()
    assert data.fingerprint() != ClipDataset(store, SampleSpec(), rows=[0]).fingerprint()


def test_sizes_must_agree_or_be_chosen(tmp_path):
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(20, 0, tensors=tensors(20, latents=True)))
        writer.add(item(20, 1, size=(32, 32), tensors=tensors(20, latents=True, size=(32, 32))))
    store = ClipStore(tmp_path)
    with pytest.raises(UserError, match="16 x 24, 32 x 32 pixels; choose one size"):
        ClipDataset(store, SampleSpec(source="pixels"))
    data = ClipDataset(store, SampleSpec(source="pixels", size=[8, 8]))
    assert {data[i].frames.shape for i in range(2)} == {(14, 3, 8, 8)}
    assert data[0].locator.shape == (1, 8, 8)
    for rows, size in ((None, None), ([0], (8, 8))):
        with pytest.raises(UserError, match="cannot be resized"):
            ClipDataset(store, SampleSpec(source="latents", size=size), rows=rows)
    assert ClipDataset(store, SampleSpec(source="latents"), rows=[0])[0].frames.shape == (14, 4, 2, 3)


@pytest.mark.parametrize("lost", ["identity", "locator", "regions"])
def test_missing_features_are_named(tmp_path, lost):
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(20, tensors={name: value for name, value in tensors(20).items() if name != lost}))
    with pytest.raises(UserError, match=f"have no {lost}"):
        ClipDataset(ClipStore(tmp_path), SampleSpec())


def test_needs_no_decoder_no_landmark_finder_and_no_diffusion_library(tmp_path):
    make_store(tmp_path)
    code = f"""
import sys
for name in ("av", "mediapipe", "diffusers", "transformers", "hydra", "wandb", "cv2", "lightning", "scipy"):
    sys.modules[name] = None
from hallo_lit.data.dataset import ClipDataset, SampleSpec
from hallo_lit.data.store import ClipStore
print(tuple(ClipDataset(ClipStore({str(tmp_path)!r}), SampleSpec())[0].frames.shape))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "(14, 3, 16, 24)", done.stderr


def test_masks_that_follow_frames_reach_the_sample(tmp_path):
    marks = np.random.default_rng(0).uniform(4, 12, (20, 478, 2))
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(20, tensors={**tensors(20), "landmarks": marks}))
    assert ClipDataset(ClipStore(tmp_path), SampleSpec(masks="frames"))[0].regions.shape == (14, 3, 2, 3)


@pytest.mark.parametrize("mirrored", [0.0, 1.0])
def test_expressions_are_differences_from_the_reference_as_a_mirror_shows_them(tmp_path, mirrored):
    curves = np.stack([np.linspace(0, 1, 40) ** 2, np.linspace(-1, 1, 40)], 1).astype(np.float32)
    points = np.random.default_rng(0).uniform(4, 12, (1, 478, 2)).repeat(40, 0).astype(np.float32)
    made = {**tensors(40), "curves": curves, "landmarks": points}
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(40, tensors=made, metadata={"curves": ["blink", "gaze_x"]}))
    still = dict.fromkeys(("angle", "zoom", "shift", "gain", "gamma", "faded", "grey"), 0.0)
    spec = SampleSpec(
        masks="portrait", expression=("gaze_x", "blink"), augmentation=Augmentation(**still, mirrored=mirrored)
    )
    data = ClipDataset(ClipStore(tmp_path), spec)
    sample = data[0]
    at, reference = frame_numbers(sample.frames), frame_numbers(sample.portrait[None])[0]
    change = curves[at] - curves[reference]
    wanted = np.stack([change[:, 1] * (-1 if mirrored else 1), change[:, 0]], 1)
    np.testing.assert_allclose(sample.expression, wanted, atol=1e-6)
    batch = ClipBatch.from_samples([sample, sample])
    assert batch.inputs.expression.shape == (2, 14, 2)
    plain = ClipBatch.from_samples([ClipDataset(ClipStore(tmp_path), SampleSpec())[0]])
    assert plain.inputs.expression.shape == (1, 0)


def test_rare_expressions_may_be_sought_out(tmp_path):
    curves = np.zeros((40, 1), np.float32)
    curves[20:22] = 1
    with StoreWriter(tmp_path, SPEC) as writer:
        writer.add(item(40, tensors={**tensors(40), "curves": curves}, metadata={"curves": ["blink"]}))
    policy, shut = ClipPolicy(4, 0, scattered=True), []
    for emphasis in (0.0, 50.0):
        data = ClipDataset(ClipStore(tmp_path), SampleSpec(policy, expression=("blink",), emphasis=emphasis))
        shut.append(sum(float((data[Draw(epoch, 0)].expression > 0.5).sum()) for epoch in range(50)))
    assert shut[1] > 3 * shut[0] > 0
    for wrong in (SampleSpec(policy, emphasis=1.0), SampleSpec(expression=("blink",), emphasis=1.0)):
        with pytest.raises(UserError, match="emphasis=0"):
            ClipDataset(ClipStore(tmp_path), wrong)
    with pytest.raises(UserError, match="negative"):
        ClipDataset(ClipStore(tmp_path), SampleSpec(policy, expression=("blink",), emphasis=-1.0))
