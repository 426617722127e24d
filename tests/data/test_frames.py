import sys

import pytest
import torch

from hallo_lit.data.frames import choose_source, gather, reader, runs
from hallo_lit.data.store import ClipStore, StoreWriter
from hallo_lit.errors import UserError

from .stores import SPEC, item, make_store, tensors


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], []), ([4], [(4, 5)]), ([0, 1, 2], [(0, 3)]), ([0, 2, 3, 9], [(0, 1), (2, 4), (9, 10)])],
)
def test_runs(numbers, expected):
    assert [(run.start, run.stop) for run in runs(numbers)] == expected


def test_pixels_are_scaled_to_minus_one_and_one(tmp_path):
    clip = ClipStore(make_store(tmp_path, (256 + 5,)))[0]
    frames = reader("pixels", None)(clip, 0, 256, generator())
    assert frames.shape == (256, 3, 16, 24)
    assert frames.dtype == torch.float32
    assert frames.amin() == -1
    assert frames.amax() == 1
    assert torch.allclose(frames[:, 0, 0, 0], torch.arange(256) / 127.5 - 1)


def test_pixels_are_resized_when_asked(tmp_path):
    clip = ClipStore(make_store(tmp_path, (20,)))[0]
    frames = reader("pixels", (8, 12))(clip, 7, 9, generator())
    assert frames.shape == (2, 3, 8, 12)
    assert torch.allclose(frames[1], torch.full((3, 8, 12), 8 / 127.5 - 1))


def test_latents_are_a_sample_of_the_posterior(tmp_path):
    clip = ClipStore(make_store(tmp_path, (300,), latents=True))[0]
    read = reader("latents", None)
    frames = read(clip, 0, 300, generator())
    noise = (frames - torch.arange(300.0).view(-1, 1, 1, 1)) / 0.125
    assert frames.shape == (300, 4, 2, 3)
    assert noise.mean().abs() < 0.05
    assert (noise.std() - 1).abs() < 0.05
    assert torch.equal(frames, read(clip, 0, 300, generator()))
    assert not torch.equal(frames, read(clip, 0, 300, torch.Generator().manual_seed(4)))


def test_gather_reads_every_frame_once(tmp_path):
    clip = ClipStore(make_store(tmp_path, (40,)))[0]
    read, calls = reader("pixels", None), []

    def spy(clip, start, stop, generator):
        calls.append((start, stop))
        return read(clip, start, stop, generator)

    frames = gather(spy, clip, (31, 3, 4, 5, 4, 3, 31), generator())
    assert calls == [(3, 6), (31, 32)]
    assert {i: round((float(f[0, 0, 0]) + 1) * 127.5) for i, f in frames.items()} == {3: 3, 4: 4, 5: 5, 31: 31}
    with pytest.raises(UserError, match="cannot be read"):
        gather(spy, clip, (39, 40, 41), generator())


def test_auto_takes_the_cheapest_that_all_clips_have(tmp_path):
    plain, cached = make_store(tmp_path / "plain"), make_store(tmp_path / "cached", latents=True)
    assert choose_source(ClipStore(plain), "auto") == "pixels"
    assert choose_source(ClipStore(cached), "auto") == "latents"
    assert choose_source(ClipStore(cached), "pixels") == "pixels"
    with StoreWriter(cached, SPEC) as writer:
        writer.add(item(20, 9))
    assert choose_source(ClipStore(cached), "auto") == "pixels"


def test_sources_that_are_not_there_are_refused(tmp_path):
    store = ClipStore(make_store(tmp_path / "plain"))
    with pytest.raises(UserError, match="have no latents"):
        choose_source(store, "latents")
    with pytest.raises(UserError, match="choose auto"):
        choose_source(store, "frames")
    bare = {name: value for name, value in tensors(20).items() if name != "pixels"}
    with StoreWriter(tmp_path / "bare", SPEC) as writer:
        writer.add(item(20, tensors=bare))
    with pytest.raises(UserError, match="Not all clips"):
        choose_source(ClipStore(tmp_path / "bare"), "auto")


def test_videos_are_decoded(tmp_path):
    from fractions import Fraction

    import av
    import numpy as np

    path = tmp_path / "talk.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(25), options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), number * 8, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with StoreWriter(tmp_path / "store", SPEC) as writer:
        bare = {name: value for name, value in tensors(30).items() if name != "pixels"}
        writer.add(item(30, size=(16, 32), tensors=bare, video=path))
    store = ClipStore(tmp_path / "store")
    assert choose_source(store, "auto") == "video"
    frames = reader("video", None)(store[0], 11, 16, generator())
    assert frames.shape == (5, 3, 16, 32)
    levels = (frames.mean((1, 2, 3)) + 1) * 127.5
    assert torch.allclose(levels, torch.arange(11.0, 16) * 8, atol=3)
    with pytest.raises(UserError, match="30 frames"):
        gather(reader("video", None), store[0], (28, 29, 30), generator())


def test_a_machine_without_a_decoder_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hallo_lit.media.video", None)
    clip = ClipStore(make_store(tmp_path, (20,)))[0]
    with pytest.raises(UserError, match="not installed"):
        reader("video", None)(clip, 0, 1, generator())
