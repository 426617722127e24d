"""What every face encoder promises."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor


class FaceEncoder(Protocol):
    """A photo and the landmarks of one face in it -> who that is, as one raw (not normalised) vector."""

    width: int

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> Tensor:
        """image uint8 (H, W, 3) RGB; landmarks (478, 2 or 3) in its pixels -> (width,) fp32 on the CPU.

        Raises:
            UserError: the landmarks do not span a face.
        """
