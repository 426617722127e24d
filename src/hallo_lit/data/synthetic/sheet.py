"""Contact sheets of painted people: `python -m hallo_lit.data.synthetic.sheet --out docs/images/synthetic.jpg`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.controls import Controls
from hallo_lit.data.synthetic.identity import draw_identity
from hallo_lit.data.synthetic.paint import Pixels

MOVES = (
    Controls(),
    Controls(open=0.35, width=0.8),
    Controls(open=0.95),
    Controls(open=0.4, round=1.0),
    Controls(press=1.0, brow=0.5),
    Controls(blink=1.0),
    Controls(yaw=-14, open=0.2, gaze_x=0.4),
    Controls(yaw=14, pitch=5, roll=6, open=0.3),
)


def people(seeds: Sequence[int], columns: int, size: int) -> Pixels:
    """Resting faces, row by row."""
    faces = [Actor(draw_identity(seed), size).render(Controls()) for seed in seeds]
    rows = [np.hstack(faces[k : k + columns]) for k in range(0, len(faces) // columns * columns, columns)]
    return np.vstack(rows)


def moves(seeds: Sequence[int], size: int) -> Pixels:
    """One row per person: MOVES."""
    rows = []
    for seed in seeds:
        actor = Actor(draw_identity(seed), size, zoom=1.3)
        rows.append(np.hstack([actor.render(controls) for controls in MOVES]))
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a contact sheet of people and of what their faces do.")
    parser.add_argument("--out", type=Path, required=True, help="a .png or .jpg file")
    parser.add_argument("--first", type=int, default=20, help="seed of the first person")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--size", type=int, default=176)
    args = parser.parse_args()
    top = people(range(args.first, args.first + args.count), len(MOVES), args.size)
    sheet = np.vstack([top, moves((args.first + 1, args.first + 7), args.size)])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 84])
    print(args.out)


if __name__ == "__main__":
    main()
