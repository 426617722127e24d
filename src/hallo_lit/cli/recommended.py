"""How a bundle's own way of sampling meets what was asked for on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hallo_lit.cli.compose import plain
from hallo_lit.errors import UserError

# What a bundle says about itself besides its networks.
SETTINGS = (
    "size",
    "process",
    "sampler",
    "guidance",
    "handover",
    "frames",
    "motion_frames",
    "half_noise",
    "shared_noise",
    "crop_margin",
    "photo_detail",
)
# What bundles that do not name it mean.
UNSAID = {"crop_margin": 1.0, "photo_detail": False}
# Naming one of these asks for other networks than those of the bundle that comes along.
NETWORKS = ("model", "fusion", "audio_encoder", "face_encoder")
SHAPES = ("size", "size.unet", "size.codec")
# Where a bundle says which class of such a part it has.
CHOSEN = {
    "fusion": ("model", "denoiser", "extras", "fusion", "_target_"),
    "audio_encoder": ("audio_encoder", "_target_"),
    "face_encoder": ("face_encoder", "_target_"),
}
BUNDLED = "tiny"
Path = tuple[str, ...]


def adopt(
    cfg: DictConfig,
    usual: DictConfig,
    bundle: Mapping[str, Any],
    names: Iterable[str],
    keys: Sequence[str] = SETTINGS,
) -> dict[str, Any]:
    """`cfg` as plain data, with the bundle's settings `keys` wherever the user has asked for nothing else.

    usual: the configuration without any override. Asked for is what differs from it, presets included, and what
    `names` names (keys and groups). A part of another class than the bundle's is taken whole; of the same class, value
    by value, so that `sampler.steps=10` changes the steps of whatever sampler the bundle recommends.

    Raises:
        UserError: `names` asks for a part of the networks that is not the bundle's.
    """
    mine, before = plain(cfg), plain(usual)
    named = {tuple(name.split(".")) for name in names}
    if bundle:
        _refuse_others(mine, bundle, {name[0] for name in named if len(name) == 1})
        bundle = {**UNSAID, **bundle}
    for key in keys:
        if key not in bundle:
            continue
        if key not in mine:
            mine[key] = deepcopy(bundle[key])
            continue
        asked = {path: value for path, value in _leaves(mine[key], (key,)) if _get(before, path) != value}
        asked |= {path: value for path, value in _leaves(mine[key], (key,)) if _named(cfg, path, named)}
        theirs = deepcopy(bundle[key])
        if not asked:
            mine[key] = theirs
        elif isinstance(theirs, dict) and isinstance(mine[key], dict) and _class(theirs) == _class(mine[key]):
            for path, value in asked.items():
                _set(theirs, path[1:], value)
            mine[key] = theirs
    return mine


def weights_of(weights: str | None, names: Iterable[str]) -> str | None:
    """`weights` itself; for "auto" the bundle that comes along, or None where the command line asks for other networks.

    names: as for `adopt`.
    """
    if weights != "auto":
        return weights
    return None if networks_among(names) else BUNDLED


def networks_among(names: Iterable[str]) -> list[str]:
    """Those keys and groups that ask for other networks than a bundle's."""
    return [n for n in names if n.split(".")[0] in NETWORKS or n.startswith(SHAPES[1:]) or n == SHAPES[0]]


def named_by(overrides: Iterable[str]) -> list[str]:
    """The keys and groups that a command line sets."""
    return [o.key_or_group for o in OverridesParser.create().parse_overrides(list(overrides))]


def _refuse_others(mine: Mapping[str, Any], bundle: Mapping[str, Any], groups: set[str]) -> None:
    for group in groups & set(CHOSEN):
        ours, theirs = _get(mine, (group, "_target_")), _get(bundle, CHOSEN[group])
        if None not in (ours, theirs) and ours != theirs:
            asked, there = (str(name).rpartition(".")[2] for name in (ours, theirs))
            raise UserError(
                f"{group}=... asks for {asked}, and these weights were trained with {there}; "
                f"leave {group} out, or give weights of such a model."
            )


def _named(cfg: DictConfig, path: Path, named: set[Path]) -> bool:
    """Whether an override names this value, a part that holds it, or the key it is interpolated from."""
    if any(path[: len(name)] == name for name in named):
        return True
    parent = OmegaConf.select(cfg, ".".join(path[:-1])) if path[:-1] else cfg
    if not isinstance(parent, DictConfig) or not OmegaConf.is_interpolation(parent, path[-1]):
        return False
    raw = OmegaConf.to_container(parent, resolve=False)
    return isinstance(raw, dict) and any(raw[path[-1]] == f"${{{'.'.join(name)}}}" for name in named)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path, value


def _get(value: Any, path: Path) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _set(value: dict[str, Any], path: Path, leaf: Any) -> None:
    for key in path[:-1]:
        value = value.setdefault(key, {})
    value[path[-1]] = leaf


def _class(value: Mapping[str, Any]) -> Any:
    return value.get("_target_")
