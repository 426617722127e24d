"""What a codec makes of test pictures."""

from __future__ import annotations

from pathlib import Path

import lightning as L
import torch

from hallo_lit.media.image import to_pixels
from hallo_lit.stages.callbacks.periodic import Periodic
from hallo_lit.stages.codec import CodecStage
from hallo_lit.stages.filmed import first_clips
from hallo_lit.stages.pictures import grid


class Reconstructions(Periodic):
    """One picture of `stage=codec`: true frames of `count` clips above, decoded ones below."""

    def __init__(self, folder: str | Path, every: int = 1000, count: int = 8) -> None:
        super().__init__(folder, every)
        self.count = count

    def show(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not isinstance(pl_module, CodecStage):
            return
        clips = first_clips(self.clips(trainer), self.count, 1)
        true = torch.cat([clip.frames for clip in clips])
        made = pl_module.network.decode(pl_module.network.encode(true.to(pl_module.device)))
        rows = [[to_pixels(frame) for frame in frames] for frames in (true, made.float().clamp(-1, 1).cpu())]
        self.picture(trainer, "codec", grid(rows))
