from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hallo_lit.errors import UserError
from hallo_lit.metrics.protocols import sync_offset
from hallo_lit.metrics.protocols.face_track import Track
from hallo_lit.metrics.protocols.mfcc import mfcc
from hallo_lit.metrics.sync import Sync, amplitudes, lip_embeddings
from hallo_lit.metrics.video import Video
from metrics.footage import clip, mesh, tone


class Spy(nn.Module):
    """Embeds a lip window as its first pixels and an audio window as its first column."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.sizes: list[int] = []

    def lip_features(self, windows: Tensor) -> Tensor:
        self.sizes.append(len(windows))
        return windows[:, 0, :, 0, 0]

    def netfclip(self, features: Tensor) -> Tensor:
        return features[:, :1] * 2

    def audio(self, windows: Tensor) -> Tensor:
        return windows[:, 0, 0, :1]


def frames(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)


def test_windows_are_five_consecutive_frames_in_batches():
    spy = Spy()
    features, lips = lip_embeddings(spy, iter(frames(12)), count=7, batch=3)  # type: ignore[arg-type]
    assert spy.sizes == [3, 3, 1]
    assert features.tolist() == [[i, i + 1, i + 2, i + 3, i + 4] for i in range(7)]
    assert torch.equal(lips[:, 0], 2 * torch.arange(7.0))


def test_amplitudes_are_those_of_sixteen_bit_sound():
    assert amplitudes(np.array([0.0, 0.5, 1.0, -1.0, -2.0])).tolist() == [0, 16384, 32767, -32768, -32768]


def test_a_track_is_scored_on_its_own_stretch_of_sound():
    metric = Sync(boxes="landmarks", min_track=20)
    metric.network = Spy()  # type: ignore[assignment]
    video, wave = clip("a", 60), amplitudes(tone(2.4))
    track = Track(np.arange(10, 50), np.tile([10.0, 5.0, 50.0, 45.0], (40, 1)))
    score = metric.of_track(video, track, wave)
    assert score.distances.shape == (35, 31)
    start = sync_offset.audio_windows(mfcc(wave[10 * 640 : 50 * 640]), 35)[:, 0, 0, :1].double()
    middle = score.distances[:, 15]
    lips = torch.stack(_lip_values(video, track))[:35]
    assert torch.allclose(middle, (lips - start[:, 0] + 1e-6).abs())


def _lip_values(video: Video, track: Track) -> list[Tensor]:
    from hallo_lit.metrics.protocols import face_track

    crops = face_track.crops((frame[..., ::-1] for frame in video.frames()), track)
    return [2 * torch.tensor(float(crop[0, 0, 0]), dtype=torch.float64) for crop in crops]


def moving(count: int) -> Video:
    return clip("a", 3, landmarks=mesh(count), wave=tone(count / 25))


def test_short_tracks_are_a_verdict_not_a_zero():
    metric = Sync(boxes="landmarks")
    metric.skipped = None
    metric.update(moving(100))
    report = metric.report()
    assert report.values == {}
    assert "tracked for over 100 frames" in report.verdicts[0].reason


def test_too_little_sound_is_a_verdict():
    metric = Sync(boxes="landmarks")
    metric.skipped, metric.network = None, Spy()  # type: ignore[assignment]
    metric.update(clip("a", 3, landmarks=mesh(150), wave=tone(2.0)))
    assert "share only 50 frames; 100 are needed" in metric.report().verdicts[0].reason


def test_missing_files_skip_it_and_the_detector_is_only_asked_for_when_needed(tmp_path: Path):
    skipped = Sync().report().skipped
    assert skipped is not None
    assert "syncnet_v2.model" in skipped
    assert "landmarks instead of S3FD" in Sync(boxes="landmarks").report().notes[0]
    with pytest.raises(UserError, match="choose s3fd or landmarks"):
        Sync(boxes="mtcnn")
