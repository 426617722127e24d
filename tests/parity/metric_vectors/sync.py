"""SyncNet: embeddings, offset search, face detector, tracks and crops."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import torch

from hallo_lit.metrics.networks.s3fd import S3FD
from hallo_lit.metrics.networks.syncnet import SyncNet
from hallo_lit.metrics.protocols import face_boxes, face_track, sync_offset
from hallo_lit.metrics.protocols.mfcc import mfcc
from hallo_lit.metrics.sync import lip_embeddings
from metric_vectors.folder import Case, Topic, close, digest, exact, recipe


def search_cases(
    name: str, topic: Topic, prefix: str, lips: torch.Tensor, audio: torch.Tensor, reach: int
) -> Iterator[Case]:
    score = sync_offset.search(lips, audio, reach)
    yield close(f"{name} distances", score.distances, topic[f"{prefix}dists"], 1e-3)
    yield close(f"{name} mean distances", score.mean, topic[f"{prefix}mean_dists"], 1e-3)
    yield exact(f"{name} offset", score.offset, int(topic.number(f"{prefix}offset")))
    yield close(f"{name} Sync-D", score.distance, topic.number(f"{prefix}min_dist"), 1e-3)
    yield close(f"{name} Sync-C", score.confidence, topic.number(f"{prefix}confidence"), 2e-3)
    yield close(f"{name} framewise", score.framewise, topic[f"{prefix}framewise_conf"], 2e-3)


@torch.no_grad()
def syncnet(topic: Topic) -> Iterator[Case]:
    for name, known in topic.values.get("arithmetic_cases", {}).items():
        prefix = f"arith.{name}."
        if f"{prefix}lip" in topic:
            lips, audio = topic.tensor(f"{prefix}lip"), topic.tensor(f"{prefix}audio")
            yield from search_cases(name, topic, prefix, lips, audio, known["vshift"])
    if "frames_bgr" not in topic:
        return
    network = SyncNet().eval()
    yield exact(
        "weights before override",
        digest(recipe(network, topic.values["weight_seed"], topic, prefix="none.")),
        topic.values["weights_sha256_before_override"],
    )
    state = recipe(network, topic.values["weight_seed"], topic)
    yield exact("weights after override", digest(state), topic.values["weights_sha256_after_override"])
    for where, wanted in topic.values.get("spot", {}).items():
        found = re.fullmatch(r"(.+)\[((?:\d+,)*):(\d+)\]", where)
        if found:
            row = state[found[1]][tuple(int(i) for i in found[2].split(",") if i)]
            yield close(f"weights {where}", row[: int(found[3])], wanted, 1e-7)
    network.load_state_dict(state)
    frames, wave = topic["frames_bgr"], topic.tensor("wav")
    coefficients = mfcc(wave)
    yield close("mfcc", coefficients, topic["mfcc"], 1e-9)
    count = sync_offset.window_count(len(frames), len(wave))
    yield exact("windows", count, len(topic["lip_embedding"]))
    features, lips = lip_embeddings(network, iter(frames), count, batch=8)
    audio = network.audio(sync_offset.audio_windows(coefficients, count))
    yield close("lip features", features, topic["lip_feature512"], 1e-3, relative=True)
    yield close("lip embedding", lips, topic["lip_embedding"], 1e-3)
    yield close("audio embedding", audio, topic["audio_embedding"], 1e-3)
    yield from search_cases("clip", topic, "", lips, audio, topic.values.get("vshift", sync_offset.REACH))


def formula(index: int, height: int, width: int) -> np.ndarray:
    """Frame `index` of the virtual video, (H, W, 3) uint8 with channels in the formula's order."""
    y, x = np.mgrid[:height, :width]
    channels = [
        a * x + b * y + g * index + 40 * (((x // 16) + (y // 16) + c) % 2)
        for c, (a, b, g) in enumerate(((3, 1, 7), (1, 2, 5), (2, 3, 11)))
    ]
    return (np.stack(channels, -1) % 256).astype(np.uint8)


def crop(topic: Topic) -> Iterator[Case]:
    known, rows = topic.values, topic["detections"]
    detections = [rows[rows[:, 0] == frame][:, 1:5] for frame in range(known["frames"])]
    tracks = face_track.link(detections, known.get("min_track", 100))
    yield exact("tracks", len(tracks), known["tracks"])
    track = tracks[0]
    yield exact("track frames", track.frames.tolist(), topic["track_frames"].tolist())
    yield close("track boxes", track.boxes, topic["track_bbox"], 1e-9)
    path = face_track.smooth(track)
    for name in ("s", "x", "y"):
        yield close(f"path {name}", getattr(path, name), topic[name], 1e-9)
    found = [face_track.rectangle(*values) for values in zip(path.s, path.x, path.y, strict=True)]
    yield close("rectangles", found, topic["rect_in_padded_image_y0_y1_x0_x1_pad"], 0.0)
    frames = (formula(i, known["height"], known["width"]) for i in range(known["frames"]))
    cropped = list(face_track.crops(frames, track))
    yield exact("crops", len(cropped), known["track_len"])
    for index, wanted in zip(topic["crop_indices"], topic["crops_bgr"], strict=True):
        yield close(f"crop {index}", cropped[index], wanted, 0.0)
    yield close("audio", face_track.seconds(track, known.get("fps", 25)), topic["audio_start_end"], 1e-9)


@torch.no_grad()
def s3fd(topic: Topic) -> Iterator[Case]:
    network = S3FD().eval()
    state = recipe(network, topic.values["weight_seed"], topic)
    yield exact("weights", digest(state), topic.values["weights_sha256"])
    network.load_state_dict(state)
    image = topic["image_rgb"]
    prepared = face_boxes.prepare(image)
    yield close("network input", prepared, topic["net_input"], 1e-4)
    loc, conf, anchors = (value.squeeze(0) for value in network(prepared[None]))
    yield close("loc", loc, topic["loc"], 1e-3)
    yield close("conf", conf, topic["conf"], 1e-3)
    yield close("anchors", anchors, topic["priors"], 1e-6)
    found = face_boxes.candidates(loc, conf, anchors)
    wanted = topic["detect_output"][1]
    table = np.zeros_like(wanted)
    table[: len(found)] = found
    yield close("candidates", table, wanted, 1e-3)
    for match in topic.matching(r"boxes_thr(\d+)p(\d+)"):
        boxes = face_boxes.above(found, image.shape[:2], float(f"{match[1]}.{match[2]}"))
        yield close("boxes", boxes, topic[match[0]], 0.05)
        for kept in topic.matching(r"keep_nms(\d+)p(\d+)"):
            survivors = face_boxes.suppress(boxes[:, :4], boxes[:, 4], float(f"{kept[1]}.{kept[2]}"))
            yield exact("kept", survivors.tolist(), topic[kept[0]].tolist())
