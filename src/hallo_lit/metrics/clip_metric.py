"""Metrics that are the mean of one row of numbers per clip."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat

from hallo_lit.metrics.base import VideoMetric
from hallo_lit.metrics.video import Unmeasurable, Video


class ClipMetric(VideoMetric):
    """A metric whose value is the plain mean of one row of numbers per clip; NaN entries are left out of their column.

    The rows stay in memory, some bytes per clip, because confidence intervals are drawn over clips.
    """

    columns: tuple[str, ...] = ()
    rows: list[Tensor] | Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    @property
    def headings(self) -> Mapping[str, str]:
        return {column: column for column in self.columns}

    @abstractmethod
    def score(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        """The clip's row; a column that has no value there is absent or NaN."""

    def measure(self, fake: Video, real: Video | None) -> Mapping[str, float]:
        values = self.score(fake, real)
        row = [float(values.get(column, np.nan)) for column in self.columns]
        if np.isnan(row).all():
            raise Unmeasurable("no number came out")
        assert isinstance(self.rows, list)
        self.rows.append(torch.tensor(row, dtype=torch.float64, device=self.device))
        return {column: value for column, value in zip(self.columns, row, strict=True) if not np.isnan(value)}

    def table(self) -> Tensor:
        """(clips, columns) float64."""
        flat = dim_zero_cat(self.rows) if len(self.rows) else torch.zeros(0, dtype=torch.float64, device=self.device)
        return flat.reshape(-1, len(self.columns))

    def compute(self) -> dict[str, Tensor]:
        """Mean over clips by column; columns without a single value are absent."""
        table = self.table()
        known = (~table.isnan()).any(0)
        means = table.nanmean(0)
        return {column: means[i] for i, column in enumerate(self.columns) if known[i]}
