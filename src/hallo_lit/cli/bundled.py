"""What a bundle brings to verbs that train or prepare: its networks, its encoders, and how it is sampled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from hallo_lit.cli.compose import plain
from hallo_lit.cli.encoders import GROUPS
from hallo_lit.cli.recommended import SETTINGS, UNSAID, adopt, named_by, networks_among
from hallo_lit.errors import UserError
from hallo_lit.weights.bundle import open_bundle
from hallo_lit.weights.bundled_encoder import described
from hallo_lit.weights.hub import BUNDLED
from hallo_lit.weights.index import INDEX

TAKEN = (*SETTINGS, "model", *GROUPS.values())
OTHER_FUSION = "other_fusion"  # of init.networks: how to join features is what is being tried out
NETWORKS_OF = ("config", "weights", OTHER_FUSION)
OWN = ("fusion", *GROUPS.values())  # what is not taken then


def named_here() -> list[str]:
    """The keys and groups that this process's command line sets."""
    return named_by(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


def prepare_for(cfg: DictConfig, bundle: str) -> None:
    """Lets a verb that makes stores make one for training a bundle further, but for what its command line sets.

    Raises:
        UserError: see `open_bundle`.
    """
    names = named_here()
    take_encoders(cfg, bundle, names)
    take_view(cfg, bundle, names)


def take_encoders(cfg: DictConfig, bundle: str, names: Iterable[str]) -> None:
    """Puts the bundle's encoders into `cfg` where `names` names no others; one that it lacks leaves `cfg` as it is.

    Raises:
        UserError: see `open_bundle`.
    """
    chosen = {name.split(".")[0] for name in names}
    for group in set(GROUPS.values()) - chosen:
        if (found := described(bundle, group)) is not None:
            cfg[group] = found


def take_view(cfg: DictConfig, bundle: str, names: Iterable[str]) -> None:
    """Lets a store show as much of the face as `animate` shows the bundle, where `names` does not say how much.

    Raises:
        UserError: see `open_bundle`.
    """
    _, config, _ = open_bundle(bundle, check=False)
    margin, names = float(config.get("crop_margin", UNSAID["crop_margin"])), set(names)
    if "crop" in cfg and not names & {"crop", "crop.face_share"}:
        cfg.crop.face_share = cfg.crop.face_share / margin
    if "close_up" in cfg and "close_up" not in names:
        cfg.close_up = margin
        if "close_up_size" not in names and "size" in config:
            cfg.close_up_size = config["size"]["height"]


def begin_from_weights(cfg: DictConfig, names: Iterable[str]) -> None:
    """What `init.networks` says: the networks that `cfg` describes, or those of the first of its weights.

    Raises:
        UserError: it says something else, or see `take_networks`.
    """
    if cfg.init.networks not in NETWORKS_OF:
        raise UserError(f"init.networks={cfg.init.networks} is not known; choose one of {', '.join(NETWORKS_OF)}.")
    if cfg.init.networks != NETWORKS_OF[0] and cfg.init.weights:
        take_networks(cfg, str(cfg.init.weights[0]), names)


def take_networks(cfg: DictConfig, source: str, names: Iterable[str]) -> None:
    """Puts networks, encoders and way of sampling of a bundle or a run into `cfg`, but for what `names` sets.

    Files of public weights describe no networks, and leave `cfg` as it is. Under `init.networks=other_fusion` the
    fusion and the encoders stay those of `cfg`.

    Raises:
        UserError: the source cannot be read, or `names` asks for other networks than it holds.
    """
    names, found = list(names), _description(source)
    if found is None:
        return
    own = OWN if cfg.init.networks == OTHER_FUSION else ()
    names = [name for name in names if name.split(".")[0] not in own]
    if other := [name for name in networks_among(names) if not name.startswith("model.")]:
        raise UserError(
            f"{other[0]}=... asks for other networks than those of {source}; leave it out, or add init.networks=config."
        )
    taken = adopt(cfg, cfg, found, names, [key for key in TAKEN if key not in own])
    if own:
        taken["model"]["denoiser"]["extras"]["fusion"] = plain(cfg.fusion)
    OmegaConf.set_struct(cfg, False)
    for key in TAKEN:
        if key in taken and key not in own:
            cfg[key] = taken[key]


def _description(source: str) -> Mapping[str, Any] | None:
    from hallo_lit.stages.checkpoint import checkpoint_in, is_checkpoint, read_checkpoint

    path = checkpoint_in(Path(source))
    if is_checkpoint(path):
        return read_checkpoint(path).config
    if path.is_file() or (path.is_dir() and not (path / INDEX).is_file() and source not in BUNDLED):
        return None
    config = open_bundle(source)[1]
    return {**config, **{group: described(source, group) or config.get(group) for group in GROUPS.values()}}
