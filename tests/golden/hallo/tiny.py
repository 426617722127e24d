"""What the tiny model of tests/tiny_hallo.py computes, from weights that a frozen generator draws.

`python tests/golden/hallo/tiny.py` records it anew in tiny.safetensors. Do that only for a change that is meant to
change values, and while run_vectors.py passes over a full set: the recorded numbers stand for parity with the original.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from hallo_lit.animation.handover import PixelHandover  # noqa: E402
from hallo_lit.animation.video_generator import Recipe, VideoGenerator  # noqa: E402
from hallo_lit.components.hallo import Hallo, Quirks  # noqa: E402
from hallo_lit.diffusion.guidance import JointGuidance, SplitGuidance  # noqa: E402
from hallo_lit.diffusion.process import NoiseProcess  # noqa: E402
from hallo_lit.diffusion.sampler import Sampler  # noqa: E402
from hallo_lit.structs import Drop  # noqa: E402
from tiny_hallo import conditioned, noisy, normal, tiny_clip, tiny_hallo, tiny_portrait  # noqa: E402

RELEASED = Quirks(True, True, True, 4, True, True)
PARTS = ("reference_net", "denoiser", "face_locator", "identity_projection", "audio_projection")
SCALE = (0.8, 1.2, 1.5)


def outputs() -> dict[str, Tensor]:
    ours = tiny_hallo()
    released = tiny_hallo(RELEASED, narrow_audio=True)
    return {
        **{f"ours.{name}": value for name, value in one_step(ours).items()},
        **{f"released.{name}": value for name, value in one_step(released).items()},
        "ours.frames": two_clips(ours, SplitGuidance(3.5, 2.0), "dpm", NoiseProcess()),
        "released.frames": two_clips(released, JointGuidance(3.5), "ddim", NoiseProcess(sampling_schedule="linear")),
    }


def one_step(hallo: Hallo) -> dict[str, Tensor]:
    """One training step: the first clip loses what the null of guidance loses, the second one its motion frames."""
    clip, drop = tiny_clip(2), Drop.cat([Drop.unconditional(1), Drop.where(1, ("motion",))])
    process, t = NoiseProcess(), torch.tensor([999, 400])
    noised = process.noised(hallo.encode(tiny_clip(2, motion=3, seed=21).past), noisy(2), t)
    prediction = hallo(noised.x, t, conditioned(hallo, clip, drop, torch.tensor(SCALE)))
    loss = process.loss(prediction, noised)
    loss.backward()
    norms = [torch.cat([p.grad.flatten() for p in getattr(hallo, part).parameters()]).norm() for part in PARTS]
    return {"prediction": prediction.detach(), "loss": loss.detach(), "gradients": torch.stack(norms)}


def two_clips(hallo: Hallo, guidance: JointGuidance | SplitGuidance, solver: str, process: NoiseProcess) -> Tensor:
    """(2 f, 3, h, w): frames of a video, averaged over 4 x 4 pixels."""
    recipe = Recipe(process, Sampler(solver, 3), guidance, SCALE, clip_frames=3)
    video = VideoGenerator(hallo, recipe, tiny_portrait(), PixelHandover(), torch.Generator())
    frames = []
    for i in range(2):
        latents = video.sample(tiny_clip(seed=30 + i).audio[0], normal(40 + i, 1, 3, 4, 8, 12))
        frames.append(torch.nn.functional.avg_pool2d(video.decode(latents), 4))
    return torch.cat(frames)


if __name__ == "__main__":
    torch.set_num_threads(1)
    save_file({name: value.contiguous() for name, value in outputs().items()}, HERE / "tiny.safetensors")
