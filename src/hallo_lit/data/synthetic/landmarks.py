"""True landmarks of a rendered face in MediaPipe's numbering, from geometry and not from a detector."""

from __future__ import annotations

import cv2
import numpy as np

from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.eyes import IRIS_RADIUS, iris_centre
from hallo_lit.data.synthetic.geometry import brow_line, brow_thickness, half_outline, lids
from hallo_lit.data.synthetic.identity import Identity
from hallo_lit.data.synthetic.mouth import shape
from hallo_lit.data.synthetic.paint import Array, Patch, Points
from hallo_lit.data.synthetic.rest_face import from_shared, rest_table
from hallo_lit.data.synthetic.warp import PLANE_Z, Camera, Pose, carry

OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# the rows of the mesh between the borders of a lip, nearer the outer one first; corners left out
BETWEEN_UPPER = ((184, 74, 73, 72, 11, 302, 303, 304, 408), (183, 42, 41, 38, 12, 268, 271, 272, 407))
BETWEEN_LOWER = ((77, 90, 180, 85, 16, 315, 404, 320, 307), (96, 89, 179, 86, 15, 316, 403, 319, 325))
# from the outer to the inner corner; left and right of the picture
EYE_UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
EYE_LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
BROW_UPPER = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
BROW_LOWER = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))
IRIS = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))  # centre, right, top, left, bottom of the picture
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CONTOUR = OVAL[5:32]  # below the temples: on the painted outline

EXACT = tuple(
    sorted({*OUTER_UPPER, *OUTER_LOWER, *INNER_UPPER, *INNER_LOWER, *CONTOUR, 76, 62, 306, 292}
    | {i for group in (EYE_UPPER, EYE_LOWER, BROW_UPPER, BROW_LOWER, IRIS, BETWEEN_UPPER, BETWEEN_LOWER)
       for row in group for i in row})
)  # fmt: skip
"""Landmarks whose place on the face geometry itself defines; the others start from a measured mean face. All of them
move exactly as the painted skin moves."""

_OUTER_T = np.array([-1, -0.885, -0.745, -0.555, -0.29, 0, 0.29, 0.555, 0.745, 0.885, 1])
_INNER_T = np.array([-0.92, -0.76, -0.63, -0.45, -0.24, 0, 0.24, 0.45, 0.63, 0.76, 0.92])
_UPPER_Q = np.array([0, 0.05, 0.11, 0.22, 0.40, 0.60, 0.80, 0.94, 1])
_LOWER_Q = np.array([0, 0.08, 0.16, 0.28, 0.47, 0.65, 0.83, 0.94, 1])
_BROW_Q = np.array([1.0, 0.88, 0.66, 0.38, 0.06])
OUTLINE_SHARE = 0.985  # contour landmarks lie this far out, just inside the silhouette


def _on_outline(who: Identity, points: Points) -> Points:
    half, middle = half_outline(who), np.array([who.CENTRE, who.eye_y + 22])
    angle = np.arctan2(half[:, 0], half[:, 1] - middle[1])[::-1]
    reach = np.hypot(half[:, 0], half[:, 1] - middle[1])[::-1]
    away = points - middle
    theta = np.arctan2(np.abs(away[:, 0]), away[:, 1])
    radius = OUTLINE_SHARE * np.interp(theta, angle, reach)
    return middle + away / np.linalg.norm(away, axis=1, keepdims=True) * radius[:, None]


def _rest(who: Identity) -> Points:
    """(478, 2) head-plane positions with a neutral face; lips, lids and irises are overwritten later."""
    points = from_shared(who, rest_table())
    contour = list(CONTOUR)
    points[contour] = _on_outline(who, points[contour])
    for k, side in enumerate((-1, 1)):
        line, thick = brow_line(who, side, _BROW_Q), brow_thickness(who, _BROW_Q) / 2
        points[list(BROW_UPPER[k])] = line - np.stack([0 * thick, thick], 1)
        points[list(BROW_LOWER[k])] = line + np.stack([0 * thick, thick], 1)
    return points


def plane_landmarks(who: Identity, controls: Controls) -> Points:
    """(478, 2) in the head plane, before the head turns."""
    mouth = shape(who, controls)
    points = carry(who, _rest(who), controls, mouth)
    for rows, t, edge in (
        (OUTER_UPPER, _OUTER_T, mouth.outer_upper),
        (OUTER_LOWER[1:-1], _OUTER_T[1:-1], mouth.outer_lower),
        (INNER_UPPER, _INNER_T, mouth.inner_upper),
        (INNER_LOWER[1:-1], _INNER_T[1:-1], mouth.inner_lower),
    ):
        x = who.CENTRE + t * mouth.half
        points[list(rows)] = np.stack([x, np.interp(x, mouth.x, edge)], 1)
    for corner, inner in ((61, 78), (291, 308)):
        points[corner, 1] = np.interp(points[corner, 0], mouth.x, mouth.inner_upper)
        for row, share in ((76, 1 / 3), (62, 2 / 3)) if corner == 61 else ((306, 1 / 3), (292, 2 / 3)):
            points[row] = points[corner] + share * (points[inner] - points[corner])
    for outer, between, inside in (
        (OUTER_UPPER, BETWEEN_UPPER, INNER_UPPER),
        (OUTER_LOWER, BETWEEN_LOWER, INNER_LOWER),
    ):
        edge, rim = points[list(outer[1:-1])], points[list(inside[1:-1])]
        for share, rows in zip((1 / 3, 2 / 3), between, strict=True):
            points[list(rows)] = edge + share * (rim - edge)
    for k, side in enumerate((-1, 1)):
        eye = lids(who, side, float(np.clip(controls.blink, 0, 1)))
        outer, inner = (eye.x[0], eye.x[-1]) if side < 0 else (eye.x[-1], eye.x[0])
        for rows, q, edge in (
            (EYE_LOWER[k], _LOWER_Q, eye.lower),
            (EYE_UPPER[k], _UPPER_Q, eye.upper),
        ):
            x = outer + q * (inner - outer)
            points[list(rows)] = np.stack([x, np.interp(x, eye.x, edge)], 1)
        cx, cy = iris_centre(who, side, controls)
        r = IRIS_RADIUS
        points[list(IRIS[k])] = [(cx, cy), (cx + r, cy), (cx, cy - r), (cx - r, cy), (cx, cy + r)]
    return points


def picture_landmarks(
    who: Identity, controls: Controls, pose: Pose, depth: Array, patch: Patch, camera: Camera
) -> Points:
    """(478, 3) in pixels of the picture, z growing away from the viewer as MediaPipe's does."""
    plane = plane_landmarks(who, controls)
    at = patch.pixels(plane).astype(np.float32)[None]
    z = cv2.remap(depth, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(float)
    shown = camera.pixels(pose.forward(plane, z))
    return np.concatenate([shown, -(z - PLANE_Z)[:, None] * camera.per_unit], 1)
