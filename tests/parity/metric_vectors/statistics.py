"""Fréchet distances, MFCC and the lip-sync proxy: arithmetic without networks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import torch

from hallo_lit.metrics.frechet import Moments, frechet_distance
from hallo_lit.metrics.protocols.mfcc import filterbank, mfcc
from hallo_lit.signals import lip_audio
from metric_vectors.folder import Case, Topic, close, exact


def moments(features: np.ndarray, ddof: int = 1, chunk: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and covariance as the metrics gather them: a few rows at a time."""
    gathered = Moments.zeros(features.shape[1])
    for start in range(0, len(features), chunk):
        gathered = gathered.add(torch.from_numpy(features[start : start + chunk]))
    return gathered.mean_and_covariance(ddof)


def frechet_case(name: str, x: np.ndarray, y: np.ndarray, wanted: float, relative: float, ddof: int = 1) -> Case:
    found = float(frechet_distance(*moments(x, ddof), *moments(y, ddof)))
    if abs(wanted) < 1e-6:
        return close(f"{name} (absolute)", found, wanted, 1e-9)
    return close(name, found, wanted, relative, relative=True)


def frechet(topic: Topic) -> Iterator[Case]:
    for match in topic.matching(r"(.+)\.fd"):
        case = match[1]
        x, y = topic[f"{case}.x"], topic[f"{case}.y"]
        rank = min(np.linalg.matrix_rank(side - side.mean(0)) for side in (x, y))
        tolerance = 1e-9 if rank == x.shape[1] else 1e-6
        yield frechet_case(f"{case} distance", x, y, topic.number(f"{case}.fd"), tolerance)
        for side, features in (("x", x), ("y", y)):
            mean, covariance = moments(features)
            if f"{case}.mu_{side}" in topic:
                yield close(f"{case} mean {side}", mean, topic[f"{case}.mu_{side}"].reshape(-1), 1e-9, relative=True)
            if f"{case}.sigma_{side}" in topic:
                wanted = topic[f"{case}.sigma_{side}"].reshape(covariance.shape)
                yield close(f"{case} covariance {side}", covariance, wanted, 1e-9, relative=True)


def mfcc_cases(topic: Topic) -> Iterator[Case]:
    for match in topic.matching(r"(.+)\.wav"):
        yield close(match[1], mfcc(topic.tensor(match[0])), topic[f"{match[1]}.mfcc"], 1e-9)
    for match in topic.matching(r"float_input\.mfcc_of_(.+)_divided_by_(\d+)"):
        wave = topic.tensor(f"{match[1]}.wav").double() / int(match[2])
        yield close(f"{match[1]} / {match[2]}", mfcc(wave), topic[match[0]], 1e-9)
    if "filterbank" in topic:
        yield close("filterbank", filterbank(), topic["filterbank"], 1e-9)


def proxy(topic: Topic) -> Iterator[Case]:
    columns = {int(number): topic["landmarks"][:, i] for i, number in enumerate(topic["landmark_ids"])}
    # The mouth corners are no part of PSync; a recording without them gets any two points.
    for corner in lip_audio.MOUTH_CORNERS:
        columns.setdefault(corner, topic["landmarks"][:, 0])
    times, wave = topic["frame_times"], topic["wav"].astype(np.float64)
    mouth = lip_audio.openings(columns)
    grid = lip_audio.grid(times, len(wave))
    yield close("grid", grid, topic["grid"], 1e-9)
    yield close("inner", mouth.inner, topic["inner"], 1e-6)
    yield close("outer", mouth.outer, topic["outer"], 1e-6)
    yield close("mouth", lip_audio.mouth_signal(mouth, times, grid), topic["mouth"], 1e-6)
    yield close("audio", lip_audio.audio_signal(wave, grid), topic["audio"], 1e-6)
    score = lip_audio.lip_audio_sync(mouth, times, wave)
    assert score is not None
    yield close("r", score.r, topic["r"], 1e-6)
    yield from _score("score", score, topic.values.get("score", {}))
    for name, wanted in topic.values.items():
        rolled = re.fullmatch(r"audio_rolled_([+-][\d.]+)s", name.replace("plus_", "+").replace("minus_", "-"))
        if rolled:
            moved = np.roll(wave, round(float(rolled[1]) * lip_audio.RATE))
            shifted = lip_audio.lip_audio_sync(mouth, times, moved)
            assert shifted is not None
            yield from _score(name, shifted, wanted)


def _score(name: str, score: lip_audio.LipAudioSync, wanted: dict[str, float]) -> Iterator[Case]:
    found = {
        "r_max": float(score.r.max()),
        "r_near": score.r_near,
        "conf": score.confidence,
        "r0": float(score.r[len(score.r) // 2]),
    }
    for key, value in wanted.items():
        if key == "lag_ms":
            yield exact(f"{name} lag", score.lag_ms, value)
        else:
            yield close(f"{name} {key}", found[key], value, 1e-6)
