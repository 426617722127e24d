"""Finished clips to disk: mp4 files with their truth beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from hallo_lit.data.atomic import replacing
from hallo_lit.data.synthetic.clip import Clip
from hallo_lit.data.synthetic.controls import CONTROLS
from hallo_lit.data.synthetic.corpus import FPS, Part
from hallo_lit.data.synthetic.formant import SAMPLE_RATE
from hallo_lit.data.synthetic.landmarks import EXACT
from hallo_lit.data.synthetic.settings import SynthesisConfig


def truth(clip: Clip) -> dict[str, Any]:
    """Everything about a clip that is no array, plain JSON values."""
    who = clip.part.who
    return {
        "split": clip.part.split,
        "person": clip.part.person,
        "female": who.female,
        "age": round(who.age, 1),
        "hair": who.style,
        "voice": clip.spoken.voice,
        "sentences": list(clip.spoken.sentences),
        "phonemes": [phone.name for phone in clip.spoken.phones],
        "curves": list(CONTROLS),
        "exact_landmarks": list(EXACT),
    }


def files_of(config: SynthesisConfig, part: Part) -> dict[str, Path]:
    """Where the files of a clip lie; the json is written last, so it tells that the clip is whole."""
    stem = Path(config.out) / part.split / part.name
    return {kind: stem.with_suffix(f".{kind}") for kind in ("mp4", "safetensors", "json")}


def is_done(config: SynthesisConfig, part: Part) -> bool:
    """Whether this very clip lies on disk, whole."""
    files = files_of(config, part)
    if not all(path.is_file() for path in files.values()):
        return False
    try:
        return bool(json.loads(files["json"].read_text())["fingerprint"] == config.fingerprint)
    except (ValueError, KeyError, TypeError):
        return False


def write_files(config: SynthesisConfig, clip: Clip) -> None:
    """The mp4, its arrays and its description."""
    import torch

    from hallo_lit.media.video import VideoWriter

    files = files_of(config, clip.part)
    files["json"].parent.mkdir(parents=True, exist_ok=True)
    record = {"fingerprint": config.fingerprint, "fps": FPS, "frames": len(clip.curves), **truth(clip)}
    about = {"made_by": "hallo-lit synthesize", "seed": config.seed, "clip": clip.part.index, "split": clip.part.split}
    size = (clip.look.size, clip.look.size)
    with VideoWriter(files["mp4"], size, FPS, torch.from_numpy(clip.spoken.samples), about) as writer:
        for frame in clip.frames():
            writer.write(frame)
    arrays = {"curves": clip.curves, "landmarks": clip.landmarks(), "phoneme_times": clip.phone_times()}
    with replacing(files["safetensors"]) as path:
        path.write_bytes(save(arrays, {"sample_rate": str(SAMPLE_RATE)}))
    with replacing(files["json"]) as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
