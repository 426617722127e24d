"""Sync-C and Sync-D: SyncNet's opinion of whether lips and speech belong together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from hallo_lit.errors import UserError
from hallo_lit.metrics.clip_metric import ClipMetric
from hallo_lit.metrics.networks.s3fd import S3FD
from hallo_lit.metrics.networks.syncnet import WINDOW, SyncNet
from hallo_lit.metrics.protocols import face_boxes, face_track, sync_offset
from hallo_lit.metrics.protocols.mfcc import mfcc
from hallo_lit.metrics.video import RATE, Unmeasurable, Video, sound_of
from hallo_lit.metrics.weight_file import WeightFile

WEIGHTS = WeightFile("syncnet_v2.model", "joonson/syncnet_python")
DETECTOR = WeightFile("sfd_face.pth", "joonson/syncnet_python")


class Sync(ClipMetric):
    """Confidence (higher is better), distance (lower) and offset in frames, mean over clips.

    Args:
        weights: the file of `WEIGHTS`.
        detector: the file of `DETECTOR`; only for boxes=s3fd.
        boxes: s3fd is the published protocol; landmarks takes MediaPipe's outline, which needs no file but crops a
            little differently, so its numbers are not comparable with published ones.
        min_track: a track needs more detections than this.
        batch: lip windows at a time.
    """

    columns = ("sync_c", "sync_d", "sync_offset")
    protocol: ClassVar[str] = (
        "25 fps, 16 kHz, face track > min_track detections, 224 px crop in memory, +-15 frames, zero-padded ends"
    )

    def __init__(
        self,
        weights: str | Path | None = None,
        detector: str | Path | None = None,
        boxes: str = "s3fd",
        min_track: int = 100,
        batch: int = 16,
    ) -> None:
        super().__init__()
        if boxes not in ("s3fd", "landmarks"):
            raise UserError(f"metric.sync.boxes is {boxes}; choose s3fd or landmarks.")
        self.min_track, self.batch = min_track, batch
        self.network = self.adopt(SyncNet, WEIGHTS, weights, "metric.sync.weights")
        self.detector = None
        if boxes == "s3fd":
            self.detector = self.adopt(S3FD, DETECTOR, detector, "metric.sync.detector")
        else:
            self.notes.append("sync: boxes from landmarks instead of S3FD; not comparable with published values.")

    @property
    def headings(self) -> Mapping[str, str]:
        return {"sync_c": "Sync-C ↑", "sync_d": "Sync-D ↓"}

    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        sound = amplitudes(sound_of(fake, real))
        tracks = face_track.link(list(self.boxes(fake)), self.min_track)
        if not tracks:
            raise Unmeasurable(
                f"no face of {face_track.MIN_SIZE:.0f} pixels or more was tracked for over {self.min_track} frames"
            )
        scores = [self.of_track(fake, track, sound) for track in tracks]
        longest = scores[int(np.argmax([len(track.frames) for track in tracks]))]
        return {
            "sync_c": float(np.mean([score.confidence for score in scores])),
            "sync_d": float(np.mean([score.distance for score in scores])),
            "sync_offset": float(longest.offset),
        }

    def boxes(self, video: Video) -> Iterator[np.ndarray]:
        """Faces of every frame, (n, >= 4) left, top, right, bottom."""
        if self.detector is not None:
            for frame in video.frames():
                yield face_boxes.detect(self.detector, frame)
            return
        for points, seen in zip(video.landmarks[..., :2], video.seen, strict=True):
            yield np.concatenate([points.min(0), points.max(0)])[None] if seen else np.zeros((0, 4))

    @torch.no_grad()
    def of_track(self, video: Video, track: face_track.Track, sound: Tensor) -> sync_offset.SyncScore:
        """The score of one face."""
        assert self.network is not None
        start, end = (round(second * RATE) for second in face_track.seconds(track))
        sound = sound[start:end].to(self.device)
        count = sync_offset.window_count(len(track.frames), len(sound))
        if count + WINDOW < self.min_track:
            raise Unmeasurable(f"picture and sound share only {count + WINDOW} frames; {self.min_track} are needed")
        crops = face_track.crops((frame[..., ::-1] for frame in video.frames()), track)
        _, lips = lip_embeddings(self.network, crops, count, self.batch)
        windows = sync_offset.audio_windows(mfcc(sound), count)
        audio = torch.cat([self.network.audio(part) for part in windows.split(256)])
        return sync_offset.search(lips, audio[: len(lips)])


@torch.no_grad()
def lip_embeddings(network: SyncNet, crops: Iterator[np.ndarray], count: int, batch: int) -> tuple[Tensor, Tensor]:
    """(count, 512) features and (count, 1024) embeddings of the windows i..i+4 of BGR crops, a batch in memory."""
    device = next(network.parameters()).device
    recent: deque[Tensor] = deque(maxlen=WINDOW)
    windows: list[Tensor] = []
    features: list[Tensor] = []
    done = 0

    def flush() -> None:
        features.append(network.lip_features(torch.stack(windows)))
        windows.clear()

    for crop in crops:
        if done == count:
            break
        recent.append(torch.from_numpy(np.ascontiguousarray(crop)).to(device).permute(2, 0, 1).float())
        if len(recent) == WINDOW:
            windows.append(torch.stack(list(recent), 1))
            done += 1
        if len(windows) == batch:
            flush()
    if windows:
        flush()
    found = torch.cat(features)
    return found, network.netfclip(found)


def amplitudes(wave: np.ndarray) -> Tensor:
    """[-1, 1] -> the int16 scale SyncNet was trained on, float64."""
    return torch.from_numpy(np.clip(np.rint(wave * 32768), -32768, 32767))
