from __future__ import annotations

import numpy as np
import torch

from hallo_lit.stages.pictures import grid, masks_over, strip


def flat(value: int) -> np.ndarray:
    return np.full((4, 6, 3), value, np.uint8)


def test_pictures_stand_in_rows_with_a_line_between() -> None:
    made = grid([[flat(1), flat(2)], [flat(3)]])
    assert made.shape == (10, 14, 3)
    assert (made[0, 0, 0], made[0, 8, 0], made[6, 0, 0], made[4, 0, 0], made[6, 8, 0]) == (1, 2, 3, 128, 128)


def test_a_strip_shows_first_and_last() -> None:
    truth, made = [flat(i) for i in range(10)], [flat(100 + i) for i in range(10)]
    shown = strip(truth, made, columns=4)
    assert shown.shape == (10, 4 * 8 - 2, 3)
    assert (shown[0, 0, 0], shown[0, -1, 0], shown[-1, 0, 0], shown[-1, -1, 0]) == (0, 9, 100, 109)


def test_masks_tint_where_they_are() -> None:
    regions = torch.zeros(3, 16, 16)
    regions[2, 8:] = 1  # lips: the lower half
    made = masks_over(torch.zeros(3, 16, 16), regions, (8, 8), 2)
    assert made.shape == (2 * 18 - 2, 3 * 18 - 2, 3)
    lips = made[:16, 36:52].astype(int)
    assert (lips[12, 8] - lips[2, 8]).tolist()[0] > 100  # red
    assert np.ptp(made[:16, :16]) == 0  # no pose
