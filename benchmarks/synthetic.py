"""What the self-made talking heads are worth: `python benchmarks/synthetic.py [--identities 50] [--out FILE.json]`.

Three questions, each with random controls or spoken clips of people nobody has seen: does MediaPipe find the face and
measure the true lips; could a network fake lip sync from loudness alone; how many frames does a core draw. Wants
mediapipe. Prints a table and saves the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
from numpy.typing import NDArray

from hallo_lit.data.synthetic.actor import Actor
from hallo_lit.data.synthetic.clip import Look, make_clip
from hallo_lit.data.synthetic.controls import CONTROLS, Controls
from hallo_lit.data.synthetic.corpus import Cast, part
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.identity import draw_identity

FIRST_SEED = 900_000


def random_controls(rng: np.random.Generator) -> Controls:
    """The whole range of the mouth, head turned up to 12 degrees."""
    u = rng.uniform
    return Controls(
        open=float(np.clip(rng.beta(0.9, 1.3), 0, 1)),
        width=u(-0.4, 1),
        round=u(0, 1) * (rng.random() < 0.5),
        tongue=u(0, 1) * (rng.random() < 0.3),
        blink=(rng.random() < 0.2) * u(0.2, 1),
        brow=u(-0.5, 1),
        gaze_x=u(-0.6, 0.6),
        gaze_y=u(-0.4, 0.4),
        yaw=u(-12, 12),
        pitch=u(-6, 6),
        roll=u(-8, 8),
        tx=u(-14, 14),
        ty=u(-10, 10),
    )


def measures(points: NDArray) -> tuple[float, float, float]:
    """Lip gap, lip width and eye gap over the distance of the outer eye corners, from 478 landmarks."""
    points = np.asarray(points, float)[:, :2]

    def apart(a: int, b: int) -> float:
        return float(np.linalg.norm(points[a] - points[b]))

    yard = apart(33, 263)
    return apart(13, 14) / yard, apart(61, 291) / yard, (apart(159, 145) + apart(386, 374)) / 2 / yard


def correlation(a: NDArray, b: NDArray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def landmark_study(identities: int, frames: int, size: int) -> dict[str, float]:
    """MediaPipe's static mode, every frame on its own, against the geometry."""
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    truth: list[list[tuple[float, float, float]]] = []
    seen: list[list[tuple[float, float, float]]] = []
    found = 0
    distance: list[float] = []
    for k in range(identities):
        rng = np.random.default_rng([FIRST_SEED, k])
        actor = Actor(draw_identity(FIRST_SEED + k), size, zoom=1.25)
        truth.append([])
        seen.append([])
        for _ in range(frames):
            controls = random_controls(rng)
            faces = mesh.process(actor.render(controls)).multi_face_landmarks
            if not faces:
                continue
            found += 1
            points = np.array([(p.x * size, p.y * size) for p in faces[0].landmark])
            exact = actor.landmarks(controls)
            truth[-1].append(measures(exact))
            seen[-1].append(measures(points))
            yard = np.linalg.norm(exact[33, :2] - exact[263, :2])
            distance.append(float(np.linalg.norm(points - exact[:, :2], axis=1).mean() / yard))
    true, measured = (np.concatenate([np.array(rows) for rows in table if rows]) for table in (truth, seen))
    own = [correlation(np.array(a)[:, 0], np.array(b)[:, 0]) for a, b in zip(truth, seen, strict=True) if len(a) > 2]
    return {
        "frames": identities * frames,
        "detected": found / (identities * frames),
        "aperture_r": correlation(true[:, 0], measured[:, 0]),
        "aperture_slope": float(np.polyfit(true[:, 0], measured[:, 0], 1)[0]),
        "aperture_r_worst_identity": min(own),
        "width_r": correlation(true[:, 1], measured[:, 1]),
        "blink_r": correlation(true[:, 2], measured[:, 2]),
        "landmark_distance": float(np.mean(distance)),
    }


def loudness_study(clips: int, seconds: float, speech: str) -> dict[str, float]:
    """How much of the lip curves the loudness of a frame explains."""
    cast = Cast(FIRST_SEED, clips, clips)
    frames = round(seconds * 25)
    curves, level = [], []
    for k in range(clips):
        clip = make_clip(part(cast, k), Look(speech=speech), frames)
        step = SAMPLE_RATE // 25
        curves.append(clip.curves)
        level.append(np.sqrt((clip.spoken.samples[: frames * step].reshape(frames, step) ** 2).mean(1)))
    table, loud = np.concatenate(curves), np.concatenate(level)
    return {name: correlation(table[:, k], loud) for k, name in enumerate(CONTROLS[:6])}


def speed_study(sizes: tuple[int, ...], frames: int) -> dict[str, float]:
    """Frames per second of one process with one OpenCV thread, without encoding."""
    speeds: dict[str, float] = {}
    rng = np.random.default_rng(0)
    moves = [random_controls(rng) for _ in range(frames)]
    for size in sizes:
        people = [draw_identity(FIRST_SEED + k) for k in range(3)]
        began = time.process_time()
        actors = [Actor(who, size) for who in people]
        speeds[f"build_seconds_{size}"] = (time.process_time() - began) / len(actors)
        began = time.process_time()
        for k, controls in enumerate(moves):
            actors[k % len(actors)].render(controls)
        speeds[f"fps_{size}"] = frames / (time.process_time() - began)
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--identities", type=int, default=50)
    parser.add_argument("--frames", type=int, default=20, help="of each identity")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--clips", type=int, default=60, help="of 4 s, for the loudness study")
    parser.add_argument("--out", type=Path, default=Path("outputs/benchmarks/synthetic.json"))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    result = {
        "speed": speed_study((128, 256, 512), 60),
        "loudness_r": loudness_study(args.clips, 4.0, "formant"),
        "landmarks": landmark_study(args.identities, args.frames, args.size),
    }
    rows = [
        ("face found by MediaPipe", result["landmarks"]["detected"], ">= 0.99"),
        ("aperture r, pooled", result["landmarks"]["aperture_r"], ">= 0.95"),
        ("aperture r, worst identity", result["landmarks"]["aperture_r_worst_identity"], ""),
        ("aperture slope", result["landmarks"]["aperture_slope"], "1"),
        ("mouth width r", result["landmarks"]["width_r"], ">= 0.90"),
        ("eye opening r", result["landmarks"]["blink_r"], ""),
        ("landmark distance / eye distance", result["landmarks"]["landmark_distance"], ""),
        ("loudness explains open, r", result["loudness_r"]["open"], "<= 0.7"),
        ("loudness explains width, r", result["loudness_r"]["width"], "<= 0.2"),
        ("loudness explains round, r", result["loudness_r"]["round"], ""),
        *((f"frames/s per core, {size} px", result["speed"][f"fps_{size}"], "") for size in (128, 256, 512)),
        *(
            (f"s to paint a person, {size} px", result["speed"][f"build_seconds_{size}"], "")
            for size in (128, 256, 512)
        ),
    ]
    for name, value, wanted in rows:
        print(f"{name:<34} {value:8.3f}  {wanted}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(args.out)


if __name__ == "__main__":
    main()
