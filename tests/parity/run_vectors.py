"""Runs every case of a folder of recorded vectors: `python tests/parity/run_vectors.py DIR`.

Prints case, output, largest error, tolerance and verdict; exit status 1 on any miss.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

import cases_masks
import cases_parts
import cases_pipeline
import cases_training
import cases_unets
from vector_set import Case, VectorSet

CASES: dict[str, Callable[[Case], None]] = {
    "case01": cases_parts.audio_proj,
    "case02": cases_parts.image_proj,
    "case03": cases_parts.face_location,
    "case04": cases_pipeline.wav2vec,
    "case05": cases_parts.audio_block,
    "case06": cases_parts.motion_module,
    "case07": cases_unets.reference_unet,
    "case08": cases_unets.denoising_unet,
    "case09": cases_parts.scheduler,
    "case10": cases_pipeline.pipeline,
    "case11_train_stage1": cases_training.stage1,
    "case11_train_stage2": cases_training.stage2,
    "case12": cases_masks.masks,
}


def run(folder: Path) -> list[Case]:
    """Every case of the folder, checked.

    Raises:
        KeyError: the folder has a case that nothing here knows.
    """
    vectors = VectorSet(folder)
    done = []
    for name in vectors.cases:
        check = next((check for prefix, check in CASES.items() if name.startswith(prefix)), None)
        if check is None:
            raise KeyError(f"{name} in {folder} is unknown to this runner")
        case = Case(vectors, name)
        grads = "train" in name
        with torch.enable_grad() if grads else torch.inference_mode():
            check(case)
        done.append(case)
    return done


def main(argv: list[str]) -> int:
    if len(argv) != 1 or not (Path(argv[0]) / "manifest.json").is_file():
        print("usage: python tests/parity/run_vectors.py DIR   (DIR holds manifest.json and its safetensors files)")
        return 2
    missed = 0
    for case in run(Path(argv[0])):
        for row in case.rows:
            print(row)
            missed += not row.passed
        for output, why in case.skipped.items():
            print(f"{case.name:24} {output:78} skipped: {why}")
        for output in case.unseen():
            print(f"{case.name:24} {output:78} MISS not compared")
            missed += 1
    print(f"{missed} misses" if missed else "all cases pass")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
