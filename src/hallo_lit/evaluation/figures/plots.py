"""Charts by matplotlib, without its global state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hallo_lit.errors import UserError
from hallo_lit.media.image import Pixels


def axes_on(rows: int, size: tuple[float, float], heights: Sequence[float] | None = None) -> tuple[Any, Any]:
    """A figure of `size` inches and its axes below each other, with a common time axis.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError("This figure needs matplotlib: pip install 'hallo-lit[notebooks]'.") from error
    figure = Figure(size, dpi=100, layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, height_ratios=heights or [1] * rows)
    for axis in np.atleast_1d(axes):
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def pixels(figure: Any) -> Pixels:
    """A drawn figure as (H, W, 3) pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3], np.uint8)
