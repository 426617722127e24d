from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hallo_lit.metrics.diversity import Diversity
from hallo_lit.metrics.protocols.head_motion import separate
from metrics.footage import clip, curve, mesh, talking


def turning(points: np.ndarray, axis: str, degrees: np.ndarray) -> np.ndarray:
    """Turns every frame about the middle of the face, then shrinks and moves it."""
    middle = points[0].mean(0)
    turned = np.einsum(
        "fij,fnj->fni", Rotation.from_euler(axis, degrees[:, None], degrees=True).as_matrix(), points - middle
    )
    growth = np.linspace(1, 1.2, len(points))[:, None, None]
    return growth * turned + middle + np.linspace(0, 30, len(points))[:, None, None]


WAVE = 10 * np.sin(np.linspace(0, 8 * np.pi, 200, endpoint=False))


@pytest.mark.parametrize(("axis", "name"), [("y", "yaw"), ("x", "pitch"), ("z", "roll")])
def test_a_nodding_head_has_the_deviation_of_its_angle_and_no_expression(axis: str, name: str):
    metric = Diversity()
    metric.update(clip("a", 2, landmarks=turning(mesh(200), axis, WAVE)))
    values = metric.report().values
    assert values[name] == pytest.approx(10 / np.sqrt(2), rel=1e-3)
    assert values["head"] == pytest.approx(values[name], rel=1e-3)
    assert values["expression"] < 1e-6


def test_talking_moves_the_face_and_not_the_head():
    metric = Diversity()
    metric.update(clip("a", 2, landmarks=talking(curve(100))), clip("a", 2, landmarks=talking(2 * curve(100))))
    values = metric.report().values
    assert values["head"] < 1e-6
    assert values["expression"] > 0.005
    assert values["expression_of_real"] == pytest.approx(0.5, rel=1e-6)
    assert "head_of_real" not in values


def test_lost_frames_stay_lost_and_few_frames_are_a_verdict():
    landmarks = turning(mesh(40), "y", WAVE[:40])
    landmarks[:20] = np.nan
    motion = separate(landmarks)
    assert np.isnan(motion.angles[:20]).all()
    assert np.isfinite(motion.angles[20:]).all()
    metric = Diversity()
    metric.update(clip("a", 2, landmarks=landmarks))
    assert metric.report().verdicts[0].reason == "only 20 frames show a face; 25 are needed"
