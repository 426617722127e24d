"""`hallo-lit animate`: from the configuration to finished videos."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hallo_lit.animation.jobs import BadRow, Job, perform, read_jobs
from hallo_lit.cli.progress import Phases
from hallo_lit.errors import UserError

PER_JOB = (
    "seed",
    "pose_weight",
    "face_weight",
    "lip_weight",
    "face_expand_ratio",
    "cfg_scale",
    "sampler.steps",
    "crop",
    "face",
    "frames_dir",
    "resume",
)


def run(cfg: DictConfig) -> int:
    """Exit status 1 when a row of a manifest failed; a single video's failure is raised."""
    if cfg.describe is not None:
        return describe(Path(cfg.describe))
    jobs = jobs_of(cfg)
    alone = cfg.manifest is None
    with Phases() as phases:
        animate = Animate(cfg, phases)
        if alone:
            for job in jobs:
                if isinstance(job, Job):
                    animate(job)
            return 0
        failed = perform(jobs, animate, lambda text: print(f"hallo-lit: {cfg.manifest} {text}", file=sys.stderr))
    print(f"{len(jobs) - failed} of {len(jobs)} videos made")
    return int(failed > 0)


def jobs_of(cfg: DictConfig) -> Sequence[Job | BadRow]:
    """The videos to make.

    Raises:
        UserError: there is nothing to make, or both a manifest and a video are asked for.
    """
    given = [name for name in ("portrait", "audio", "out") if cfg[name] is not None]
    if cfg.manifest is not None:
        if given:
            raise UserError(f"manifest= and {given[0]}= exclude each other: the manifest's columns name the files.")
        return read_jobs(Path(cfg.manifest), {name: OmegaConf.select(cfg, name) for name in PER_JOB})
    missing = [name for name in ("portrait", "audio", "out") if name not in given]
    if missing:
        raise UserError(f"animate needs {', '.join(f'{name}=FILE' for name in missing)}.")
    return [Job(0, Path(cfg.portrait), Path(cfg.audio), Path(cfg.out))]


def with_options(cfg: DictConfig, job: Job) -> DictConfig:
    """The configuration of one job: the common one, with what its row says."""
    own = cfg.copy()
    for name, value in job.options.items():
        OmegaConf.update(own, name, value)
    return own


def describe(path: Path) -> int:
    """Prints what the video says about itself as JSON."""
    from hallo_lit.media.video import read_metadata

    print(json.dumps(read_metadata(path), indent=2, ensure_ascii=False))
    return 0


class Animate:
    """Makes one video after the other with networks that are loaded once."""

    def __init__(self, cfg: DictConfig, phases: Phases) -> None:
        self.cfg, self.phases = cfg, phases

    def __call__(self, job: Job) -> None:
        raise NotImplementedError


def settings(cfg: DictConfig) -> dict[str, Any]:
    raise NotImplementedError
