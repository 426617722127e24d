"""Training samples per second, from file to latents on the device: `python benchmarks/data.py [--out FILE.json]`.

Four ways on the same clips, which are made on the spot: latents cached in the store; pixels or the mp4 from the store,
then the VAE; and the original's way: open and decode the mp4 for every sample, resize every frame as a picture, run the
VAE in the training step. Figures are ratios to the last, measured in the same run: the ways take turns, and the median
of the rounds counts. On a CPU without workers it is CPU time that is measured, which other programs disturb least,
otherwise the clock on the wall. The VAE's weights are random, which does not change the time; its widths are Stable
Diffusion's on a GPU and small ones on a CPU.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

import av
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from hallo_lit.components.vae import LatentCodec
from hallo_lit.data.clips import ClipPolicy
from hallo_lit.data.datamodule import ClipDataModule
from hallo_lit.data.dataset import SampleSpec
from hallo_lit.data.store import ClipItem, ClipStore, StoreSpec, StoreWriter
from hallo_lit.media.video import VideoWriter

Encode = Callable[[Tensor], Tensor]
WAYS = ("cached latents", "pixels in the store", "mp4 of the store", "the original's way")
CODECS = {"sd15": (128, 256, 512, 512), "tiny": (32, 64, 64, 64)}  # eight pixels to a latent, as the cached ones


def make_store(root: Path, clips: int, frames: int, size: int) -> None:
    """Clips of drifting stripes, which compress about as video does, with all that a sample needs."""
    random = np.random.default_rng(0)
    base = random.integers(0, 255, (size // 16, size // 16 * 3, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    with StoreWriter(root, StoreSpec()) as writer:
        for number in range(clips):
            pixels = np.stack([base[:, 2 * i : 2 * i + size] for i in range(frames)])
            path = writer.scratch / f"{number}.mp4"
            with VideoWriter(path, (size, size)) as film:
                for frame in pixels:
                    film.write(frame)
            latents = random.normal(size=(frames, 4, size // 8, size // 8)).astype(np.float16)
            tensors = {
                "pixels": pixels,
                "latents_mean": latents,
                "latents_std": np.full_like(latents, 0.1),
                "audio": random.normal(size=(frames, 12, 768)),
                "identity": random.normal(size=512),
                "regions": random.integers(0, 255, (3, 64, 64), dtype=np.uint8),
                "locator": np.array([size // 4, size // 4, size // 2, size // 2]),
            }
            writer.add(ClipItem(f"{number}.mp4", f"p{number}", frames, (size, size), tensors, path, f"{number:032x}"))


class OriginalWay(Dataset[Tensor]):
    """The file opened and indexed anew, entered at a key frame, every frame resized as a picture of PIL."""

    def __init__(self, store: ClipStore, size: int) -> None:
        self.videos = [clip.video for clip in store]
        self.lengths = [clip.row.frames for clip in store]
        self.size = size

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Tensor:
        indices = ClipPolicy(start="require").draw(self.lengths[index], Random(index))
        frames = decode(self.videos[index], indices.past[0], indices.frames.stop)
        frames += decode(self.videos[index], indices.reference, indices.reference + 1)
        return torch.stack([self.picture(frame) for frame in frames])

    def picture(self, frame: np.ndarray) -> Tensor:
        resized = Image.fromarray(frame).resize((self.size, self.size), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float().div(127.5).sub(1.0)


def decode(path: Path, start: int, stop: int) -> list[np.ndarray]:
    """Frames [start, stop) as common video readers fetch them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        container.seek(times[start], stream=stream)
        wanted = (frame for frame in container.decode(stream) if frame.pts is not None and frame.pts >= times[start])
        return [frame.to_ndarray(format="rgb24") for frame in islice(wanted, stop - start)]


def pictures_of(batch: object) -> Tensor:
    """All frames of a batch that need a latent, (b, n, c, h, w)."""
    if isinstance(batch, Tensor):
        return batch
    return torch.cat([batch.inputs.portrait[:, None], batch.inputs.past, batch.frames], 1)  # type: ignore[attr-defined]


def loader_of(way: str, root: Path, size: int, batch_size: int, workers: int) -> DataLoader:
    if way == "the original's way":
        return DataLoader(OriginalWay(ClipStore(root), size), batch_size, shuffle=True, num_workers=workers)
    source = {"cached latents": "latents", "pixels in the store": "pixels", "mp4 of the store": "video"}[way]
    module = ClipDataModule(root, SampleSpec(source=source, size=(size, size)), batch_size, workers, test_share=0.0)
    return module.train_dataloader()


def endless(loader: DataLoader) -> Iterator[object]:
    while True:
        yield from loader


@torch.no_grad()
def seconds(
    batches: Iterator[object], encode: Encode | None, device: torch.device, samples: int, clock: Callable[[], float]
) -> float:
    """Of one sample, as the mean of at least `samples`."""
    seen, began = 0, clock()
    while seen < samples:
        pictures = pictures_of(next(batches)).to(device, non_blocking=True)
        seen += len(pictures)
        if encode is not None and pictures.shape[-3] == 3:
            encode(pictures)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (clock() - began) / seen


def table(rows: Sequence[tuple[str, float, float]]) -> str:
    """Of (way, seconds of loading, seconds of loading and encoding), the last being what the others are compared to."""
    _, slow_load, slow_full = rows[-1]
    lines = [f"{'':22}{'loading':>20}{'loading and VAE':>26}"]
    for name, load, full in rows:
        cells = f"{1 / load:11.2f}/s {slow_load / load:6.1f} x{1 / full:15.2f}/s {slow_full / full:7.2f} x"
        lines.append(f"{name:22}{cells}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Samples per second with and without cached latents.")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=100, help="of each clip")
    parser.add_argument("--size", type=int, default=256, help="pixels of a side")
    parser.add_argument("--codec", choices=CODECS, help="widths of the VAE")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that load")
    parser.add_argument(
        "--samples", type=int, default=4, help="to time with the VAE in a round; ten times as many without"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, help="also write the numbers to this JSON file")
    given = parser.parse_args()
    device = torch.device(given.device)
    widths = CODECS[given.codec or ("sd15" if device.type == "cuda" else "tiny")]
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    codec = LatentCodec(widths).to(device, dtype).eval()

    def encode(images: Tensor) -> Tensor:
        return codec.encode(images.to(dtype))

    clock = time.perf_counter if given.workers or device.type == "cuda" else time.process_time
    loads: dict[str, list[float]] = {way: [] for way in WAYS}
    fulls: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        make_store(root, given.clips, given.frames, given.size)
        loaders = {way: loader_of(way, root, given.size, given.batch_size, given.workers) for way in WAYS}
        batches = {way: endless(loader) for way, loader in loaders.items()}
        for _ in tqdm(range(given.rounds + 1), "rounds", leave=False):  # the first one warms up
            for way in WAYS:
                loads[way].append(seconds(batches[way], None, device, 10 * given.samples, clock))
                fulls[way].append(seconds(batches[way], encode, device, given.samples, clock))
    rows = [(way, median(loads[way][1:]), median(fulls[way][1:])) for way in WAYS]
    print(table(rows))
    if given.out:
        settings = {key: str(value) for key, value in vars(given).items() if key != "out"}
        names = ("way", "loading_s", "with_vae_s")
        measured = [dict(zip(names, row, strict=True)) for row in rows]
        given.out.write_text(json.dumps({**settings, "rows": measured}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
