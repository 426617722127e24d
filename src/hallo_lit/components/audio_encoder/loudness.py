"""Statistics of a whole recording, gathered piece by piece so that they do not depend on how it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from hallo_lit.components.audio_encoder.base import RATE, overlapping
from hallo_lit.errors import UserError

BLOCK = 10 * RATE


@dataclass(frozen=True)
class Loudness:
    """Length, mean and (biased) variance of a recording, summed in float64."""

    samples: int
    mean: float
    variance: float

    @classmethod
    def of(cls, chunks: Iterable[Tensor]) -> Loudness:
        """
        Raises:
            UserError: a sample is NaN or infinite.
        """
        samples, total, squares = 0, 0.0, 0.0
        for block in overlapping(chunks, BLOCK, BLOCK):
            exact = block.double()
            samples += len(block)
            total += float(exact.sum())
            squares += float(exact.square().sum())
        if not (abs(total) + squares < float("inf")):
            raise UserError("The sound has samples that are not numbers (NaN or infinite); export it again.")
        mean = total / max(samples, 1)
        return cls(samples, mean, max(0.0, squares / max(samples, 1) - mean**2))

    def standardise(self, chunk: Tensor, floor: float = 1e-7) -> Tensor:
        """Zero mean and unit variance over the whole recording; `floor` is added to the variance."""
        return ((chunk.double() - self.mean) / (self.variance + floor) ** 0.5).float()

    def standardised(self, chunks: Iterable[Tensor], floor: float = 1e-7) -> Iterator[Tensor]:
        """
        Raises:
            ValueError: the chunks are not the whole recording these statistics are of.
        """
        samples = 0
        for chunk in chunks:
            samples += len(chunk)
            yield self.standardise(chunk, floor)
        if samples != self.samples:
            raise ValueError(
                f"the recording had {self.samples} samples and now has {samples}; open_chunks has to start it over"
            )


def patch_moments(chunks: Iterable[Tensor], kernel: int, stride: int) -> tuple[Tensor, Tensor]:
    """Mean (kernel,) and covariance (kernel, kernel), float64, of all the patches a strided convolution looks at.

    They give the exact statistics of any filter w over the recording, `w @ mean` and `w @ covariance @ w`: a group norm
    over time behind a first convolution can be applied to a stream without holding its output.
    """
    count = 0
    total = torch.zeros(kernel, dtype=torch.float64)
    products = torch.zeros(kernel, kernel, dtype=torch.float64)
    step = BLOCK // stride * stride
    for block in overlapping(chunks, step - stride + kernel, step):
        if len(block) < kernel:
            break
        patches = block.double().unfold(0, kernel, stride)
        count += len(patches)
        total += patches.sum(0)
        products += patches.T @ patches
    mean = total / count
    return mean, products / count - torch.outer(mean, mean)
