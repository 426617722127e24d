from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hallo_lit.errors import UserError
from hallo_lit.metrics.video import Unmeasurable, Video
from hallo_lit.stages.callbacks.figures import Figures, LipFigures

FRAMES = 30
OPEN = 3 + 2 * np.sin(0.7 * np.arange(FRAMES))


def talking(opening: np.ndarray, unseen: int = 0) -> Video:
    """Landmarks of a face 40 pixels wide whose lips are `opening` apart."""
    points = np.zeros((FRAMES, 478, 3))
    points[:, 33, 0], points[:, 263, 0], points[:, 61, 0], points[:, 291, 0] = 10, 50, 20, 40
    points[:, 291, 0] += opening  # and the wider
    for lower in (14, 17, 87, 317, 178, 402, 88, 318):
        points[:, lower, 1] = opening
    points[:unseen] = np.nan
    return Video.from_arrays("clip", np.zeros((FRAMES, 8, 8, 3), np.uint8), None, points)


def test_lips_that_follow_the_truth_correlate_with_it() -> None:
    noise = np.random.default_rng(0).normal(size=FRAMES)
    same = LipFigures().score(talking(OPEN), talking(OPEN))
    assert same == pytest.approx({"aperture_r": 1.0, "width_r": 1.0, "faces": 1.0})
    assert abs(LipFigures().score(talking(4 + noise), talking(OPEN))["aperture_r"]) < 0.5
    assert LipFigures().score(talking(np.full(FRAMES, 4.0)), talking(OPEN))["aperture_r"] == 0  # a dead mouth
    assert LipFigures().score(talking(OPEN, 15), talking(OPEN))["faces"] == 0.5


def test_too_few_faces_are_no_figure() -> None:
    with pytest.raises(Unmeasurable, match="only 5 frames"):
        LipFigures().score(talking(OPEN, FRAMES - 5), talking(OPEN))


class Wants(LipFigures):
    """As a metric whose landmark finder is not installed."""

    def score(self, fake: Video, real: Video | None) -> Any:
        raise UserError("mediapipe is missing")


class Widths(LipFigures):
    columns = ("width",)

    def score(self, fake: Video, real: Video | None) -> Any:
        return {"width": float(next(fake.frames()).mean())}


def test_figures_go_to_the_loggers_and_what_cannot_work_is_left_out() -> None:
    logged: list[Any] = []
    trainer: Any = SimpleNamespace(
        global_step=7, loggers=[SimpleNamespace(log_metrics=lambda values, step: logged.append((values, step)))]
    )
    figures = Figures({"wants": Wants(), "widths": Widths()})
    for value in (10, 20):
        frames = [np.full((8, 8, 3), value, np.uint8)] * 3
        figures.take("clip", frames, frames, None)
    figures.report(trainer)
    assert logged == [({"samples/width": 15.0}, 7)]
    assert set(figures.metrics) == {"widths"}
    figures.report(trainer)  # nothing since
    assert len(logged) == 1
