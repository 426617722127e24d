"""Case 12: from landmarks to rectangles, soft region masks and their pyramids; grey levels, exact or one off."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from vector_set import Case, Row

from hallo_lit.faces.regions import (
    FACE_KERNEL,
    FACE_OVAL,
    LIP_KERNEL,
    OUTER_LIPS,
    Mask,
    released_blur,
    released_box,
    released_masks,
    released_rectangle,
    union_masks,
    union_rectangle,
)
from hallo_lit.structs import MaskPyramid

NAMES = {"full_mask": "sep_background", "face_mask": "sep_face", "lip_mask": "sep_lip"}


LIP_RATIO = 2.0  # fixed in the original


def masks(case: Case) -> None:
    grey = float(case.entry["tolerance"].get("suggested_max_grey_levels", 1))
    inversion = case.io["out.background_inversion_lut"]
    worst = 0.0
    for name, config in case.config["cases"].items():
        landmarks, size = case[f"{name}.landmarks_f64"].numpy(), (config["height"], config["width"])
        made = released_masks(landmarks, size, config["face_expand_ratio"], LIP_RATIO)
        rectangle(case, f"{name}.face_png", made.locator, config["face_mask_png"])
        lips = released_rectangle(landmarks, OUTER_LIPS, size, LIP_RATIO)
        rectangle(case, f"{name}.lip_png", lips, config["lip_mask_png"])
        face = torch.from_numpy(released_blur(made.locator, FACE_KERNEL))
        case.check(f"{name}.face_mask_blur", face, grey)
        regions = torch.from_numpy(made.regions)
        for mask, recorded in zip(regions, NAMES.values(), strict=True):
            case.check(f"{name}.{recorded}", mask, grey)
        for side in case.config["sizes"]:
            for output, level in pyramid(regions, side).items():
                case.check(f"{name}.size{side}.{output}", level, grey)
        worst = max(worst, float((inversion[face.long()].int() - regions[0].int()).abs().max()))
    case.rows.append(Row(case.name, "background_inversion_lut", worst, 0.0, "over the values that occur"))
    case.seen.add("out.background_inversion_lut")
    union(case, grey)
    case.check("expand_region", torch.tensor([expanded(row) for row in case["expand_region"].tolist()]), 0.0)


def expanded(row: list[float]) -> tuple[int, int, int, int]:
    """The enlarged box of two landmarks at the corners of a box."""
    x0, x1, y0, y1, width, height, ratio = row
    landmarks = np.full((478, 2), (x0, y0))
    landmarks[FACE_OVAL[0]] = (x1, y1)
    left, top, right, bottom = released_box(landmarks, FACE_OVAL, (int(height), int(width)), ratio)
    return left, right, top, bottom


def pyramid(regions: Tensor, side: int) -> dict[str, Tensor]:
    made = MaskPyramid.from_masks(regions[None] / 255.0, (side // 8, side // 8), eight_bit=True)
    return {
        f"{name}.{i}": level[0, :, r].mul(255).round().to(torch.uint8)
        for i, level in enumerate(made.levels)
        for r, name in enumerate(NAMES)
    }


def union(case: Case, grey: float) -> None:
    config = case.config["union"]
    landmarks, size, ratio = (
        case["union.landmarks_f64"].numpy(),
        (config["height"], config["width"]),
        config["expand_ratio"],
    )
    made = union_masks(landmarks, size, ratio)
    lips = union_rectangle(landmarks, OUTER_LIPS, size, ratio)
    rectangle(case, "union.face_png", made.locator, config["face_png"])
    rectangle(case, "union.lip_png", lips, config["lip_png"])
    case.check("union.face_blur", torch.from_numpy(released_blur(made.locator, FACE_KERNEL)), grey)
    case.check("union.lip_blur", torch.from_numpy(released_blur(lips, LIP_KERNEL)), grey)
    for mask, name in zip(made.regions, ("sep_pose", "sep_face", "sep_lip"), strict=True):
        case.check(f"union.{name}", torch.from_numpy(mask), grey)


def rectangle(case: Case, output: str, ours: Mask, file: str) -> None:
    """Compares with a recorded picture, exactly."""
    wanted = cv2.imread(str(case.vectors.folder / file), cv2.IMREAD_GRAYSCALE)
    error = float(np.abs(ours.astype(int) - wanted).max()) if wanted.shape == ours.shape else float("inf")
    case.rows.append(Row(case.name, output, error, 0.0))
