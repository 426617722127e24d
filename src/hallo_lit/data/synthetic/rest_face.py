"""Where MediaPipe's 478 landmarks lie on a resting painted face, in coordinates that every identity shares.

`python -m hallo_lit.data.synthetic.rest_face` measures the table anew (needs mediapipe) and stores it beside this file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from hallo_lit.data.synthetic.identity import Identity, draw_identity
from hallo_lit.data.synthetic.paint import Pixels, Points

TABLE = Path(__file__).with_name("rest_face.safetensors")


def levels(who: Identity) -> Points:
    """y of the heights that all faces have: above the crown, crown, brows, eyes, nose, mouth, chin, below."""
    marks = [who.top, who.brow_y, who.eye_y, who.nose_y, who.mouth_y, who.chin]
    return np.array([who.top - 50, *marks, who.chin + 50])


def to_shared(who: Identity, points: Points) -> Points:
    """Head-plane points (..., 2) -> half widths from the middle, and levels from the crown (-1 .. 6)."""
    y = levels(who)
    return np.stack(
        [(points[..., 0] - who.CENTRE) / who.half_width, np.interp(points[..., 1], y, np.arange(len(y)) - 1.0)], -1
    )


def from_shared(who: Identity, shared: Points) -> Points:
    """The inverse of `to_shared`."""
    y = levels(who)
    return np.stack(
        [who.CENTRE + who.half_width * shared[..., 0], np.interp(shared[..., 1], np.arange(len(y)) - 1.0, y)], -1
    )


@cache
def rest_table() -> Points:
    """(478, 2) shared coordinates."""
    return load_file(TABLE)["rest"].astype(np.float64)


def measure(people: int = 60) -> NDArray[np.float32]:
    """(478, 2) medians of what MediaPipe finds on resting faces, made symmetric."""
    import mediapipe as mp

    from hallo_lit.data.synthetic.actor import Actor
    from hallo_lit.data.synthetic.controls import Controls

    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    found = []
    for seed in range(500_000, 500_000 + people):
        actor = Actor(draw_identity(seed), 512, zoom=1.3)
        picture: Pixels = actor.render(Controls())
        faces = mesh.process(picture).multi_face_landmarks
        if faces:
            points = np.array([(p.x, p.y) for p in faces[0].landmark]) * actor.camera.size
            found.append(to_shared(actor.who, np.stack(actor.camera.plane(points[:, 0], points[:, 1]), 1)))
    middle = np.median(found, 0)
    mirrored = middle * (-1, 1)
    partner = np.linalg.norm(middle[:, None] - mirrored[None], axis=2).argmin(1)
    return np.asarray((middle + mirrored[partner]) / 2, np.float32)


if __name__ == "__main__":
    save_file({"rest": np.ascontiguousarray(measure())}, TABLE)
