"""Parts of a job become one video that cannot be told from one written in one go."""

from __future__ import annotations

import os

import av
import numpy as np
import pytest
import torch

from hallo_lit.errors import UserError
from hallo_lit.media.audio import read_audio
from hallo_lit.media.video import concat, probe, read_frames, read_metadata


def test_parts_join_without_a_seam(tmp_path, sweep, write):
    lengths, start, parts = (14, 14, 1, 30, 2, 14), 0, []
    for number, length in enumerate(lengths):
        parts.append(tmp_path / f"{number}.mp4")
        write(parts[-1], length, start=start)
        start += length
    wave = torch.from_numpy(sweep(start / 25, 16000)[:, 0])
    assert concat(parts, tmp_path / "a.mp4", audio=wave, metadata={"seed": 1}) == start == 75
    assert read_metadata(tmp_path / "a.mp4") == {"seed": 1}
    info = probe(tmp_path / "a.mp4")
    assert (info.frames, info.fps, info.duration, info.variable_rate, info.has_audio) == (75, 25, 3, False, True)
    separate = [frame for part in parts for frame in read_frames(part, None)]
    joined = list(read_frames(tmp_path / "a.mp4", None))
    np.testing.assert_array_equal(np.stack(joined), np.stack(separate))
    assert len(list(read_frames(tmp_path / "a.mp4"))) == 75
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    written = read_audio(tmp_path / "a.mp4")
    assert abs(len(written) - 48000) <= 16
    assert np.corrcoef(wave[1000:47000], written[1000:47000])[0, 1] > 0.98
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [packet.dts for packet in container.demux(video=0) if packet.dts is not None]
    assert times == sorted(set(times))


def test_parts_that_do_not_fit(tmp_path, write):
    write(tmp_path / "0.mp4", 3)
    write(tmp_path / "1.mp4", 3, size=(32, 32))
    (tmp_path / "2.mp4").write_bytes((tmp_path / "0.mp4").read_bytes()[:900])
    for second, pattern in (("1.mp4", "other settings"), ("2.mp4", "2.mp4"), ("3.mp4", "does not exist")):
        with pytest.raises(UserError, match=pattern):
            concat([tmp_path / "0.mp4", tmp_path / second], tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="no parts"):
        concat([], tmp_path / "a.mp4")
    assert sorted(os.listdir(tmp_path)) == ["0.mp4", "1.mp4", "2.mp4"]
