"""What a face does beside talking in a video of ours: controls of an ExpressionNet, drawn from a seed and the voice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from hallo_lit.components.audio_encoder.base import FPS, RATE
from hallo_lit.components.expression_net import ExpressionNet
from hallo_lit.errors import UserError
from hallo_lit.signals.idle_motion import expressions, levels, stress


def draw_expressions(
    net: ExpressionNet | None, chunks: Iterable[Tensor], frames: int, seed: int, liveliness: float
) -> Tensor | None:
    """(frames, k) controls of `net` for the sound in `chunks` (mono, 16 kHz); None where nothing is to move.

    Equal seeds give equal faces, however the sound was cut. A few numbers per frame are kept for a whole video.

    Raises:
        UserError: the net is told something else than lids, brows and gaze.
    """
    if net is None or liveliness == 0:
        return None
    loud = stress(levels((chunk.numpy() for chunk in chunks), RATE, frames, FPS))
    curves = expressions(np.random.default_rng(seed), loud, FPS, liveliness)
    if unknown := [name for name in net.controls if name not in curves]:
        raise UserError(
            f"The ExpressionNet of this model is told {', '.join(unknown)}, which nobody draws: set liveliness=0, or "
            f"train one whose controls are among {', '.join(curves)}."
        )
    return torch.from_numpy(np.stack([curves[name] for name in net.controls], 1)).float()
