"""Cuts a small set out of a full one: `python tests/golden/hallo/make_subset.py DIR`, DIR as for run_vectors.py.

Nothing is rounded or recomputed. Whole cases stay; of some only one sample of the batch, or fewer steps. Of the two
UNets, whose weights would be 13 MB, the way down remains (down_path.safetensors) with what was recorded along it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

HERE = Path(__file__).parent
STEPS = {"4.00", "4.01", "4.03", "40.00", "40.39"}
Tensors = dict[str, Tensor]


def everything(case: dict[str, Any], io: Tensors) -> Tensors:
    return io


def first_sample(case: dict[str, Any], io: Tensors) -> Tensors:
    frames = case["config"].get("frames", 1)
    folded = ("block_", "_mask.")  # batch and frames in one axis
    return {k: t[:frames] if any(word in k for word in folded) else t[:1] for k, t in io.items()}


def some_steps(case: dict[str, Any], io: Tensors) -> Tensors:
    steps = case["config"]["recorded_steps"]
    case["config"]["recorded_steps"] = [s for s in steps if f"{s['n']}.{s['index']:02d}" in STEPS]
    lists = {f"out.timesteps.{step.split('.')[0]}" for step in STEPS}
    io = {k: t for k, t in io.items() if not k.startswith("out.timesteps.") or k in lists}
    return {k: t for k, t in io.items() if ".step." not in k or ".".join(k.split(".")[2:4]) in STEPS}


CASES: dict[str, Callable[[dict[str, Any], Tensors], Tensors]] = {
    "case01": everything,
    "case02": everything,
    "case03": everything,
    "case05": first_sample,
    "case06": first_sample,
    "case09": some_steps,
}
NET = ("audioproj.", "imageproj.", "face_locator.")
DOWN = ("conv_in.", "time_embedding.", "down_blocks.0.", "down_blocks.1.", "down_blocks.2.")
TAP = ("norm.", "proj_in.", "transformer_blocks.0.norm1.")  # all that the last tokens of the way down depend on


def reduced(source: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest of the small set; writes its files."""
    cases = []
    for case in manifest["cases"]:
        if (cut := CASES.get(case["id"][:6])) is None:
            continue
        kept = cut(case, load_file(source / case["files"]["io"]))
        kept = {k: t.contiguous() for k, t in kept.items() if k.startswith(("in.", "out."))}
        save_file(kept, HERE / case["files"]["io"])
        if (state := case["files"].get("state_dict")) and state != "net.state.safetensors":
            save_file(load_file(source / state), HERE / state)
        outputs = {k: v for k, v in case["tolerance"].items() if k in kept or not k.startswith("out.")}
        keys = ("id", "title", "files", "config", "feed", "comes_out", "notes")
        cases.append({**{k: case[k] for k in keys if k in case}, "tolerance": outputs})
    net = load_file(source / "net.state.safetensors")
    save_file({k: t for k, t in net.items() if k.startswith(NET)}, HERE / "net.state.safetensors")
    return {**{k: v for k, v in manifest.items() if k != "cases"}, "split": "subset", "cases": cases}


def down_path(source: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Settings and tolerances of the way down through both UNets; writes its tensors."""
    cases = {case["id"][:6]: case for case in manifest["cases"]}
    net = load_file(source / "net.state.safetensors")
    kept: Tensors = {}
    for key, tensor in net.items():
        part, _, name = key.partition(".")
        last = part == "reference_unet" and name.startswith("down_blocks.2.attentions.")
        needed = name.startswith(DOWN) and not (
            part == "reference_unet" and name.startswith("down_blocks.2.downsamplers")
        )
        if needed and (not last or name.split("attentions.0.")[1].startswith(TAP)):
            kept[key] = tensor
    tokens, passes = (load_file(source / cases[name]["files"]["io"]) for name in ("case07", "case08"))
    kept |= {k: t for k, t in tokens.items() if k.startswith("in.single.")}
    kept["out.single.bank.00"] = tokens["out.single.bank.00"]
    kept |= {k: t for k, t in passes.items() if k.startswith("in.cfg.")}
    trace = "trace.cfg_bank_fp32."
    kept |= {
        k: t for k, t in passes.items() if k.startswith(trace + "down_blocks.") and k.removeprefix(trace) + "." in DOWN
    }
    save_file({k: t.contiguous() for k, t in kept.items()}, HERE / "down_path.safetensors")
    return {
        "config": cases["case08"]["config"],
        "tolerance": {"out.single.bank.00": cases["case07"]["tolerance"]["out.single.bank.00"]["suggested_atol"]},
    }


def stage_losses(source: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Tolerances of the losses of both training stages; writes predictions and losses, without the nets between."""
    kept: Tensors = {}
    tolerance: dict[str, float] = {}
    for case in manifest["cases"]:
        if not case["id"].startswith("case11"):
            continue
        stage = case["id"][-1]
        for key, tensor in load_file(source / case["files"]["io"]).items():
            needed = key in ("in.latents", "in.noise", "in.timesteps") or key.endswith((".pred", ".loss", ".weights"))
            if needed and "bank_fp32" not in key:
                kept[f"{stage}.{key}"] = tensor.contiguous()
            if key.endswith(".loss") and "bank_fp32" not in key:
                tolerance[f"{stage}.{key}"] = case["tolerance"][key]["suggested_atol"]
    save_file(kept, HERE / "stage_losses.safetensors")
    return {"tolerance": tolerance}


def main(source: Path) -> None:
    text = (source / "manifest.json").read_text()
    for name, content in (("manifest", reduced), ("down_path", down_path), ("stage_losses", stage_losses)):
        (HERE / f"{name}.json").write_text(json.dumps(content(source, json.loads(text)), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
