"""Throughput and memory of `hallo-lit preprocess`: `python benchmarks/preprocess.py [--out FILE.json]`.

Sources are made on the spot: a self-made talking head before a still background, 25 fps, with sound. Each is prepared
by one worker in a process of its own; CPU time and peak memory are that process's, minus what it takes to start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from hallo_lit.data.synthetic.clip import Look, make_clip
from hallo_lit.data.synthetic.corpus import Cast, part
from hallo_lit.media.video import Encoding, VideoWriter

FPS = 25
FACE_FRAMES = 50
CHILD = """
import json, resource, sys
from hallo_lit.data.preprocess.engines.processes import one_thread
one_thread()
from hallo_lit.data.preprocess.run import preprocess
config = json.loads(sys.argv[1])
warm = preprocess({**config, "videos": config["warm"], "out": config["out"] + "-warm"})
def used():
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime
before = used()
outcome = preprocess({name: config[name] for name in ("videos", "out", "engine", "crop")})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu": used() - before, "peak": peak, "verdict": outcome.lines[0]["verdict"]}))
"""


@dataclass(frozen=True)
class Figure:
    """One source, one worker."""

    width: int
    height: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    verdict: str

    @property
    def speed(self) -> float:
        """Seconds of video per second of one core."""
        return self.seconds / self.cpu_seconds


def make_source(path: Path, size: tuple[int, int], seconds: float) -> None:
    """size = (height, width); two seconds of a talking head, forwards and backwards until the time is up."""
    height, width = size
    side = min(round(height * 0.8), 512)
    clip = make_clip(part(Cast(7, 1, 1, 0.0), 0), Look(size=side), FACE_FRAMES)
    faces = list(clip.frames())
    rng = np.random.default_rng(0)
    wall = cv2.resize(rng.integers(40, 220, (height // 24, width // 24, 3), np.uint8), (width, height))
    wave = np.resize(clip.spoken.samples, round(seconds * 16000)).astype(np.float32)
    left, top = (width - side) // 2, (height - side) // 2
    with VideoWriter(path, size, FPS, torch.from_numpy(wave), encoding=Encoding(23, "veryfast")) as writer:
        for i in range(round(seconds * FPS)):
            frame = wall.copy()
            turn = i % (2 * FACE_FRAMES)
            frame[top : top + side, left : left + side] = faces[min(turn, 2 * FACE_FRAMES - 1 - turn)]
            writer.write(frame)


def measure(videos: Path, warm: Path, out: Path, size: tuple[int, int], seconds: float) -> Figure:
    engine = {"_target_": "hallo_lit.data.preprocess.engines.processes.Processes", "workers": 0}
    config = {"videos": str(videos), "warm": str(warm), "out": str(out), "engine": engine, "crop": {"size": 512}}
    done = subprocess.run([sys.executable, "-c", CHILD, json.dumps(config)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Figure(size[1], size[0], seconds, found["cpu"], found["peak"], found["verdict"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heights", type=int, nargs="+", default=[512, 720, 1080])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0, 60.0])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_source(root / "warm.mp4", (256, 256), 1.0)
        for height in given.heights:
            size = (height, height if height <= 512 else height * 16 // 9 // 2 * 2)
            for seconds in given.seconds if height == given.heights[0] else given.seconds[:1]:
                source = root / f"{height}-{seconds:g}.mp4"
                make_source(source, size, seconds)
                figures.append(measure(source, root / "warm.mp4", root / f"{source.stem}.store", size, seconds))
                print_row(figures[-1], first=len(figures) == 1)
    if given.out:
        rows = [{**asdict(figure), "speed": figure.speed} for figure in figures]
        given.out.write_text(json.dumps(rows, indent=2) + "\n")


def print_row(figure: Figure, first: bool) -> None:
    if first:
        print("source       length  CPU-s  video-s per core-s  peak MB  verdict")
    print(
        f"{figure.width:>4} x {figure.height:<4} {figure.seconds:>6.0f} s {figure.cpu_seconds:>6.1f}"
        f" {figure.speed:>19.2f} {figure.peak_mb:>8.0f}  {figure.verdict}"
    )


if __name__ == "__main__":
    main()
