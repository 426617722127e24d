"""`hallo-lit synthesize`: a talking-head corpus from a seed."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from hallo_lit.cli.bundled import prepare_for
from hallo_lit.cli.compose import plain
from hallo_lit.cli.interruption import interruptible
from hallo_lit.cli.progress import Phases
from hallo_lit.data.synthetic.settings import SynthesisConfig
from hallo_lit.data.synthetic.synthesize import synthesize


def config_of(cfg: DictConfig) -> SynthesisConfig:
    """The job that the composed configuration describes; the encoders matter to a store alone."""
    if cfg.store and cfg.weights:
        prepare_for(cfg, cfg.weights)
    given: dict[str, Any] = plain(cfg)
    given["size"] = given.pop("pixels")  # a key of its own, since `size` is a group of the model's
    names = SynthesisConfig.__dataclass_fields__
    chosen = {name: value for name, value in given.items() if name in names}
    if not chosen["store"]:
        chosen |= {"audio_encoder": None, "face_encoder": None}
    return SynthesisConfig(**chosen)


def run(cfg: DictConfig) -> None:
    """Prints one line on what was made; bars go to the terminal."""
    config = config_of(cfg)
    with interruptible(), Phases() as phases:
        report = synthesize(config, lambda done, total: phases("clips", done, total))
    print(f"{config.out}: {report}")
