"""FID, FVD and E-FID: preprocessing, networks, distances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from hallo_lit.metrics.networks.expression import EXPRESSION, ReconNet
from hallo_lit.metrics.networks.i3d import I3D, SHORTEST
from hallo_lit.metrics.networks.inception import TAPS, FidInception
from hallo_lit.metrics.protocols import face_align, resize
from metric_vectors.folder import Case, Topic, close, digest, exact, recipe
from metric_vectors.statistics import frechet_case
from metric_vectors.sync import formula

_CPU = torch.device("cpu")
_FVD = {
    "stretch_bilinear": ("standard", 1e-5),
    "shortside_centercrop": ("centre_crop", 1e-5),
    "pil_bicubic": ("disco", 1e-4),
}
_FID = {
    "torchmetrics_antialias": "torchmetrics",
    "torch_fidelity": "torch_fidelity",
    "pytorch_fid": "pytorch_fid",
    "clean_fid": "clean",
}


def clips(video: np.ndarray, preset: str) -> torch.Tensor:
    """(n, T, H, W, 3) uint8 -> (n, 3, T, 224, 224) in [-1, 1]."""
    prepared = [resize.FVD[preset](resize.to_tensor(clip, _CPU), I3D.SIDE) for clip in video]
    return torch.stack(prepared).transpose(1, 2)


@torch.no_grad()
def fvd(topic: Topic) -> Iterator[Case]:
    if "stats.real" in topic:
        real, fake = topic["stats.real"], topic["stats.fake"]
        yield frechet_case("unbiased", real, fake, topic.number("stats.fvd_unbiased"), 1e-6)
        yield frechet_case("biased", real, fake, topic.number("stats.fvd_biased"), 1e-6, ddof=0)
    for name, (preset, tolerance) in _FVD.items():
        if f"pre.{name}" in topic:
            yield close(name, clips(topic["pre.video"][:, :1], preset)[0], topic[f"pre.{name}"], tolerance)
    if "i3d.video" not in topic:
        return
    known = topic.values["i3d"]
    yield exact("shortest clip", SHORTEST, known["min_frames"])
    network = I3D().eval()
    before = digest(recipe(network, known["weight_seed"], topic, prefix="none."))
    yield exact("I3D weights before override", before, known["weights_sha256_before_override"])
    state = recipe(network, known["weight_seed"], topic, prefix="i3d.override.")
    network.load_state_dict(state)
    video = clips(topic["i3d.video"], "standard")
    yield close("I3D logits", network(video), topic["i3d.logits"], 1e-3)
    if "i3d.mixed_3b_channelmean" in topic:
        wanted = topic["i3d.mixed_3b_channelmean"]
        yield close("I3D after 3b", network.to_3b(video).mean((2, 3, 4)), wanted, 1e-3)
    for match in topic.matching(r"i3d\.logits_first(\d+)frames"):
        yield close(f"I3D logits, {match[1]} frames", network(video[:, :, : int(match[1])]), topic[match[0]], 1e-3)
    for match in topic.matching(r"i3d\.logits_bn_eps_(.+)"):
        other = I3D(eps=float(match[1])).eval()
        other.load_state_dict(state)
        yield close(f"I3D logits, eps {match[1]}", other(video), topic[match[0]], 1e-3)


@torch.no_grad()
def efid(topic: Topic) -> Iterator[Case]:
    if "fd.e_fid" in topic:
        yield frechet_case("distance", topic["fd.exp_real"], topic["fd.exp_fake"], topic.number("fd.e_fid"), 1e-9)
    if "standard_5pts_3d" in topic:
        yield close("reference points", face_align.REFERENCE, topic["standard_5pts_3d"], 1e-6)
    crops = []
    for match in topic.matching(r"(.+)\.landmarks5_image_xy"):
        case, known = match[1], topic.values[match[1]]
        size = (known["height"], known["width"])
        points = topic[match[0]]
        found = face_align.align(points, size, topic["standard_5pts_3d"].astype(np.float64))
        wanted = topic[f"{case}.trans_params_w_h_s_tx_ty"]
        given = np.array([found.width, found.height, found.scale, found.tx, found.ty])
        yield close(f"{case} alignment (relative)", given / wanted, np.ones(5), 1e-5)
        crops.append(found.crop(formula(known["frame_formula_index"], *size)[..., ::-1].copy()))
        yield close(f"{case} crop", crops[-1], topic[f"{case}.aligned_rgb"], 1.0)
        moved = found.points(face_align.flip(points, size[0]))
        yield close(f"{case} points", moved, topic[f"{case}.landmarks5_aligned_yup"], 1e-3)
    if "coeff257" not in topic:
        return
    network, known = ReconNet().eval(), topic.values["rnet"]
    before = digest(recipe(network, known["weight_seed"], topic, prefix="none."))
    yield exact("weights before override", before, known["weights_sha256_before_override"])
    network.load_state_dict(recipe(network, known["weight_seed"], topic))
    codes = network(resize.to_tensor(np.stack(crops), _CPU) / 255)
    yield close("coefficients", codes, topic["coeff257"], 2e-3)
    yield close("expression", codes[:, EXPRESSION], topic["expression64"], 2e-3)


@torch.no_grad()
def inception(topic: Topic) -> Iterator[Case]:
    network, known = FidInception().eval(), topic.values
    before = digest(recipe(network, known["weight_seed"], topic, prefix="none."))
    yield exact("weights before override", before, known["weights_sha256_before_override"])
    network.load_state_dict(recipe(network, known["weight_seed"], topic))
    images = resize.to_tensor(topic["images_rgb"], _CPU)
    taps = network.taps(resize.FID["torch_fidelity"](images, network.SIDE))
    for width in TAPS:
        if f"feat{width}" in topic:
            yield close(f"tap {width}", taps[width], topic[f"feat{width}"], 1e-3, relative=True)
    for name, preset in _FID.items():
        if f"feat2048_{name}" in topic:
            features = network(resize.FID[preset](images, network.SIDE))
            yield close(f"features {name}", features, topic[f"feat2048_{name}"], 1e-3, relative=True)
    for match in topic.matching(r"fid_(\w+)_first(\d+)_vs_last(\d+)"):
        features = network(resize.FID[match[1]](images, network.SIDE)).double().numpy()
        real, fake = features[: int(match[2])], features[-int(match[3]) :]
        yield frechet_case(f"FID {match[1]}", real, fake, topic.number(match[0]), 1e-3)
