"""What a person does beside talking in a video of ours: controls of networks, drawn from a seed and the voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hallo_lit.components.audio_encoder.base import FPS, RATE
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.components.head_net import HeadNet
from hallo_lit.components.portrait_warp import PortraitWarp
from hallo_lit.errors import UserError
from hallo_lit.signals.idle_motion import Curve, expressions, frame_times, head_poses, kept_on, levels, stress

BEGINNING = 1.0  # s, in which the head leaves the portrait's pose


@dataclass(frozen=True)
class Liveliness:
    """(frames, k) controls of an ExpressionNet and of a HeadNet; None where nothing is to move."""

    expressions: Tensor | None = None
    poses: Tensor | None = None


def draw_liveliness(
    expression_net: ExpressionNet | None,
    head_net: HeadNet | None,
    chunks: Iterable[Tensor],
    frames: int,
    seed: int,
    liveliness: float,
    sway: float,
) -> Liveliness:
    """For the sound in `chunks` (mono, 16 kHz): lids, brows and gaze times `liveliness`, the head times `sway`.

    Equal seeds give equal motion, however the sound was cut. A few numbers per frame are kept for a whole video.

    Raises:
        UserError: a net is told something that nobody draws.
    """
    faces, heads = expression_net is not None and liveliness > 0, head_net is not None and sway > 0
    if not faces and not heads:
        return Liveliness()
    loud = stress(levels((chunk.numpy() for chunk in chunks), RATE, frames, FPS))
    seed %= 2**64  # generators take no negative ones
    face = expressions(np.random.default_rng(seed), loud, FPS, liveliness)
    pose: dict[str, Curve] = {}
    if heads:
        begun = np.clip(frame_times(frames, FPS) / BEGINNING, 0, 1)
        begun = begun * begun * (3 - 2 * begun)
        drawn = head_poses(np.random.default_rng((seed, 1)), loud, FPS, sway)
        pose = {name: begun * curve for name, curve in drawn.items()}
        face |= kept_on(face, pose)
    return Liveliness(
        _controls(expression_net, face, "liveliness=0") if faces else None,
        _controls(head_net, pose, "sway=0") if heads else None,
    )


def _controls(net: PortraitWarp | None, curves: dict[str, Curve], without: str) -> Tensor:
    """(frames, k)"""
    assert net is not None
    if unknown := [name for name in net.controls if name not in curves]:
        raise UserError(
            f"The {type(net).__name__} of this model is told {', '.join(unknown)}, which nobody draws: set {without}, "
            f"or train one whose controls are among {', '.join(curves)}."
        )
    return torch.from_numpy(np.stack([curves[name] for name in net.controls], 1)).float()
