"""Colours are the same before and after a video."""

from __future__ import annotations

import av
import numpy as np
import pytest

from hallo_lit.media.video import VideoWriter, read_frames


def test_pictures_survive(tmp_path, write, smooth, psnr):
    write(tmp_path / "a.mp4", 40)
    frames = list(read_frames(tmp_path / "a.mp4", None))
    assert len(frames) == 40
    assert min(psnr(frame, smooth(index)) for index, frame in enumerate(frames)) > 40


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 90)])
def test_plain_colours_survive(tmp_path, colour, write):
    with VideoWriter(tmp_path / "a.mp4", (64, 64)) as writer:
        writer.write(np.broadcast_to(np.array(colour, np.uint8), (64, 64, 3)))
    np.testing.assert_allclose(next(read_frames(tmp_path / "a.mp4")).mean((0, 1)), colour, atol=2.5)


@pytest.mark.parametrize("size", [(63, 95), (64, 95), (63, 96)])
def test_odd_sizes_are_padded_by_replication(tmp_path, size, write, smooth, psnr):
    write(tmp_path / "a.mp4", 3, size)
    frame = next(read_frames(tmp_path / "a.mp4"))
    assert frame.shape == (64, 96, 3)
    assert psnr(frame[: size[0], : size[1]], smooth(0, size)) > 40
    assert psnr(frame[-1], frame[size[0] - 1]) > 35
    assert psnr(frame[:, -1], frame[:, size[1] - 1]) > 35


@pytest.mark.parametrize(("height", "matrix"), [(480, 5), (720, 1)])
def test_untagged_colours_follow_the_usual_matrix(tmp_path, height, matrix):
    colour = np.broadcast_to(np.array([200, 60, 30], np.uint8), (height, 64, 3))
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = height, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(colour), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    pixels = next(read_frames(tmp_path / "a.mp4"))
    np.testing.assert_allclose(pixels.mean((0, 1)), (200, 60, 30), atol=3)
