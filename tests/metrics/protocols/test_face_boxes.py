from __future__ import annotations

import numpy as np

from hallo_lit.metrics.protocols import face_boxes


def test_suppression_keeps_the_best_of_overlapping_boxes():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], float)
    assert face_boxes.suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.1).tolist() == [1, 2]
    assert face_boxes.suppress(boxes, np.array([0.5, 0.9, 0.7]), 0.9).tolist() == [1, 2, 0]
    assert face_boxes.suppress(np.zeros((0, 4)), np.zeros(0), 0.1).tolist() == []
