"""Two gloo processes must give what one process gives."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from hallo_lit.metrics.aperture import Aperture
from hallo_lit.metrics.base import VideoMetric
from hallo_lit.metrics.efid import EFID
from hallo_lit.metrics.fid import FID
from hallo_lit.metrics.smoothness import Smoothness
from hallo_lit.metrics.video import Video
from metrics.footage import clip, curve, talking, tone

CLIPS = 3


def pair(index: int) -> tuple[Video, Video]:
    opening = curve(30, index)
    moved = talking(opening + 0.02 * curve(30, 50 + index))
    fake = clip(f"clip{index}", 3, index, landmarks=moved, wave=tone(1.2, index))
    real = clip(f"clip{index}", 3, 10 + index, landmarks=talking(opening))
    return fake, real


def metrics(weights: str) -> list[VideoMetric]:
    return [FID(weights, skip=2), EFID("landmarks"), Smoothness(landmarks=False), Aperture()]


def story(rank: int, world: int, weights: str) -> list[dict[str, object]]:
    """Values and items of every metric; of FID the moments, whose distance would take seconds for nothing new."""
    told: list[dict[str, object]] = []
    for metric in metrics(weights):
        for index in range(CLIPS):
            # The second process sees no clip at all of the one metric whose state is only a list.
            if rank == (0 if isinstance(metric, Smoothness) else index % world):
                metric.update(*pair(index))
        if isinstance(metric, FID):
            with metric.sync_context():
                sums = {f"{side} {part}": float(value.double().abs().sum()) for side in (True, False)
                        for part, value in metric.moments(side)._asdict().items()}  # fmt: skip
            told.append({"values": sums, "items": []})
            continue
        report = metric.report()
        told.append({"values": report.values, "items": sorted(verdict.item for verdict in report.verdicts)})
    return told


def process(rank: int, world: int, folder: str, weights: str) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    (Path(folder) / f"{rank}.json").write_text(json.dumps(story(rank, world, weights)))
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path: Path, inception_file: Path):
    mp.spawn(process, args=(2, str(tmp_path), str(inception_file)), nprocs=2)
    alone = story(0, 1, str(inception_file))
    for rank in range(2):
        together = json.loads((tmp_path / f"{rank}.json").read_text())
        for one, two in zip(alone, together, strict=True):
            assert two["items"] == one["items"]
            assert one["values"]
            # a Fréchet distance near zero is a difference of traces of order one
            assert two["values"] == pytest.approx(one["values"], rel=1e-9, abs=1e-8)
